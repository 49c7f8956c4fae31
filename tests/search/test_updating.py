"""Updates that are killed, that meet each other, and that find an older collection."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from hds_cli.errors import SourceError
from hds_cli.search.local import Changes, Collection
from hds_cli.types import Document
from tests.conftest import Hds, command

OLD = [
    Document(str(n), f"Page {n}", f"Old words of page {n}. They say zebra{n % 7}.", f"local://c/{n}") for n in range(40)
]
NEW = [
    Document(str(n), f"Page {n}", f"New words of page {n}. They say lion{n % 5}.", f"local://c/{n}", "2024-01-01")
    for n in range(20, 75)
]


def content(collection: Collection) -> tuple[object, ...]:
    """All that a reader can see: documents, passages, index, and what searches give with their scores."""
    with sqlite3.connect(collection.path) as db:
        docs = db.execute(
            "SELECT doc, pending, root, url, title, date, hash, stamp, text FROM docs ORDER BY doc"
        ).fetchall()
        cuts = db.execute(
            "SELECT d.doc, c.heading, c.text FROM cuts c JOIN docs d ON d.id = c.doc ORDER BY 1, 2, 3"
        ).fetchall()
        meta = db.execute("SELECT key, value FROM meta ORDER BY key").fetchall()
        db.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'passages', 'row')")
        words = db.execute("SELECT * FROM words ORDER BY term").fetchall()
        db.execute("INSERT INTO passages(passages) VALUES('integrity-check')")
    found = [[(r.url, r.snippet) for r in collection.search(q, 10)] for q in ("zebra1", "lion2", "new words page 30")]
    return docs, cuts, meta, words, found


def in_child(work: object) -> int:
    """Run `work` in a forked process; its exit status."""
    if (pid := os.fork()) == 0:
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(0)
    return os.waitpid(pid, 0)[1]


def killed_after(documents: Iterable[Document], number: int) -> Iterator[Document]:
    """The documents; before the one of that number the process is killed."""
    for n, document in enumerate(documents):
        if n == number:
            os.kill(os.getpid(), signal.SIGKILL)
        yield document
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_at_every_document_and_run_again_it_is_the_same_index(tmp_path: Path) -> None:
    """Into an empty collection and over an older one, with batches of seven: 55 kills each, one after the other's."""
    for before in ([], OLD):
        undisturbed = Collection(f"u{len(before)}", tmp_path, create=True)
        undisturbed.update(before, "x")
        undisturbed.update(NEW, "x", batch=7)
        wanted = content(undisturbed)
        for number in range(len(NEW) + 1):
            collection = Collection(f"k{len(before)}-{number}", tmp_path, create=True)
            collection.update(before, "x")
            status = in_child(
                lambda n=number, c=collection.name: Collection(c, tmp_path, create=True).update(
                    killed_after(NEW, n), "x", batch=7
                )
            )
            assert os.WTERMSIG(status) == signal.SIGKILL
            collection.update(NEW, "x", batch=7)
            assert content(collection) == wanted, number
            collection.remove()


def test_what_was_written_before_the_kill_is_not_written_again(tmp_path: Path) -> None:
    """The batches that were committed stay."""
    collection = Collection("c", tmp_path, create=True)
    in_child(lambda: Collection("c", tmp_path, create=True).update(killed_after(NEW, 50), "x", batch=10))
    with sqlite3.connect(collection.path) as db:
        before = {row[0] for row in db.execute("SELECT id FROM docs WHERE pending")}
    assert len(before) == 50
    collection.update(NEW, "x", batch=10)
    with sqlite3.connect(collection.path) as db:
        assert before <= {row[0] for row in db.execute("SELECT id FROM docs WHERE NOT pending")}


def test_a_search_sees_the_old_documents_until_all_new_ones_are_there(tmp_path: Path) -> None:
    """Never a mixture, also after a kill; `info` says that something is unfinished."""
    collection = Collection("c", tmp_path, create=True)
    collection.update(OLD, "x")

    def looking() -> Iterator[Document]:
        for document in NEW:
            assert collection.search("lion1", 5) == []
            assert len(collection.search("zebra1", 50)) == 6
            yield document

    collection.update(looking(), "x", batch=5)
    assert collection.search("zebra1", 5) == []
    assert len(collection.search("lion1", 50)) == 11
    in_child(lambda: Collection("c", tmp_path, create=True).update(killed_after(OLD, 30), "x", batch=5))
    assert collection.info().unfinished == "x"
    assert (collection.search("zebra1", 5), collection.info().documents) == ([], 55)


