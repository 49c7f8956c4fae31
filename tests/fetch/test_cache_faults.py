"""The page cache under kill -9, damage, locks, full and read-only disks, and hostile databases (figures F14 to F17)."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.entry import key_of
from tests.fetch.conftest import LONG
from tests.fetch.pages import filled, page

WRITER = """
import random, sys
from pathlib import Path
from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page
cache = PageCache(Path(sys.argv[1]))
rng = random.Random(int(sys.argv[2]))
print("ready", flush=True)
for n in range(int(sys.argv[3])):
    number = rng.randrange(60)
    text = f"page {number} " + " ".join(str(rng.random()) for _ in range(rng.randrange(2000)))
    if not cache.put(Page(url=f"http://x.example/{number}", title=f"Title {number}", text=text)) and "strict" in sys.argv:
        sys.exit(cache.fault)
    page = cache.get(f"http://x.example/{rng.randrange(60)}")
    if page is not None and not page.text.startswith("page "):
        sys.exit("wrong text")
print("done", flush=True)
"""
PLAIN = """
import random, sys
import diskcache
cache = diskcache.Cache(sys.argv[1])
rng = random.Random(int(sys.argv[2]))
print("ready", flush=True)
while True:
    cache.set(str(rng.randrange(60)), rng.randbytes(40_000 + rng.randrange(100_000)))
"""


def killed(writer: str, folder: Path, turn: int, rng: random.Random) -> None:
    """Two processes write into `folder` until, at some moment, both are killed."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", writer, str(folder), str(turn * 2 + n), "100000"], stdout=subprocess.PIPE
        )
        for n in range(2)
    ]
    for process in writers:
        assert process.stdout is not None
        process.stdout.readline()
    time.sleep(rng.random() * 0.3)
    for process in writers:
        process.send_signal(signal.SIGKILL)
        process.wait()


def strays(folder: Path) -> set[str]:
    """Files below `folder` that no row names and that are no database of ours."""
    with closing(sqlite3.connect(folder / "cache.db")) as db:
        named = {str(folder / name) for (name,) in db.execute("SELECT filename FROM Cache WHERE filename NOT NULL")}
    ours = [folder / f"{name}{suffix}" for name in ("cache.db", "index.sqlite") for suffix in ("", "-wal", "-shm")]
    ours.append(folder / "lock")  # an empty file, held while the databases are begun
    return {str(path) for path in folder.rglob("*") if path.is_file()} - named - {str(path) for path in ours}


def test_kill_9_at_any_moment_loses_at_most_one_page_and_leaves_no_file(tmp_path: Path) -> None:
    """F14: after each kill every entry verifies, the folder holds the databases alone, and the next run opens it."""
    folder = tmp_path / "pages"
    rng = random.Random(1)
    for turn in range(500 if LONG else 8):
        killed(WRITER, folder, turn, rng)
        made = PageCache(folder)
        entries = list(made.entries())
        assert len(entries) == made.info().pages
        assert all(entry.page.text.startswith("page ") for entry in entries)
        hits = made.search("page", 5)
        assert bool(hits) == bool(entries)
        assert made.fault is None
        made.close()
        assert strays(folder) == set()


def test_diskcache_alone_leaves_files_behind_when_it_is_killed(tmp_path: Path) -> None:
    """F14 and F18 without our Disk: the same kills leave bytes on disk that no row names and no limit counts."""
    folder = tmp_path / "plain"
    rng = random.Random(1)
    for turn in range(60):
        killed(PLAIN, folder, turn, rng)
        if sum(Path(path).stat().st_size for path in strays(folder)):
            return
    raise AssertionError("no file was left behind")


