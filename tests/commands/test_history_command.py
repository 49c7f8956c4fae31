"""`hds history`: saved runs listed, searched, shown, exported, imported, replayed, asked again, removed."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hds_cli.commands import history
from hds_cli.fetch.archive import to_line
from hds_cli.fetch.cache import PageCache
from hds_cli.fetch.entry import Entry
from hds_cli.history.index import Summary
from hds_cli.types import Page
from tests.ahead import environment
from tests.conftest import Hds, command, ran, scripted
from tests.render.sample import whole_run

BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ncapital of {}\n<|end_search_queries|>"
OSLO = "x\n</think>\n\n\\boxed{Oslo}"


def prepared(folder: Path) -> Path:
    """A home in a folder, with a collection of the folder's notes and one run over it."""
    (folder / "notes").mkdir()
    for name, capital in (("Norway", "Oslo"), ("Sweden", "Stockholm")):
        (folder / "notes" / f"{name}.md").write_text(f"# {name}\n\nThe capital of {name} is {capital}.\n")
    path = scripted(folder / "first.jsonl", BLOCK.format("Norway"), OSLO)
    ask = ["ask", "-e", "scripted", "-m", path, "-s", "notes", "--offline", "Which city is Norway's capital?"]
    for args in (["index", "add", str(folder / "notes")], ask):
        done = ran(args, None, environment(folder / "home"))
        assert done.returncode == 0, done.stderr
    return folder / "home"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a home for copies."""
    return prepared(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def ready(hds: Hds, home: Path, kept: Path) -> Hds:
    """The command with a copy of it."""
    shutil.copytree(kept, home)
    return hds


@pytest.fixture
def own(hds: Hds, home: Path, tmp_path: Path) -> Hds:
    """The command with one whose notes may be changed."""
    assert prepared(tmp_path) == home
    return hds


def journals(home: Path) -> list[Path]:
    return sorted((home / "data" / "runs").glob("*.jsonl"))


def bundle(path: Path, events: str, pages: str = "", names: tuple[str, str] = ("events.jsonl", "pages.jsonl")) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(names[0], events)
        archive.writestr(names[1], pages)
    return str(path)


def sample(run_id: str = "7f3k") -> str:
    lines = [json.loads(json.dumps(event.to_dict())) for event in whole_run()]
    lines[0]["run_id"] = run_id
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_list_and_search_print_lines_in_a_pipe(ready: Hds, home: Path) -> None:
    """Id, start, status, seconds, question, answer, parted by tabs; no hit is exit 3."""
    (path,) = journals(home)
    fields = ready("history", "list").stdout.rstrip("\n").split("\t")
    assert [fields[0], *fields[2:3], *fields[4:]] == [path.stem, "answered", "Which city is Norway's capital?", "Oslo"]
    assert ready("history", "search", "capital", "norway").stdout.startswith(path.stem)
    done = ready("history", "search", "volcano")
    assert (done.returncode, done.stdout) == (3, "")


def test_show_prints_the_events_byte_for_byte(ready: Hds, home: Path, tmp_path: Path) -> None:
    """By id, by its beginning, by `last`; and every format there is."""
    (path,) = journals(home)
    for name in (path.stem, path.stem[:3], "last"):
        assert ready("history", "show", "--jsonl", name).stdout.encode() == path.read_bytes()
    assert ready("history", "show", "-q", "last").stdout == "Oslo\n"
    assert json.loads(ready("history", "show", "--json", "last").stdout)["run_id"] == path.stem
    assert ready("history", "show", "last").stdout.startswith("Oslo\n\n[1] Norway <file://")
    for name, start in (
        ("out.html", "<!"),
        ("out.md", "#"),
        ("out.json", "{"),
        ("out.jsonl", "{"),
        ("out.txt", "Oslo"),
    ):
        assert ready("history", "export", "last", "-o", str(tmp_path / name)).returncode == 0
        assert (tmp_path / name).read_text().lower().startswith(start.lower()), name


def test_a_damaged_journal_is_shown_as_far_as_it_goes(ready: Hds, home: Path) -> None:
    """A half line is left out with a word, and the run is said to have no end."""
    (path,) = journals(home)
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 100])
    done = ready("history", "show", "--jsonl", "last")
    assert done.stdout.encode() == whole[: whole.rindex(b"\n", 0, -1) + 1]
    assert "1 damaged line" in done.stderr
    assert f"--resume {path.stem}" in ready("history", "show", "last").stderr
    path.write_bytes(b"\0" * 100)
    assert ready("history", "show", "last").returncode == 2


def test_a_run_that_is_not_there_is_named_with_the_nearest(ready: Hds, home: Path) -> None:
    """Exit 2 and a hint."""
    (path,) = journals(home)
    near = path.stem[:-1] + ("2" if path.stem[-1] != "2" else "3")
    for sub in (["show"], ["export"], ["replay"], ["remove"]):
        done = ready("history", *sub, near)
        assert (done.returncode, f"did you mean {path.stem}?" in done.stderr) == (2, True)


def test_replay_takes_the_time_of_the_run_or_none(ready: Hds, script: Callable[..., str]) -> None:
    """A run of two seconds: its own pace, or at once; the answer comes either way."""
    ready("ask", "-q", "-e", "scripted", "-m", script(BLOCK.format("Norway"), OSLO, pace=60), "-s", "notes", "q")

    def seconds(*more: str) -> float:
        began = time.monotonic()
        assert ready("history", "replay", "last", *more).stdout.startswith("Oslo")
        return time.monotonic() - began

    # A busy machine may hold up any of them, though not every time.
    assert any(seconds() > max(seconds("--at-once"), seconds("--speed", "0")) + 0.8 for _ in range(5))


def test_asking_again_says_where_it_differs(own: Hds, home: Path, tmp_path: Path) -> None:
    """Nothing while nothing has changed; evidence and answer when a page has."""
    done = own("history", "replay", "--rerun", "--offline", "last")
    assert done.returncode == 0, done.stderr
    assert [line.split()[1:3] for line in done.stdout.splitlines()] == [["the", "same"]] * 4
    assert len(journals(home)) == 1
    (tmp_path / "notes" / "Norway.md").write_text("# Norway\n\nThe capital of Norway is Bergen.\n")
    own("index", "add", str(tmp_path / "notes"))
    found = json.loads(own("history", "replay", "--rerun", "--offline", "--json", "last").stdout)
    assert not found["same"]
    changed = {entry["aspect"]: entry["only_then"] for entry in found["differences"] if entry["only_then"]}
    assert set(changed) == {"evidence", "answer"}
    assert changed["answer"] == ["Oslo"]


def test_a_run_over_the_web_is_asked_again_without_it(
    hds: Hds, replica: Callable[..., object], script: Callable[..., str]
) -> None:
    """Offline its searches are those of the run, its pages those of the cache: queries, pages and evidence are the same."""
    web = replica("factbook_fanout")
    env = {"HDS_SEARXNG_URL": web.url, "HDS_FETCH_ALLOW": web.host}  # type: ignore[attr-defined]
    path = script(BLOCK.format("Norway"), OSLO)
    first = hds("ask", "-e", "scripted", "-m", path, "-s", "searxng", "--json", "q", env=env)
    assert json.loads(first.stdout)["turns"][0]["queries"][0]["evidence"], first.stderr
    asked = len(web.requests())  # type: ignore[attr-defined]
    found = json.loads(hds("history", "replay", "--rerun", "--offline", "--json", "last", env=env).stdout)
    assert found["same"], found
    assert len(web.requests()) == asked  # type: ignore[attr-defined]


def test_a_bundle_is_opened_elsewhere(
    hds: Hds, replica: Callable[..., object], script: Callable[..., str], tmp_path: Path, home: Path
) -> None:
    """Events byte for byte, pages into the cache, once; it can be shown without being imported."""
    web = replica("factbook_fanout")
    env = {"HDS_SEARXNG_URL": web.url, "HDS_FETCH_ALLOW": web.host}  # type: ignore[attr-defined]
    first = hds("ask", "-e", "scripted", "-m", script(BLOCK.format("Norway"), OSLO), "-s", "searxng", "q", env=env)
    assert first.returncode == 0, first.stderr
    file = str(tmp_path / "run.zip")
    done = hds("history", "export", "last", "--bundle", file)
    assert "pages" in done.stderr
    assert Path(file).stat().st_mode & 0o777 == 0o600
    (path,) = journals(home)
    elsewhere = {"HDS_HOME": str(tmp_path / "elsewhere")}
    assert hds("history", "show", "--jsonl", file, env=elsewhere).stdout.encode() == path.read_bytes()
    assert not (tmp_path / "elsewhere").exists()
    added = hds("history", "import", file, env=elsewhere)
    assert added.returncode == 0, added.stderr
    assert "0 already here" in added.stderr
    (copy,) = journals(tmp_path / "elsewhere")
    assert (copy.name, copy.read_bytes()) == (path.name, path.read_bytes())
    cache = PageCache(tmp_path / "elsewhere" / "cache" / "pages")
    entries = list(cache.entries())
    assert entries
    assert not any(cache.lookup(entry.page.url).fresh for entry in entries)  # type: ignore[union-attr]
    assert "was here already; 0 pages added" in hds("history", "import", file, env=elsewhere).stderr
    elsewhere["HDS_FETCH_ALLOW"] = web.host  # type: ignore[attr-defined]  # the pages lie on loopback
    found = json.loads(hds("history", "replay", "--rerun", "--offline", "--json", "last", env=elsewhere).stdout)
    assert found["same"], found


@pytest.mark.parametrize("run_id", ["../../evil", "/etc/evil", "a b", "", "x" * 99, "A", "a/b", ".."])
def test_a_bundle_cannot_name_another_file(hds: Hds, tmp_path: Path, home: Path, run_id: str) -> None:
    """The id is checked before a path is made of it."""
    done = hds("history", "import", bundle(tmp_path / "b.zip", sample(run_id)))
    assert done.returncode == 2
    assert journals(home) == []
    assert not list(tmp_path.rglob("evil*"))


def test_a_bundle_is_read_by_two_names_and_up_to_a_limit(hds: Hds, tmp_path: Path, home: Path) -> None:
    """A bomb, a foreign archive, damage, half events, no file: one line each, and nothing is written."""
    bomb = bundle(tmp_path / "bomb.zip", "0" * (70 << 20))
    names = bundle(tmp_path / "names.zip", sample(), names=("../../events.jsonl", "/etc/pages.jsonl"))
    half = bundle(tmp_path / "half.zip", sample()[:-20])
    strange = bundle(tmp_path / "strange.zip", sample().replace('"turn": 1', '"turn": "one"', 1))
    (tmp_path / "no.zip").write_bytes(b"PK\x03\x04" + b"x" * 500)
    damaged = bytearray(Path(bundle(tmp_path / "damaged.zip", sample())).read_bytes())
    damaged[60:200] = b"\0" * 140
    (tmp_path / "damaged.zip").write_bytes(damaged)
    for file in (
        bomb,
        names,
        half,
        strange,
        "no.zip",
        str(tmp_path / "no.zip"),
        str(tmp_path / "damaged.zip"),
        str(tmp_path),
    ):
        done = hds("history", "import", file)
        assert (done.returncode, "error[usage]" in done.stderr) == (2, True), (file, done.stderr)
    assert journals(home) == []
    assert "more than 64 MiB" in hds("history", "show", bomb).stderr


def test_an_imported_page_overwrites_none_and_is_never_fresh(hds: Hds, tmp_path: Path, home: Path) -> None:
    """What is here stays; a page from elsewhere is asked for again when online, without its validators."""
    cache = PageCache(home / "cache" / "pages")
    cache.put(Page("http://x.example/here", title="Ours", text="ours"))
    cache.close()
    entries = [
        Entry(Page(f"http://x.example/{name}", title="T", text="theirs"), "etag", "modified", time.time() + 9e9)
        for name in ("here", "new")
    ]
    pages = (
        "".join(to_line(entry) + "\n" for entry in entries)
        + '{"schema": "hds.page/1", "url": "file:///etc/passwd", "text": "x"}\nnonsense\n'
    )
    done = hds("history", "import", bundle(tmp_path / "b.zip", sample(), pages))
    assert "1 page added, 1 already here, 2 left out" in done.stderr
    cache = PageCache(home / "cache" / "pages")
    here, new = cache.lookup("http://x.example/here"), cache.lookup("http://x.example/new")
    assert here is not None
    assert here.page.text == "ours"
    assert new is not None
    assert (new.fresh, new.etag, new.modified) == (False, None, None)


def test_another_run_of_the_same_id_is_not_overwritten(hds: Hds, tmp_path: Path, home: Path) -> None:
    """It is said, with what to do."""
    hds("history", "import", bundle(tmp_path / "a.zip", sample()))
    before = journals(home)[0].read_bytes()
    done = hds("history", "import", bundle(tmp_path / "b.zip", sample().replace("Austria", "Nowhere")))
    assert (done.returncode, "hds history remove 7f3k" in done.stderr) == (2, True)
    assert journals(home)[0].read_bytes() == before


def test_remove_deletes_what_is_meant(ready: Hds, home: Path, script: Callable[..., str]) -> None:
    """By id, by age, all; in a pipe many only with --yes; the words are gone from the index, too."""
    (path,) = journals(home)
    assert ready("history", "remove").returncode == 2
    assert ready("history", "remove", "--older-than", "1").stderr == "hds: 0 removed\n"
    assert ready("history", "remove", "--all").returncode == 2
    assert path.exists()
    ready("history", "list")
    assert ready("history", "remove", path.stem[:4]).stderr == f"hds: {path.stem} removed\n"
    assert journals(home) == []
    assert b"Norway" not in (home / "cache" / "runs.sqlite").read_bytes()
    ask = [command(), "ask", "-e", "scripted", "-m", script("z" * 4000, pace=50), "-s", "notes", "q"]
    running = subprocess.Popen(ask, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not journals(home):
        time.sleep(0.05)
    assert "\trunning\t" in ready("history", "list").stdout
    assert "still going on" in ready("history", "remove", "last").stderr
    assert ready("history", "remove", "--all", "--yes").stderr == "hds: 0 removed\n"
    running.kill()
    running.communicate()
    assert ready("history", "remove", "--all", "--yes").returncode == 0
    assert journals(home) == []


def test_the_listing_loads_no_model_and_no_http(ready: Hds, home: Path) -> None:
    """Nor rich, in a pipe."""
    import os
    import sys

    code = (
        "import sys; from hds_cli.cli import run; run(['history', 'list']);"
        "print([m for m in ('llama_cpp', 'httpx', 'trafilatura', 'diskcache', 'rich', 'numpy') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HDS_HOME": str(home)},
    )
    assert done.stderr == "[]\n"


def test_a_key_never_enters_a_journal(own: Hds, home: Path, tmp_path: Path, script: Callable[..., str]) -> None:
    """In a question, a thought, a page: `***`, in the journal, the index and what is printed; addresses stay."""
    key = "canary-0123456789abcdef"
    (tmp_path / "notes" / "leak.md").write_text(
        f"# Norway\n\nThe capital of Norway is Oslo, {key}. See http://x.example/?keyword=tides\n"
    )
    own("index", "add", str(tmp_path / "notes"))
    path = script(BLOCK.format("Norway").replace("\nt\n", f"\nI use {key}\n"), OSLO)
    ask = ["ask", "-e", "scripted", "-m", path, "-s", "notes", "--offline", "--jsonl", f"capital of Norway? {key}"]
    done = own(*ask, env={"HDS_BRAVE_API_KEY": key})
    assert done.returncode == 0, done.stderr
    own("history", "search", "oslo")
    kept = b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file() and "collections" not in file.parts)
    assert key not in done.stdout + done.stderr
    assert key.encode() not in kept
    assert done.stdout.count("***") >= 3
    assert "keyword=tides" in done.stdout


def test_a_list_on_a_terminal_has_the_beginning_of_a_long_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report is many lines long, and a list has one run a row; in a pipe the answer is whole."""
    run = Summary("7f3k", question="What is it?", status="answered", answer="## One\n\n" + "word " * 100)
    (whole,) = history._rows([run]).rows
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    (short,) = history._rows([run]).rows
    assert whole[-1] == run.answer
    assert len(short[-1]) < 200
    assert short[-1].startswith("What is it? — ## One word")
    assert short[-1].endswith("…")
