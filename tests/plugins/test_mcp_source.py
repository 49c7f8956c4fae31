"""The source `mcp` over a real server of the official SDK, started as a command."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Hds

pytest.importorskip("mcp")
SERVER = """
import os, sys
from mcp.server.mcpserver import MCPServer

server = MCPServer("trees", log_level="ERROR")
PAGES = {
    "7": ("Fig", "The fig, Ficus carica, was brought to California in 1769."),
    "8": ("Olive", "The olive is Olea europaea. " + os.environ.get("HDS_SECRET_API_KEY", "no key was seen")),
}

@server.tool()
def search(query: str) -> dict:
    if query == "break":
        raise ValueError("broken tool")
    rows = [{"id": n, "title": t, "url": f"https://trees.example/{n}", "text": x[:30]} for n, (t, x) in PAGES.items()]
    return {"results": [row for row in rows if query.split()[0].lower() in str(row).lower()] + [None, {"id": 3.5}, {"url": 4}]}

if "nofetch" not in sys.argv:
    @server.tool()
    def fetch(id: str) -> dict:
        title, text = PAGES[id]
        return {"id": id, "title": title, "text": text, "url": f"https://trees.example/{id}"}

server.run()
"""


@pytest.fixture
def server(tmp_path: Path) -> str:
    """The command that starts it."""
    file = tmp_path / "server.py"
    file.write_text(SERVER)
    return shlex.join([sys.executable, str(file)])


def test_results_and_pages_come_from_its_tools(hds: Hds, server: str, script: Callable[..., str]) -> None:
    """Searched, read and cited; what is no result is left out; keys of hds are not handed to it."""
    env = {"HDS_MCP_PATH": server, "HDS_SECRET_API_KEY": "a-key-0123456789"}
    found = json.loads(hds("search", "-s", "mcp", "--json", "fig", env=env).stdout)["queries"][0]
    assert [(r["url"], r["title"], r["rank"]) for r in found["results"]] == [("https://trees.example/7", "Fig", 1)]
    block = "<think>\nI look.\n</think>\n\n<|begin_search_queries|>\nolive\n<|end_search_queries|>"
    model = script(block, "done\n</think>\n\nOlea europaea [1].\n\n\\boxed{Olea europaea}")
    answer = json.loads(hds("ask", "-e", "scripted", "-m", model, "-s", "mcp", "--json", "olive?", env=env).stdout)
    assert answer["citations"][0]["url"] == "https://trees.example/8"
    assert "no key was seen" in answer["turns"][0]["queries"][0]["evidence"][0]["text"]


@pytest.mark.parametrize(
    ("command", "query", "words"),
    [
        ("{}", "break", "the tool `search` failed"),
        ("false", "fig", "the server cannot be used"),
        ("/nowhere/at/all", "fig", "the server cannot be used"),
        ("", "fig", "needs a server"),
    ],
)
def test_a_server_that_does_not_work_is_named_with_the_reason(
    hds: Hds, server: str, command: str, query: str, words: str
) -> None:
    """Exit 5, or 2 where none is set; no trace."""
    done = hds("search", "-s", "mcp", query, env={"HDS_MCP_PATH": command.format(server)})
    assert done.returncode == (5 if command else 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr.partition("hds: ")[2]


def test_it_is_not_asked_offline(hds: Hds, server: str) -> None:
    """What the server does in turn is not ours to see."""
    assert hds("search", "-s", "mcp", "--offline", "fig", env={"HDS_MCP_PATH": server}).returncode == 2
