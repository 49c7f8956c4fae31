"""`--refine`: a query that brings nothing new is searched once more in other words, and both stay in the tree."""

from __future__ import annotations

import json
import random
import string
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hds_cli import events
from hds_cli.agent.loop import Limits
from hds_cli.agent.methods.refine import MOST_IN_TURN, Refine, parsed, reworded
from hds_cli.render.document import RunDocument
from hds_cli.render.html import to_html
from hds_cli.render.markdown import to_markdown
from hds_cli.render.tree import View, tree_lines
from tests.agent.test_methods import block, box, play, queries
from tests.contract.schemas import validate


def words_of(seen: Sequence[events.Event]) -> list[tuple[str, int]]:
    return [(event.text, event.rewords) for event in seen if isinstance(event, events.QueryProposed)]


def test_a_query_that_found_nothing_is_searched_as_keywords(tmp_path: Path) -> None:
    """In the same turn, before the model reads; the results block has both, and the tree says which is which."""
    script = [block("Who was the composer of it?"), box("Antonín Dvořák")]

    def answer(question: str, query: str, issue: str) -> str:
        assert "nothing" in issue
        return json.dumps({"query": "Rusalka composer"})

    finished, seen, text = play(tmp_path, script, Refine(answer))
    assert words_of(seen) == [("Who was the composer of it?", 0), ("Rusalka composer", 1)]
    assert finished.answer == "Antonín Dvořák"
    assert "opera by Antonín Dvořák" in text
    assert max(event.turn for event in seen if isinstance(event, events.QueryProposed)) == 1


def test_a_query_of_known_pages_is_reworded_in_the_next_turn_not_in_its_own(tmp_path: Path) -> None:
    """What another query of the same turn found is no reason: they ran at once."""
    script = [block("rusalka opera", "rusalka composer"), block("who made rusalka"), box("Antonín Dvořák")]
    asked: list[tuple[str, str]] = []

    def answer(question: str, query: str, issue: str) -> str:
        asked.append((query, issue))
        return '{"query": "premiere of the opera"}'

    _, seen, _ = play(tmp_path, script, Refine(answer))
    assert [query for query, _ in asked] == ["who made rusalka"]
    assert "already" in asked[0][1]
    assert queries(seen)[-1] == "premiere of the opera"


def test_two_queries_of_a_turn_are_reworded_and_no_wording_is_reworded_again(tmp_path: Path) -> None:
    """At most two calls a turn, whatever is found."""
    asked: list[str] = []

    def answer(question: str, query: str, issue: str) -> str:
        asked.append(query)
        return json.dumps({"query": f"{query} in other words"})

    lost = [f"nothing about number {n}" for n in range(5)]
    _, seen, _ = play(tmp_path, [block(*lost, "rusalka"), box("Antonín Dvořák")], Refine(answer))
    assert len(asked) == MOST_IN_TURN
    assert set(asked) <= set(lost)
    assert sum(rewords > 0 for _, rewords in words_of(seen)) == MOST_IN_TURN


@pytest.mark.parametrize(
    "written", ["", "none", "[]", "{}", '{"query": 3}', '{"query": ""}', '{"query": "Who was the composer of it?"}']
)
def test_an_answer_of_no_use_leaves_it_to_the_rule(tmp_path: Path, written: str) -> None:
    """Not JSON, no query, or the query that was asked."""
    script = [block("Who was the composer of it?", "rusalka"), box("Antonín Dvořák")]
    _, seen, _ = play(tmp_path, script, Refine(lambda *_: written))
    assert words_of(seen) == [("Who was the composer of it?", 0), ("rusalka", 0)]  # one word is too little for the rule
    asked = "Who was the composer and conductor of it?"
    _, seen, _ = play(tmp_path, [block(asked, "rusalka"), box("Antonín Dvořák")], Refine(
        lambda *_: written.replace("Who was the composer of it?", asked)))  # fmt: skip
    assert ("composer conductor", 1) in words_of(seen)


def test_a_model_that_fails_costs_the_method_alone(tmp_path: Path) -> None:
    """The run goes on, with a warning."""

    def broken(*_: str) -> str:
        raise RuntimeError("no")

    finished, seen, _ = play(tmp_path, [block("nothing of it", "rusalka"), box("Antonín Dvořák")], Refine(broken))
    assert finished.answer == "Antonín Dvořák"
    assert any(isinstance(event, events.Notice) and "refine failed" in event.message for event in seen)


