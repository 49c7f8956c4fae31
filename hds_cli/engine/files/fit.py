"""The memory that a model takes, estimated from its header alone."""

from __future__ import annotations

from typing import Any

from hds_cli.engine.files.gguf import GgufHeader

_DEFAULT_CTX = 16_384
_WORK = 300_000_000  # bytes for compute buffers and the program itself


def needed(header: GgufHeader, file_bytes: int, n_ctx: int | None = None) -> int:
    """Bytes for the weights, the keys and values of one full context (16 bit), and the work around them.

    Args:
        file_bytes: the size of the file, which is the size of its weights.
        n_ctx: context length in tokens; None: what the model was trained with, at most 16,384.
    """
    trained = _number(header, "context_length", _DEFAULT_CTX)
    tokens = n_ctx or min(_DEFAULT_CTX, trained)
    heads = max(1, _number(header, "attention.head_count", 1))
    per_head = _number(header, "attention.key_length", _number(header, "embedding_length", 0) // heads)
    values = 2 * _number(header, "block_count", 0) * _number(header, "attention.head_count_kv", heads) * per_head
    return file_bytes + 2 * values * tokens + _WORK


def _number(header: GgufHeader, key: str, default: int) -> int:
    value: Any = header.metadata.get(f"{header.metadata.get('general.architecture')}.{key}")
    return value if isinstance(value, int) and value >= 0 else default
