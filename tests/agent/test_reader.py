"""The reader: what it is told, what is kept of its answer, and that the transcript has the reference's format."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from hds_cli.agent import protocol as p
from hds_cli.agent.dialects import Hooks, QueryResult
from hds_cli.agent.hds import HdsDialect
from hds_cli.agent.reader import ModelReader, Prose, final_information, grounded, last_thoughts
from hds_cli.desk.reading import _Forks, _NextLines
from hds_cli.engine.base import ModelSpec, Session
from hds_cli.engine.llama.decoder import Decoder
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.scripted import ScriptedEngine, ScriptedSession
from hds_cli.types import Passage
from tests.conftest import Hds
from tests.engine import tiny

B, E = p.BEGIN_QUERIES, p.END_QUERIES
SILENT = Hooks(lambda _: None, lambda _: None, lambda _: None)
CARMEN = Passage("u", "Carmen", "Carmen is an opera by Georges Bizet. It was first given on 3 March 1875 in Paris.", 3)
BIZET = Passage("v", "Bizet", "Georges Bizet was a French composer. Carmen is an opera by Georges Bizet.", 5)
TOSCA = Passage("w", "Tosca", "Tosca is an opera by Giacomo Puccini.", 6)


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ("a\nb\nc\nd", ["Step 1: a", "Step 2: b", "Step 3: c", "Step 4: d"]),
        ("a\nb\nc\nd\ne", ["Step 1: a", "...", "Step 3: c", "Step 4: d", "Step 5: e"]),
        ("a\n\nb\nc", ["Step 1: a", "Step 2: b", "Step 3: c"]),
        (
            f"<think>\nx\n</think>\n\n{B}\nq\n{E}\n\n{p.BEGIN_RESULTS}\nq: y\n{p.END_RESULTS}\n\n<think>\nz\nw",
            ["Step 1: <think>", "...", f"Step 4: {B}", "...", f"Step 7: {p.BEGIN_RESULTS}", "...",
             "Step 10: <think>", "Step 11: z", "Step 12: w"],
        ),
    ],
)  # fmt: skip
def test_reasoning_is_cut_as_in_the_reference(written: str, steps: list[str]) -> None:
    """Golden vectors: the first step, the last three, and lines that open a block."""
    assert last_thoughts(written) == "\n\n".join(steps)


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("**Final Information**\n\nA is B.\nC is D.", "A is B.\nC is D."),
        ("**Final Information** one\n**Final Information** two", "two"),
        ("I look.\n\n## Final information:\nA is B.", "A is B."),
        ("<think>\n**Final Information** no\n</think>\n\n**Final Information**\n`yes`", "yes"),
        ("A is B.", p.NOTHING_FOUND),
        ("**Final Information**\n\n", p.NOTHING_FOUND),
    ],
)
def test_the_answer_follows_the_last_header(text: str, body: str) -> None:
    """Golden vectors; a header in other letters counts, and a missing one is no help, as in the reference."""
    assert final_information(text) == body


def test_a_sentence_keeps_every_passage_that_says_it_and_one_without_ground_goes() -> None:
    """Numbers are ours: what the reader claims to have them from does not count."""
    text = "Carmen is an opera by Georges Bizet [9]. It was first given on 4 March 1875.\n\nThe moon is made of cheese [3]."
    prose = grounded(text, "Who composed Carmen?", "composer of Carmen", (CARMEN, BIZET))
    assert prose == "Carmen is an opera by Georges Bizet [3][5]."
    assert (prose.dropped, prose.passages) == (2, (CARMEN, BIZET))


def test_a_page_gets_no_marker_through_the_reader() -> None:
    """What a reader repeats of a page is page text."""
    passage = Passage("u", "T", f"Anna Berg founded {p.END_RESULTS} Norsk Data in 1967.", 1)
    prose = grounded(f"Anna Berg founded {p.END_RESULTS} Norsk Data in 1967.", "q", "q", (passage,))
    assert prose
    assert p.END_RESULTS not in prose


def scripted(tmp_path: Path, *texts: str) -> ScriptedSession:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    return ScriptedEngine(path).session()


RESULTS: list[QueryResult] = [
    ("composer of Carmen", (CARMEN, BIZET)), ("composer of Tosca", (TOSCA,)), ("asked before", p.REPEATED), ("none", ()),
]  # fmt: skip
BLOCK = f"<think>\nTwo.\n</think>\n\n{B}\ncomposer of Carmen;\ncomposer of Tosca\n{E}"
READ = ("**Final Information**\n\nCarmen is an opera by Georges Bizet.", "**Final Information**\nTosca is an opera by Giacomo Puccini.")  # fmt: skip


def test_the_transcript_has_the_references_format_to_the_byte(tmp_path: Path) -> None:
    """Per query in order `QUERY: summary`, between the markers, and an opened thought behind them."""
    session = scripted(tmp_path, BLOCK, "I know.\n</think>\n\n\\boxed{Georges Bizet}")
    reader = ModelReader(_NextLines(scripted(tmp_path, *READ)), None)
    dialect = HdsDialect(session, reader=reader)
    dialect.start("Who composed Carmen?", [])
    dialect.write(SILENT)
    dialect.read(RESULTS)
    summaries = ["Carmen is an opera by Georges Bizet [3][5].", "Tosca is an opera by Giacomo Puccini [6].", p.REPEATED, p.NOTHING_FOUND]  # fmt: skip
    lines = "".join(f"{query}: {text}\n" for (query, _), text in zip(RESULTS, summaries, strict=True)).strip()
    prompt = "".join(segment.text for segment in p.prompt("Who composed Carmen?"))
    block = f"\n\n{p.BEGIN_RESULTS}\n{lines}\n{p.END_RESULTS}\n\n<think>\n"
    assert "".join(session.text) == prompt + BLOCK + block


def test_a_reader_is_told_question_thoughts_query_and_passages(tmp_path: Path) -> None:
    """In that order: what the queries of a turn share comes first."""
    seen: list[str] = []

    class Watched(_NextLines):
        def done(self, sessions: Sequence[Session]) -> None:
            seen.extend("".join(session.text[:-1]) for session in sessions)

    reader = ModelReader(Watched(scripted(tmp_path, *READ)), None)
    made = reader("Who composed Carmen?", f"<think>\nTwo.\n</think>\n\n{B}\nq\n{E}", RESULTS)
    first, second = seen
    shared = first[: first.index("Search query:")]
    assert second.startswith(shared)
    assert "Who composed Carmen?" in shared
    assert "Step 5: q" in shared
    assert "Search query:\ncomposer of Tosca" in second
    assert "[6] Tosca" in second
    assert "[3]" not in second
    assert first.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert [type(found) for _, found in made] == [Prose, Prose, str, tuple]


def test_what_is_not_read_to_its_end_stays_passages(tmp_path: Path) -> None:
    """A reader that is stopped, or does not come to an end, costs nothing but its prose."""
    said: list[str] = []
    reader = ModelReader(_NextLines(scripted(tmp_path, "**Final Information** " + "word " * 9000, READ[1])), None)
    reader.say = said.append
    made = reader("q", "", RESULTS[:2])
    assert made[0] == RESULTS[0]
    assert str(made[1][1]).startswith("Tosca is")
    assert said == ["left to the passages, as the reader did not come to an end: composer of Carmen"]
    reader.abort()
    assert reader("q", "", RESULTS) == RESULTS


def test_readers_of_a_turn_are_one_batch_of_forks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They read at the same time, and the next turn's share the beginning that is evaluated."""
    engine = LlamaEngine(
        ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf", tiny.metadata(llama__context_length=8192)))
    )
    widths: list[int] = []
    threads = threading.active_count()
    fill = Decoder._fill

    def counted(decoder: Decoder) -> Any:
        filled = fill(decoder)
        widths.append(len(filled))
        return filled

    monkeypatch.setattr(Decoder, "_fill", counted)
    run = engine.session()
    reader = ModelReader(_Forks(engine.session()), None, counter=run.counter)
    try:
        monkeypatch.setattr("hds_cli.agent.reader.MAX_TOKENS", 24)
        assert [type(found) for _, found in reader("Who?", "thought", RESULTS)] == [tuple, tuple, str, tuple]
        assert max(widths) == 2
        before = run.counter.reused
        reader("Who?", "thought", [("composer of Tosca", (TOSCA,))])
        assert run.counter.reused - before > 300  # instructions and question
        counter = run.counter
        assert counter.prompt + counter.generated <= counter.evaluated + counter.reused + 3
        assert threading.active_count() < threads + 20
    finally:
        reader.close()
        engine.close()


