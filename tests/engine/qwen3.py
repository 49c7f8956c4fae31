"""Qwen3's vocabulary without weights: that of Qwen2, which llama-cpp-python's source package carries, and its own tokens.

`HDS_VOCABULARY` names the file `ggml-vocab-qwen2.gguf` (`vendor/llama.cpp/models/` in the source package of
llama-cpp-python); where it is not set, a test that needs it is skipped.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hds_cli.engine.base import Segment
from hds_cli.engine.llama.api import load_api, quiet
from hds_cli.engine.llama.vocabulary import Vocabulary
from tests.engine.tiny import _string, _value

_FIRST = 151_646
_CONTROL, _OWN = 3, 4
# The tokens that Qwen3 has behind those of Qwen2, in order; those in angle brackets alone are no control tokens.
_ADDED = (
    "<|object_ref_start|> <|object_ref_end|> <|box_start|> <|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> "
    "<|vision_end|> <|vision_pad|> <|image_pad|> <|video_pad|> <tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> "
    "<|fim_suffix|> <|fim_pad|> <|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>"
).split()
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}


class Words:
    """Tokenizes as an engine of this vocabulary would."""

    def __init__(self, path: Path) -> None:
        api = load_api()
        quiet(api)
        params = api.llama_model_default_params()
        params.vocab_only = True
        self._api, self._model = api, api.llama_model_load_from_file(os.fsencode(path), params)
        assert self._model, path
        self._vocabulary = Vocabulary(api, self._model)

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        return self._vocabulary.tokenize(segments)

    def whole(self, text: str) -> list[int]:
        """The ids of a text that is tokenized in one piece."""
        return self._vocabulary.ids(text, special=True)

    def piece(self, token: int) -> bytes:
        return self._vocabulary.piece(token)


def words(folder: Path) -> Words:
    """The vocabulary, put together in `folder`; the test is skipped where its source is not at hand."""
    source = Path(os.environ.get("HDS_VOCABULARY", ""))
    if not source.is_file():
        pytest.skip("no ggml-vocab-qwen2.gguf here (HDS_VOCABULARY)")
    said = _metadata(source.read_bytes())
    tokens, kinds = said["tokenizer.ggml.tokens"], said["tokenizer.ggml.token_type"]
    tokens[_FIRST:] = _ADDED
    kinds[_FIRST:] = [_CONTROL if "|" in token else _OWN for token in _ADDED]
    path = folder / "qwen3-vocabulary.gguf"
    path.write_bytes(
        b"GGUF" + struct.pack("<IQQ", 3, 0, len(said)) + b"".join(_string(k) + _value(v) for k, v in said.items())
    )
    return Words(path)


def _metadata(data: bytes) -> dict[str, Any]:
    """The texts, whole numbers and lists of a GGUF file's header."""
    count, at = struct.unpack_from("<Q", data, 16)[0], 24
    said: dict[str, Any] = {}

    def text() -> str:
        nonlocal at
        (size,) = struct.unpack_from("<Q", data, at)
        at += 8 + size
        return data[at - size : at].decode()

    def value(kind: int) -> Any:
        nonlocal at
        if kind == 8:
            return text()
        if kind == 9:
            inner, length = struct.unpack_from("<IQ", data, at)
            at += 12
            return [value(inner) for _ in range(length)]
        at += _SIZES[kind]
        return int.from_bytes(data[at - _SIZES[kind] : at], "little", signed=kind in (1, 3, 5, 11))

    for _ in range(count):
        key = text()
        (kind,) = struct.unpack_from("<I", data, at)
        at += 4
        read = value(kind)
        if kind in (4, 5, 8, 9):
            said[key] = read
    return said