def source_of(folder: Path) -> Path:
    """Thirty pages whose databases can be copied."""
    filled(folder).close()
    with closing(sqlite3.connect(folder / "cache.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder


def broken(source: Path, folder: Path, turn: int, rng: random.Random) -> Path:
    """A copy of `source` with flipped bits, or cut, in one of its databases."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    path = folder / ("index.sqlite" if turn % 4 == 3 and (folder / "index.sqlite").exists() else "cache.db")
    data = bytearray(path.read_bytes())
    if turn % 10 == 0:
        data = data[: rng.randrange(len(data))]
    else:
        for _ in range(rng.choice((1, 8, 64))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)
    return folder


def test_a_damaged_database_costs_pages_and_nothing_else(tmp_path: Path) -> None:
    """F15: flipped bytes and cut files never raise and never give back a text that was not stored."""
    source = source_of(tmp_path / "source")
    right = {key_of(f"http://x.example/{n}"): f"page {n} word{n} " for n in range(30)}
    rng = random.Random(7)
    for turn in range(220 if LONG else 40):
        made = PageCache(broken(source, tmp_path / "broken", turn, rng))
        for n in range(30):
            found = made.get(f"http://x.example/{n}")
            assert found is None or found.text.startswith(right[key_of(found.url)])
        made.search("filler word3", 5)
        list(made.entries())
        made.info()
        made.put(page(99))
        made.prune()
        made.close()


def test_diskcache_alone_raises_or_gives_back_other_text(tmp_path: Path) -> None:
    """F15 without hash and wall: the same damage ends a run, or returns a text that was never stored."""
    import diskcache

    texts = {f"http://x.example/{n}": f"page {n} word{n} " + "filler text " * 200 for n in range(30)}
    with diskcache.Cache(str(tmp_path / "source")) as plain:
        for url, text in texts.items():
            plain.set(url, text.encode())
    rng = random.Random(7)
    raised = wrong = 0
    for turn in range(40):
        folder = broken(tmp_path / "source", tmp_path / "broken", turn, rng)
        try:
            with diskcache.Cache(str(folder)) as plain:
                wrong += any(plain.get(url) not in (None, text.encode()) for url, text in texts.items())
        except Exception:
            raised += 1
    assert raised > 0
    assert wrong > 0


def test_a_database_of_garbage_is_moved_away_and_a_new_one_begun(tmp_path: Path) -> None:
    """R5.3: the run goes on, the damaged file is kept aside once, and the next page is kept."""
    made = filled(tmp_path / "pages", 3)
    made.close()
    for path in (tmp_path / "pages").iterdir():
        path.write_bytes(b"garbage" * 1000)
    again = PageCache(tmp_path / "pages")
    assert again.get("http://x.example/1") is None
    assert again.put(page(5))
    assert again.get("http://x.example/5") is not None
    assert again.search("page", 3)
    assert [path.name.split(".corrupt")[0] for path in (tmp_path / "pages").glob("cache.db.corrupt-*")] == ["cache.db"]


def test_processes_share_the_cache_without_an_error(tmp_path: Path) -> None:
    """F16: eight processes at once, no error and none stuck."""
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    number = "2000" if LONG else "40"
    start = time.monotonic()
    workers = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / "pages"), str(n), number, "strict"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for n in range(8)
    ]  # fmt: skip
    for worker in workers:
        out, error = worker.communicate(timeout=600)
        assert (out.split(), error) == (["ready", "done"], "")
    assert LONG or time.monotonic() - start < 240


def test_a_lock_held_elsewhere_costs_a_second_not_the_run(tmp_path: Path) -> None:
    """F16: with another process holding the write lock, a put gives up after a second and a get still works."""
    made = filled(tmp_path / "pages", 3)
    with closing(sqlite3.connect(tmp_path / "pages" / "cache.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        assert made.get("http://x.example/1") is not None
        assert not made.put(page(50))
        assert time.monotonic() - start < 10
        assert made.fault
        holder.execute("ROLLBACK")
    assert made.put(page(50))


def test_diskcache_alone_waits_for_a_lock_as_long_as_it_is_held(tmp_path: Path) -> None:
    """F16 without the bound: `cache[key] = value` is still stuck after two seconds, and ends when the lock does."""
    import diskcache

    plain = diskcache.Cache(str(tmp_path / "plain"), timeout=0.1)
    done = threading.Event()

    def write() -> None:
        plain["key"] = b"value"
        done.set()

    with closing(sqlite3.connect(tmp_path / "plain" / "cache.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        threading.Thread(target=write, daemon=True).start()
        assert not done.wait(2.0)
        holder.execute("ROLLBACK")
    assert done.wait(10.0)


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    """R5.3: a folder that cannot be made, or that is a file, is one note; nothing raises."""
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        made = PageCache(folder)
        assert not made.put(page(1))
        assert made.get(page(1).url) is None
        assert made.search("page", 3) == []
        assert made.info().pages == 0
        assert made.fault


def test_settings_that_are_not_ours_are_not_obeyed(tmp_path: Path) -> None:
    """diskcache makes pragmas and constructor arguments of its settings rows: a strange one moves the file away."""
    for row in ("sqlite_x; --", "disk_evil", "sqlite_temp_store_directory", "anything"):
        folder = tmp_path / row.split(";")[0]
        filled(folder, 2).close()
        with closing(sqlite3.connect(folder / "cache.db")) as db, db:
            db.execute("INSERT INTO Settings VALUES(?, 1)", (row,))
        made = PageCache(folder)
        assert made.get("http://x.example/1") is None
        assert made.put(page(1))
        assert made.get("http://x.example/1") is not None


def test_a_full_disk_costs_the_new_pages_alone(tmp_path: Path) -> None:
    """R5.3: when no more can be written, earlier pages are still read and nothing raises."""
    code = """
import resource, signal, sys
from pathlib import Path
from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
cache = PageCache(Path(sys.argv[1]))
assert cache.put(Page("http://x.example/0", text="kept"))
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
import random
results = [cache.put(Page(f"http://x.example/{n}", text=random.randbytes(20000).hex())) for n in range(1, 60)]
assert not all(results), "never full"
assert cache.get("http://x.example/0").text == "kept"
cache.search("kept", 3)
print(cache.fault)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "pages")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("page")


class _Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.mkdir, (str(_Boom.target),))

    target: Path


