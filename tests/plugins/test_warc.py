"""WARC files as sources: written by warcio and by our own export, searched by the installed command."""

from __future__ import annotations

import gzip
import json
import os
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from hds_cli.config import Settings, SourceSettings
from hds_cli.errors import ConfigError, SourceError
from hds_cli.fetch.client import Fetcher
from hds_cli.search import sources
from hds_cli.search.base import Archive, SourceContext
from hds_cli.types import Page, SearchResult
from tests.conftest import Hds
from tests.fetch.conftest import run
from tests.measure import measured
from tests.plugins.books import ARTICLES
from tests.plugins.test_zim import with_source

pytest.importorskip("warcio", reason="warcio is not installed (extra warc)")
Make = Callable[..., Settings]
BLOCK = "<think>\nOne thing.\n</think>\n\n<|begin_search_queries|>\ncapital of Norway\n<|end_search_queries|>"
ANSWER = "done\n</think>\n\n\\boxed{Oslo}"


def html(title: str, text: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body><article><p>{text}</p></article></body></html>".encode()


def crawl(path: Path, *, compressed: bool = True) -> Path:
    """A crawl with pages, one of them gzipped and chunked, and with much that is no page."""
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=compressed)

        def add(url: str, body: bytes, kind: str = "text/html", status: str = "200 OK", *more: tuple[str, str]) -> None:
            head = StatusAndHeaders(status, [("Content-Type", kind), *more], protocol="HTTP/1.1")
            writer.write_record(writer.create_warc_record(url, "response", payload=BytesIO(body), http_headers=head))

        writer.write_record(writer.create_warcinfo_record(path.name, {"software": "test"}))
        for title, text in ARTICLES.items():
            add(f"https://example.org/{title.replace(' ', '_')}", html(title, text))
        packed = gzip.compress(html("Packed", "A walrus came gzipped and in chunks."))
        chunked = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
        more = (("Content-Encoding", "gzip"), ("Transfer-Encoding", "chunked"))
        add("https://example.org/packed", chunked, "text/html", "200 OK", *more)
        add("https://example.org/gone", html("Gone", "A walrus was here."), "text/html", "404 Not Found")
        add("https://example.org/walrus.png", b"\x89PNG\r\n\x1a\n walrus", "image/png")
        add("https://example.org/binary", b"PK\x03\x04 walrus", "application/octet-stream")
        add("file:///etc/passwd", html("Passwd", "A walrus in a file."))
        for kind, url in (("request", "https://example.org/asked"), ("metadata", "https://example.org/about")):
            writer.write_record(writer.create_warc_record(url, kind, payload=BytesIO(b"GET /walrus HTTP/1.1\r\n\r\n")))
        plain = BytesIO(b"A resource\n\nA narwhal is a resource.")
        writer.write_record(
            writer.create_warc_record(
                "https://example.org/plain", "resource", payload=plain, warc_content_type="text/plain"
            )
        )
    return path


def search(path: Path, settings: Make, query: str) -> list[SearchResult]:
    made = settings(offline=True, sources={"warc": SourceSettings(path=str(path))})
    found: list[SearchResult] = with_source("warc", made, lambda source: source.search(query, 5))
    return found


def read(path: Path, settings: Make, url: str) -> Page | None:
    made = settings(offline=True, sources={"warc": SourceSettings(path=str(path))})
    page: Page | None = with_source("warc", made, lambda source: source.read(url))
    return page


@pytest.mark.parametrize("compressed", [True, False])
def test_pages_are_found_and_nothing_else_is(compressed: bool, tmp_path: Path, settings: Make, home: Path) -> None:
    """Answers with status 200 and resources; not errors, pictures, requests, or addresses that are none of the web."""
    path = crawl(tmp_path / ("c.warc.gz" if compressed else "c.warc"), compressed=compressed)
    assert [r.url for r in search(path, settings, "walrus")] == ["https://example.org/packed"]
    assert [r.url for r in search(path, settings, "narwhal")] == ["https://example.org/plain"]
    assert search(path, settings, "capital of Norway")[0].source == "warc"
    page = read(path, settings, "https://example.org/Norway")
    assert page is not None
    assert (page.title, page.ok) == ("Norway", True)
    assert "The capital of Norway is Oslo" in page.text
    assert read(path, settings, "https://example.org/gone") is None


