"""Bytes to text by the labels of the WHATWG Encoding Standard, never by Python's codec registry.

The registry knows `hex`, `rot13`, `punycode` (quadratic: 5 MB would take 50 minutes) and more that raise; 21 of 140
labels made httpx's `response.text` raise. Order: byte order mark, header, `<meta>` or XML declaration, detection.
"""

from __future__ import annotations

import re
from typing import Any

_META = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([a-zA-Z0-9_:.\-]{1,40})""", re.I)
_XML = re.compile(rb"""^\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([a-zA-Z0-9_:.\-]{1,40})""", re.I)
_NON_ASCII = re.compile(rb"[\x80-\xff]")
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16le"), (b"\xfe\xff", "utf-16be"))
_SAMPLE = 4096
# The encodings of unlabelled legacy pages, by their Python names.
_LEGACY = "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 koi8_r iso8859_2 cp932 euc_jp gb18030 big5 cp949".split()


def decode(body: bytes, label: str | None = None, *, markup: bool = False) -> str:
    """The text of `body`; never raises, whatever the label says.

    Args:
        body: the decoded body (no content encoding left).
        label: the charset of the Content-Type header.
        markup: look for `<meta charset>` and an XML declaration in the first 2 KiB.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _decode(body[len(mark) :], encoding)
    name = _lookup(label)
    if name is None and markup and (declared := _META.search(body[:2048]) or _XML.search(body[:2048])):
        name = _lookup(declared[1].decode("ascii"))
        if name in ("utf-16le", "utf-16be"):  # wrong: in UTF-16 it could not be read (HTML, prescan)
            name = "utf-8"
    if name not in (None, "utf-8"):
        return _decode(body, str(name))
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if name == "utf-8" and _mostly_utf8(body):
        return body.decode("utf-8", "replace")
    return _decode(body, _detect(body))


def _lookup(label: str | None) -> str | None:
    if not label:
        return None
    import webencodings

    encoding = webencodings.lookup(label.strip("\"' \t"))
    # `replacement` stands for encodings that hide ASCII (hz-gb-2312, iso-2022-kr); x-user-defined is for binary data.
    return None if encoding is None or encoding.name in ("replacement", "x-user-defined") else str(encoding.name)


def _decode(body: bytes, name: str) -> str:
    import webencodings

    encoding: Any = webencodings.lookup(name)
    if encoding is None:
        return body.decode(name, "replace")  # from _LEGACY, nothing a server wrote
    text: str = encoding.codec_info.decode(body, "replace")[0]
    return text


def _mostly_utf8(body: bytes) -> bool:
    """A cut or spliced UTF-8 page has few bad bytes; a Latin-1 page that claims to be UTF-8 has nothing else."""
    sample = body[:200_000]
    foreign = len(_NON_ASCII.findall(sample))
    return sample.decode("utf-8", "replace").count("\ufffd") * 4 < foreign


def _detect(body: bytes) -> str:
    import charset_normalizer

    first = _NON_ASCII.search(body)
    start = max(0, first.start() - 200) if first else 0
    if len(_NON_ASCII.findall(body[start : start + _SAMPLE])) < 24:
        return "windows-1252"  # too little to tell; a guess would be Chinese as often as not
    best = charset_normalizer.from_bytes(body[start : start + _SAMPLE], cp_isolation=_LEGACY).best()
    # Short Western texts are read as cp1250 by the detector; windows-1252 is the standard's default.
    return "windows-1252" if best is None or best.encoding in ("cp1250", "iso8859_2") else str(best.encoding)