@pytest.mark.parametrize(
    ("query", "read", "wording"),
    [
        ("Who was the composer of the opera Rusalka?", [], "composer opera Rusalka"),
        ('"the opera Rusalka" premiere: date?', [], "opera Rusalka premiere date"),
        ("capital Norway population", ["Norway"], "capital population"),
        ("Antonín Dvořák opera premiere", [], "Antonín Dvořák"),
        ("capital Norway", ["Norway"], ""),
        ("Oslo", [], ""),
        ("?!", [], ""),
        ("", [], ""),
        ("столица Норвегии 2020", [], "Норвегии 2020"),
    ],
)
def test_the_rule_makes_keywords_then_leaves_out_what_was_read(query: str, read: list[str], wording: str) -> None:
    """Empty where there is nothing left to ask."""
    assert reworded(query, read) == wording


@pytest.mark.parametrize(
    "written",
    [
        '```json\n{"query": "mining towns of Sweden"}\n```',
        'Here it is:\n\n```\n{\n "query": "mining towns\n of Sweden"\n}\n```\nIt is narrower.',
        '{"query": "mining towns of Sweden"} narrows it.',
        "```search\nmining towns of Sweden\n```",
        "```\n\n- mining towns of Sweden\n- another\n```",
        "```search\nmining towns of Sweden",
    ],
)
def test_a_query_in_a_fence_is_read(written: str) -> None:
    """A server holds no model to a grammar: able models put JSON, or the query itself, in a fence."""
    assert parsed(written) == "mining towns of Sweden"


def test_ten_thousand_answers_of_a_model_are_read_without_an_exception() -> None:
    """What comes out is one line of at most 200 characters, or nothing."""
    chance = random.Random(23)
    pieces = [
        '{"query": "',
        '"}',
        "{",
        "}",
        "[",
        "]",
        '"',
        "\\",
        "\\u0000",
        "\x00",
        "null",
        "<|im_end|>",
        "1e999",
        ",",
        "ß",
        "\n",
        "[3]",
    ]
    kept = 0
    for _ in range(10_000):
        text = "".join(
            chance.choice(pieces) if chance.random() < 0.5 else chance.choice(string.printable)
            for _ in range(chance.randrange(40))
        )
        for written in (text, f'{{"query": "{text}"}}', f'{{"query": {text}}}'):
            query = parsed(written)
            kept += bool(query)
            assert len(query) <= 200
            assert "\n" not in query
            assert "\x00" not in query
    assert kept > 1000
    assert parsed("[" * 100_000) == parsed('{"query": ' * 50_000) == ""
    assert parsed("```\n" * 50_000) == parsed("```\n{ not JSON\n```") == ""


def test_without_methods_nothing_is_called_and_no_event_is_added(tmp_path: Path) -> None:
    """The same run without the method: one query, nothing reworded."""
    _, seen, _ = play(tmp_path, [block("nothing of it", "rusalka"), box("Antonín Dvořák")])
    assert words_of(seen) == [("nothing of it", 0), ("rusalka", 0)]


def test_every_form_names_the_query_that_was_reworded(tmp_path: Path) -> None:
    """Document, Markdown, HTML and tree."""
    _, seen, _ = play(tmp_path, [block("nothing of it", "rusalka"), box("Antonín Dvořák")], Refine(
        lambda *_: '{"query": "first performance"}'))  # fmt: skip
    record = RunDocument()
    for event in seen:
        record.handle(events.from_dict(json.loads(events.line(event))))
        validate(json.loads(events.line(event)), "hds.event/1")
    document = json.loads(record.to_json())
    validate(document)
    assert [query["rewords"] for query in document["turns"][0]["queries"]] == [None, None, 1]
    tree = "\n".join(line.plain for line in tree_lines(record.state, View(100, live=False)))
    for text in (tree, to_markdown(record), to_html(record)):
        assert "in other words: first performance" in text


def test_a_wording_that_takes_longer_than_the_turn_is_not_waited_for(tmp_path: Path) -> None:
    """The pages that were found are read when the time of the turn is over; the method stays in the run."""
    over = threading.Event()

    def slow(question: str, query: str, issue: str) -> str:
        over.wait(15)
        return '{"query": "Rusalka composer"}'

    started = time.monotonic()
    script = [block("Who was the composer of it?", "rusalka"), box("Antonín Dvořák")]
    finished, seen, _ = play(tmp_path, script, Refine(slow), limits=Limits(turn_timeout=0.3))
    took = time.monotonic() - started
    over.set()
    assert finished.answer == "Antonín Dvořák"
    assert took < 5
    assert queries(seen) == ["Who was the composer of it?", "rusalka"]
    assert not [event for event in seen if isinstance(event, events.Notice)]


def test_what_its_calls_took_is_counted_while_the_model_does_not_write(tmp_path: Path) -> None:
    """After each turn, and once more at the end."""
    settled: list[str] = []
    refine = Refine(lambda *_: "", lambda: settled.append("now"))
    play(tmp_path, [block("rusalka"), box("Antonín Dvořák")], refine)
    assert len(settled) == 2
