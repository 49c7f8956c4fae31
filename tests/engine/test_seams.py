"""Text is tokenized piece by piece; what stands between two pieces is what stands in the text (issue 20)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from hds_cli.engine.base import ModelSpec, Sampling, Segment
from hds_cli.engine.llama import sampling
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.llama.sampling import _Draw
from tests.engine import tiny


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LlamaEngine]:
    """One whose vocabulary puts a blank before every text, as SentencePiece does."""
    made = LlamaEngine(ModelSpec("tiny", tiny.write(tmp_path / "tiny.gguf")), n_ctx=512, n_threads=1)
    yield made
    made.close()


def text(engine: LlamaEngine, *segments: Segment) -> str:
    return joined(engine, engine.tokenize(segments))


def joined(engine: LlamaEngine, tokens: Iterable[int]) -> str:
    return b"".join(map(engine.piece, tokens)).decode().replace("▁", " ")


def test_no_blank_is_put_between_two_texts(engine: LlamaEngine) -> None:
    """One stands at the beginning and behind a special token, as in a text that is tokenized whole."""
    assert text(engine, Segment("the")) == " the"
    assert text(engine, Segment("the"), Segment("Oslo"), Segment(" a", True)) == " theOslo a"
    assert text(engine, Segment("the </s>", True), Segment("Oslo")) == " the  Oslo"
    assert text(engine, Segment("</s>", True), Segment(" Oslo")) == " Oslo"
    assert text(engine, Segment(""), Segment("the"), Segment("\x01b")) == " the\x01b"
    assert engine.count([Segment("the"), Segment("Oslo")]) == len(engine.tokenize([Segment("the"), Segment("Oslo")]))


def test_a_session_goes_on_where_its_text_ends(engine: LlamaEngine) -> None:
    """By `append`, `rewrite`, and behind a stop string."""
    session = engine.session()
    session.append([Segment("<s>", True), Segment("the")])
    mark = session.mark()
    session.append([Segment("Oslo")])
    whole = session.tokens
    assert list(whole) == engine.tokenize([Segment("<s>", True), Segment("the"), Segment("Oslo")])
    session.rewrite(mark, [Segment("Oslo")])
    assert session.tokens == whole
    assert joined(engine, whole) == " theOslo"


def test_a_vocabulary_says_whether_it_wants_its_first_token(tmp_path: Path) -> None:
    """SentencePiece does where the file says nothing."""
    for said, wanted in (({}, True), ({"tokenizer__ggml__add_bos_token": False}, False)):
        file = tiny.write(tmp_path / "t.gguf", tiny.metadata("{{ messages }}", **said))
        made = LlamaEngine(ModelSpec("tiny", file), n_ctx=512, n_threads=1)
        template = made.chat_template()
        assert template is not None
        assert (template.bos, template.adds_bos) == ("<s>", wanted)
        made.close()


@pytest.mark.parametrize("size", [259, 5000, 262_144])
@pytest.mark.parametrize("few", [1, 40, 256])
def test_the_likeliest_tokens_are_found(size: int, few: int) -> None:
    """All of the `few` largest, the largest first; equal ones are all in."""
    draw = _Draw.__new__(_Draw)
    draw._np, draw._size = np, size
    for logits in (
        np.random.default_rng(few).normal(size=size).astype(np.float32),
        np.arange(size, dtype=np.float32),
        np.full(size, 3.0, dtype=np.float32),
        np.where(np.arange(size) < 3, 1.0, -np.inf).astype(np.float32),
    ):
        ids = draw._likeliest(logits, few)
        assert np.array_equal(logits[ids[:few]], np.sort(logits)[::-1][:few])


@pytest.mark.parametrize("options", [Sampling(), Sampling(0.7, 0.95, 40, seed=5)])
def test_a_grammar_asked_of_few_draws_as_one_asked_of_all(
    engine: LlamaEngine, monkeypatch: pytest.MonkeyPatch, options: Sampling
) -> None:
    """The same text, whether or not all tokens are looked at."""
    texts = []
    for few in (100, 9999):
        monkeypatch.setattr(sampling, "_FEW", few)
        session = engine.session()
        session.append([Segment("the")])
        texts.append(session.generate(max_tokens=12, sampling=options, grammar="root ::= [a-z ] root").text)
    assert texts[0] == texts[1] != ""
