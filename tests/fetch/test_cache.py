"""The page cache: what it keeps, for how long, in how much room, and how it is searched (figure F18)."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import os
import random
import stat
import time
from contextlib import closing
from pathlib import Path

import pytest

from hds_cli.config import Settings
from hds_cli.fetch.archive import from_line, read_lines, to_line, write_warc
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.client import Fetcher
from hds_cli.fetch.entry import Entry, pack, unpack
from hds_cli.types import Page
from tests.conftest import Hds
from tests.fetch.conftest import LONG
from tests.fetch.pages import filled, page


@pytest.fixture
def cache(tmp_path: Path) -> PageCache:
    return PageCache(tmp_path / "pages")


def test_a_page_comes_back_as_it_was_put(cache: PageCache) -> None:
    """Everything a citation needs survives; the status says where it came from."""
    whole = Page("http://x.example/a", "http://x.example/b", "T\u00eft\ud800le", "text\n\n## Page 2\n\n\u4f60", "fetched", None, 7,
                 1.0, "2026-01-01T00:00:00+00:00", 0.5, "Ann", "2020-01-01")  # fmt: skip
    assert cache.get(whole.url) is None
    assert not cache.folder.exists()
    assert cache.put(whole, '"tag"', "Mon, 01 Jan 2024 00:00:00 GMT")
    entry = cache.lookup("HTTP://X.example:80/a#part")
    assert entry is not None
    assert entry.fresh
    assert entry.page.text == whole.text
    assert entry.page.title == "T\u00eft?le"
    assert (entry.page.status, entry.page.author, entry.page.final_url) == ("cached", "Ann", whole.final_url)
    assert entry.validators == {"If-None-Match": '"tag"', "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT"}


def test_failures_are_never_kept(cache: PageCache) -> None:
    """A blocked, failed or empty page leaves no entry."""
    for status, text in (("failed", "x"), ("blocked", "x"), ("skipped", "x"), ("fetched", "")):
        assert not cache.put(Page(url="http://x.example/", text=text, status=status))  # type: ignore[arg-type]
    assert cache.info().pages == 0


def test_a_validator_that_would_split_a_header_is_not_sent() -> None:
    """What a server sent as ETag goes back only if it is printable ASCII."""
    assert Entry(page(1), 'a\r\nX: "y"', "\u4f60").validators == {}


def test_folder_and_files_are_for_their_owner_alone(cache: PageCache) -> None:
    """R5.2: 0700 and 0600, whatever the umask."""
    old = os.umask(0)
    try:
        cache.put(page(1))
    finally:
        os.umask(old)
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache.folder.iterdir()} == {0o600}


def test_a_page_grows_stale(tmp_path: Path) -> None:
    """The TTL decides freshness, not presence: a stale page still serves offline and conditional requests."""
    made = PageCache(tmp_path / "pages", ttl=0.05)
    made.put(page(1))
    time.sleep(0.1)
    entry = made.lookup(page(1).url)
    assert entry is not None
    assert not entry.fresh
    made.refresh(page(1).url)
    assert made.lookup(page(1).url).fresh  # type: ignore[union-attr]


def crowded(folder: Path, limit: int, number: int) -> int:
    """Bytes on disk after `number` pages of a few kB were put into a cache with this limit."""
    made = PageCache(folder, limit=limit)
    rng = random.Random(3)
    for n in range(number):
        made.put(page(n, " ".join(str(rng.random()) for _ in range(300))))
    made.close()
    return sum(path.stat().st_size for path in folder.iterdir())


def test_the_limit_holds_for_the_bytes_on_disk(tmp_path: Path) -> None:
    """F18: after many writes the files are at most a tenth over the limit, and what is counted is what is there."""
    limit, number = 3 << 20, 10_000 if LONG else 600
    real = crowded(tmp_path / "pages", limit, number)
    assert real <= 1.1 * limit
    again = PageCache(tmp_path / "pages", limit=limit)
    assert again.info().pages > 30
    assert again.get(f"http://x.example/{number - 1}") is not None
    assert real / max(1, again.bytes_on_disk()) <= 1.1
    assert again.prune() >= 0


def test_without_eviction_the_same_pages_take_more(tmp_path: Path) -> None:
    """F18: the pages above do not fit by themselves."""
    assert crowded(tmp_path / "pages", 1 << 40, 600) > 1.1 * (3 << 20)


def test_search_finds_by_words_and_titles_and_never_what_is_gone(cache: PageCache) -> None:
    """The source `cache`: best first, stemmed, a replaced or removed page is found by its new words only."""
    cache.put(Page(url="http://x.example/t", title="Tides", text="The moon pulls the sea.\n\nTides rise twice a day."))
    cache.put(Page(url="http://x.example/s", title="Sailing", text="Boats and the sea, and again the sea."))
    assert [hit.url for hit in cache.search("tides of the sea", 5)] == ["http://x.example/t", "http://x.example/s"]
    assert cache.search("tide", 5)[0].snippet.endswith("Tides rise twice a day.")
    cache.put(Page(url="http://x.example/t", title="Tides", text="Nothing but volcanoes now."))
    assert [hit.url for hit in cache.search("volcano moon", 5)] == ["http://x.example/t"]
    assert cache.search("moon", 5) == []
    assert cache.remove("http://x.example/t")
    assert cache.search("volcano", 5) == []
    for odd in ("", '"', "NEAR(", "* OR *", "a:b", "-", "\x00", "AND"):
        cache.search(odd, 5)


def test_a_lost_index_is_made_again_from_the_pages(tmp_path: Path) -> None:
    """Deleting the index file loses no search result."""
    filled(tmp_path / "pages", 5).close()
    for path in (tmp_path / "pages").glob("index.sqlite*"):
        path.unlink()
    assert len(PageCache(tmp_path / "pages").search("filler", 10)) == 5


def test_prune_drops_what_is_old_and_clear_everything(tmp_path: Path) -> None:
    """Both say how many pages went."""
    made = filled(tmp_path / "pages", 4)
    made.restore(Entry(page(90), stored=time.time() - 30 * 86400))
    assert made.prune() == 1
    assert made.clear() == 4
    assert made.info().pages == 0
    assert made.put(page(1))


def test_an_export_can_be_imported_and_a_wrong_line_is_named(tmp_path: Path) -> None:
    """JSONL there and back, pages and their ages; a line that is not ours is a reason, never an exception."""
    made = filled(tmp_path / "a", 3)
    lines = [to_line(entry) for entry in made.entries()]
    other = PageCache(tmp_path / "b")
    assert all(other.restore(from_line(line)) for line in lines)
    assert [to_line(entry) for entry in other.entries()] == lines
    bad = ["{}", "nonsense", "[1]", '{"schema": "hds.page/1"}', "[" * 5000,
           lines[0].replace("http://", "file://"), lines[0].replace('"stored": ', '"stored": 1e999, "x": ')]  # fmt: skip
    assert all(isinstance(found, str) for _, found in read_lines(io.BytesIO("\n".join(bad).encode())))


def test_warc_export_is_read_by_its_own_rules(tmp_path: Path) -> None:
    """Records of ISO 28500: a version line, a length that is right, one gzip member each."""
    import gzip

    made = filled(tmp_path / "a", 2)
    file = tmp_path / "x.warc.gz"
    with file.open("wb") as out:
        assert write_warc(made.entries(), out) == 2
    data = gzip.decompress(file.read_bytes())
    kinds = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        size = int(fields[b"Content-Length"])
        assert head.startswith(b"WARC/1.1")
        assert rest[size : size + 4] == b"\r\n\r\n"
        kinds.append(fields[b"WARC-Type"])
        data = rest[size + 4 :]
    assert kinds == [b"warcinfo", b"conversion", b"conversion"]


def test_a_packed_entry_verifies_to_the_last_byte() -> None:
    """R5.4: any changed byte is noticed."""
    blob = pack(Entry(page(1), stored=1.0))
    assert unpack(blob).page.text == page(1).text
    for place in range(0, len(blob), 7):
        broken = bytearray(blob)
        broken[place] ^= 1
        with pytest.raises(ValueError, match="damaged"):
            unpack(bytes(broken))


def _answers(settings: Settings, url: str) -> Page:
    async def work() -> Page:
        async with Fetcher(settings) as fetcher:
            return await fetcher.fetch(url, typed=True)

    return asyncio.run(work())


def test_an_address_with_a_name_in_it_is_refused_although_the_page_is_here(tmp_path: Path) -> None:
    """As it would be without the cache."""
    settings = Settings(cache_dir=str(tmp_path / "c"))
    with closing(PageCache.of(settings)) as cache:
        cache.put(Page(url="https://example.org/tides", title="Tides", text="Twice a day."))
    assert _answers(settings, "https://example.org/tides").status == "cached"
    page = _answers(settings, "https://someone:word@example.org/tides")
    assert (page.status, page.reason, page.text) == ("blocked", "userinfo", "")


def test_a_page_that_only_an_exception_opened_is_not_read_without_it(tmp_path: Path) -> None:
    """By its address, by the source `cache`, after a move to another machine; with the exception it is."""
    open_, shut = (Settings(cache_dir=str(tmp_path / "c"), fetch_allow=allow) for allow in (("wiki.example:8080",), ()))
    url = "http://wiki.example:8080/plan"
    with closing(PageCache.of(open_)) as cache:
        cache.put(Page(url=url, title="Plan", text="The secret plan of the harbour."), allowed=True)
        assert from_line(to_line(next(cache.entries()))).allowed
    offline = dataclasses.replace(shut, offline=True)
    assert _answers(dataclasses.replace(open_, offline=True), url).status == "cached"
    assert _answers(offline, url).text == ""

    async def search(settings: Settings) -> list[str]:
        async with Fetcher(settings) as fetcher:
            return [result.url for result in fetcher.pages.search("secret plan", 5)]

    assert asyncio.run(search(open_)) == [url]
    assert asyncio.run(search(shut)) == []


def test_a_key_that_a_result_echoes_is_neither_kept_nor_printed(hds: Hds, tmp_path: Path, home: Path) -> None:
    """Not in the files of the cache, not in `cache list`, `show`, `export`; the page is found by its real address."""
    key = "sk-CANARY-0123456789"
    env = {"HDS_BRAVE_API_KEY": key}
    url = f"https://example.org/a?token={key}"
    row: dict[str, object] = dict.fromkeys(["final_url", "fetched_at", "author", "date", "etag", "last_modified"])
    row |= {"schema": "hds.page/1", "url": url, "title": f"For {key}", "text": f"Asked with {key}.", "stored": 9e9}
    (tmp_path / "pages.jsonl").write_text(json.dumps(row))
    assert hds("cache", "import", str(tmp_path / "pages.jsonl"), env=env).returncode == 0
    out = [hds("cache", *args, env=env) for args in (["list"], ["list", "--json"], ["export"], ["show", url])]
    assert all(done.returncode == 0 for done in out), [done.stderr for done in out]
    assert all("***" in done.stdout and key not in done.stdout for done in out)
    assert not any(key.encode() in path.read_bytes() for path in home.rglob("*") if path.is_file())