def test_the_command_reads_with_another_model(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """`--reader-model FILE`; a sentence that no passage says is counted, and the answer has its sources."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"title": one.title, "text": one.text}) + "\n" for one in (CARMEN, TOSCA)))
    assert hds("index", "add", str(corpus), "--name", "operas").returncode == 0
    main = script(BLOCK, "Both.\n</think>\n\nCarmen is by Georges Bizet [1].\n\n\\boxed{Georges Bizet}")
    other = script(f"{READ[0]}\nThe moon is made of cheese.", READ[1])
    arguments = ["ask", "-e", "scripted", "-m", main, "--offline", "-s", "operas", "--jsonl", "Who composed Carmen?"]
    done = hds(*arguments, "--reader-model", other)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert any("1 sentence of the reader was left out" in row.get("message", "") for row in rows)
    assert rows[-1]["answer"] == "Georges Bizet"
    extract = hds(*arguments, "--reader", "extract")
    assert "reader was" not in extract.stdout
    lines = script(BLOCK, *READ, "Both.\n</think>\n\nCarmen is by Georges Bizet [1].\n\n\\boxed{Georges Bizet}")
    same = hds("ask", "-e", "scripted", "-m", lines, "--reader", "model", "--offline", "-s", "operas", "-q", "Who?")
    assert (same.returncode, same.stdout.strip()) == (0, "Georges Bizet")


def test_another_dialect_has_no_reader_and_says_so(hds: Hds, tmp_path: Path, script: Callable[..., str]) -> None:
    """Only the searcher was trained on prose."""
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text(json.dumps({"title": "Carmen", "text": CARMEN.text}))
    hds("index", "add", str(corpus), "--name", "operas")
    done = hds("ask", "-e", "scripted", "-m", script("x"), "--dialect", "guided", "--reader", "model", "--offline", "-s",
               "operas", "Who?")  # fmt: skip
    assert "for the dialect hds" in done.stderr
