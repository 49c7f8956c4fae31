"""Pages and bundles that mean harm, read by the installed command: the run goes on, and this process stays small."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.fetch.web import PAGE, answer
from tests.growth.families import FAMILIES
from tests.hostile import MIB, script_of, serving, text_of
from tests.measure import Measured, measured

ROOM = 80 * MIB  # over what the command takes for something harmless


def ask(tmp_path: Path, pages: dict[str, bytes], queries: int, *options: str, **more: str) -> Measured:
    script = tmp_path / "script.jsonl"
    forced = "--timeout" in options
    script.write_text(script_of([f"walrus {number}" for number in range(queries)], forced=forced))
    with serving(pages) as web:
        env = {"HDS_SEARXNG_URL": web.url, "HDS_FETCH_ALLOW": web.host, "HDS_VERIFY": "0"} | more  # no weights
        question = "where does the walrus sleep?"
        return measured(
            "ask", "-s", "searxng", "-e", "scripted", "-m", str(script), "--jsonl", *options, question, env=env
        )


def plain(families: list[str], number: int, size: int) -> dict[str, bytes]:
    """Pages of some families in turn, no two the same."""
    kind = "text/plain; charset=utf-8"
    return {
        f"/{n:03}.txt": answer(b"%d " % n + text_of(families[n % len(families)], size), "200 OK", kind)
        for n in range(number)
    }


SETS: dict[str, Callable[[], dict[str, bytes]]] = {
    "one wide letter": lambda: plain(["one wide letter"], 20, 3_000_000),
    "scripts without blanks": lambda: plain(["chinese", "kana", "hangul"], 10, 1_400_000),
    "many families": lambda: plain(list(FAMILIES)[::4], 20, 2_000_000),
}


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """The memory that a harmless page takes, and a bundle with nothing in it."""
    folder = tmp_path_factory.mktemp("usual")
    env = {"HDS_HOME": str(folder / "home")}
    empty = str(bundle(folder / "none.hds", "", ""))
    return {
        "page": ask(folder, {"/fine": answer(PAGE)}, 1, **env).peak,
        "bundle": measured("history", "import", empty, env=env).peak,
    }


@pytest.mark.parametrize("name", SETS)
def test_a_run_of_hostile_pages_stays_small(name: str, usual: dict[str, int], tmp_path: Path, home: Path) -> None:
    """F5: the run's own process takes at most 80 MiB more than for a harmless page, and the run ends with an answer."""
    one = {"/000.html": answer(PAGE)}  # which can be read in time, however busy the machine is
    done, peak, _ = ask(tmp_path, SETS[name]() | one, 4)
    assert json.loads(done.stdout.splitlines()[-1])["event"] == "run_finished"
    assert done.returncode == 0, done.stderr
    assert peak < usual["page"] + ROOM, f"{(peak - usual['page']) // MIB} MiB more"


BUNDLES: dict[str, tuple[str, str]] = {
    "blanks": ("{}\n", " " * (400 * MIB)),
    "lists": ("[" + "[]," * 5_000_000 + "[]]\n", ""),
    "lists among the pages": ("{}\n", "[" + "[]," * 5_000_000 + "[]]\n"),
    "events": ('{"event": "notice", "t": 0.0, "level": "info", "code": "a", "message": "b"}\n' * 600_000, ""),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_that_swells_is_refused_and_costs_little(
    name: str, usual: dict[str, int], tmp_path: Path, hds: Hds
) -> None:
    """F5 for `history import`: one line that says why, and no more memory than for one with nothing in it."""
    done, peak, seconds = measured("history", "import", str(bundle(tmp_path / "a.hds", *BUNDLES[name])))
    assert done.returncode == 2, done.stderr
    assert "error[usage]" in done.stderr
    assert peak < usual["bundle"] + ROOM, f"{(peak - usual['bundle']) // MIB} MiB more"
    assert seconds < 60


def bundle(path: Path, events: str, pages: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.jsonl", events)
        archive.writestr("pages.jsonl", pages)
    return path