def test_a_hostile_database_runs_no_code_and_touches_no_file(tmp_path: Path) -> None:
    """F17: rows that say pickle, or name a file, are dropped; the same rows do run code under diskcache's own Disk."""
    import diskcache

    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    for name, mode, filename, raw in [
        *((f"mode{mode}", mode, None, raw) for mode in (1, 2, 3, 4, 5) for raw in (1, 0)),
        *((f"file{mode}", mode, str(victim), 1) for mode in (1, 2, 3, 4)),
        *((f"rel{mode}", mode, "../victim.txt", 1) for mode in (1, 2, 3, 4)),
    ]:
        folder = tmp_path / name
        filled(folder, 3).close()
        _Boom.target = tmp_path / f"ran-{name}"
        with closing(sqlite3.connect(folder / "cache.db")) as db, db:
            value = pickle.dumps(_Boom())
            db.execute("UPDATE Cache SET mode = ?, value = ?, filename = ?", (mode, value, filename))
            if not raw:
                db.execute("UPDATE Cache SET raw = 0, key = ? WHERE rowid = 1", (sqlite3.Binary(value),))
        made = PageCache(folder)
        assert all(made.get(f"http://x.example/{n}") is None for n in range(3))
        list(made.entries())
        made.search("page", 3)
        made.prune()
        made.clear()
        assert not _Boom.target.exists(), name
        assert victim.read_text() == "precious", name
    control = tmp_path / "control"
    _Boom.target = tmp_path / "ran-control"
    with diskcache.Cache(str(control)) as plain:
        plain["k"] = "v"
        with closing(sqlite3.connect(control / "cache.db")) as db, db:
            db.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(_Boom()),))
        plain.get("k")
    assert _Boom.target.exists()
