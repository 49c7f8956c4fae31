"""Files that mean harm, given to the installed command: a reason, soon, and this process stays small."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ahead import ahead, environment
from tests.conftest import Hds, ran
from tests.hostile import FILES, MIB
from tests.measure import Measured, measured

Done = subprocess.CompletedProcess[str]
ROOM = 80 * MIB  # over what the command takes for a harmless file


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> int:
    """The memory that a harmless file takes."""
    folder = tmp_path_factory.mktemp("usual")
    path = folder / "plain.txt"
    path.write_text("A walrus sleeps on the ice of the bay.\n")
    return measured("index", "add", str(path), env=environment(folder / "home")).peak


@pytest.fixture(scope="module")
def added(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., tuple[Measured, float, list[str]]]]:
    """What it costs to add a folder with each of the files: the command's end, bytes stored a byte, what is found."""

    def run(name: str) -> tuple[Measured, float, list[str]]:
        folder = tmp_path_factory.mktemp("bomb")
        path, home, env = folder / "notes" / name, folder / "home", environment(folder / "home")
        path.parent.mkdir()
        path.write_bytes(FILES[name]())
        (path.parent / "harmless.txt").write_text("A walrus sleeps on the ice of the bay.\n")
        cost = measured("index", "add", str(path.parent), env=env)
        stored = sum(file.stat().st_size for file in home.rglob("*.sqlite*")) / max(MIB, path.stat().st_size)
        found = json.loads(ran(["search", "--offline", "-s", "notes", "--json", "walrus"], None, env).stdout)
        return cost, stored, [result["title"] for result in found["queries"][0]["results"]]

    with ahead(request, "test_a_bomb_among_the_users_files_costs_little", run) as look:
        yield look


@pytest.mark.parametrize("name", FILES)
def test_a_bomb_among_the_users_files_costs_little(
    name: str, usual: int, added: Callable[..., tuple[Measured, float, list[str]]]
) -> None:
    """`hds index add` ends, with the file read or with a reason; a file beside it is read."""
    (done, peak, seconds), stored, found = added(name=name)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert peak < usual + ROOM, f"{(peak - usual) // MIB} MiB more"
    assert seconds < 75
    assert stored < 30
    assert found == ["harmless"]


HANG = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"
COLLECTION: dict[str, list[str]] = {
    "view": ["DROP TABLE docs", f"CREATE VIEW docs AS {HANG.format('x AS doc, x AS id, 0 AS pending, x AS text')}"],
    "trigger": [f"CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM meta WHERE key IN ({HANG.format('x')}); END"],
    "computed": ["DROP TABLE meta", "CREATE TABLE meta(key TEXT PRIMARY KEY, value AS (hex(zeroblob(99999999))))"],
    "dropped": ["DROP TABLE passages"],
    "shadow": ["PRAGMA writable_schema=ON", "DELETE FROM sqlite_master WHERE name = 'passages_data'"],
    "foreign": [
        "DROP TABLE passages",
        "CREATE VIRTUAL TABLE passages USING fts5(title, heading, text, content='docs')",
    ],
}

CALLED = ("index info bay", "index list", "search --offline -s bay --json walrus", "index remove bay")


@pytest.fixture(scope="module")
def used(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., dict[str, Done]]]:
    """What each command says of each of the collections, by its line."""
    good = tmp_path_factory.mktemp("bay")
    (good / "a.txt").write_text("A walrus sleeps on the ice of the bay.\n")
    add = ["index", "add", str(good / "a.txt"), "--name", "bay"]
    assert ran(add, None, environment(good / "home")).returncode == 0
    calls = [add, *(line.split() for line in CALLED)]

    def run(name: str) -> dict[str, Done]:
        home = tmp_path_factory.mktemp("spoilt") / "home"
        shutil.copytree(good / "home", home)
        (path,) = home.rglob("bay.sqlite")
        with sqlite3.connect(path) as db:
            for statement in COLLECTION[name]:
                db.execute(statement)
        db.close()
        return {" ".join(call[:2]): ran(call, None, environment(home), timeout=60) for call in calls}

    with ahead(request, "test_a_hostile_collection_is_an_error_and_never_a_wait", run) as look:
        yield look


@pytest.mark.parametrize("name", COLLECTION)
def test_a_hostile_collection_is_an_error_and_never_a_wait(name: str, used: Callable[..., dict[str, Done]]) -> None:
    """`index add`, `index list`, `search` name it, and do not wait without an end; nothing in the file is carried out."""
    said = used(name=name)
    for call in ("index add", "index info"):
        done = said[call]
        assert done.returncode == 5, (call, done.stdout, done.stderr)
        assert "collection 'bay' cannot be used" in done.stderr
        assert "hds index remove bay" in done.stderr
    assert "collection 'bay' cannot be used" in said["index list"].stdout
    found = json.loads(said["search --offline"].stdout)
    assert "cannot be used" in found["queries"][0]["errors"][0]["message"]
    assert said["index remove"].returncode == 0


CACHE = {
    "view": [
        "ALTER TABLE Cache RENAME TO Old",
        f"CREATE VIEW Cache AS {HANG.format('x AS key, 1 AS raw, x AS value')}",
    ],
    "trigger": [
        f"CREATE TRIGGER t AFTER INSERT ON Cache BEGIN DELETE FROM Cache WHERE key IN ({HANG.format('x')}); END"
    ],
}


@pytest.mark.parametrize("name", CACHE)
def test_a_hostile_page_cache_is_put_aside(name: str, hds: Hds, tmp_path: Path) -> None:
    """A new one is begun, and it is said."""
    row: dict[str, object] = dict.fromkeys(["final_url", "fetched_at", "author", "date", "etag", "last_modified"])
    row |= {"schema": "hds.page/1", "url": "https://example.org/a", "title": "A", "text": "A walrus.", "stored": 1.0}
    pages = tmp_path / "pages.jsonl"
    pages.write_text(json.dumps(row))
    assert hds("cache", "import", str(pages)).returncode == 0
    (path,) = (tmp_path / "home").rglob("cache.db")
    with sqlite3.connect(path) as db:
        for statement in CACHE[name]:
            db.execute(statement)
    db.close()
    done = hds("cache", "import", str(pages), timeout=60)
    assert done.returncode == 0, done.stderr
    assert "not of hds" in done.stderr
    assert list(path.parent.glob("cache.db.corrupt-*"))
    assert json.loads(hds("cache", "list", "--json").stdout)["pages"][0]["url"] == "https://example.org/a"
