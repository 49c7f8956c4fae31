"""The page cache: kill -9, damage, locks, limits, hostile databases (figures F14 to F18)."""

from __future__ import annotations

import os
import pickle
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from hds_cli.fetch.archive import from_line, read_lines, to_line, write_warc
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.entry import Entry, key_of, pack, unpack
from hds_cli.types import Page
from tests.fetch.conftest import LONG

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


def page(number: int, words: str = "an ordinary text", **more: str) -> Page:
    return Page(url=f"http://x.example/{number}", title=f"Title {number}", text=f"page {number} {words}", **more)  # type: ignore[arg-type]


@pytest.fixture
def cache(tmp_path: Path) -> PageCache:
    return PageCache(tmp_path / "pages")


def filled(folder: Path, number: int = 30) -> PageCache:
    made = PageCache(folder)
    for n in range(number):
        made.put(page(n, f"word{n} " + "filler text " * 200))
    return made


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


def test_kill_9_at_any_moment_loses_at_most_one_page_and_leaves_no_file(tmp_path: Path) -> None:
    """F14: after each kill every entry verifies, the folder holds the databases alone, and the next run opens it."""
    folder = tmp_path / "pages"
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    rng = random.Random(1)
    for turn in range(500 if LONG else 8):
        writers = [
            subprocess.Popen(
                [sys.executable, str(script), str(folder), str(turn * 2 + n), "100000"], stdout=subprocess.PIPE
            )
            for n in range(2)
        ]
        for writer in writers:
            assert writer.stdout is not None
            writer.stdout.readline()
        time.sleep(rng.random() * 0.3)
        for writer in writers:
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        made = PageCache(folder)
        entries = list(made.entries())
        assert len(entries) == made.info().pages
        assert all(entry.page.text.startswith("page ") for entry in entries)
        hits = made.search("page", 5)
        assert bool(hits) == bool(entries)
        assert made.fault is None
        made.close()
        names = {path.name.removesuffix("-wal").removesuffix("-shm") for path in folder.iterdir()}
        assert names <= {"cache.db", "index.sqlite"}


def test_a_damaged_database_costs_pages_and_nothing_else(tmp_path: Path) -> None:
    """F15: flipped bytes and cut files never raise and never give back a text that was not stored."""
    source = tmp_path / "source"
    filled(source).close()
    with closing(sqlite3.connect(source / "cache.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    right = {key_of(f"http://x.example/{n}"): f"page {n} word{n} " for n in range(30)}
    rng = random.Random(7)
    for turn in range(220 if LONG else 40):
        folder = tmp_path / "broken"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        name = "index.sqlite" if turn % 4 == 3 else "cache.db"
        data = bytearray((folder / name).read_bytes())
        if turn % 10 == 0:
            data = data[: rng.randrange(len(data))]
        else:
            for _ in range(rng.choice((1, 8, 64))):
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        (folder / name).write_bytes(data)
        made = PageCache(folder)
        for n in range(30):
            found = made.get(f"http://x.example/{n}")
            assert found is None or found.text.startswith(right[key_of(found.url)])
        made.search("filler word3", 5)
        list(made.entries())
        made.info()
        made.put(page(99))
        made.prune()
        made.close()


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
    assert LONG or time.monotonic() - start < 60


def test_a_lock_held_elsewhere_costs_a_second_not_the_run(tmp_path: Path) -> None:
    """F16: with another process holding the write lock, a put gives up after a second and a get still works."""
    made = filled(tmp_path / "pages", 3)
    with closing(sqlite3.connect(tmp_path / "pages" / "cache.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        assert made.get("http://x.example/1") is not None
        assert not made.put(page(50))
        assert time.monotonic() - start < 2.0
        assert made.fault
        holder.execute("ROLLBACK")
    assert made.put(page(50))


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


def test_the_limit_holds_for_the_bytes_on_disk(tmp_path: Path) -> None:
    """F18: after many writes the files are at most a tenth over the limit, and what is counted is what is there."""
    limit = 3 << 20
    made = PageCache(tmp_path / "pages", limit=limit)
    rng = random.Random(3)
    for n in range(10_000 if LONG else 600):
        made.put(page(n, " ".join(str(rng.random()) for _ in range(300))))
    made.close()
    real = sum(path.stat().st_size for path in (tmp_path / "pages").iterdir())
    assert real <= 1.1 * limit
    again = PageCache(tmp_path / "pages", limit=limit)
    assert again.info().pages > 30
    assert again.get(f"http://x.example/{(10_000 if LONG else 600) - 1}") is not None
    assert real / max(1, again.bytes_on_disk()) <= 1.1
    assert again.prune() >= 0


def test_search_finds_by_words_and_titles_and_never_what_is_gone(cache: PageCache) -> None:
    """The source `cache`: best first, stemmed, a replaced or removed page is found by its new words only."""
    cache.put(Page(url="http://x.example/t", title="Tides", text="The moon pulls the sea.\n\nTides rise twice a day."))
    cache.put(Page(url="http://x.example/s", title="Sailing", text="Boats and the sea, and again the sea."))
    assert [hit.url for hit in cache.search("tides of the sea", 5)] == ["http://x.example/t", "http://x.example/s"]
    assert cache.search("tide", 5)[0].snippet == "Tides rise twice a day."
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
    assert all(isinstance(found, str) for _, found in read_lines(bad))


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
