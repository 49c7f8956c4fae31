"""Collections and page caches of an earlier version become today's without losing a page."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.index import PageIndex
from hds_cli.search import renewing, schema
from hds_cli.search.local import Collection
from hds_cli.types import Document, Page

DOCS = [
    Document(f"d{n}", f"Straße {n}", f"Die Straße {n} ist gesperrt. Новый мост {n}.", f"local://c/d{n}")
    for n in range(300)
]


def older(folder: Path) -> Collection:
    """A collection as version 2 left it: the words of its index are not folded."""
    made = Collection("c", folder, create=True)
    made.update(DOCS, "there")
    with sqlite3.connect(made.path) as db:
        for table in ("passages", "cuts"):
            db.execute(f"DROP TABLE {table}")
        db.execute(
            "CREATE TABLE cuts(id INTEGER PRIMARY KEY, doc INTEGER NOT NULL, heading TEXT NOT NULL, text TEXT NOT NULL)"
        )
        db.execute(
            "CREATE VIRTUAL TABLE passages USING fts5(title, heading, text, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        for number, title, text in db.execute("SELECT id, title, text FROM docs").fetchall():
            db.execute("INSERT INTO cuts(id, doc, heading, text) VALUES(?, ?, '', ?)", (number, number, text))
            db.execute("INSERT INTO passages(rowid, title, heading, text) VALUES(?, ?, '', ?)", (number, title, text))
        db.execute("PRAGMA user_version=2")
    db.close()
    return Collection("c", folder)


def version(collection: Collection) -> int:
    db = sqlite3.connect(collection.path)
    found: int = db.execute("PRAGMA user_version").fetchone()[0]
    db.close()
    return found


def test_the_next_search_finds_what_the_older_index_could_not(tmp_path: Path) -> None:
    """A small collection is renewed while the search waits; every document is still there."""
    collection = older(tmp_path)
    assert [r.title for r in collection.search("strasse 17", 1)] == ["Straße 17"]
    assert len(collection.search("новый", 500)) >= 200
    assert (version(collection), collection.info().documents) == (schema.SCHEMA_VERSION, 300)


def test_a_renewal_that_is_cut_short_goes_on_where_it_was(tmp_path: Path) -> None:
    """Meanwhile the older passages are searched."""
    collection = older(tmp_path)
    db = sqlite3.connect(collection.path, isolation_level=None)
    assert not renewing.step(db, 0.0)
    assert not renewing.step(db, 0.001)
    at = int(db.execute("SELECT value FROM meta WHERE key = 'renewed'").fetchone()[0])
    assert 0 < at < 300
    assert db.execute("SELECT count(*) FROM passages WHERE passages MATCH 'gesperrt'").fetchone() == (300,)
    while not renewing.step(db, 0.01):
        pass
    assert db.execute("SELECT count(*) FROM cuts").fetchone() == (300,)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE '%_new%'").fetchone() == (0,)
    db.close()
    assert collection.search("strasse 299", 1)[0].title == "Straße 299"


def test_an_update_makes_an_older_collection_todays_first(tmp_path: Path) -> None:
    """So that no passage of before is left beside the new ones."""
    collection = older(tmp_path)
    changes = collection.update([*DOCS[:299], Document("new", "Мост", "Ещё один мост.", "local://c/new")], "there")
    assert (changes.added, changes.removed, changes.unchanged) == (1, 1, 299)
    assert version(collection) == schema.SCHEMA_VERSION
    assert collection.search("еще один", 1)[0].title == "Мост"
    db = sqlite3.connect(collection.path)
    db.execute("INSERT INTO passages(passages) VALUES('integrity-check')")
    db.close()


def test_a_collection_that_cannot_be_written_is_searched_as_it_is(tmp_path: Path) -> None:
    """A lock that another holds stops the renewal and no search."""
    collection = older(tmp_path)
    other = sqlite3.connect(collection.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert collection.search("gesperrt 5", 1)
    other.execute("ROLLBACK")
    other.close()


def test_the_page_cache_is_indexed_anew_and_keeps_every_page(tmp_path: Path) -> None:
    """An index of version 1 is searched until the new one is whole, then it goes."""
    folder = tmp_path / "pages"
    cache = PageCache(folder)
    pages = [
        Page(f"https://h.example/{n}", title=f"Straße {n}", text=f"Die Straße {n} ist gesperrt.") for n in range(80)
    ]
    assert all(cache.put(page) for page in pages)
    cache.close()
    for path in folder.glob("index.sqlite*"):
        path.unlink()
    with sqlite3.connect(folder / "index.sqlite") as db:
        db.execute(
            "CREATE TABLE pages(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT UNIQUE NOT NULL, hash BLOB NOT NULL)"
        )
        db.execute(
            "CREATE VIRTUAL TABLE words USING fts5(title, text, content='', tokenize='porter unicode61 remove_diacritics 2')"
        )
        db.execute("PRAGMA user_version=1")
    db.close()
    again = PageCache(folder)
    assert len(again.search("strasse", 100)) == 80
    deadline = time.monotonic() + 10
    while list(folder.glob("*older*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not list(folder.glob("*older*"))
    assert not list(folder.glob("*corrupt*"))
    again.close()
    assert len(PageIndex(folder / "index.sqlite")) == 80
