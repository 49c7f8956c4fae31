"""`--json` and `--jsonl`: what programs read."""

from __future__ import annotations

import io
import json

import pytest

from hds_cli import events
from hds_cli.render.document import RunDocument
from hds_cli.render.jsonl import JsonLines, line

from .sample import MODEL, whole_run

TOP = (
    "schema run_id question status reason answer explanation citations turns sections tries agreement text support unsupported not_searched ledger model usage egress budget seed started_at finished_at"
).split()


def _document(run: list[events.Event]) -> RunDocument:
    document = RunDocument()
    for event in run:
        document.handle(event)
    return document


def test_document_has_every_key_of_the_schema_and_no_other() -> None:
    """`hds.run/1` at every level, exactly."""
    run = _document(whole_run()).to_dict()
    assert list(run) == TOP
    assert set(run["citations"][0]) == {
        "n", "url", "title", "quote", "verified", "fetched_at", "passage", "led_to", "author", "date", "context", "line",
    }  # fmt: skip
    assert set(run["turns"][0]) == {"n", "section", "thought", "queries"}
    query = run["turns"][1]["queries"][0]
    assert set(query) == {
        "text", "source", "seconds", "repeated", "rewords", "results", "pages", "evidence", "dropped",
    }  # fmt: skip
    assert set(query["results"][0]) == {"url", "title", "snippet", "rank"}
    assert set(query["pages"][0]) == {"url", "status", "reason", "bytes", "seconds"}
    assert set(query["evidence"][0]) == {"n", "url", "text"}
    assert set(run["model"]) == {
        "name", "file", "sha256", "quantization", "engine", "n_ctx", "n_gpu_layers", "dialect", "kv", "n_batch",
    }  # fmt: skip
    tokens = {"prompt_tokens", "evaluated_tokens", "reused_tokens", "generated_tokens", "seconds"}
    assert set(run["usage"]) == tokens
    assert set(run["usage"]["seconds"]) == {"total", "model", "search", "fetch", "extract", "overlap"}
    assert set(run["egress"][0]) == {"host", "requests", "bytes"}


def test_document_tells_the_run_as_it_was() -> None:
    """Statuses, repeats, reasons and times are those of the events."""
    run = _document(whole_run()).to_dict()
    assert (run["status"], run["answer"]) == ("answered", "Berlin and Rome.")
    queries = run["turns"][1]["queries"]
    assert [q["repeated"] for q in queries] == [False] * 5 + [True]
    assert [p["status"] for p in queries[0]["pages"]] == ["fetched", "fetched", "failed"]
    assert queries[0]["pages"][2]["reason"] == "http_403"
    assert queries[1]["seconds"] == pytest.approx(0.15)
    assert queries[5]["source"] == ""


def test_document_joins_the_sources_of_a_query_and_takes_its_slowest() -> None:
    """`source` names all that were asked; `seconds` is when the last had answered."""
    run = [
        events.QueryProposed(t=1, turn=1, query=1, text="x"),
        events.SearchStarted(t=1, turn=1, query=1, source="a"),
        events.SearchStarted(t=1, turn=1, query=1, source="b"),
        events.SearchFinished(t=1.5, turn=1, query=1, source="b", seconds=0.5),
        events.SearchFinished(t=3, turn=1, query=1, source="a", seconds=2.0),
    ]
    query = _document(run).to_dict()["turns"][0]["queries"][0]
    assert (query["source"], query["seconds"]) == ("a,b", 2.0)


def test_document_of_a_run_without_its_end_is_failed_and_complete() -> None:
    """A run that was cut off still has every key; what was on its way is `skipped`, `unfinished`."""
    run = _document(whole_run()[:9]).to_dict()
    assert list(run) == TOP
    assert run["status"] == "failed"
    assert run["turns"][0]["queries"][0]["pages"][0]["reason"] == "unfinished"
    assert list(_document([]).to_dict()) == TOP


def test_document_is_ascii_and_keeps_the_text(hostile: list[str]) -> None:
    """JSON carries hostile text faithfully, and not one raw byte of it reaches a terminal."""
    for payload in hostile:
        start = events.RunStarted(run_id="x", question=payload, sources=(), model=MODEL)
        text = _document([start]).to_json()
        assert text.isascii()
        assert text.replace("\n", "").isprintable()
        assert json.loads(text)["question"] == payload


class Flushed(io.StringIO):
    """Counts how often it was flushed."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


def test_jsonl_writes_one_flushed_line_an_event() -> None:
    """`event` and `t` come first, a line is out as soon as it happened, and it reads back as the same event."""
    stream = Flushed()
    lines = JsonLines(stream)
    for number, event in enumerate(whole_run(), 1):
        lines.handle(event)
        assert stream.flushes == number
    written = stream.getvalue().splitlines()
    assert len(written) == len(whole_run())
    for text, event in zip(written, whole_run(), strict=True):
        data = json.loads(text)
        assert list(data)[:2] == ["event", "t"]
        assert events.from_dict(data) == event


def test_jsonl_is_one_ascii_line_whatever_the_text(hostile: list[str]) -> None:
    """No payload breaks a line or leaves ASCII."""
    for payload in hostile:
        text = line(events.ThoughtDelta(turn=1, text=payload))
        assert text.isascii()
        assert text.isprintable()
