"""Questions that were answered by hand, reading only what the prompts showed: the same turns lead to the same answers.

`played.jsonl` holds what was written, turn by turn; ten of them through `tools`, the rest through `chat`.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from hds_cli.agent.chat import ChatDialect
from hds_cli.agent.loop import Limits, Parts, Run, Stop
from hds_cli.agent.tools import ToolsDialect
from hds_cli.engine.scripted import ScriptedEngine
from hds_cli.events import RunFinished
from hds_cli.search.fanout import Fanout
from hds_cli.search.local import Collection, read_jsonl
from hds_cli.types import GOOD_LEVELS, Page, SearchResult
from tests.agent.test_guided import CHATML

ROWS = [json.loads(line) for line in Path(__file__).with_name("played.jsonl").read_text().splitlines()]
_COLLECTIONS: dict[str, Collection] = {}


class Pages:
    """A collection as a source."""

    needs_network = False

    def __init__(self, collection: Collection) -> None:
        self.name, self._collection = collection.name, collection

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        return self._collection.search(query, top_k)

    async def read(self, url: str) -> Page | None:
        return self._collection.read(url)


@pytest.fixture
def collection(shared: Path, tmp_path_factory: pytest.TempPathFactory):
    def build(name: str) -> Collection:
        if name not in _COLLECTIONS:
            made = Collection(name, tmp_path_factory.mktemp(name), create=True)
            made.update(read_jsonl(shared / "data" / name / "corpus.jsonl", name), name)
            _COLLECTIONS[name] = made
        return _COLLECTIONS[name]

    return build


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_what_an_able_writer_wrote_is_answered_and_grounded(row: dict, collection, tmp_path: Path) -> None:
    """The answer is shown as it was written, with sources; T4 is not in the pages."""
    script = tmp_path / "s.jsonl"
    script.write_text("\n".join(json.dumps({"text": text}) for text in row["written"]))
    source = Pages(collection(row["set"]))

    async def go() -> RunFinished:
        engine = ScriptedEngine(script)
        session = engine.session()
        kind = ToolsDialect if row["dialect"] == "tools" else ChatDialect
        parts = Parts(
            dialect=kind(session, CHATML, max_turns=10), fanout=Fanout([source], _no_web, top_k=5),
            count=lambda text: len(text) // 4, counter=session.counter, model=engine.info, stop=Stop(),
            offline=True,
        )  # fmt: skip
        return await Run("r", parts, Limits(), lambda _: None).answer(row["question"])

    finished = asyncio.run(go())
    assert finished.answer == row["answer"]
    assert finished.status == ("unanswered" if row["answer"] is None else "answered")
    assert any(support.level in GOOD_LEVELS for support in finished.support)


async def _no_web(url: str) -> Page:
    return Page(url, status="blocked", reason="offline")
