"""Trajectories in the searcher's format, for training: the gold queries turn by turn, with what hds itself finds.

A line of the file is `{"messages": [user, assistant]}`: the prompt, and one assistant turn that holds thoughts,
queries, results and the boxed answer, as `agent.protocol` writes them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hds_cli.agent import protocol
from hds_cli.agent.evidence import Budget, Evidence
from hds_cli.engine.base import Segment
from hds_cli.text import quote_words
from hds_cli.types import Page, Passage, SearchResult

Read = Callable[[str], Page | None]
_BUDGET = Budget(tokens=1500, passages=2)  # of a turn; the published model was trained on up to 8,196 tokens a run


class Exporter:
    """Writes trajectories over one set of pages.

    Args:
        search, read: the pages as a run would find them.
        top_k: results of a query that are read.
    """

    def __init__(self, search: Callable[[str, int], Sequence[SearchResult]], read: Read, top_k: int = 5) -> None:
        self._pages = functools.lru_cache(maxsize=4096)(lambda query: _pages(search, read, query, top_k))

    def export(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """The trajectory of a question that `make` made; None when the evidence does not hold every sub-answer."""
        question, evidence = row["question"], Evidence(row["question"], _tokens)
        written: list[str] = []
        shown: set[int] = set()
        for turn in sorted({step["turn"] for step in row["program"] if step.get("turn")}):
            steps = [step for step in row["program"] if step.get("turn") == turn]
            queries = [step["question"] for step in steps]
            selections = evidence.select([(query, self._pages(query)) for query in queries], _BUDGET)
            if not all(map(_holds, steps, selections)):
                return None
            thought = _plan(steps) if turn == 1 else f"{_learned(row, turn - 1)} {_plan(steps)}"
            written.append(_turn(thought, queries, opened=turn > 1))
            written.append(_text(protocol.results_block(list(zip(queries, selections, strict=True)), shown)))
            shown |= {passage.n for passages in selections for passage in passages}
        last = max(step.get("turn", 0) for step in row["program"])
        answer = protocol.neutral(row["answers"][0])
        written.append(f"{_learned(row, last)}\n{protocol.END_THINK}\n\n{protocol.BOX}{answer}}}")
        user = f"{protocol.PREAMBLE}{protocol.BOXED_REQUEST}{protocol.ASK}{protocol.neutral(question)}"
        messages = [{"role": "user", "content": user}, {"role": "assistant", "content": "".join(written)}]
        return {"id": row["id"], "messages": messages, "answer": row["answers"][0]}


def _pages(search: Callable[[str, int], Sequence[SearchResult]], read: Read, query: str, top_k: int) -> list[Page]:
    return [page for result in search(query, top_k) if (page := read(result.url))]


def _tokens(text: str) -> int:
    """The tokens of a text without a vocabulary: four characters a token."""
    return (len(text) + 3) // 4


def _holds(step: Mapping[str, Any], passages: Sequence[Passage]) -> bool:
    """True when the passages hold the answer, or every item of a list."""
    text = f" {quote_words(' '.join(p.full for p in passages))} "
    return all(f" {quote_words(item)} " in text for item in step["answer"].split("; "))


def _turn(thought: str, queries: Sequence[str], *, opened: bool) -> str:
    """Thought and queries; after results the thought is open already."""
    opening = "" if opened else f"{protocol.THINK}\n"
    block = ";\n".join(map(protocol.neutral, queries))
    head = f"{opening}{protocol.neutral(thought)}\n{protocol.END_THINK}\n\n"
    return f"{head}{protocol.BEGIN_QUERIES}\n{block}\n{protocol.END_QUERIES}"


def _plan(steps: Sequence[Mapping[str, Any]]) -> str:
    if len(steps) == 1:
        return "One thing has to be looked up."
    return f"{len(steps)} things have to be looked up, and none depends on another."


def _learned(row: Mapping[str, Any], turn: int) -> str:
    """The thought after a turn: the answers in its results, and the answers that follow without a further search."""
    sentences = [f"{s['question']}: {s['answer']}." for s in row["program"] if s.get("turn") == turn]
    places = [place for place, s in enumerate(row["program"]) if s.get("turn") == turn]
    follows = [s for s in row["program"] if not s.get("turn") and places and max(s["of"]) == places[-1]]
    sentences += [f"{_FOLLOWS[s['op']].format(attr=s.get('attr', ''))} {s['answer']}." for s in follows]
    return protocol.neutral(" ".join(sentences))


_FOLLOWS = {"largest": "The largest {attr} has", "smallest": "The smallest {attr} has", "common": "In all of them is"}


def _text(segments: Sequence[Segment]) -> str:
    return "".join(segment.text for segment in segments)
