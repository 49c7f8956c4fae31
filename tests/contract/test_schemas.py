"""Every `--json` is the document its checked-in JSON Schema describes, and every line of `--jsonl` an event of one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator, ValidationError

from hds_cli.cli import COMMANDS, app
from hds_cli.fetch.cache import PageCache
from hds_cli.types import Page
from tests.ahead import ahead, environment
from tests.conftest import ran
from tests.engine import tiny
from tests.render.sample import big_run, whole_run

from .schemas import FOLDER, event_schema, schema, validate

URL = "http://x.example/tides"
BLOCK = "<think>\nt\n</think>\n\n<|begin_search_queries|>\nwhere the boat lies\n<|end_search_queries|>"
ANSWER = "x\n</think>\n\nIt lies in Bergen [1].\n\n\\boxed{Bergen}"
FILES = (("script", "jsonl"), ("questions", "jsonl"), ("tiny", "gguf"), ("rows", "jsonl"), ("again", "jsonl"))

# What each command is called with. `{…}` are things of the test's own home; see `Place`.
CALLS: dict[str, list[str]] = {
    "ask": ["-e", "scripted", "-m", "{script}", "-s", "notes", "--offline", "Where is the boat?"],
    "verify": ["--against", "notes", "--offline", "--no-verify", "{note}"],
    "search": ["-s", "notes", "--offline", "the boat", "the moon"],
    "fetch": ["--offline", "http://127.0.0.1:9/a"],
    "index list": [],
    "index info": ["notes"],
    "cache info": [],
    "cache list": [],
    "cache show": ["{page}"],
    "plugins list": [],
    "plugins info": ["local"],
    "config show": [],
    "config get": ["top_k"],
    "config path": [],
    "doctor": ["--offline"],
    "model list": [],
    "model suggest": [],
    "model info": ["{tiny}"],
    "model bench": ["{tiny}", "--no-save"],
    "history list": [],
    "history search": ["boat"],
    "history show": ["last"],
    "history verify": ["last"],
    "audit": ["last"],
    "history replay": ["--rerun", "--offline", "last"],
    "eval run": ["{questions}", "-e", "scripted", "-m", "{script}", "-s", "notes", "--offline"],
    "eval compare": ["{rows}", "{again}"],
    "eval retrieval": ["{set}", "--offline"],
    "tune": ["{set}", "--trials", "2", "--option", "top-k=2,3", "-e", "scripted", "-m", "{script}", "--offline"],
    "synth": ["--collection", "world", "-n", "1", "-o", "{made}"],
}


def _commands() -> Iterator[tuple[str, list[str]]]:
    """Every command with the names of its options."""
    root: Any = typer.main.get_command(app)
    context = typer.Context(root)
    context.meta["hds.called"] = True

    def walk(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
        for name, sub in getattr(command, "commands", {}).items():
            yield from walk(sub, f"{path} {name}")
        if not hasattr(command, "commands"):
            yield path, [option for parameter in command.params for option in parameter.opts]

    for name in COMMANDS:
        yield from walk(root.get_command(context, name), name)


def test_every_command_with_json_is_called_here() -> None:
    """A new `--json` joins by a line in CALLS and a file in hds_cli/schemas."""
    having = {path for path, options in _commands() if "--json" in options}
    assert having == set(CALLS)


@dataclass
class Place:
    """A home with a collection of one note and one cached page; a scripted model, a GGUF file, a question set."""

    home: Path
    names: dict[str, str]

    def hds(self, *args: str) -> subprocess.CompletedProcess[str]:
        filled = [argument.format(**self.names) if "{" in argument else argument for argument in args]
        return ran(filled, None, environment(self.home))

    def copy(self, folder: Path) -> Place:
        """The same with a home of its own."""
        shutil.copytree(self.home, folder / "home")
        return replace(self, home=folder / "home")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("schemas")
    (folder / "notes").mkdir()
    (folder / "notes" / "boat.md").write_text("# The boat\n\nThe boat lies in the harbour of Bergen.\n")
    (folder / "script.jsonl").write_text("\n".join(json.dumps({"text": text}) for text in (BLOCK, ANSWER)))
    question = {"question": "Where is the boat?", "answers": ["Bergen"], "supporting_titles": ["The boat"]}
    rows = [json.dumps({"id": str(n)} | question) + "\n" for n in range(8)]
    (folder / "set").mkdir()
    (folder / "questions.jsonl").write_text(rows[0])
    (folder / "set" / "questions.jsonl").write_text("".join(rows))
    page = {"title": "The boat", "text": "The boat lies in the harbour of Bergen."}
    (folder / "set" / "corpus.jsonl").write_text(json.dumps(page) + "\n")
    tiny.write(folder / "tiny.gguf")
    cache = PageCache(folder / "home" / "cache" / "pages")
    cache.put(Page(URL, title="Tides", text="The moon pulls the sea.", fetched_at="2026-01-01T00:00:00+00:00"))
    cache.close()
    names = {name: str(folder / f"{name}.{end}") for name, end in FILES}
    found = Place(
        folder / "home",
        names
        | {
            "page": URL,
            "set": str(folder / "set"),
            "made": str(folder / "made"),
            "note": str(folder / "notes" / "boat.md"),
        },
    )
    for call in (["index", "add", str(folder / "notes")], ["ask", *CALLS["ask"]]):
        assert found.hds(*call).returncode == 0
    assert found.hds("eval", "run", *CALLS["eval run"], "--results", names["rows"]).returncode == 0
    shutil.copy(names["rows"], names["again"])
    return found


@pytest.fixture(scope="module")
def called(
    request: pytest.FixtureRequest, place: Place, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Each of the commands, in a home of its own; a measurement of speed by itself."""

    def run(call: str) -> subprocess.CompletedProcess[str]:
        return place.copy(tmp_path_factory.mktemp("call")).hds(*call.split(), *CALLS[call], "--json")

    with ahead(request, "test_json_is_what_its_schema_says", run, alone=lambda call: call == "model bench") as found:
        yield found


