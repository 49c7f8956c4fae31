"""`--json`: a whole run as one document, schema `hds.run/1`, with every key always there."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from hds_cli.events import SCHEMA, Event, RunFinished
from hds_cli.run_state import QueryState, RunState, SectionState, TurnState
from hds_cli.types import Citation, Condition, ModelInfo

_MODEL_KEYS = (
    "name", "file", "sha256", "quantization", "engine", "n_ctx", "n_gpu_layers", "dialect", "kv", "n_batch",
)  # fmt: skip


class RunDocument:
    """Collects the events of a run. May be asked at any time; a run without its end has the status `failed`."""

    def __init__(self) -> None:
        self.state = RunState()

    def handle(self, event: Event) -> None:
        self.state.apply(event)

    def to_dict(self) -> dict[str, Any]:
        """The run as `hds.run/1` describes it: strings untouched, seconds as numbers."""
        started = self.state.started
        finished = self.state.finished or RunFinished(status="failed", answer=None, explanation=None)
        model = dataclasses.asdict(started.model if started else ModelInfo(name=""))
        return {
            "schema": SCHEMA,
            "run_id": started.run_id if started else "",
            "question": self.state.question,
            "status": finished.status,
            "reason": finished.reason,
            "answer": finished.answer,
            "explanation": finished.explanation,
            "citations": [_citation(citation) for citation in finished.citations],
            "turns": [_turn(turn) for turn in self.state.turns.values()],
            "sections": [_section(section, self.state) for section in self.state.sections.values()],
            "tries": [_try(one, self.state) for one in self.state.tries.values() if one.started is not None],
            "agreement": dataclasses.asdict(finished.agreement) if finished.agreement else None,
            "text": finished.text,
            "support": [dataclasses.asdict(support) for support in finished.support],
            "unsupported": list(finished.unsupported),
            "not_searched": list(finished.not_searched),
            "ledger": [_condition(condition) for condition in self.state.ledger],
            "model": {key: model[key] for key in _MODEL_KEYS},
            "usage": dataclasses.asdict(finished.usage),
            "egress": [dataclasses.asdict(host) for host in finished.egress],
            "budget": started.settings.get("budget") if started else None,
            "seed": started.seed if started else 0,
            "started_at": started.started_at if started else "",
            "finished_at": finished.finished_at,
        }

    def to_json(self) -> str:
        """The document as ASCII text, indented, without a line end after it."""
        return json.dumps(self.to_dict(), ensure_ascii=True, indent=2)


def _citation(citation: Citation) -> dict[str, Any]:
    fields = dataclasses.asdict(citation)
    return fields | {"passage": fields["passage"] or citation.n}


def _condition(condition: Condition) -> dict[str, Any]:
    return dataclasses.asdict(condition) | {"quote": condition.quote or None, "url": condition.url or None}


def _turn(turn: TurnState) -> dict[str, Any]:
    queries = [_query(query) for query in turn.queries.values()]
    return {"n": turn.number, "section": turn.section, "thought": turn.thought, "queries": queries}


def _section(section: SectionState, state: RunState) -> dict[str, Any]:
    end = section.end
    return {
        "n": section.number,
        "title": section.section.title,
        "question": section.section.question,
        "status": end.status if end else None,
        "reason": end.reason if end else None,
        "turns": [turn.number for turn in state.turns_of(section.number)],
    }


def _try(one: SectionState, state: RunState) -> dict[str, Any]:
    end, agreed = one.end, state.finished.agreement if state.finished else None
    return {
        "n": one.number,
        "status": end.status if end else None,
        "reason": end.reason if end else None,
        "answer": end.answer if end else None,
        "agrees": agreed is not None and one.number in agreed.with_it,
        "turns": [turn.number for turn in state.turns_of(one.number)],
    }


def _query(query: QueryState) -> dict[str, Any]:
    return {
        "text": query.text,
        "source": ",".join(query.searches),
        "seconds": round(query.seconds, 4),
        "repeated": query.repeated,
        "rewords": query.rewords or None,
        "results": [{"url": r.url, "title": r.title, "snippet": r.snippet, "rank": r.rank} for r in query.results],
        "pages": [
            {
                "url": page.url,
                "status": page.status or "skipped",
                "reason": page.reason if page.status else "unfinished",
                "bytes": page.bytes,
                "seconds": page.seconds,
            }
            for page in query.pages.values()
        ],
        "dropped": [{"url": p.url, "title": p.title, "text": p.text} for p in query.dropped],
        "evidence": [{"n": p.n, "url": p.url, "text": p.text} for p in query.passages or ()],
    }
