"""`hds cache`: what is kept, shown, moved and deleted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hds_cli import config, paths
from hds_cli.commands.cache import app
from hds_cli.engine.shelf import Shelf
from hds_cli.errors import SourceError, UsageError
from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page


@pytest.fixture(autouse=True)
def pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HDS_HOME", str(tmp_path / "home"))
    cache = PageCache.of(config.load())
    for name, text in (("tides", "The moon pulls the sea."), ("fire", "Volcanoes burn \x1b[31mred.")):
        cache.put(
            Page(f"http://x.example/{name}", title=f"On {name}", text=text, fetched_at="2026-01-01T00:00:00+00:00")
        )
    cache.close()
    return tmp_path


def hds(*args: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(args), input=stdin)


def test_info_counts_without_reading_pages() -> None:
    """Pages, bytes, limit, folder; the same as JSON."""
    assert "pages           2" in hds("info").stdout
    found = json.loads(hds("info", "--json").stdout)
    assert (found["schema"], found["pages"]) == ("hds.cache/1", 2)
    assert found["bytes"] > 0


def test_list_shows_all_or_what_fits_a_query() -> None:
    """With words, the best first; as JSON too."""
    assert hds("list").stdout.count("http://x.example/") == 2
    assert hds("list", "--limit", "1").stdout.count("http://x.example/") == 1
    found = json.loads(hds("list", "moon", "--json").stdout)
    assert [row["url"] for row in found["pages"]] == ["http://x.example/tides"]


def test_show_prints_one_page_cleaned() -> None:
    """The text as it is kept, safe for a terminal; a page that is not there is an error with its code."""
    assert "The moon pulls the sea." in hds("show", "http://x.example/tides").stdout
    assert "\x1b" not in hds("show", "http://x.example/fire").stdout
    assert json.loads(hds("show", "--json", "http://x.example/tides").stdout)["schema"] == "hds.fetch/1"
    missing = hds("show", "http://x.example/none")
    assert isinstance(missing.exception, SourceError)
    assert missing.exception.error_code == "not_cached"


def test_an_export_is_imported_elsewhere(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSONL by file and by pipe; what is newer here stays; a second import adds nothing."""
    file = str(pages / "out.jsonl")
    assert "2 pages exported" in hds("export", file).stderr
    text = hds("export").stdout
    assert text.encode() == Path(file).read_bytes()
    monkeypatch.setenv("HDS_HOME", str(pages / "other"))
    assert "2 pages added, 0 already here" in hds("import", "-", stdin=text + "nonsense\n").stderr
    assert "0 pages added, 2 already here" in hds("import", file).stderr
    assert hds("list").stdout.count("http://x.example/") == 2
    assert isinstance(hds("import", "-", stdin="nonsense\n").exception, UsageError)
    assert isinstance(hds("import", str(pages / "none")).exception, UsageError)


def test_warc_is_chosen_by_name_or_flag(pages: Path) -> None:
    """`.warc.gz` or `--format warc`."""
    file = pages / "out.warc.gz"
    hds("export", str(file))
    assert gzip.decompress(file.read_bytes()).count(b"WARC-Type: conversion") == 2
    assert isinstance(hds("export", "--format", "tar").exception, UsageError)


def test_clear_asks_unless_told(pages: Path) -> None:
    """Without a terminal it deletes nothing unless --yes is given."""
    assert isinstance(hds("clear").exception, UsageError)
    assert "2 pages deleted" in hds("clear", "--yes").stderr
    assert json.loads(hds("info", "--json").stdout)["pages"] == 0


def test_evaluated_beginnings_are_counted_pruned_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the pages, within a limit of their own."""
    shelf = Shelf.standard(config.load().state_size)
    for number in range(3):
        assert shelf.put({"build": "x"}, [number], bytes(400_000))
    facts = json.loads(hds("info", "--json").stdout)
    assert facts["states"] == 3
    assert 1_200_000 < facts["states_bytes"] < facts["states_limit"]
    monkeypatch.setenv("HDS_CACHE_STATES", "1")
    assert "1 evaluated beginning of prompts dropped" in hds("prune").stderr
    assert "2 evaluated beginnings of prompts deleted" in hds("clear", "--yes").stderr
    assert json.loads(hds("info", "--json").stdout)["states"] == 0


def test_prune_drops_what_is_out_of_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a TTL of nothing, everything goes."""
    monkeypatch.setenv("HDS_CACHE_TTL", "0")
    assert "2 pages dropped, 0 left" in hds("prune").stderr


@pytest.mark.parametrize("name", ["out.warc.gz", "out.jsonl"])
def test_every_format_that_is_exported_is_imported(pages: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """All that is known of a page comes back, from a file and from a pipe; gzipped or not."""
    cache = PageCache.of(config.load())
    cache.put(
        Page("https://y.example/élan", title="A: b\nc", text="## Über\n\n一二三\n\nend", author="N. N.", date="2021-03")
    )
    before = {entry.page.url: (entry.page, entry.stored) for entry in cache.entries()}
    cache.close()
    file = pages / name
    hds("export", str(file))
    monkeypatch.setenv("HDS_HOME", str(pages / "other"))
    assert "3 pages added, 0 already here" in hds("import", str(file)).stderr
    cache = PageCache.of(config.load())
    after = {entry.page.url: (entry.page, entry.stored) for entry in cache.entries()}
    cache.close()
    assert after == before
    plain = gzip.decompress(file.read_bytes()) if name.endswith(".gz") else file.read_bytes()
    other = pages / "other-shape"
    other.write_bytes(plain if name.endswith(".gz") else gzip.compress(plain))
    assert "0 pages added, 3 already here" in hds("import", str(other)).stderr


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"Content-Length: ", b"Content-Length: 9"),
        lambda data: data.replace(b"Content-Length: ", b"Content-Length: x"),
        lambda data: data.replace(b'"schema": "hds.page/1"', b'"schema": [[[[[[['),
        lambda data: b"WARC/1.1\r\n" + b"a: b\r\n" * 10_000,
        lambda data: b"WARC/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ],
)
def test_a_damaged_warc_ends_in_a_word(pages: Path, damage: Callable[[bytes], bytes]) -> None:
    """What is whole before the damage counts; no trace."""
    file = pages / "out.warc.gz"
    hds("export", str(file))
    whole = gzip.decompress(file.read_bytes())
    file.write_bytes(damage(whole))
    done = hds("import", str(file))
    assert done.exception is None or isinstance(done.exception, (UsageError, SystemExit))


def test_a_warc_of_others_is_read_as_far_as_it_is_text(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Common Crawl's WET files are: address, date and text."""
    body = "Ein Text über Gezeiten.".encode()
    head = f"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://z.example/\r\nWARC-Date: 2024-02-03T04:05:06Z\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
    file = pages / "a.wet.gz"
    file.write_bytes(gzip.compress(head.encode() + body + b"\r\n\r\n"))
    monkeypatch.setenv("HDS_HOME", str(pages / "other"))
    assert "1 page added" in hds("import", str(file)).stderr
    assert "Ein Text über Gezeiten." in hds("show", "https://z.example/").stdout


def test_clear_takes_what_a_verifier_has_read(pages: Path) -> None:
    """The file and SQLite's journals beside it; other files of the folder stay."""
    verified = paths.verified_file()
    others = [verified.with_name(verified.name + "-wal"), verified.with_name("runs.sqlite")]
    for path in (verified, *others):
        path.write_bytes(b"x")
    assert hds("clear", "--yes").exit_code == 0
    assert [path.exists() for path in (verified, *others)] == [False, False, True]