@pytest.mark.parametrize("call", CALLS)
def test_json_is_what_its_schema_says(called: Callable[..., subprocess.CompletedProcess[str]], call: str) -> None:
    """The real command's stdout is one document, and the schema it names describes it."""
    done = called(call=call)
    document = json.loads(done.stdout)
    assert document["schema"] != "hds.error/1", done.stdout
    validate(document)
    assert done.returncode == 0 or call in ("fetch", "doctor")  # nothing listens there; this machine may lack something


@pytest.mark.parametrize("call", [["ask", ""], ["ask", "-m", "no-such-model", "q"], ["search", "-s", "nowhere", "x"], ["index", "info", "none"],
                                  ["cache", "show", "http://x.example/none"], ["nonsense"], ["ask", "--top-k", "x", "q"]])  # fmt: skip
def test_an_error_is_a_document_of_its_schema(place: Place, call: list[str]) -> None:
    """`hds.error/1` on stdout, and its exit code is the command's."""
    done = place.hds(*call, "--json")
    document = json.loads(done.stdout)
    validate(document, "hds.error/1")
    assert document["error"]["exit_code"] == done.returncode


def test_every_line_of_jsonl_is_an_event_of_the_schema(place: Place, tmp_path: Path) -> None:
    """A whole run's lines, and those of the made-up runs, which have every kind of end."""
    done = place.copy(tmp_path).hds("ask", *CALLS["ask"], "--jsonl")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [lines[0]["event"], lines[-1]["event"]] == ["run_started", "run_finished"]
    for line in [*lines, *(json.loads(json.dumps(event.to_dict())) for event in (*whole_run(), *big_run()))]:
        validate(line, "hds.event/1")


def test_the_schema_of_events_is_that_of_the_classes() -> None:
    """After a change of an event: `python -m tests.contract.schemas` writes it anew."""
    assert schema("hds.event/1") == event_schema()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_every_schema_is_valid_and_closed(path: Path) -> None:
    """It is a JSON Schema of 2020-12, names itself, and refuses a document that lacks a key."""
    checked = json.loads(path.read_text("utf-8"))
    Draft202012Validator.check_schema(checked)
    assert checked["$id"] == "urn:hds:" + path.stem.replace("-", ":")
    with pytest.raises(ValidationError):
        Draft202012Validator(checked).validate({"schema": f"hds.{path.stem.replace('-', '/')}"})
