"""robots.txt across runs: a day, half a megabyte, never an error."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hds_cli.config import Settings
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.robots_file import NAME, RobotsFile
from tests.fetch.test_client import one
from tests.fetch.web import Web, answer

RULES = answer(b"User-agent: *\nDisallow: /no\n", "200 OK", "text/plain")


def asked(server: Web) -> int:
    return [path for path, _ in server.seen].count("/robots.txt")


@pytest.mark.parametrize(("rules", "reason"), [(RULES, "robots"), (answer(b"", "404 No"), None)])
def test_a_second_run_obeys_without_asking_again(
    rules: bytes, reason: str | None, server: Web, settings: Callable[..., Settings]
) -> None:
    """What a host said, or that it has none, holds for a day; `hds cache clear` forgets it."""
    server.routes |= {"/robots.txt": rules, "/no/a": answer(), "/no/b": answer()}
    made = settings(fetch_allow=(server.host,))
    for path in ("/no/a", "/no/b"):
        assert one(made, server.url + path, typed=False).reason == reason
    assert asked(server) == 1
    file = made.pages_dir / NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    PageCache.of(made).clear()
    assert not file.exists()
    one(made, server.url + "/no/a", typed=False)
    assert asked(server) == 2


def test_a_day_later_it_is_asked_for_again(server: Web, settings: Callable[..., Settings]) -> None:
    """RFC 9309 2.4; a time that lies ahead counts for nothing either."""
    server.routes |= {"/robots.txt": RULES, "/yes": answer()}
    made = settings(fetch_allow=(server.host,), cache_ttl=0.0)
    for number, age in enumerate((86_401, -600, 3600), 1):
        made.pages_dir.mkdir(parents=True, exist_ok=True)
        (made.pages_dir / NAME).write_text(json.dumps({server.url: [time.time() - age, "user-agent: *\ndisallow: /"]}))
        assert one(made, server.url + "/yes", typed=False).reason == (None if age != 3600 else "robots")
        assert asked(server) == min(number, 2)


def test_a_server_error_is_not_kept(server: Web, settings: Callable[..., Settings]) -> None:
    """It disallows everything for this run, and the next one asks."""
    server.routes |= {"/robots.txt": answer(b"", "503 No"), "/a": answer()}
    made = settings(fetch_allow=(server.host,))
    assert one(made, server.url + "/a", typed=False).reason == "robots_unavailable"
    assert not (made.pages_dir / NAME).exists()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "[" * 9000, '{"o": 1}', '{"o": ["x", "y"]}', '{"o": [1e999, "y"]}', "\x00", "x" * 600_000]
)
def test_a_damaged_file_is_as_none(text: str, tmp_path: Path) -> None:
    """And the next run writes a good one over it."""
    path = tmp_path / NAME
    path.write_text(text)
    made = RobotsFile(path)
    assert made.get("o") is None
    made.put("o", "text")
    made.save()
    assert RobotsFile(path).get("o") == "text"


def test_the_file_is_bounded_and_keeps_what_is_new(tmp_path: Path) -> None:
    """500 KiB at most; two runs at once keep what both were told."""
    path = tmp_path / NAME
    first, second = RobotsFile(path), RobotsFile(path)
    first.put("first", "a")
    second.put("second", "b")
    first.save()
    second.save()
    assert [RobotsFile(path).get(name) for name in ("first", "second")] == ["a", "b"]
    many = RobotsFile(path)
    for number in range(40):
        many.put(f"host{number}", "\u00e9" * 8000)
    many.save()
    assert path.stat().st_size <= 500 << 10
    assert RobotsFile(path).get("host39")
    assert RobotsFile(path).get("first") is None
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    """No error: robots.txt is asked for by every run."""
    (tmp_path / "file").write_text("x")
    made = RobotsFile(tmp_path / "file" / NAME)
    made.put("o", "text")
    made.save()
    assert made.get("o") is None
