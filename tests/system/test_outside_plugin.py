"""Plugins of strangers, built and installed as distributions into an environment with an installed `hds`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conftest import ROOT
from tests.fetch.web import answer, web
from tests.system import doors
from tests.system.outside import Place, distribution

Run = Callable[..., "CompletedProcess[str]"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("outside"))


@pytest.fixture
def run(place: Place, tmp_path: Path) -> Run:
    return lambda *args, **more: place.hds(*args, home=tmp_path / "home", **more)


def tutorial() -> dict[str, str]:
    """The files that the tutorial shows: `NAME`: and the block below it."""
    text = (ROOT / "plugins" / "README.md").read_text("utf-8")
    return dict(re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def results(done: CompletedProcess[str]) -> list[dict[str, object]]:
    return json.loads(done.stdout)["queries"][0]["results"]


def test_the_plugin_of_the_tutorial_works_as_it_is_printed(
    place: Place, run: Run, tmp_path: Path, script: Callable[..., str]
) -> None:
    """Its text is taken out of the document, built, installed, searched, read and cited; uninstalled, it is gone."""
    folder = tmp_path / "hds-unicode"
    folder.mkdir()
    files = tutorial()
    assert set(files) == {"pyproject.toml", "hds_unicode.py"}
    assert len([line for line in files["hds_unicode.py"].splitlines() if line.strip()]) <= 22
    for name, text in files.items():
        (folder / name).write_text(text)
    before = place.files()
    assert run("search", "-s", "unicode", "snowman").returncode == 2
    place.install(folder)
    row = next(r for r in json.loads(run("plugins", "list", "--json").stdout)["plugins"] if r["name"] == "unicode")
    assert (row["kind"], row["distribution"], row["version"]) == ("sources.v1", "hds-unicode", "0.1")
    assert Path(row["path"]).is_relative_to(place.site)
    assert "loads:        yes" in run("plugins", "info", "unicode").stdout
    found = results(run("search", "-s", "unicode", "--json", "snowman"))
    assert {r["url"] for r in found} == {"unicode:2603", "unicode:26C4", "unicode:26C7"}
    block = "<think>\nt\n</think>\n\n<|begin_search_queries|>\nblack snowman\n<|end_search_queries|>"
    path = script(block, "done\n</think>\n\n\\boxed{BLACK SNOWMAN}")
    asked = run("ask", "-s", "unicode", "-e", "scripted", "-m", path, "--json", "Which snowman?")
    document = json.loads(asked.stdout)
    assert (asked.returncode, document["answer"]) == (0, "BLACK SNOWMAN"), asked.stderr
    assert document["citations"][0] | {"fetched_at": None} == {
        "n": 1, "url": "unicode:26C7", "title": "BLACK SNOWMAN", "verified": True, "fetched_at": None,
        "quote": "The character ⛇ is named BLACK SNOWMAN.", "passage": 1, "led_to": False,
        "author": None, "date": None, "context": "", "line": None,
    }  # fmt: skip
    place.uninstall("hds-unicode")
    assert place.files() == before
    gone = run("search", "-s", "unicode", "snowman")
    assert (gone.returncode, "source_unknown" in gone.stderr) == (2, True)


@pytest.fixture(scope="module")
def with_doors(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    code = Path(doors.__file__).read_text("utf-8")
    place.install(distribution(tmp_path_factory.mktemp("doors"), "hds-doors", code, doors.POINTS))
    yield place
    place.uninstall("hds-doors")


def test_every_other_door_takes_an_outside_plugin(with_doors: Place, run: Run) -> None:
    """Engine, collection, selector and renderer in one run: the parrot answers from the moons, the bells ring."""
    args = ("ask", "-e", "parrot", "-s", "moons", "--select", "last")
    done = run(*args, "--json", "What does Phobos go round?")
    document = json.loads(done.stdout)
    assert (done.returncode, document["answer"], document["model"]["engine"]) == (0, "Mars", "parrot"), done.stderr
    (turn, *_) = document["turns"]
    assert [e["text"] for e in turn["queries"][0]["evidence"]] == ["It goes round Mars"]
    rung = run(*args, "-f", "bells", "What does Phobos go round?")
    assert rung.returncode == 0, rung.stderr
    assert re.fullmatch(r"␛\[31mMars␇ after \d\d bells\n", rung.stdout)


def test_a_plugin_brings_a_command(with_doors: Place, run: Run) -> None:
    """It stands in the help with its own summary; its own help is made as ours is; --no-plugins leaves it out."""
    assert re.search(r"^  hello +Greet somebody\.$", run("--help").stdout, re.MULTILINE)
    assert run("hello", "world", "--loud").stdout == "Hello, WORLD.\n"
    assert "Greet somebody." in run("hello", "--help").stdout
    assert "hello" not in run("--no-plugins", "--help").stdout
    off = run("--no-plugins", "hello")
    assert (off.returncode, "there is no command 'hello'" in off.stderr) == (2, True)


def test_a_plugin_reads_a_kind_of_content_that_hds_does_not(with_doors: Place, run: Run) -> None:
    """By the ending of the address or by the media type; without the plugin it is skipped."""
    with web() as server:
        body = b"PK\x03\x04the tide is high"
        server.routes["/a.shout"] = answer(body, "200 OK", "application/octet-stream")
        server.routes["/b"] = answer(body, "200 OK", "application/x-shout")
        env = {"HDS_FETCH_ALLOW": server.host}
        urls = [f"{server.url}/a.shout", f"{server.url}/b"]
        pages = json.loads(run("fetch", "--json", *urls, env=env).stdout)["pages"]
        assert [(p["status"], p["title"], p["text"]) for p in pages] == [("fetched", "Shouted", "THE TIDE IS HIGH")] * 2
        env["HDS_NO_PLUGINS"] = "1"
        env["HDS_CACHE_DIR"] = str(with_doors.folder / "other")
        pages = json.loads(run("fetch", "--json", *urls, env=env).stdout)["pages"]
        assert [(p["status"], p["reason"]) for p in pages] == [("skipped", "not_text")] * 2


@pytest.mark.parametrize(
    "args",
    [
        ("ask", "-e", "parott", "q"),
        ("ask", "-e", "parrot", "--select", "lats", "q"),
        ("ask", "-e", "parrot", "-f", "bels", "q"),
        ("helo",),
    ],
)
def test_a_mistyped_name_is_an_error_that_names_what_there_is(with_doors: Place, run: Run, args: list[str]) -> None:
    """Exit 2 with a hint, before anything is loaded."""
    done = run(*args)
    assert done.returncode == 2
    assert "hint: " in done.stderr


SOURCE = """
from hds_cli import SearchResult

