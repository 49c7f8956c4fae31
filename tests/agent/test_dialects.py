"""The searcher's dialect over a session: what is streamed where, and what happens when the context fills up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hds_cli.agent import protocol as p
from hds_cli.agent.dialects import Hooks, check_dialect, choose_dialect, says_nothing
from hds_cli.agent.hds import HdsDialect
from hds_cli.engine.base import Generation, Sampling
from hds_cli.engine.scripted import ScriptedEngine, ScriptedSession
from hds_cli.errors import UsageError
from hds_cli.types import Passage


def session(tmp_path: Path, *texts: str, n_ctx: int = 4096, pace: float | None = None) -> ScriptedSession:
    path = tmp_path / "s.jsonl"
    path.write_text("\n".join(json.dumps({"text": t} | ({"chars_per_second": pace} if pace else {})) for t in texts))
    return ScriptedEngine(path, n_ctx=n_ctx).session()


class Seen:
    def __init__(self) -> None:
        self.queries: list[str] = []
        self.thought = self.answer = ""

    @property
    def hooks(self) -> Hooks:
        def think(text: str) -> None:
            self.thought += text

        def say(text: str) -> None:
            self.answer += text

        return Hooks(self.queries.append, think, say)


BLOCK = f"<think>\nI plan.\n</think>\n\n{p.BEGIN_QUERIES}\none;\ntwo\n{p.END_QUERIES}"


@pytest.mark.parametrize("pace", [None, 5000.0])
def test_a_turn_is_sorted_as_it_is_written(tmp_path: Path, pace: float | None) -> None:
    """Thought, queries and answer go to their own hooks, without tags and without the box."""
    dialect = HdsDialect(session(tmp_path, BLOCK, "Now I know.\n</think>\n\nIt is Bizet.\n\n\\boxed{Bizet}", pace=pace))
    dialect.start("q", [])
    first, second = Seen(), Seen()
    written = dialect.write(first.hooks)
    assert (written.queries, written.thought) == (("one", "two"), "I plan.")
    assert (first.thought.strip(), first.queries, first.answer) == ("I plan.", ["one", "two"], "")
    dialect.read([("one", ()), ("two", ())])
    written = dialect.write(second.hooks)
    assert (written.answer, written.explanation, written.thought) == ("Bizet", "It is Bizet.", "Now I know.")
    assert second.thought.strip() == "Now I know."
    assert second.answer.split() == ["It", "is", "Bizet.", "Bizet"]


def test_the_oldest_results_make_room_and_their_titles_stay(tmp_path: Path) -> None:
    """Before the context is full the first results shrink to their titles; queries and sources stay."""
    made = session(tmp_path, *[BLOCK] * 6, n_ctx=2000)
    dialect = HdsDialect(made, max_tokens=300)
    dialect.start("q", [])
    for n in range(4):
        dialect.write(Seen().hooks)
        dialect.read([("one", (Passage("u", f"Title {n}", "word " * 300, n + 1),)), ("two", ())])
        assert dialect.make_room() >= 0
        assert made.used <= made.n_ctx
    text = "".join(made.text)
    assert "(1) Title 0 (text dropped)" in text
    assert text.count("word " * 300) < 4
    assert text.count(p.BEGIN_QUERIES) - p.PREAMBLE.count(p.BEGIN_QUERIES) == 4


def test_a_forced_answer_may_hold_braces(tmp_path: Path) -> None:
    """The content ends at the matching brace, not at the first."""
    made = session(tmp_path, "\\frac{1", "{2", " and more}", "never read")
    dialect = HdsDialect(made)
    dialect.start("q", [])
    written = dialect.force(Seen().hooks)
    assert written.answer is not None
    assert written.answer.startswith("\\frac{1")


def test_the_dialect_follows_the_model_unless_the_user_says() -> None:
    """Flag, then the model's own spec, then its metadata."""
    assert choose_dialect("guided", model_says="hds", file_says="hds", has_template=True) == "guided"
    assert choose_dialect(None, model_says="hds", file_says="chat", has_template=True) == "hds"
    assert choose_dialect(None, model_says=None, file_says="hds", has_template=True) == "hds"
    assert choose_dialect(None, model_says=None, file_says="", has_template=True) == "guided"
    assert choose_dialect(None, model_says=None, file_says="", has_template=False) == "hds"


