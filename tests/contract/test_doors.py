"""Who may import whom, and what is loaded when: the house as it is described in the README."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT, command

PACKAGE, PLUGINS = ROOT / "hds_cli", ROOT / "plugins"
BASE = {
    "types", "errors", "events", "config", "settings_file", "paths", "text", "threads", "plugins", "keys", "bounds",
    "databases", "locks", "jsons", "interrupts", "kinds", "code", "egress", "settings_facts", "__init__",
}  # fmt: skip
MAY = {
    "types": set(),
    "errors": set(),
    "bounds": {"types"},
    "egress": {"types"},
    "events": {"types", "bounds", "from_json"},
    "from_json": {"bounds"},
    "run_state": {"events", "types"},
    "paths": set(),
    "kinds": set(),
    "code": set(),
    "settings_file": {"errors", "paths"},
    "settings_facts": {"errors"},
    "config": {"errors", "paths", "settings_file", "settings_facts"},
    "settings_variables": {"config", "settings_facts"},
    "text": {"text"},
    "threads": set(),
    "databases": {"errors"},
    "locks": set(),
    "jsons": set(),
    "memory": set(),
    "plugins": {"errors"},
    "keys": {"errors", "paths"},
    "interrupts": {"errors"},
    "shells": set(),
    "completion": {"paths", "engine"},
    "engine": BASE | {"engine", "settings_facts"},
    "search": BASE | {"search"},
    "fetch": BASE | {"fetch", "search", "extract", "memory"},
    "extract": BASE | {"extract"},
    "agent": BASE | {"agent", "engine", "search", "run_state"},
    "desk": BASE | {"agent", "engine", "search", "fetch", "desk", "run_state"},
    "evaluation": BASE | {"agent", "engine", "search", "desk", "evaluation", "run_state"},
    "history": {
        "events",
        "types",
        "errors",
        "paths",
        "bounds",
        "databases",
        "jsons",
        "locks",
        "run_state",
        "history",
        "__init__",
    },
    "render": {"events", "types", "errors", "run_state", "code", "render", "__init__"},
}
MOST_LINES = {"file": 400, "class": 250, "function": 60}
ONE_DOOR = {
    "llama_cpp": "engine/llama/api.py",
    "httpx": "fetch/http.py",
    "diskcache": "fetch/disk.py",
    "trafilatura": "extract/markup.py",
    "matplotlib": "evaluation/curves.py",
    "huggingface_hub": "engine/files/hub.py",
    "gguf": "engine/files/convert/writing.py",
    "tomlkit": "settings_file.py",
    "w3lib": "search/fusion.py",
    "docx": "render/word.py",
}


def _imports(path: Path) -> list[tuple[str, bool]]:
    """(module, at the top of the file) for every import."""
    tree = ast.parse(path.read_text())
    top = {id(node) for node in tree.body}
    imported = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported += [(alias.name, id(node) in top) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported += [
                (f"{node.module}.{alias.name}" if node.module == "hds_cli" else node.module, id(node) in top)
                for alias in node.names
            ]
    return imported


def _graph() -> dict[str, set[str]]:
    """Which module of the package imports which, lazily or not; what is imported for its types alone is none."""
    modules = {
        ".".join(("hds_cli", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text())
        types_only = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        names = [
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and id(node) not in types_only
            for alias in node.names
        ]
        imported = {full if full in modules else full.rpartition(".")[0] for full in names}
        graph[name] = imported & modules.keys() - {name, "hds_cli"}
    return graph


def test_rooms_import_only_through_their_doors() -> None:
    """Siblings do not know each other; nothing imports commands but the command itself."""
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room in ("cli", "commands", "entry", "manual", "__main__", "__init__"):
            continue
        for module, _ in _imports(path):
            parts = module.split(".")
            target = parts[1] if parts[0] == "hds_cli" and len(parts) > 1 else None
            if target and target not in MAY[room] and target != "__version__":
                wrong.append(f"{path.relative_to(PACKAGE)} imports {module}")
    assert wrong == []


def test_plugins_import_no_commands() -> None:
    """A plugin of ours that needs a desk opens one, as anyone's would; one that brings a command may use the options."""
    users = {
        str(path.relative_to(PLUGINS))
        for path in PLUGINS.rglob("*.py")
        for module, _ in _imports(path)
        if module.startswith("hds_cli.commands")
    }
    assert {name for name in users if not name.endswith("command.py")} == set()