class Source:
    needs_network = False

    def __init__(self, name, context):
        self.name = name

    async def search(self, query, top_k):
        return {answer}
"""
GOOD = SOURCE.replace("{answer}", '[SearchResult("https://tides.example/", "Tides", query)]')
BROKEN = {
    "imports": "import a_module_that_is_not_there",
    "exits": "raise SystemExit(3)",
    "hangs": "import time\nwhile True:\n    time.sleep(1)",
    "future": "raise RuntimeError",
    "noisy": "print('NOISE')\n" + SOURCE.replace("{answer}", "1 / 0"),
    "none": SOURCE.replace("{answer}", "None"),
    "big": SOURCE.replace("{answer}", '[SearchResult("https://b.example/", "x" * (100 << 20), "y" * (100 << 20))]'),
    "escape": SOURCE.replace("{answer}", '[SearchResult("https://e.example/\\x1b]", "\\x1b[2J\\x9b1m", "\\x1b[31m")]'),
}
SAID = {
    "imports": "hds-imports does not load: ModuleNotFoundError",
    "exits": "hds-exits does not load: RuntimeError: SystemExit: 3",
    "hangs": "hds-hangs does not load: TimeoutError: its import did not end in 10 s",
    "future": "hds-future is made for hds.sources.v9, and this version of hds has hds.sources.v1",
    "noisy": "ZeroDivisionError: division by zero",
    "none": "it did not answer with a list of results",
}


@pytest.fixture(scope="module")
def with_broken(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("broken")
    made = []
    for name, code in {**BROKEN, "good": GOOD}.items():
        group = "hds.sources.v9" if name == "future" else "hds.sources.v1"
        others = [(f"hds.{kind}.v1", f"bad-{name}", "f") for kind in ("collections", "commands")]
        made.append(distribution(folder, f"hds-{name}", code, [(group, name, "Source"), *others]))
    place.install(*made)
    yield place
    place.uninstall(*(f"hds-{name}" for name in (*BROKEN, "good")))


def test_eight_broken_plugins_end_no_help_and_no_list(with_broken: Place, run: Run) -> None:
    """Nothing that does not ask for them imports them."""
    for args in (["--help"], ["--version"], ["plugins", "list"], ["cache", "info"], ["search", "-s", "good", "q"]):
        done = run(*args)
        assert (done.returncode, "NOISE" in done.stdout + done.stderr) == (0, False), done.stderr


def test_eight_broken_plugins_end_no_run(with_broken: Place, run: Run, script: Callable[..., str]) -> None:
    """Asked for beside one that works, each is named with its reason, and stdout stays what it should be (F26)."""
    sources = [arg for name in (*BROKEN, "good") for arg in ("-s", name)]
    done = run("search", *sources, "--json", "q")
    assert done.returncode == 0, done.stderr
    (query,) = json.loads(done.stdout)["queries"]
    errors = {error["source"]: error["message"] for error in query["errors"]}
    assert set(errors) == set(SAID)
    assert all(said in errors[name] for name, said in SAID.items())
    assert {result["source"] for result in query["results"]} == {"big", "escape", "good"}
    assert len(done.stdout) < 30_000
    lines = run("search", "-s", "escape", "-s", "big", "-s", "good", "q")
    assert not re.search(r"[\x1b\x9b]", lines.stdout + lines.stderr)
    block = "<think>\nt\n</think>\n\n<|begin_search_queries|>\ntides\n<|end_search_queries|>"
    path = script(block, "done\n</think>\n\n\\boxed{Noon}")
    asked = run("ask", "-e", "scripted", "-m", path, *sources, "--jsonl", "When?")
    events = [json.loads(line) for line in asked.stdout.splitlines()]
    assert asked.returncode == 3, asked.stderr  # no page of these can be fetched
    assert events[-1]["event"] == "run_finished"
    assert {e["source"] for e in events if e.get("error")} == set(SAID)


def test_broken_collections_leave_the_others_to_be_searched(with_broken: Place, run: Run, tmp_path: Path) -> None:
    """`-s local` names them and answers from the user's own."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tide.txt").write_text("High water is at noon in Dover.\n")
    assert run("index", "add", str(tmp_path / "notes")).returncode == 0
    done = run("search", "-s", "local", "high water Dover")
    assert (done.returncode, "tide" in done.stdout, "NOISE" in done.stdout) == (0, True, False), done.stderr
    assert all(f"warning: bad-{name}: " in done.stderr for name in BROKEN)


def test_nothing_is_loaded_from_the_current_folder(place: Place, run: Run, tmp_path: Path) -> None:
    """A module, or a whole plugin with its metadata, lying where `hds` is started."""
    for name in ("rich", "httpx", "hds_evil"):
        (tmp_path / f"{name}.py").write_text("print('HIJACKED')\nraise SystemExit(9)\n")
    info = tmp_path / "hds_evil-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hds-evil\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[hds.sources.v1]\nevil = hds_evil:Source\n")
    listed = run("plugins", "list", cwd=tmp_path)
    assert (listed.returncode, "evil" in listed.stdout) == (0, False)
    searched = run("search", "-s", "evil", "q", cwd=tmp_path)
    assert (searched.returncode, "source_unknown" in searched.stderr) == (2, True)
    assert "HIJACKED" not in listed.stdout + searched.stdout + searched.stderr
