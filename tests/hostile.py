"""Pages, files and servers that mean harm: what tests and benchmarks give to the installed command."""

from __future__ import annotations

import contextlib
import io
import json
import time
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from html import escape

from tests.fetch.web import Request, Web, answer
from tests.growth.bodies import docx, epub, packed, pdf
from tests.growth.families import FAMILIES

MIB = 1 << 20
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">'
    + "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def zeros(name: str, others: dict[str, bytes], size: int = 900 * MIB) -> bytes:
    """An archive with one member of blanks, a thousandth of its size on disk."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, data in others.items():
            archive.writestr(other, data)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(size // MIB):
                member.write(b" " * MIB)
    return stream.getvalue()


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _without(body: bytes, name: str) -> dict[str, bytes]:
    return {other: data for other, data in _parts(body).items() if other != name}


def _replaced(body: bytes, name: str, text: str) -> bytes:
    return packed({other: data.decode() for other, data in _parts(body).items()} | {name: text})


def _flate_bomb() -> bytes:
    """A page whose content is a gigabyte of text operators; one piece of it is squeezed, and repeated."""
    first, piece = b"BT /F1 9 Tf ", b"(ha) Tj " * (MIB // 8)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin, again = (squeeze.compress(part) + squeeze.flush(zlib.Z_FULL_FLUSH) for part in (first, piece))
    check = zlib.adler32(first)
    for _ in range(1000):
        check = zlib.adler32(piece, check)
    data = b"\x78\xda" + begin + again * 1000 + squeeze.flush() + check.to_bytes(4, "big")
    whole = pdf("x")
    start, end = whole.index(b"<< /Length"), whole.index(b"endstream")
    return whole[:start] + b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(data) + data + b"\n" + whole[end:]


FILES: dict[str, Callable[[], bytes]] = {
    "blanks.docx": lambda: zeros("word/document.xml", _without(docx("x"), "word/document.xml")),
    "laughs.docx": lambda: _replaced(docx("x"), "word/document.xml", LAUGHS + "<a>&x11;</a>"),
    "paragraphs.docx": lambda: docx("\n" * 400_000),
    "blanks.epub": lambda: zeros("a.xhtml", _without(epub("x"), "a.xhtml")),
    "laughs.epub": lambda: _replaced(epub("x"), "p.opf", LAUGHS + "<a>&x11;</a>"),
    "spine.epub": lambda: _replaced(
        epub("word " * 20_000), "p.opf",
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest><spine>'
        + '<itemref idref="a"/>' * 100_000 + "</spine></package>",
    ),
    "flate.pdf": _flate_bomb,
    "pages.pdf": lambda: pdf("x").replace(b"/Kids [3 0 R] /Count 1", b"/Kids [2 0 R 2 0 R 2 0 R] /Count 99999999"),
    "initials.txt": lambda: FAMILIES["initials"](400_000).encode(),
    "heading.md": lambda: FAMILIES["one long heading"](900_000).encode(),
    "keys.json": lambda: json.dumps({"k" * 4000: list(range(100_000))}).encode(),
    "nesting.json": lambda: b"[" * 3_000_000,
    "brackets.md": lambda: b"# " + b"(" * 290 + b"\n\n" + b"(" * 500_000,
    "columns.csv": lambda: b",".join(b"a" * 900 for _ in range(2000)) + b"\n" + (b"1," * 2000 + b"\n") * 200,
    "spans.html": lambda: b"<p>" + b"<span>w</span>" * 200_000,
}  # fmt: skip
_TYPES = {"html": "text/html; charset=utf-8", "txt": "text/plain; charset=utf-8", "md": "text/markdown; charset=utf-8",
          "json": "application/json", "pdf": "application/pdf", "csv": "text/csv", "xml": "application/rss+xml"}  # fmt: skip


def page_of(family: str, size: int = 3_000_000) -> bytes:
    """A web page of a text family, the words of a query at its beginning."""
    made = FAMILIES[family](size)
    return f"<html><title>The walrus {escape(made[:2000])}</title><body><article><h1>The walrus</h1><p>The walrus sleeps on the ice of the bay.</p><p>{escape(made)}</p></article>".encode()


def text_of(family: str, size: int = 3_000_000) -> bytes:
    """A plain text of a family, with a beginning that a query finds."""
    return f"The walrus sleeps on the ice of the bay.\n\n{FAMILIES[family](size)}".encode()


def web_pages(size: int = 3_000_000) -> dict[str, bytes]:
    """Answers of a server by path: every family as a page and as plain text, and the files that are pages too."""
    made: dict[str, bytes] = {}
    for number, family in enumerate(FAMILIES):
        made[f"/page{number}.html"] = answer(page_of(family, size), "200 OK", _TYPES["html"])
        made[f"/text{number}.txt"] = answer(text_of(family, size), "200 OK", _TYPES["txt"])
    for name, build in FILES.items():
        if (kind := _TYPES.get(name.rpartition(".")[2])) is not None:
            made[f"/{name}"] = answer(build(), "200 OK", kind)
    return made


def _drip(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000\r\n\r\n")
    with contextlib.suppress(OSError):
        for _ in range(600):
            request.send(b"x")
            time.sleep(0.2)


def _endless(request: Request) -> None:
    request.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            request.send(b"10000\r\n" + b"<p>word " * 8192 + b"\r\n")


def _slow_head(request: Request) -> None:
    with contextlib.suppress(OSError):
        request.send(b"HTTP/1.1 200 OK\r\n")
        for _ in range(600):
            request.send(b"X-A: b\r\n")
            time.sleep(0.2)


def _squeezed(size: int = 200 * MIB) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(squeeze.compress(b"\0" * MIB) for _ in range(size // MIB)) + squeeze.flush()


def servers() -> dict[str, bytes | Callable[[Request], None]]:
    """Answers by path of servers that are hostile before any text of theirs is read."""
    bomb, html = _squeezed(), "text/html"
    return {
        "/gzip": answer(bomb, "200 OK", html, "Content-Encoding: gzip"),
        "/brotli": answer(b"\xce\xff\xff" * 300, "200 OK", html, "Content-Encoding: br"),
        "/twice": answer(zlib.compress(bomb), "200 OK", html, "Content-Encoding: gzip, deflate"),
        "/redirect": answer(bomb, "302 Found", html, "Content-Encoding: gzip", "Location: /page0.html"),
        "/circle": answer(b"", "302 Found", html, "Location: /circle"),
        "/large": answer(b"<p>word " * (4 * MIB), "200 OK", html),
        "/head": b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * (8 * MIB) + b"\r\n\r\n",
        "/drip": _drip,
        "/endless": _endless,
        "/slow": _slow_head,
    }


@contextlib.contextmanager
def serving(pages: dict[str, bytes | Callable[[Request], None]], per_query: int = 5) -> Iterator[Web]:
    """A web with these answers and a search as SearXNG has: the query `… 3` finds the paths from 3 * `per_query` on."""
    web = Web()
    paths = sorted(pages)
    web.routes.update(pages)

    def search(request: Request) -> None:
        asked = urllib.parse.parse_qs(request.path.partition("?")[2]).get("q", ["0"])[0]
        number = int("".join(c for c in asked if c.isdigit()) or 0)
        chosen = [paths[n % len(paths)] for n in range(number * per_query, (number + 1) * per_query)]
        found = [{"url": web.url + path, "title": "The walrus", "content": "of the bay"} for path in chosen]
        request.send(answer(json.dumps({"results": found}).encode(), "200 OK", "application/json"))

    web.routes["/search"] = search
    try:
        yield web
    finally:
        web.close()


def script_of(queries: Sequence[str], per_turn: int = 8, *, forced: bool = False) -> str:
    """A script of the scripted engine: these queries, some a turn, and an answer.

    Args:
        forced: the run will be stopped, and the answer is asked for inside its box.
    """
    blocks = [queries[at : at + per_turn] for at in range(0, len(queries), per_turn)]
    turns = [
        ("<think>\n" if n == 0 else "") + "t\n</think>\n\n<|begin_search_queries|>\n" + ";\n".join(block) + "\n<|end_search_queries|>"
        for n, block in enumerate(blocks)
    ]  # fmt: skip
    answer = "The walrus sleeps on the ice of the bay [1]. It weighs 7,312 kg and Zanzibar Quagmire fed it [2].\n</think>\n\n\\boxed{on the ice}"
    said = [*turns, "on the ice of the bay}" if forced else answer]
    return "\n".join(json.dumps({"text": text}) for text in said)
