"""Models whose state cannot be cut back: what two texts share is evaluated once all the same (issue 20)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hds_cli.engine.base import Counter, ModelSpec, Sampling, Segment
from hds_cli.engine.llama import cells
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.errors import ModelUnusable
from tests.engine import tiny

KINDS = {"recurrent": tiny.mamba, "hybrid": tiny.hybrid, "sliding window": tiny.sliding}
LETTERS = "root ::= [a-z ] root"
PREFIX = [Segment("You read passages. " * 20, True), Segment("\nThe task follows.\n", True)]
TASKS = [f"Passage {n}: the lake number {n * n} is {n} km long. " * 3 for n in range(6)]
_CLOSE = 2e-4  # the order of sums depends on where in the memory the numbers lie
TAIL = [Segment("\nAnswer:", True)]


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LlamaEngine]:
    made = open_kind(tmp_path, request.param)
    yield made
    made.close()


def open_kind(folder: Path, kind: str, **more: bool) -> LlamaEngine:
    path = tiny.write_kind(folder / "tiny.gguf", KINDS[kind](), **more)
    return LlamaEngine(ModelSpec("tiny", path), n_ctx=2048, n_threads=1)


def write(session, max_tokens: int = 12, **more: object) -> str:  # type: ignore[no-untyped-def]
    return session.generate(max_tokens=max_tokens, grammar=LETTERS, **more).text


def numbers(engine: LlamaEngine, session) -> np.ndarray:  # type: ignore[no-untyped-def]
    """The logits from which the session's next token is drawn."""
    session.generate(max_tokens=1)
    decoder, size = engine._decoder, engine.walk_vocabulary()
    assert decoder is not None
    api = engine._api
    return decoder._call(
        lambda: np.array(np.ctypeslib.as_array(api.llama_get_logits_ith(decoder._context, -1), shape=(size,)))
    )


def balanced(counter: Counter) -> bool:
    """What is not evaluated at the end is the last token written."""
    return counter.prompt + counter.generated - 1 == counter.evaluated + counter.reused


def test_six_readings_evaluate_their_prefix_once(engine: LlamaEngine) -> None:
    """Each reads what a fresh session reads, and `reused` is what was not evaluated again."""
    prefix = engine.count(PREFIX)
    sizes, texts = [], []
    session = engine.session()
    for task in TASKS:
        before = session.counter.evaluated + session.counter.generated
        sizes.append(session.rewrite(0, [*PREFIX, Segment(task), *TAIL]))
        texts.append(write(session))
        evaluated = session.counter.evaluated + session.counter.generated - before
        assert len(texts) == 1 or evaluated <= sizes[-1] - prefix + 2 * 12
    assert session.counter.evaluated <= prefix + sum(size - prefix for size in sizes) + 12 * len(TASKS)
    assert session.counter.reused >= prefix * (len(TASKS) - 1)
    assert session.counter.prompt == sum(sizes)
    for task, text in zip(TASKS, texts, strict=True):
        fresh = engine.session()
        fresh.append([*PREFIX, Segment(task), *TAIL])
        assert write(fresh) == text
        fresh.close()


def test_counts_are_of_what_was_evaluated(engine: LlamaEngine) -> None:
    """Of a session that is rewritten once, whatever its memory can do."""
    session = engine.session()
    session.append([*PREFIX, Segment(TASKS[0]), *TAIL])
    write(session)
    assert balanced(session.counter)
    assert session.counter.reused == 0
    evaluated = session.counter.evaluated
    size = session.rewrite(0, [*PREFIX, Segment(TASKS[1]), *TAIL])
    write(session, 1)
    assert session.counter.evaluated - evaluated + session.counter.reused == size
    assert session.counter.reused >= engine.count(PREFIX)


def test_a_conversation_goes_on_from_its_last_message(engine: LlamaEngine) -> None:
    """The answer is put in as the template has it, without its thought: the messages before it are not read again."""
    session = engine.session()
    first = [*PREFIX, Segment("Which lake is the longest?"), *TAIL]
    session.rewrite(0, first)
    write(session)
    evaluated = session.counter.evaluated
    size = session.rewrite(0, [*first, Segment("the third"), Segment("\nUser:", True), Segment("Why?"), *TAIL])
    write(session, 1)
    assert session.counter.evaluated - evaluated <= size - engine.count(first) + engine.count(TAIL) + 1


