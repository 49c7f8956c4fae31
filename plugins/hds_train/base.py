"""The base model: a GGUF file's weights as a transformers model, in the order transformers wants them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gguf import GGUFReader, dequantize
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig, Qwen2Config, Qwen3Config

from hds_cli.engine.files.convert import writing as order
from hds_cli.errors import ModelUnusable

MODULES = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
TENSORS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
_CONFIGS: dict[str, type[PretrainedConfig]] = {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}


@dataclass(frozen=True)
class Shape:
    """The shape of a model, from its GGUF header. `permuted`: llama.cpp keeps the rows of q and k in pairs."""

    architecture: str
    layers: int
    heads: int
    kv_heads: int
    values: dict[str, Any]

    @property
    def permuted(self) -> bool:
        return self.architecture == "llama"


def shape_of(reader: GGUFReader) -> Shape:
    """The shape of a model.

    Raises:
        ModelUnusable: it is of an architecture that cannot be trained here.
    """
    values = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("tokenizer.")}
    name = str(values.get("general.architecture"))
    if name not in _CONFIGS:
        raise ModelUnusable(
            f"a base of the architecture {name!r} cannot be trained", hint=f"bases: {', '.join(_CONFIGS)}"
        )
    heads = int(values[f"{name}.attention.head_count"])
    kv_heads = int(values.get(f"{name}.attention.head_count_kv", heads))
    return Shape(name, int(values[f"{name}.block_count"]), heads, kv_heads, values)


def load(path: Path, dtype: torch.dtype, device: str) -> Any:
    """The model of a GGUF file, dequantized.

    Raises:
        ModelUnusable: it is not a plain model of a known architecture.
    """
    reader = GGUFReader(path)
    shape = shape_of(reader)
    tensors = {t.name: torch.from_numpy(np.array(dequantize(t.data, t.tensor_type))) for t in reader.tensors}
    model = AutoModelForCausalLM.from_config(_config(shape, tensors), dtype=dtype)
    missing = model.load_state_dict(_state(shape, tensors), strict=False)
    if missing.unexpected_keys or any(not key.endswith("inv_freq") for key in missing.missing_keys):
        raise ModelUnusable(f"{path.name} is not a plain {shape.architecture} model: {missing}")
    return model.to(device)


def _config(shape: Shape, tensors: dict[str, torch.Tensor]) -> PretrainedConfig:
    def get(key: str, default: Any = None) -> Any:
        return shape.values.get(f"{shape.architecture}.{key}", default)

    width = int(get("embedding_length"))
    return _CONFIGS[shape.architecture](
        vocab_size=tensors["token_embd.weight"].shape[0],
        hidden_size=width,
        intermediate_size=int(get("feed_forward_length")),
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=int(get("attention.key_length", width // shape.heads)),
        rms_norm_eps=float(get("attention.layer_norm_rms_epsilon")),
        rope_theta=float(get("rope.freq_base", 10_000.0)),
        max_position_embeddings=int(get("context_length")),
        tie_word_embeddings="output.weight" not in tensors,
    )


def _state(shape: Shape, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    embedding = tensors["token_embd.weight"]
    state = {
        "model.embed_tokens.weight": embedding,
        "model.norm.weight": tensors["output_norm.weight"],
        "lm_head.weight": tensors.get("output.weight", embedding),
    }
    for layer in range(shape.layers):
        for theirs, ours in TENSORS.items():
            for kind in ("weight", "bias"):
                values = tensors.get(f"blk.{layer}.{ours}.{kind}")
                if values is None:
                    continue
                if shape.permuted and ours in ("attn_q", "attn_k"):
                    values = torch.from_numpy(unpaired(values.numpy(), shape, ours))
                state[f"model.layers.{layer}.{theirs}.{kind}"] = values
    return state


def unpaired(rows: np.ndarray, shape: Shape, tensor: str) -> np.ndarray:
    """Rows of q or k as transformers has them, from llama.cpp's order."""
    n = shape.heads if tensor == "attn_q" else shape.kv_heads
    return rows.reshape(n, rows.shape[0] // n // 2, 2, *rows.shape[1:]).swapaxes(1, 2).reshape(rows.shape)


def paired(rows: np.ndarray, shape: Shape, tensor: str) -> np.ndarray:
    """Rows of q or k in llama.cpp's order; the inverse of `unpaired`."""
    return order.paired(rows, shape.heads if tensor == "attn_q" else shape.kv_heads)
