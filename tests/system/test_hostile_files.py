"""Files that mean harm, given to the installed command: a reason, soon, and this process stays small."""

from __future__ import annotations

import io
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds
from tests.growth.bodies import docx, epub, packed, pdf
from tests.growth.families import FAMILIES
from tests.measure import measured

MIB = 1 << 20
ROOM = 80 * MIB  # over what the command takes for a harmless file
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x0 "ha">'
    + "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10}">' for n in range(1, 12))
    + "]>"
)


def _zeros(name: str, others: dict[str, bytes], size: int = 900 * MIB) -> bytes:
    """An archive with one member of blanks, a thousandth of its size on disk."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, data in others.items():
            archive.writestr(other, data)
        with archive.open(name, "w", force_zip64=True) as member:
            for _ in range(size // MIB):
                member.write(b" " * MIB)
    return stream.getvalue()


def _parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _without(body: bytes, name: str) -> dict[str, bytes]:
    return {other: data for other, data in _parts(body).items() if other != name}


def _replaced(body: bytes, name: str, text: str) -> bytes:
    return packed({other: data.decode() for other, data in _parts(body).items()} | {name: text})


def _flate_bomb() -> bytes:
    """A page whose content is a gigabyte of text operators."""
    squeeze = zlib.compressobj(9)
    data = squeeze.compress(b"BT /F1 9 Tf ") + b"".join(squeeze.compress(b"(ha) Tj " * (MIB // 8)) for _ in range(1000))
    data += squeeze.flush()
    whole = pdf("x")
    start, end = whole.index(b"<< /Length"), whole.index(b"endstream")
    return whole[:start] + b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(data) + data + b"\n" + whole[end:]


BOMBS: dict[str, Callable[[], bytes]] = {
    "blanks.docx": lambda: _zeros("word/document.xml", _without(docx("x"), "word/document.xml")),
    "laughs.docx": lambda: _replaced(docx("x"), "word/document.xml", LAUGHS + "<a>&x11;</a>"),
    "paragraphs.docx": lambda: docx("\n" * 400_000),
    "blanks.epub": lambda: _zeros("a.xhtml", _without(epub("x"), "a.xhtml")),
    "laughs.epub": lambda: _replaced(epub("x"), "p.opf", LAUGHS + "<a>&x11;</a>"),
    "spine.epub": lambda: _replaced(
        epub("word " * 20_000), "p.opf",
        '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml"/></manifest><spine>'
        + '<itemref idref="a"/>' * 100_000 + "</spine></package>",
    ),
    "flate.pdf": _flate_bomb,
    "pages.pdf": lambda: pdf("x").replace(b"/Kids [3 0 R] /Count 1", b"/Kids [2 0 R 2 0 R 2 0 R] /Count 99999999"),
    "initials.txt": lambda: FAMILIES["initials"](400_000).encode(),
    "heading.md": lambda: FAMILIES["one long heading"](900_000).encode(),
    "keys.json": lambda: json.dumps({"k" * 4000: list(range(100_000))}).encode(),
    "nesting.json": lambda: b"[" * 3_000_000,
    "brackets.md": lambda: b"# " + b"(" * 290 + b"\n\n" + b"(" * 500_000,
    "columns.csv": lambda: b",".join(b"a" * 900 for _ in range(2000)) + b"\n" + (b"1," * 2000 + b"\n") * 200,
    "spans.html": lambda: b"<p>" + b"<span>w</span>" * 200_000,
}  # fmt: skip


@pytest.fixture
def usual(tmp_path: Path, home: Path) -> int:
    """The memory that a harmless file takes."""
    path = tmp_path / "plain.txt"
    path.write_text("A walrus sleeps on the ice of the bay.\n")
    return measured("index", "add", str(path)).peak


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_among_the_users_files_costs_little(name: str, usual: int, tmp_path: Path, hds: Hds) -> None:
    """`hds index add` ends, with the file read or with a reason; a file beside it is read."""
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / name).write_bytes(BOMBS[name]())
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