@pytest.mark.parametrize(
    ("answer", "nothing"),
    [("Not found.", True), ("Opus 131: not found; Opus 132: unknown", True), ("Opus 131: not found; Opus 132: A minor", False),
     ("A minor", False), ("Nothing Was Delivered", False), ("Nothing was found in the tomb.", False), (None, False)],
)  # fmt: skip
def test_an_answer_may_say_of_every_part_that_nothing_was_found(answer: str | None, nothing: bool) -> None:
    """One part that was found is an answer."""
    assert says_nothing(answer) is nothing


def test_an_unknown_dialect_is_named_before_a_model_is_loaded() -> None:
    """The message lists those that are installed."""
    check_dialect("hds")
    check_dialect(None)
    with pytest.raises(UsageError, match="unknown dialect 'hsd'") as error:
        check_dialect("hsd")
    assert "chat, guided, hds" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("I give up.", "I give up."),
        ("I give up. \n\n", "I give up."),
        (f"One more.\n\n{p.BEGIN_QUERIES}\n", "One more."),
        (f"One more.\n{p.END_RESULTS}\n{p.BEGIN_QUERIES} ", "One more."),
    ],
)
def test_the_tail_is_cut_before_a_forced_answer_as_in_the_reference(tmp_path: Path, written: str, kept: str) -> None:
    """Blanks and markers of searching at the end go; then the thought is closed and the box begun."""
    made = session(tmp_path, BLOCK, written, "Bizet")
    dialect = HdsDialect(made)
    dialect.start("q", [])
    dialect.write(Seen().hooks)
    dialect.read([("one", "A is B."), ("two", "C is D.")])
    before = "".join(made.text)
    dialect.write(Seen().hooks)
    assert dialect.force(Seen().hooks).answer == "Bizet"
    assert "".join(made.text) == f"{before}{kept}\n</think>\n\n**Final Answer:**\n\\boxed{{Bizet"


def test_an_answer_that_is_forced_behind_results_closes_the_opened_thought(tmp_path: Path) -> None:
    """Golden vector, through the dialect; results that were never read leave no block open."""
    made = session(tmp_path, BLOCK, "Bizet")
    dialect = HdsDialect(made)
    dialect.start("q", [])
    dialect.write(Seen().hooks)
    dialect.read([("one", "A is B.")])
    dialect.force(Seen().hooks)
    assert "".join(made.text).endswith(f"{p.END_RESULTS}\n\n<think>\n</think>\n\n**Final Answer:**\n\\boxed{{Bizet")
    made = session(tmp_path, BLOCK, "Bizet")
    dialect = HdsDialect(made)
    dialect.start("q", [])
    dialect.write(Seen().hooks)
    dialect.force(Seen().hooks)
    assert "".join(made.text).endswith("one;\ntwo\n</think>\n\n**Final Answer:**\n\\boxed{Bizet")


def test_a_marker_named_in_a_thought_does_not_end_the_turn(tmp_path: Path) -> None:
    """The model goes on behind the end marker, and its words stay where they were."""
    thought = f"<think>\nI use {p.BEGIN_QUERIES} and "
    made = session(tmp_path, f"{thought}{p.END_QUERIES}", f" now.\n</think>\n\n{p.BEGIN_QUERIES}\none\n{p.END_QUERIES}")
    dialect = HdsDialect(made)
    dialect.start("q", [])
    seen = Seen()
    written = dialect.write(seen.hooks)
    assert (written.queries, seen.queries) == (("one",), ["one"])
    assert seen.thought.strip() == written.thought == f"I use {p.BEGIN_QUERIES} and {p.END_QUERIES} now."


def test_temperature_comes_first_where_the_searcher_was_made_for_it(tmp_path: Path) -> None:
    """vLLM's order, for turns and forced answers; another dialect keeps llama.cpp's."""
    seen: list[Sampling] = []

    class Watched(ScriptedSession):
        def generate(self, *, sampling: Sampling = Sampling(), **of: Any) -> Generation:
            seen.append(sampling)
            return super().generate(sampling=sampling, **of)

    made = Watched(session(tmp_path, BLOCK, "Bizet")._lines, 4096)
    dialect = HdsDialect(made)
    dialect.start("q", [])
    dialect.write(Seen().hooks)
    dialect.force(Seen().hooks)
    assert [(s.temperature, s.top_p, s.sampling_top_k, s.temperature_first) for s in seen] == [
        (0.6, 0.95, 20, True), (0.7, 0.8, 20, True)
    ]  # fmt: skip
    assert not Sampling(0.7).temperature_first