def test_a_stop_string_costs_an_answer_at_most(engine: LlamaEngine) -> None:
    """What stands behind it is cut off; then at most the text since the last message is evaluated again."""
    fresh = engine.session()
    fresh.append([*PREFIX, Segment(TASKS[0]), *TAIL])
    whole = write(fresh, 24)
    session = engine.session()
    session.append([*PREFIX, Segment(TASKS[0]), *TAIL])
    made = session.generate(max_tokens=24, grammar=LETTERS, stop=[whole[10:14]])
    assert made.text == whole[: whole.index(whole[10:14])]
    evaluated = session.counter.evaluated
    session.append([Segment(" and on", True)])
    tokens = session.tokens
    more = write(session, 8)
    assert session.counter.evaluated - evaluated <= engine.count(TAIL) + 24 + 8 + 8
    again = engine.session()
    again._sequence.tokens += tokens
    assert write(again, 8) == more


def test_a_state_that_is_put_back_is_the_one_that_was(engine: LlamaEngine) -> None:
    """The numbers are those of a fresh session; those of another task, or without the prefix, differ."""
    session = engine.session()
    for task in TASKS[:3]:
        session.rewrite(0, [*PREFIX, Segment(task), *TAIL])
        write(session, 3)
    session.rewrite(0, [*PREFIX, Segment(TASKS[1]), *TAIL])
    found = numbers(engine, session)
    fresh = []
    for text in ([*PREFIX, Segment(TASKS[1])], [*PREFIX, Segment(TASKS[2])], [Segment(TASKS[1])]):
        other = engine.session()
        other.append([*text, *TAIL])
        fresh.append(numbers(engine, other))
        other.close()
    distances = [float(np.abs(found - some).max()) for some in fresh]
    assert distances[0] < _CLOSE
    assert min(distances[1:]) > 10 * distances[0]


def test_a_fork_has_the_checkpoints_too(engine: LlamaEngine) -> None:
    """Both go on from the prefix, and neither changes the other's."""
    run = engine.session()
    run.rewrite(0, [*PREFIX, Segment(TASKS[0]), *TAIL])
    write(run)
    aside = run.fork()
    for session, task in ((aside, TASKS[1]), (run, TASKS[2])):
        before = session.counter.evaluated
        size = session.rewrite(0, [*PREFIX, Segment(task), *TAIL])
        found = numbers(engine, session)
        assert session.counter.evaluated - before <= size - engine.count(PREFIX) + 12
        fresh = engine.session()
        fresh.append([*PREFIX, Segment(task), *TAIL])
        assert np.abs(numbers(engine, fresh) - found).max() < _CLOSE
        fresh.close()


def test_checkpoints_stay_few(engine: LlamaEngine) -> None:
    """However often a sequence is rewritten, and elsewhere each time."""
    session = engine.session()
    for n in range(12):
        session.rewrite(0, [Segment("Same. "), Segment(f"{n} of them. " * (n + 1)), Segment("What?"), *TAIL])
        write(session, 4)
    assert len(session._sequence.checkpoints) <= cells._CHECKPOINTS
    assert len(session._sequence.places) <= 2 * cells._CHECKPOINTS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, {"grammar": LETTERS}, {"sampling": Sampling(0.7, 0.95, 40, seed=1)}])
def test_numbers_that_are_none_end_in_an_error(tmp_path: Path, kind: str, options: dict[str, object]) -> None:
    """Exit 4 with a sentence, not an abort in the grammar; the other sessions go on."""
    engine = open_kind(tmp_path, kind, broken=True)
    session = engine.session()
    session.append(PREFIX)
    with pytest.raises(ModelUnusable, match="computes no numbers"):
        session.generate(max_tokens=4, **options)  # type: ignore[arg-type]
    with pytest.raises(ModelUnusable):
        session.generate(max_tokens=4, **options)  # type: ignore[arg-type]
    engine.close()
