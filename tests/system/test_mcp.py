"""`hds mcp` with the official client over stdin and stdout."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Hds, command

pytest.importorskip("mcp")
TEXTS = (
    "<think>\nOf a composer.\n</think>\n\n<|begin_search_queries|>\nwho composed Bolero\n<|end_search_queries|>",
    "done\n</think>\n\nRavel composed it [1].\n\n\\boxed{Maurice Ravel}",
)
NOTES = "Bolero was composed by Maurice Ravel in 1928."


def talk(args: list[str], conversation: Callable[[Any], Awaitable[None]]) -> None:
    """Start the server as a client does, and talk to it."""
    from mcp import Client, StdioServerParameters, stdio_client

    async def whole() -> None:
        server = StdioServerParameters(command=command(), args=["mcp", *args], env=dict(os.environ))
        async with asyncio.timeout(60), Client(stdio_client(server)) as client:
            await conversation(client)

    asyncio.run(whole())


@pytest.fixture
def notes(hds: Hds, home: Path, tmp_path: Path) -> None:
    (tmp_path / "bolero.txt").write_text(NOTES)
    assert hds("index", "add", str(tmp_path / "bolero.txt"), "--name", "music", "-q").returncode == 0


def test_the_four_tools_work_and_ask_reports_what_it_does(notes: None, script: Callable[..., str]) -> None:
    """An answer with its source and the steps to it; results; a page that the guard refuses; the run in the history."""
    steps: list[str] = []

    async def conversation(client: Any) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["ask", "search", "fetch", "history"]

        async def progress(done: float, total: float | None, message: str | None) -> None:
            steps.append(message or "")

        answer = await client.call_tool("ask", {"question": "Who composed Bolero?"}, progress_callback=progress)
        told = answer.structured_content
        assert (told["status"], told["answer"]) == ("answered", "Maurice Ravel")
        assert told["citations"][0]["quote"] == NOTES
        found = (await client.call_tool("search", {"queries": ["Ravel", "1928"]})).structured_content
        assert [query["text"] for query in found["queries"]] == ["Ravel", "1928"]
        assert all(query["results"] for query in found["queries"])
        page = (await client.call_tool("fetch", {"urls": ["http://127.0.0.1:9/"]})).structured_content["pages"][0]
        assert page["status"] == "blocked"
        runs = (await client.call_tool("history", {"words": "composed Bolero"})).structured_content["runs"]
        assert [run["run_id"] for run in runs] == [told["run_id"]]
        whole = (await client.call_tool("history", {"run_id": told["run_id"]})).structured_content
        assert whole["schema"] == "hds.run/1"

    talk(["-e", "scripted", "-m", script(*TEXTS), "-s", "music"], conversation)
    assert any("query 1.1 who composed Bolero" in step for step in steps)


def test_a_mistake_is_the_tool_s_error_and_the_server_goes_on(notes: None, script: Callable[..., str]) -> None:
    """No run of that id, too many addresses, a script without lines."""

    async def conversation(client: Any) -> None:
        for tool, arguments, words in (
            ("history", {"run_id": "zzzz"}, "there is no run"),
            ("fetch", {"urls": [f"https://x.example/{n}" for n in range(99)]}, "at once"),
            ("search", {"queries": []}, "at once"),
            ("ask", {"question": "Who?", "continues": "zzzz"}, "there is no run"),
        ):
            answer = await client.call_tool(tool, arguments)
            assert answer.is_error
            assert words in answer.content[0].text
        assert not (await client.call_tool("search", {"queries": ["Ravel"]})).is_error

    talk(["-e", "scripted", "-m", script(*TEXTS), "-s", "music"], conversation)


def test_a_question_that_is_cancelled_stops_and_the_next_is_answered(
    notes: None, home: Path, script: Callable[..., str]
) -> None:
    """While the model writes; its journal has no end, and the server no hurt."""
    slow = script(TEXTS[0], TEXTS[1] * 200, pace=60)

    async def conversation(client: Any) -> None:
        began = asyncio.Event()

        async def progress(done: float, total: float | None, message: str | None) -> None:
            if "turn 2" in (message or ""):
                began.set()

        asking = asyncio.create_task(
            client.call_tool("ask", {"question": "Who composed Bolero?"}, progress_callback=progress)
        )
        await began.wait()
        before = time.monotonic()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert not (await client.call_tool("search", {"queries": ["Ravel"]})).is_error
        assert time.monotonic() - before < 10

    talk(["-e", "scripted", "-m", slow, "-s", "music"], conversation)
    journal = next((home / "data" / "runs").glob("*.jsonl")).read_text().splitlines()
    last = json.loads(journal[-1])
    assert last["event"] != "run_finished" or last["status"] != "answered"


def test_without_the_sdk_it_says_what_to_install(hds: Hds, tmp_path: Path) -> None:
    """Exit 2 and the extra."""
    (tmp_path / "mcp.py").write_text("raise ImportError")
    done = hds("mcp", env={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, 'pip install "hds-cli[mcp]"' in done.stderr) == (2, True)
