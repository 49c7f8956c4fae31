"""GGUF files of one or two small layers that llama.cpp really loads, written here (GGUF specification, version 3).

Beside the plain one: a recurrent model (Mamba), a hybrid one (LFM2), and one with a sliding window (Gemma 3).
"""

from __future__ import annotations

import random
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

EMBEDDING, FEED_FORWARD, HEADS = 32, 64, 2
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁a", "▁b", "▁the", "▁Oslo"]
_KINDS = [2, 3, 3, *[6] * 256, 1, 1, 1, 1]  # unknown, control, byte, normal
_ALIGN = 32


def metadata(template: str | None = None, **more: Any) -> dict[str, Any]:
    """What the header says; `more` replaces or adds keys (dots written as two underscores)."""
    said: dict[str, Any] = {
        "general.architecture": "llama",
        "general.name": "tiny",
        "general.license": "mit",
        "general.file_type": 0,
        "llama.block_count": 1,
        "llama.context_length": 512,
        "llama.embedding_length": EMBEDDING,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": HEADS,
        "llama.rope.dimension_count": EMBEDDING // HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": TOKENS,
        "tokenizer.ggml.scores": [0.0] * len(TOKENS),
        "tokenizer.ggml.token_type": _KINDS,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
    }
    if template is not None:
        said["tokenizer.chat_template"] = template
    return said | {key.replace("__", "."): value for key, value in more.items()}


def _of_kind(kind: str, **keys: Any) -> dict[str, Any]:
    """The header of another architecture: sizes as above, and `keys` below the architecture's name."""
    said = {key: value for key, value in metadata().items() if not key.startswith("llama.")}
    sizes = {"context_length": 4096, "embedding_length": EMBEDDING, "attention.layer_norm_rms_epsilon": 1e-5} | keys
    return said | {"general.architecture": kind} | {f"{kind}.{key}": value for key, value in sizes.items()}


def mamba() -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """A model whose state is recurrent: it cannot be cut back."""
    inner, state, rank, kernel = 2 * EMBEDDING, 8, 2, 4
    said = _of_kind("mamba", block_count=1, feed_forward_length=0) | {
        "mamba.attention.head_count": 0,
        "mamba.ssm.conv_kernel": kernel,
        "mamba.ssm.inner_size": inner,
        "mamba.ssm.state_size": state,
        "mamba.ssm.time_step_rank": rank,
    }
    shapes: dict[str, tuple[int, ...]] = {
        "blk.0.attn_norm.weight": (EMBEDDING,),
        "blk.0.ssm_in.weight": (EMBEDDING, 2 * inner),
        "blk.0.ssm_conv1d.weight": (kernel, inner),
        "blk.0.ssm_conv1d.bias": (inner,),
        "blk.0.ssm_x.weight": (inner, rank + 2 * state),
        "blk.0.ssm_dt.weight": (rank, inner),
        "blk.0.ssm_dt.bias": (inner,),
        "blk.0.ssm_a": (state, inner),
        "blk.0.ssm_d": (inner,),
        "blk.0.ssm_out.weight": (inner, EMBEDDING),
    }
    return said, _ENDS | shapes


