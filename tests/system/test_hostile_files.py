"""Files that mean harm, given to the installed command: a reason, soon, and this process stays small."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.hostile import FILES, MIB
from tests.measure import measured

ROOM = 80 * MIB  # over what the command takes for a harmless file


@pytest.fixture
def usual(tmp_path: Path, home: Path) -> int:
    """The memory that a harmless file takes."""
    path = tmp_path / "plain.txt"
    path.write_text("A walrus sleeps on the ice of the bay.\n")
    return measured("index", "add", str(path)).peak


@pytest.mark.parametrize("name", FILES)
def test_a_bomb_among_the_users_files_costs_little(name: str, usual: int, tmp_path: Path, hds: Hds) -> None:
    """`hds index add` ends, with the file read or with a reason; a file beside it is read."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / name).write_bytes(FILES[name]())
    (folder / "harmless.txt").write_text("A walrus sleeps on the ice of the bay.\n")
    done, peak, seconds = measured("index", "add", str(folder))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert peak < usual + ROOM, f"{(peak - usual) // MIB} MiB more"
    assert seconds < 75
    stored = sum(path.stat().st_size for path in (tmp_path / "home").rglob("*.sqlite*"))
    assert stored < 30 * max(MIB, (folder / name).stat().st_size)
    found = json.loads(hds("search", "--offline", "-s", "notes", "--json", "walrus").stdout)
    assert [r["title"] for r in found["queries"][0]["results"]] == ["harmless"]


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


@pytest.mark.parametrize("name", COLLECTION)
def test_a_hostile_collection_is_an_error_and_never_a_wait(name: str, hds: Hds, tmp_path: Path) -> None:
    """`index add`, `index list`, `search` name it within seconds; nothing in the file is carried out."""
    (tmp_path / "a.txt").write_text("A walrus sleeps on the ice of the bay.\n")
    assert hds("index", "add", str(tmp_path / "a.txt"), "--name", "bay").returncode == 0
    (path,) = (tmp_path / "home").rglob("bay.sqlite")
    with sqlite3.connect(path) as db:
        for statement in COLLECTION[name]:
            db.execute(statement)
    db.close()
    for args in (["index", "add", str(tmp_path / "a.txt"), "--name", "bay"], ["index", "info", "bay"]):
        done = hds(*args, timeout=20)
        assert done.returncode == 5, (args, done.stdout, done.stderr)
        assert "collection 'bay' cannot be used" in done.stderr
        assert "hds index remove bay" in done.stderr
    assert "collection 'bay' cannot be used" in hds("index", "list", timeout=20).stdout
    done = hds("search", "--offline", "-s", "bay", "--json", "walrus", timeout=20)
    assert "cannot be used" in json.loads(done.stdout)["queries"][0]["errors"][0]["message"]
    assert hds("index", "remove", "bay").returncode == 0


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
    done = hds("cache", "import", str(pages), timeout=20)
    assert done.returncode == 0, done.stderr
    assert "not of hds" in done.stderr
    assert list(path.parent.glob("cache.db.corrupt-*"))
    assert json.loads(hds("cache", "list", "--json").stdout)["pages"][0]["url"] == "https://example.org/a"
