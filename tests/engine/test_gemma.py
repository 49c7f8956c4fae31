"""A real second model: another architecture, a sliding window, a vocabulary of 262,144 tokens (issue 20)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from hds_cli.engine.base import ModelSpec, Sampling, Segment
from hds_cli.engine.llama.model import LlamaEngine
from tests.engine import gemma

START = [Segment("<bos>", True), Segment("Oslo is the capital of Norway. Stockholm is the capital of")]
GRAMMAR = r'root ::= "{\"capital\": \"" [A-Za-z ]{1,40} "\"}"'


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaEngine]:
    made = LlamaEngine(ModelSpec("gemma", gemma.path()), n_ctx=1024, n_threads=1)
    yield made
    made.close()


def test_it_is_the_file_that_was_meant(engine: LlamaEngine) -> None:
    """Its architecture, its checksum, and every token of its vocabulary."""
    assert engine.header.metadata["general.architecture"] == "gemma3"
    with gemma.path().open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == gemma.SHA256
    assert engine.walk_vocabulary() == 262_144


def test_it_knows_a_capital(engine: LlamaEngine) -> None:
    """So the numbers are right: no blank is put before a text that goes on."""
    session = engine.session()
    session.append(START)
    assert session.generate(max_tokens=2).text.startswith(" Sweden")
    assert list(session.tokens) == engine.tokenize([*START, Segment(" Sweden.")])[: len(session.tokens)]
    session.close()


def test_a_fork_and_a_shorter_text_go_on_from_what_was_evaluated(engine: LlamaEngine) -> None:
    """A window that slides does not keep a sequence from being cut back to any token."""
    session = engine.session()
    page = "The lake lies in the north of the country and is long. " * 45  # longer than the window
    session.append([Segment("<bos>", True), Segment(page), Segment("It is")])
    session.generate(max_tokens=8)
    held = session.used
    fork = session.fork()
    size = fork.rewrite(0, [Segment("<bos>", True), Segment(page), Segment("Its name is")])
    made = fork.generate(max_tokens=4)
    assert held > 512
    assert fork.counter.reused > size - 8
    assert fork.counter.evaluated < 16
    fresh = engine.session()  # evaluated in the same two steps: the numbers of 4 bits depend on the batch
    fresh.append([Segment("<bos>", True), Segment(page)])
    fresh.generate(max_tokens=1)
    fresh.rewrite(0, [Segment("<bos>", True), Segment(page), Segment("Its name is")])
    assert fresh.generate(max_tokens=4).text == made.text
    for one in (session, fork, fresh):
        one.close()


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(0.7, 0.95, 40, seed=3), Sampling(0.7, seed=3)])
def test_a_grammar_holds(engine: LlamaEngine, sampling: Sampling) -> None:
    """Drawn of the likeliest tokens or of all."""
    session = engine.session()
    session.append([*START, Segment(" Sweden.\nAs JSON: ")])
    made = session.generate(max_tokens=40, sampling=sampling, grammar=GRAMMAR)
    assert made.reason == "eos"
    assert set(json.loads(made.text)) == {"capital"}
    session.close()


def test_stop_strings_and_seeds(engine: LlamaEngine) -> None:
    """The text ends before the string; the same seed draws the same tokens."""
    session = engine.session()
    session.append(START)
    made = session.generate(max_tokens=24, stop=["."])
    assert (made.reason, made.stop) == ("stop", ".")
    assert "." not in made.text
    texts = []
    for seed in (1, 1, 2):
        session.rewrite(0, START)
        texts.append(session.generate(max_tokens=12, sampling=Sampling(0.9, 0.95, 40, seed=seed)).text)
    assert texts[0] == texts[1] != texts[2]
    session.close()


def test_a_control_token_may_be_a_stop_string(engine: LlamaEngine) -> None:
    """It has no text of its own; a grammar makes the model write one here."""
    session = engine.session()
    session.append(START)
    whole = session.generate(max_tokens=40, stop=["<end_of_turn>", "<eos>"])
    assert "<end_of_turn>" not in whole.text
    vocabulary = engine._vocabulary
    token = vocabulary.control("<end_of_turn>")
    assert token is not None
    assert vocabulary.piece(token) == b""
    assert vocabulary.control("end_of_turn") is None
    assert vocabulary.control("a<end_of_turn>") is None
    session.close()
