"""A converted model computes what the original does: logits of transformers beside those of llama.cpp.

Needs the extra `train` (torch and transformers): skipped where it is not installed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hds_cli.engine.files.convert import writing
from hds_cli.engine.files.convert.source import origin_of, read_source, shards_of
from tests.engine import checkpoints as made

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

TEXT = 4 * "What is the capital of the border? üа 123 45\n\n  Oslo searching the station. "
ORIGINAL = {"original_max_position_embeddings": 64}
MODELS: dict[str, dict[str, Any]] = {
    "qwen3": {},
    "qwen3 tied": {"tie_word_embeddings": True},
    "qwen3 yarn": {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, **ORIGINAL}},
    "qwen3 of transformers 5": {"rope_theta": None, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5}},
    "qwen2": {},
    "llama": {},
    "llama biased": {"attention_bias": True},
    "llama linear": {"rope_scaling": {"type": "linear", "factor": 2.0}},
    "llama 3": {"rope_theta": 10_000.0, "rope_scaling": {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, **ORIGINAL}},
}  # fmt: skip


def logits_of(path: Path, ids: list[int]) -> np.ndarray:
    """llama.cpp's, with keys and values of 32 bits."""
    import llama_cpp

    model = llama_cpp.Llama(
        str(path),
        n_ctx=512,
        n_batch=512,
        n_threads=1,
        logits_all=True,
        type_k=0,
        type_v=0,
        flash_attn=False,
        verbose=False,
    )
    model.eval(ids)
    return np.array(model.scores[: len(ids)])


@pytest.mark.parametrize("name", MODELS)
def test_logits_of_a_converted_f16_file_are_those_of_the_original(tmp_path: Path, name: str) -> None:
    """To a hundredth, with the same likeliest token at every place."""
    config = {k: v for k, v in made.config(name.split()[0], **MODELS[name]).items() if v is not None}
    folder = made.write(tmp_path / "tiny", config)
    out = tmp_path / "tiny.gguf"
    writing.write(read_source(folder, shards_of(folder), origin_of(folder)), "F16", out, lambda *_: None)
    original = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    ids = transformers.AutoTokenizer.from_pretrained(folder)(TEXT)["input_ids"]
    with torch.no_grad():
        theirs = original(torch.tensor([ids])).logits[0].numpy()
    ours = logits_of(out, ids)
    assert len(ids) > 100
    assert np.abs(theirs).max() > 1
    assert np.abs(ours - theirs).max() <= 1e-2
    assert (ours.argmax(1) == theirs.argmax(1)).all()
