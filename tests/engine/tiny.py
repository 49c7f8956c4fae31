"""A GGUF file of one small layer that llama.cpp really loads, written here (GGUF specification, version 3)."""

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


def write(path: Path, said: Mapping[str, Any] | None = None, seed: int = 0) -> Path:
    """Write the model; another seed makes other weights, and so another checksum."""
    said = metadata() if said is None else said
    shapes = _shapes()
    numbers = random.Random(seed)
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(said)))
    for key, value in said.items():
        head += _string(key) + _value(value)
    body = bytearray()
    for name, shape in shapes.items():
        head += _string(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        head += struct.pack("<IQ", 0, len(body))
        size = shape[0] * (shape[1] if len(shape) > 1 else 1)
        body += struct.pack(f"<{size}f", *(numbers.uniform(-0.1, 0.1) for _ in range(size)))
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