def test_a_collection_that_was_never_finished_says_so(tmp_path: Path) -> None:
    """No empty answer from a half index, but the command that finishes it."""
    collection = Collection("c", tmp_path, create=True)
    in_child(lambda: Collection("c", tmp_path, create=True).update(killed_after(NEW, 30), "/notes", batch=5))
    with pytest.raises(SourceError) as caught:
        collection.search("lion1", 5)
    assert (caught.value.error_code, caught.value.hint) == ("incomplete", "hds index add /notes")


def test_what_changed_meanwhile_is_taken_as_it_is_now(tmp_path: Path) -> None:
    """A document that was written before the kill and is gone or other now does not stay."""
    collection, fresh = Collection("c", tmp_path, create=True), Collection("f", tmp_path, create=True)
    in_child(lambda: Collection("c", tmp_path, create=True).update(killed_after(NEW, 50), "x", batch=5))
    collection.update(OLD, "x")
    fresh.update(OLD, "x")
    assert content(collection) == content(fresh)


def test_two_updates_at_once_come_one_after_the_other(tmp_path: Path) -> None:
    """Both finish, and nothing is there twice."""
    collection = Collection("c", tmp_path, create=True)
    collection.info()
    threads = [
        threading.Thread(target=Collection("c", tmp_path).update, args=(NEW, "x"), kwargs={"batch": 3})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collection.info().documents == len(NEW)


def test_parts_from_several_places_live_in_one_collection(tmp_path: Path) -> None:
    """An update of one part leaves the others alone."""
    collection = Collection("c", tmp_path, create=True)
    collection.update(OLD[:5], "a", whole=False)
    assert collection.update(NEW[:5], "b", whole=False) == Changes(added=5)
    assert collection.update([], "a", whole=False) == Changes(removed=5)
    assert (collection.info().documents, collection.origin()) == (5, "a\nb")


def test_a_collection_of_version_1_becomes_todays(tmp_path: Path) -> None:
    """From the texts it holds itself: nothing is read again, nothing is lost."""
    db = sqlite3.connect(tmp_path / "old.sqlite")
    db.executescript("""
        CREATE TABLE docs(id INTEGER PRIMARY KEY, doc TEXT UNIQUE NOT NULL, url TEXT NOT NULL, title TEXT NOT NULL,
                          text TEXT NOT NULL, hash TEXT NOT NULL);
        CREATE INDEX docs_url ON docs(url);
        CREATE VIRTUAL TABLE passages USING fts5(title, heading, text, doc UNINDEXED, tokenize='porter unicode61');
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
        INSERT INTO meta VALUES('origin', '/notes'); PRAGMA user_version=1;""")
    db.executemany("INSERT INTO docs VALUES(NULL, ?, ?, ?, ?, 'x')", [(d.id, d.url, d.title, d.text) for d in OLD])
    db.commit()
    db.close()
    collection, fresh = Collection("old", tmp_path), Collection("fresh", tmp_path, create=True)
    assert len(collection.search("zebra1", 50)) == 6
    fresh.update(OLD, "/notes")
    assert content(collection) == content(fresh)


def test_a_newer_version_is_said(tmp_path: Path) -> None:
    """And left as it is."""
    collection = Collection("c", tmp_path, create=True)
    collection.update(OLD, "x")
    with sqlite3.connect(collection.path) as db:
        db.execute("PRAGMA user_version=99")
    with pytest.raises(SourceError, match="newer version"):
        Collection("c", tmp_path).search("zebra1", 5)


def test_the_command_killed_at_many_moments_gives_the_same_index(tmp_path: Path, home: Path, hds: Hds) -> None:
    """`hds index add` of 300 files, killed with -9 at 12 moments one after another, then run to its end."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for n in range(300):
        text = " ".join(f"word{(n * 7 + k) % 900}" for k in range(400))
        (notes / f"{n}.md").write_text(f"# Note {n}\n\nabout lion{n % 9} {text}\n")
    assert hds("index", "add", str(notes), "--name", "whole").returncode == 0
    for moment in range(12):
        process = subprocess.Popen(
            [command(), "index", "add", str(notes), "--name", "killed"], stderr=subprocess.DEVNULL
        )
        time.sleep(0.25 + 0.06 * moment)
        process.kill()
        process.wait()
    done = hds("index", "add", str(notes), "--name", "killed")
    assert done.returncode == 0, done.stderr
    assert content(Collection("killed")) == content(Collection("whole"))