def test_a_question_is_answered_from_an_archive_alone(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """`hds index add FILE.warc.gz` makes it a source by name; offline, the page is cited with its web address."""
    added = hds("index", "add", str(crawl(tmp_path / "crawl.warc.gz")))
    assert added.returncode == 0, added.stderr
    assert f"crawl: {len(ARTICLES) + 2} documents" in added.stderr
    args = [
        "ask",
        "--offline",
        "-s",
        "crawl",
        "-e",
        "scripted",
        "-m",
        script(BLOCK, ANSWER),
        "--json",
        "Capital of Norway?",
    ]
    done = hds(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    run = json.loads(done.stdout)
    assert run["egress"] == []
    assert [(c["url"], c["verified"]) for c in run["citations"]] == [("https://example.org/Norway", True)]


def test_what_the_page_cache_exports_can_be_searched(hds: Hds, tmp_path: Path) -> None:
    """`hds cache export FILE.warc.gz` on one machine, `HDS_WARC_PATH=FILE.warc.gz hds search -s warc` on another."""
    row: dict[str, object] = dict.fromkeys(["final_url", "fetched_at", "author", "date", "etag", "last_modified"])
    row |= {
        "schema": "hds.page/1",
        "url": "https://example.org/salt",
        "title": "Salt",
        "text": "Salt of Wieliczka.",
        "stored": 1.0,
    }
    (tmp_path / "pages.jsonl").write_text(json.dumps(row))
    assert hds("cache", "import", str(tmp_path / "pages.jsonl")).returncode == 0
    assert hds("cache", "export", str(tmp_path / "pages.warc.gz")).returncode == 0
    env = {"HDS_WARC_PATH": str(tmp_path / "pages.warc.gz"), "HDS_HOME": str(tmp_path / "elsewhere")}
    done = hds("search", "--offline", "-s", "warc", "--json", "Wieliczka", env=env)
    assert [r["url"] for r in json.loads(done.stdout)["queries"][0]["results"]] == ["https://example.org/salt"], (
        done.stderr
    )


def test_an_index_is_made_once_and_again_when_the_file_changes(tmp_path: Path, settings: Make, home: Path) -> None:
    """The second search does not read the archive; one that was replaced is read anew."""
    reads: list[str] = []

    def searched(path: Path, query: str) -> list[SearchResult]:
        made = settings(offline=True, sources={"warc": SourceSettings(path=str(path))})

        async def inside() -> list[SearchResult]:
            async with Fetcher(made) as fetcher:

                async def archive(factory: str, *files: str) -> Archive:
                    reads.extend(files)
                    return await fetcher.archive(factory, *files)

                context = SourceContext(made, fetcher.api, None, fetcher.extract, archive=archive)
                (source,) = sources.open_sources(["warc"], context)
                return await source.search(query, 5)

        found: list[SearchResult] = run(inside())
        return found

    path = crawl(tmp_path / "c.warc.gz")
    assert searched(path, "walrus")
    assert searched(path, "narwhal")
    assert len(reads) == 1
    path.write_bytes(path.read_bytes() + crawl(tmp_path / "d.warc.gz").read_bytes())
    os.utime(path, (1, 1))
    assert searched(path, "walrus")
    assert len(reads) == 2


@pytest.mark.parametrize("where", ["record", "answer", "many"])
def test_a_header_without_an_end_costs_the_process_that_reads_it(where: str, hds: Hds, tmp_path: Path) -> None:
    """300 MB of one header line in 300 kB: the page before it is indexed, and this process stays small."""
    good = crawl(tmp_path / "good.warc.gz").read_bytes()
    head = b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://example.org/a\r\nContent-Length: 999999999\r\n"
    endless = {"record": head + b"X: ", "answer": head + b"\r\nHTTP/1.1 200 OK\r\nX: ", "many": head}[where]
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b"X: y\r\n" * 150_000 if where == "many" else b"y" * 1_000_000
    bomb = squeeze.compress(endless) + b"".join(squeeze.compress(piece) for _ in range(300)) + squeeze.flush()
    path = tmp_path / "bomb.warc.gz"
    path.write_bytes(good + bomb)
    done, peak, _ = measured("index", "add", str(path))
    assert done.returncode == 0, done.stderr
    assert "the head of a record is larger than any" in done.stderr
    assert json.loads(hds("index", "info", "bomb", "--json").stdout)["documents"] >= len(ARTICLES)
    assert peak < 150 << 20


def test_a_folder_of_archives_is_one_source(tmp_path: Path, settings: Make, home: Path) -> None:
    """All WARC files below the path."""
    folder = tmp_path / "crawls" / "deep"
    folder.mkdir(parents=True)
    crawl(folder / "a.warc.gz")
    crawl(folder.parent / "b.warc", compressed=False)
    assert [r.rank for r in search(folder.parent, settings, "walrus")] == [1, 2]


def test_an_archive_that_breaks_off_gives_what_is_before(hds: Hds, tmp_path: Path) -> None:
    """A download that stopped: its first pages are indexed, and it is said."""
    path = crawl(tmp_path / "cut.warc.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    added = hds("index", "add", str(path))
    assert added.returncode == 0, added.stderr
    assert json.loads(hds("index", "info", "cut", "--json").stdout)["documents"] >= 2


@pytest.mark.parametrize("content", [b"not a WARC file at all\n" * 50, b"\x00\x01\x02" * 500], ids=["text", "binary"])
def test_a_file_that_is_no_archive_is_named(content: bytes, hds: Hds, tmp_path: Path, settings: Make) -> None:
    """An error with its name, and no collection."""
    path = tmp_path / "no.warc"
    path.write_bytes(content)
    done = hds("index", "add", str(path))
    assert done.returncode == 5, done.stderr
    assert "error[warc_broken]: no.warc cannot be read as a WARC file" in done.stderr
    with pytest.raises(SourceError):
        search(path, settings, "walrus")


def test_without_warcio_the_extra_is_named(settings: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A configuration error with the line to type."""
    path: Any = crawl(tmp_path / "c.warc.gz")
    monkeypatch.setitem(sys.modules, "warcio", None)  # as if it were not installed
    with pytest.raises(ConfigError) as caught:
        search(path, settings, "walrus")
    assert caught.value.hint == 'pip install "hds-cli[warc]"'


def test_pages_packed_with_brotli_are_read_within_bounds_and_others_counted(hds: Hds, tmp_path: Path) -> None:
    """Brotli is unpacked, also in chunks; a bomb ends at the limit; what cannot be unpacked is said by its kind."""
    brotli = pytest.importorskip("brotli")
    from warcio.statusandheaders import StatusAndHeaders
    from warcio.warcwriter import WARCWriter

    packed = brotli.compress(html("Brotli", "A narwhal came through brotli."))
    chunked = f"{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n"
    bomb = brotli.compress(html("Bomb", "A manatee. ") + b"\0" * 400_000_000, quality=1)  # 11 takes ten seconds
    pages = {
        "br": (packed, [("Content-Encoding", "br")]),
        "chunks": (chunked, [("Content-Encoding", "br"), ("Transfer-Encoding", "chunked")]),
        "plain": (html("Plain", "A dugong was unpacked already."), [("Content-Encoding", "br")]),
        "bomb": (bomb, [("Content-Encoding", "br")]),
        "zstd": (b"\x28\xb5\x2f\xfd" + b"x" * 50, [("Content-Encoding", "zstd")]),
        "shell": (b"<title>App</title><noscript>You need to enable JavaScript.</noscript><div id=root></div>", []),
    }
    path = tmp_path / "packed.warc"
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=False)
        for name, (body, more) in pages.items():
            head = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), *more], protocol="HTTP/1.1")
            record = writer.create_warc_record(
                f"https://x.example/{name}", "response", payload=BytesIO(body), http_headers=head
            )
            writer.write_record(record)
    done = hds("index", "add", str(path), "--name", "packed")
    assert done.returncode == 0, done.stderr
    assert "could not be read" in done.stderr
    assert "zstd 1" in done.stderr
    found = hds("search", "--offline", "-s", "packed", "--json", "narwhal", "dugong").stdout
    narwhal, dugong = (query["results"] for query in json.loads(found)["queries"])
    assert {result["url"] for result in narwhal} == {"https://x.example/br", "https://x.example/chunks"}
    assert [result["url"] for result in dugong] == ["https://x.example/plain"]
