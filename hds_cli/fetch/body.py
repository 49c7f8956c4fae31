"""A response's body within limits: raw bytes are decoded here, piece by piece.

httpx's own decoders hand out a whole decoded chunk at once: 809 bytes of brotli took 3.1 GiB under a 5 MiB cap in the
loop. So only gzip and deflate are asked for, one encoding at most, and zlib's `max_length` bounds each step.
"""

from __future__ import annotations

import re
import zlib

MAX_BYTES = 5 << 20
MAX_RATIO = 200
MAX_MEMBERS = 2000  # members of one gzip body
_GZIP = b"\x1f\x8b"
_NO_CODING = re.compile(
    r"identity|none|null|binary|text|plain|[78]bit|chunked|aws-chunked|us-ascii|ascii|utf-?\d{1,2}(?:[lb]e)?|latin-?\d|iso-8859-\d{1,2}"
    r"|windows-\d{3,4}|gbk?|gb\d{4,5}|big5|shift[-_]jis|euc-(?:jp|kr)|koi8-[ru]|text/html|\*"
)
_PIECE = 1 << 16
_RATIO_FROM = 1 << 20


class Refused(Exception):
    """A fetch that ends without a page; `reason` is the page's machine word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Body:
    """Collects a body.

    Args:
        encoding: the Content-Encoding header.
        limit: bytes allowed, on the wire and decoded alike.

    Raises:
        Refused: `bad_encoding` (unknown, several, broken), `too_big` or `bomb`.
    """

    def __init__(self, encoding: str | None, limit: int = MAX_BYTES) -> None:
        name = _coding(encoding)
        self._raw = name == ""
        self._name = name
        self._inflate = None if self._raw else zlib.decompressobj(31 if name == "gzip" else 15)
        self._members = 0  # members that have ended
        self._began = 0  # bytes of the body when the present member began
        self._over = False
        self.limit = limit
        self._out = bytearray()
        self.wire = 0

    def feed(self, chunk: bytes) -> None:
        self.wire += len(chunk)
        if self._inflate is None:
            self._out += chunk
            self._check()
            return
        while chunk and not self._over:
            self._out += self._step(chunk)
            chunk = self._inflate.unconsumed_tail
            self._check()
            if self._inflate.eof:
                chunk = self._next_member()
        self._check()

    def _next_member(self) -> bytes:
        """Take in the bytes after the end of a stream: another member (RFC 1952), or bytes that mean nothing."""
        assert self._inflate is not None
        rest = self._inflate.unused_data
        self._members += 1
        self._began = len(self._out)
        if self._members > MAX_MEMBERS or self._name == "deflate" or (rest and not rest.startswith(_GZIP[: len(rest)])):
            self._over = True
        elif rest:
            self._inflate = zlib.decompressobj(31)
        return b"" if self._over else rest

    def _step(self, chunk: bytes) -> bytes:
        assert self._inflate is not None
        try:
            return self._inflate.decompress(chunk, _PIECE)
        except zlib.error:
            if self._name == "deflate" and not self._out:  # RFC 9110 8.4.1.2: some send it without the zlib wrapper
                self._inflate = zlib.decompressobj(-15)
                try:
                    return self._inflate.decompress(chunk, _PIECE)
                except zlib.error:
                    pass
            if self._members:  # bytes after a whole member, which browsers leave out too
                self._over = True
                return b""
            raise Refused("bad_encoding") from None

    def _check(self) -> None:
        if self.wire > self.limit or len(self._out) > self.limit:
            ratio = len(self._out) > MAX_RATIO * self.wire
            raise Refused("bomb" if ratio and not self._raw else "too_big")
        if not self._raw and len(self._out) > _RATIO_FROM and len(self._out) > MAX_RATIO * self.wire:
            raise Refused("bomb")

    @property
    def start(self) -> bytes:
        """The first bytes, for sniffing."""
        return bytes(self._out[:1024])

    def peek(self, size: int) -> bytes:
        """The bytes that have come so far, at most `size`, whether or not the stream has ended."""
        return bytes(self._out[:size])

    def __len__(self) -> int:
        return len(self._out)

    def done(self) -> bytearray:
        """The whole body; not a copy, since it may be large.

        Raises:
            Refused: `truncated`: the compressed stream has no end.
        """
        while self._inflate is not None and not self._over and not self._inflate.eof and (more := self._step(b"")):
            self._out += more  # output that max_length held back
            self._check()
        nothing_more = self._members > 0 and len(self._out) == self._began
        whole = self._inflate is None or self._over or self._inflate.eof or nothing_more
        if not whole and self.wire:
            raise Refused("truncated")
        return self._out


def _coding(header: str | None) -> str:
    """The one coding of a body: "", `gzip` or `deflate`. A charset's name in its place is a slip; it says nothing.

    Raises:
        Refused: `bad_encoding`, it is one that was not asked for, or there are several.
    """
    names = [name.strip().lower().removeprefix("x-") for name in (header or "").split(",")[:10]]
    real = [name for name in names if name and not _NO_CODING.fullmatch(name)]
    if not real:
        return ""
    if len(real) > 1 or real[0] not in ("gzip", "deflate"):
        raise Refused("bad_encoding")
    return real[0]


_XML = re.compile(rb"<\?xml|<rss[\s>]|<feed[\s>]|<rdf:RDF[\s>]", re.I)
_HTML = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|style|iframe|h1|div|font|table|a|title|b|br|p|article|main|meta|!--)\b",
    re.I,
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MARKUP = ("text/html", "application/xhtml+xml")


def sniff(content_type: str | None, start: bytes, url: str) -> str | None:
    """The kind of a body, by its first bytes before its label: html, xml, json, markdown, text, pdf; None: unreadable.

    A shortened WHATWG MIME sniffing: a server's `text/html` on PNG bytes is not believed, nor is a missing type.
    """
    label = (content_type or "").partition(";")[0].strip().lower()
    head = start[:1024].lstrip(b"\xef\xbb\xbf \t\r\n\x0c")
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if not start.startswith((b"\xff\xfe", b"\xfe\xff")) and _is_binary(start):
        return None
    if label in _MARKUP:
        return "xml" if _feed(head) else "html"
    if label.endswith("json") and label.startswith(("application/", "text/")):
        return "json"
    if label.endswith("/xml") or label.endswith("+xml"):
        return "html" if _HTML.match(head) and not _XML.match(head) else None if "svg" in label else "xml"
    if label in ("text/markdown", "text/x-markdown") or url.partition("?")[0].lower().endswith((".md", ".markdown")):
        return "markdown"
    if label in (
        "",
        "application/octet-stream",
        "application/x-unknown",
        "unknown/unknown",
        "*/*",
        "binary/octet-stream",
    ):
        return _unlabelled(head)
    if label in ("text/css", "text/javascript", "text/calendar", "text/vcard"):
        return None
    if label.startswith("text/"):
        return "text"
    return None


def _is_binary(start: bytes) -> bool:
    # NUL alone is sloppy HTML now and then; several control bytes, or a known magic number, are not text.
    if start.startswith((b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"RIFF", b"\x1f\x8b", b"\x7fELF")):
        return True
    return len(_BINARY.findall(start)) * 50 > max(len(start), 100)


def _feed(head: bytes) -> bool:
    return bool(_XML.match(head)) and not re.search(rb"<html[\s>]|<!doctype\s+html", head, re.I)


def _unlabelled(head: bytes) -> str:
    if _XML.match(head):
        return "xml" if _feed(head) else "html"
    if _HTML.match(head):
        return "html"
    return "json" if head[:1] in (b"{", b"[") else "text"


def charset_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type header, as it stands there."""
    match = re.search(r"""charset\s*=\s*["']?([^\s;"',]{1,40})""", content_type or "", re.I)
    return match[1] if match else None
