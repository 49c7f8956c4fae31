"""Watches one run and makes of it the row that is compared, and the costs that are not (clocks differ)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from hds_cli import events
from hds_cli.agent.protocol import BEGIN_RESULTS, END_RESULTS, THINK
from hds_cli.evaluation import metrics
from hds_cli.evaluation.questions import Question, page_keys
from hds_cli.evaluation.scores import fan_out, squad, within
from hds_cli.evaluation.sealed import seal

Row = dict[str, Any]
Count = Callable[[str], int]


class Observer:
    """Takes the events of one run.

    Args:
        count: tokens of a text, by the model that writes.
    """

    def __init__(self, question: Question, count: Count) -> None:
        self._question, self._count = question, count
        self._written: dict[int, str] = {}
        self._queries: dict[tuple[int, int], tuple[str, bool]] = {}
        self._found: dict[tuple[int, int], list[set[str]]] = {}
        self._read: list[set[str]] = []
        self._bytes = 0
        self._finished: events.RunFinished | None = None

    def handle(self, event: events.Event) -> None:
        match event:
            case events.TurnFinished():
                self._written[event.turn] = event.written
            case events.QueryProposed():
                self._queries[event.turn, event.query] = (event.text, event.repeated)
            case events.SearchFinished():
                found = self._found.setdefault((event.turn, event.query), [])
                found += [page_keys(result.title, result.url) for result in event.results]
            case events.EvidenceSelected():
                self._read += [page_keys(passage.title, passage.url) for passage in event.passages]
            case events.PageFinished():
                self._bytes += event.bytes
            case events.RunFinished():
                self._finished = event

    def row(self, error: dict[str, str] | None = None) -> Row:
        """Everything about the run that is the same whenever it is repeated."""
        finished = self._finished or events.RunFinished(status="failed", answer=None, explanation=None)
        prediction = finished.answer or ""
        searched = [place for place, (_, repeated) in self._queries.items() if not repeated]
        checked = [citation.verified for citation in finished.citations]
        correct = _correct(self._question, prediction)
        said = {
            "question": self._question.text,
            "answers": list(self._question.answers),
            "prediction": finished.answer,
            "queries": self._by_turn(),
        }
        return {
            "id": self._question.id,
            "kind": self._question.kind,
            **(said if self._question.key is None else _sealed(said, self._question.key)),
            "status": finished.status,
            "reason": finished.reason,
            "error": error,
            "correct": correct,
            "scores": _scores(self._question, prediction),
            "coverage": self._coverage(finished),
            "turns": len({turn for turn, _ in searched}),
            "searches": len(searched),
            "tokens": finished.usage.generated_tokens,
            "bytes": self._bytes,
            "compat": self._compat(),
            "citations": {"n": len(checked), "verified": sum(checked)},
            "queries_good": self._good(searched),
        }

    def costs(self) -> Row:
        """What depends on the machine, the network and what was computed before. Seconds, tokens, bytes."""
        finished = self._finished or events.RunFinished(status="failed", answer=None, explanation=None)
        usage = finished.usage
        return {
            "id": self._question.id,
            "seconds": asdict(usage.seconds),
            "prompt_tokens": usage.prompt_tokens,
            "evaluated_tokens": usage.evaluated_tokens,
            "reused_tokens": usage.reused_tokens,
            "received_bytes": sum(host.bytes for host in finished.egress),
        }

    def _by_turn(self) -> list[list[str]]:
        turns: dict[int, list[str]] = {}
        for (turn, _), (text, _) in sorted(self._queries.items()):
            turns.setdefault(turn, []).append(text)
        return list(turns.values())

    def _compat(self) -> Row:
        """Turns, calls and tokens as the published evaluation counts them."""
        counts: dict[int, int] = {}
        for turn, _ in self._queries:
            counts[turn] = counts.get(turn, 0) + 1
        history = [self._written[turn] for turn in sorted(self._written)]
        searching = [self._written.get(turn, "") for turn in sorted(counts)]
        searches = [counts[turn] for turn in sorted(counts)]
        block = f"\n\n{BEGIN_RESULTS}{END_RESULTS}\n\n{THINK}\n"
        output = "".join(text + (block if turn in counts else "") for turn, text in sorted(self._written.items()))
        return {
            "turns": metrics.count_turns(history, searches),
            # The dialect `guided` writes no block of queries; its searches count all the same.
            "calls": metrics.count_calls(searching, searches) or sum(searches),
            "tokens": self._count(output),
        }

    def _coverage(self, finished: events.RunFinished) -> dict[str, float] | None:
        """The share of supporting pages that were among the results, were read, were cited. Percentages."""
        wanted = [page_keys(s.title, s.url) for s in self._question.support]
        if not wanted:
            return None
        cited = [page_keys(c.title, c.url) for c in finished.citations]
        found = (keys for results in self._found.values() for keys in results)
        shares = {"retrieved": found, "read": self._read, "cited": cited}
        return {name: _share(wanted, pages) for name, pages in shares.items()}

    def _good(self, searched: Iterable[tuple[int, int]]) -> dict[str, int] | None:
        """How many queries found a supporting page that none before them had found."""
        wanted = [page_keys(s.title, s.url) for s in self._question.support]
        if not wanted:
            return None
        known: set[int] = set()
        good = total = 0
        for place in sorted(searched):
            hit = {n for n, keys in enumerate(wanted) if any(keys & found for found in self._found.get(place, []))}
            good, total = good + bool(hit - known), total + 1
            known |= hit
        return {"good": good, "all": total}


def _share(wanted: list[set[str]], pages: Iterable[set[str]]) -> float:
    seen = set().union(*pages)
    return 100.0 * sum(bool(keys & seen) for keys in wanted) / len(wanted)


def _sealed(said: Row, key: str) -> Row:
    return {"sealed": seal(json.dumps(said, sort_keys=True), key), "canary": key}


def _scores(question: Question, prediction: str) -> Row:
    scores: Row = {
        "hds_compat": asdict(metrics.best_compat(prediction, question.gold, fan_out=question.fan_out)),
        "squad": asdict(squad(prediction, question.answers)),
    }
    if question.wanted is not None or question.fan_out:
        gold = question.wanted if question.wanted is not None else question.gold[0]
        scores["fanout"] = asdict(fan_out(prediction, gold))
    return scores


def _correct(question: Question, prediction: str) -> bool:
    """SQuAD-exact; or all that was asked for is there; or a number within the tolerance that the set allows."""
    if question.wanted is not None:
        found = fan_out(prediction, question.wanted)
        return bool(found.pairs == 100.0 if found.pairs is not None else found.strict == 100.0)
    if question.tolerance and within(prediction, question.answers, question.tolerance):
        return True
    return squad(prediction, question.answers).em == 100.0
