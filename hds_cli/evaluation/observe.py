"""Watches one run. It makes the row that is compared, and the costs that are not compared (clocks differ)."""

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
from hds_cli.run_state import QueryState, RunState

Row = dict[str, Any]
Count = Callable[[str], int]


class Observer:
    """Takes the events of one run.

    Args:
        count: tokens of a text, by the model that writes.
    """

    def __init__(self, question: Question, count: Count) -> None:
        self._question, self._count = question, count
        self._state = RunState()

    def handle(self, event: events.Event) -> None:
        self._state.apply(event)

    @property
    def _finished(self) -> events.RunFinished:
        return self._state.finished or events.RunFinished(status="failed", answer=None, explanation=None)

    @property
    def _queries(self) -> dict[tuple[int, int], QueryState]:
        """Every query by its turn and its number in it."""
        return {(t.number, q.number): q for t in self._state.turns.values() for q in t.queries.values()}

    def row(self, error: dict[str, str] | None = None) -> Row:
        """Everything about the run that is the same whenever it is repeated."""
        finished = self._finished
        prediction = _prediction(finished)
        searched = [place for place, query in self._queries.items() if not query.repeated]
        checked = [citation.verified for citation in finished.citations]
        correct = _correct(self._question, prediction)
        content = {
            "question": self._question.text,
            "answers": list(self._question.answers),
            "prediction": finished.answer,
            "queries": self._by_turn(),
        }
        return {
            "id": self._question.id,
            "kind": self._question.kind,
            **(content if self._question.key is None else _sealed(content, self._question.key)),
            "status": finished.status,
            "reason": finished.reason,
            "error": error,
            "correct": correct,
            "scores": _scores(self._question, prediction, finished.raw_answer or ""),
            "coverage": self._coverage(finished),
            "turns": len({turn for turn, _ in searched}),
            "searches": len(searched),
            "tokens": finished.usage.generated_tokens,
            "bytes": self._state.received,
            "compat": self._compat(),
            "citations": {"n": len(checked), "verified": sum(checked)},
            "queries_good": self._good(searched),
            "grades": _grades(finished),
        }

    def costs(self) -> Row:
        """The costs, which depend on machine, network and earlier work. Seconds, tokens, bytes."""
        finished = self._finished
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
        for (turn, _), query in sorted(self._queries.items()):
            turns.setdefault(turn, []).append(query.text)
        return list(turns.values())

    def _compat(self) -> Row:
        """Turns, calls and tokens as the published evaluation counts them."""
        counts: dict[int, int] = {}
        for turn, _ in self._queries:
            counts[turn] = counts.get(turn, 0) + 1
        written = {n: turn.text for n, turn in sorted(self._state.turns.items()) if turn.ended is not None}
        searching = [written.get(turn, "") for turn in sorted(counts)]
        searches = [counts[turn] for turn in sorted(counts)]
        block = f"\n\n{BEGIN_RESULTS}{END_RESULTS}\n\n{THINK}\n"
        output = "".join(text + (block if turn in counts else "") for turn, text in written.items())
        return {
            "turns": metrics.count_turns(list(written.values()), searches),
            # The dialect `guided` writes no block of queries; its searches count all the same.
            "calls": metrics.count_calls(searching, searches) or sum(searches),
            "tokens": self._count(output),
        }

    def _coverage(self, finished: events.RunFinished) -> dict[str, float] | None:
        """The share of supporting pages that were among the results, were read, were cited. Percentages."""
        supports = [page_keys(s.title, s.url) for s in self._question.support]
        if not supports:
            return None
        cited = [page_keys(c.title, c.url) for c in finished.citations]
        retrieved = (keys for query in self._state.queries for keys in _result_keys(query))
        read = [page_keys(p.title, p.url) for query in self._state.queries for p in query.passages or ()]
        shares = {"retrieved": retrieved, "read": read, "cited": cited}
        return {name: _share(supports, pages) for name, pages in shares.items()}

    def _good(self, searched: Iterable[tuple[int, int]]) -> dict[str, int] | None:
        """The number of queries that found a supporting page which no earlier query had found, and of all queries."""
        supports = [page_keys(s.title, s.url) for s in self._question.support]
        if not supports:
            return None
        known: set[int] = set()
        good = total = 0
        for place in sorted(searched):
            results = _result_keys(self._queries[place])
            hit = {n for n, keys in enumerate(supports) if any(keys & result for result in results)}
            good, total = good + bool(hit - known), total + 1
            known |= hit
        return {"good": good, "all": total}


def _result_keys(query: QueryState) -> list[set[str]]:
    return [page_keys(result.title, result.url) for result in query.results]


def _share(supports: list[set[str]], pages: Iterable[set[str]]) -> float:
    seen = set().union(*pages)
    return 100.0 * sum(bool(keys & seen) for keys in supports) / len(supports)


def _sealed(content: Row, key: str) -> Row:
    return {"sealed": seal(json.dumps(content, sort_keys=True), key), "canary": key}


def _scores(question: Question, prediction: str, written: str) -> Row:
    """The scores of an answer; `hds_compat` is that of the headline as it was written, whatever became of it."""
    scores: Row = {
        "hds_compat": asdict(metrics.best_compat(written, question.gold, fan_out=question.fan_out)),
        "squad": asdict(squad(prediction, question.answers)),
    }
    if question.wanted is not None or question.fan_out:
        gold = question.wanted if question.wanted is not None else question.gold[0]
        scores["fanout"] = asdict(fan_out(prediction, gold))
    return scores


def _correct(question: Question, prediction: str) -> bool:
    """True for an exact match (SQuAD), a complete list or dictionary, or a number within the set's tolerance."""
    if question.wanted is not None:
        score = fan_out(prediction, question.wanted)
        return bool(score.pairs == 100.0 if score.pairs is not None else score.strict == 100.0)
    if question.tolerance and within(prediction, question.answers, question.tolerance):
        return True
    return squad(prediction, question.answers).em == 100.0


def _prediction(finished: events.RunFinished) -> str:
    """The answer as the model wrote it; also that of a model of whose words only passages are shown."""
    shown = finished.answer or finished.reason == "passages"
    return (finished.raw_answer or finished.answer or "") if shown else ""


def _grades(finished: events.RunFinished) -> Row | None:
    """The grades of an answer as a whole: every part has a ground; one is contradicted. None where none is graded."""
    if finished.status != "answered" or not finished.support:
        return None
    return {
        "good": not any(support.weak for support in finished.support),
        "contradicted": any(support.level == "contradicted" for support in finished.support),
    }