def hybrid() -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """A layer with a recurrent state, and one with keys and values."""
    said = _of_kind("lfm2", block_count=2, feed_forward_length=FEED_FORWARD) | {
        "lfm2.attention.head_count": HEADS,
        "lfm2.attention.head_count_kv": [0, HEADS],
        "lfm2.shortconv.l_cache": 3,
        "lfm2.vocab_size": len(TOKENS),
        "lfm2.rope.dimension_count": EMBEDDING // HEADS,
    }
    shapes: dict[str, tuple[int, ...]] = {"token_embd_norm.weight": (EMBEDDING,)}
    for layer in (0, 1):
        shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in _FORWARD.items()}
        shapes[f"blk.{layer}.attn_norm.weight"] = (EMBEDDING,)
    shapes |= {
        "blk.0.shortconv.conv.weight": (3, EMBEDDING),
        "blk.0.shortconv.in_proj.weight": (EMBEDDING, 3 * EMBEDDING),
        "blk.0.shortconv.out_proj.weight": (EMBEDDING, EMBEDDING),
        "blk.1.attn_q_norm.weight": (EMBEDDING // HEADS,),
        "blk.1.attn_k_norm.weight": (EMBEDDING // HEADS,),
    } | {f"blk.1.attn_{name}.weight": (EMBEDDING, EMBEDDING) for name in ("q", "k", "v", "output")}
    ends = {name: shape for name, shape in _ENDS.items() if name != "output_norm.weight"}
    return said, ends | shapes


def sliding(window: int = 16) -> tuple[dict[str, Any], dict[str, tuple[int, ...]]]:
    """Two layers that look back `window` tokens, and one that looks back to the beginning."""
    size = EMBEDDING // HEADS
    said = _of_kind("gemma3", block_count=3, feed_forward_length=FEED_FORWARD) | {
        "gemma3.attention.head_count": HEADS,
        "gemma3.attention.head_count_kv": HEADS,
        "gemma3.attention.key_length": size,
        "gemma3.attention.value_length": size,
        "gemma3.attention.sliding_window": window,
        "gemma3.attention.sliding_window_pattern": 3,
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(3):
        norms = dict.fromkeys(("attn_norm", "post_attention_norm", "post_ffw_norm"), (EMBEDDING,))
        heads = dict.fromkeys(("attn_q_norm", "attn_k_norm"), (size,))
        square = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (EMBEDDING, EMBEDDING))
        named = _FORWARD | norms | heads | square
        shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in named.items()}
    return said, _ENDS | shapes


def write_kind(path: Path, kind: tuple[dict[str, Any], dict[str, tuple[int, ...]]], *, broken: bool = False) -> Path:
    """Write a model of another kind; a `broken` one computes no numbers."""
    said, shapes = kind
    return write(path, said, shapes=shapes, broken=broken)


_FORWARD: dict[str, tuple[int, ...]] = {
    "ffn_norm": (EMBEDDING,),
    "ffn_gate": (EMBEDDING, FEED_FORWARD),
    "ffn_up": (EMBEDDING, FEED_FORWARD),
    "ffn_down": (FEED_FORWARD, EMBEDDING),
}
_ENDS: dict[str, tuple[int, ...]] = {
    "token_embd.weight": (EMBEDDING, len(TOKENS)),
    "output_norm.weight": (EMBEDDING,),
    "output.weight": (EMBEDDING, len(TOKENS)),
}


def write(
    path: Path,
    said: Mapping[str, Any] | None = None,
    seed: int = 0,
    *,
    shapes: Mapping[str, tuple[int, ...]] | None = None,
    broken: bool = False,
) -> Path:
    """Write the model; another seed makes other weights, and so another checksum.

    Args:
        shapes: the tensors; None: those of the plain model.
        broken: its last layer's weights are no numbers.
    """
    said = metadata() if said is None else said
    plain = shapes is None
    shapes = _shapes() if shapes is None else shapes
    numbers = random.Random(seed)
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(said)))
    for key, value in said.items():
        head += _string(key) + _value(value)
    body = bytearray()
    for name, shape in shapes.items():
        head += _string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", 0, len(body))
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        low, high = (-1.5, -0.5) if name.endswith("ssm_a") else (0.5, 1.5) if "norm" in name else (-0.1, 0.1)
        low, high = (-0.1, 0.1) if plain else (10 * low, 10 * high) if "norm" not in name else (low, high)
        values = [
            float("nan") if broken and name == "output.weight" else numbers.uniform(low, high) for _ in range(size)
        ]
        body += struct.pack(f"<{size}f", *values)
        body += b"\0" * (-len(body) % _ALIGN)
    head += b"\0" * (-len(head) % _ALIGN)
    path.write_bytes(head + body)
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    square, wide = (EMBEDDING, EMBEDDING), (EMBEDDING, FEED_FORWARD)
    return {
        "token_embd.weight": (EMBEDDING, len(TOKENS)),
        "output_norm.weight": (EMBEDDING,),
        "output.weight": (EMBEDDING, len(TOKENS)),
        "blk.0.attn_norm.weight": (EMBEDDING,),
        "blk.0.attn_q.weight": square,
        "blk.0.attn_k.weight": square,
        "blk.0.attn_v.weight": square,
        "blk.0.attn_output.weight": square,
        "blk.0.ffn_norm.weight": (EMBEDDING,),
        "blk.0.ffn_gate.weight": wide,
        "blk.0.ffn_up.weight": wide,
        "blk.0.ffn_down.weight": (FEED_FORWARD, EMBEDDING),
    }


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _string(value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    return struct.pack("<I", 9) + _array(value)


def _array(items: Sequence[Any]) -> bytes:
    if isinstance(items[0], str):
        return struct.pack("<IQ", 8, len(items)) + b"".join(_string(item) for item in items)
    kind, form = (5, "i") if isinstance(items[0], int) else (6, "f")
    return struct.pack("<IQ", kind, len(items)) + struct.pack(f"<{len(items)}{form}", *items)