def test_no_module_is_imported_by_what_it_imports() -> None:
    """There is no circle, not even one that a lazy import hides."""
    graph = _graph()
    assert len(graph) > 150
    reached = {name: set(imported) for name, imported in graph.items()}
    grown = True
    while grown:
        grown = False
        for names in reached.values():
            further = set().union(*(reached[name] for name in names)) - names
            names |= further
            grown = grown or bool(further)
    assert sorted(name for name, names in reached.items() if name in names) == []


def test_no_file_class_or_function_outgrows_a_reader() -> None:
    """Lines of a file, a class, a function, with their docstrings and comments."""
    long = []
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text()
        sizes = [("file", path.name, text.count("\n"))]
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                kind = "class" if isinstance(node, ast.ClassDef) else "function"
                sizes.append((kind, node.name, (node.end_lineno or 0) - node.lineno + 1))
        long += [f"{path.name}: {name} {lines}" for kind, name, lines in sizes if lines > MOST_LINES[kind]]
    assert long == []


@pytest.mark.parametrize(("library", "door"), ONE_DOOR.items())
def test_each_big_library_has_one_door(library: str, door: str) -> None:
    """One file imports it, and not at its top."""
    users = {
        (str(path.relative_to(PACKAGE)), top)
        for path in PACKAGE.rglob("*.py")
        for module, top in _imports(path)
        if module.split(".")[0] == library
        and "TYPE_CHECKING" not in path.read_text().split(f"import {library}")[0][-60:]
    }
    assert users <= {(door, False)}


def test_commands_print_in_one_place() -> None:
    """Messages, and documents with a schema, are written by `_print` alone; the bar of `_progress` is no message."""
    wrong = []
    for path in (PACKAGE / "commands").glob("*.py"):
        text = path.read_text()
        marks = ("sys.stderr.write", 'json.dumps({"schema"', "typer.echo", "print(", "file=sys.stderr")
        if path.stem not in ("_print", "_progress"):
            wrong += [f"{path.name}: {mark}" for mark in marks if re.search(rf"(?<![\w.]){re.escape(mark)}", text)]
    assert wrong == []


def test_help_and_version_load_nothing_heavy() -> None:
    """No model, no HTTP, no extraction for a look at the help."""
    for args in (["--version"], ["--help"]):
        code = f"import sys; from hds_cli.cli import run; run({args!r}); print([m for m in ('llama_cpp','httpx','trafilatura','diskcache','rich','numpy') if m in sys.modules])"
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        assert out.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", ["ask", "chat", "serve"])
def test_the_help_of_a_command_loads_nothing_of_a_warm_model(name: str) -> None:
    """Its client and its server are imported where a model is to be loaded."""
    code = f"import sys; from hds_cli.cli import run; run([{name!r}, '--help']); print([m for m in sys.modules if '.warm' in m])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "[]"


def test_importing_makes_nothing(tmp_path: Path) -> None:
    """No folder, no file, before a command needs one."""
    code = "import hds_cli.cli, hds_cli.commands.ask, hds_cli.fetch.client, hds_cli.search.sources"
    subprocess.run([sys.executable, "-c", code], check=True, env={"HDS_HOME": str(tmp_path / "h"), "PATH": "/usr/bin"})
    assert not (tmp_path / "h").exists()


def test_the_command_is_installed() -> None:
    """The console script answers."""
    began = time.monotonic()
    out = subprocess.run([command(), "--version"], capture_output=True, text=True, check=True).stdout
    assert out.startswith("hds ")
    assert time.monotonic() - began < 20


def test_the_public_names_are_these() -> None:
    """What plugin authors may import; a change here is a change for them."""
    import hds_cli

    assert sorted(hds_cli.__all__) == [
        "Budget", "BundledCollection", "ChatTemplate", "Counter", "Document", "Engine", "Event", "Extractor", "Generation",
        "HdsError", "JsonApi", "ModelInfo", "ModelSpec", "Page", "Passage", "Reading", "ReadingSource", "Renderer", "Sampling",
        "SearchResult", "Segment", "Selector", "Session", "Settings", "Source", "SourceContext", "SourceError",
        "__version__", "in_daemon",
    ]  # fmt: skip
    assert all(getattr(hds_cli, name) for name in hds_cli.__all__)
