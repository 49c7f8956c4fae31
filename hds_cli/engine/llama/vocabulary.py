"""From text to token ids and back. Only trusted text may form special tokens."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from hds_cli.engine.base import Segment


class Vocabulary:
    """The vocabulary of a loaded model. `api` is llama-cpp-python's low-level module."""

    def __init__(self, api: Any, model: Any) -> None:
        self._api = api
        self.pointer = api.llama_model_get_vocab(model)

    def tokenize(self, segments: Sequence[Segment]) -> list[int]:
        """Token ids, each segment by itself.

        Raises:
            ValueError: untrusted text became a control token all the same.
        """
        ids: list[int] = []
        for text, trusted in segments:
            piece = self.ids(text, special=trusted)
            if not trusted:
                control = self._api.LLAMA_TOKEN_ATTR_CONTROL
                if any(self._api.llama_vocab_get_attr(self.pointer, i) & control for i in piece):
                    raise ValueError("untrusted text became a control token")
            ids += piece
        return ids

    def ids(self, text: str, *, special: bool) -> list[int]:
        """Token ids of one text; `special`: it may form special tokens."""
        data = text.encode("utf-8", "replace")
        if not data:
            return []
        room = len(data) + 8
        buffer = (self._api.llama_token * room)()
        count = self._api.llama_tokenize(self.pointer, data, len(data), buffer, room, False, special)
        if count < 0:
            buffer = (self._api.llama_token * -count)()
            count = self._api.llama_tokenize(self.pointer, data, len(data), buffer, -count, False, special)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a control token has none."""
        size = 64
        buffer = ctypes.create_string_buffer(size)
        count = self._api.llama_token_to_piece(self.pointer, token, buffer, size, 0, False)
        if count < 0:
            buffer = ctypes.create_string_buffer(-count)
            count = self._api.llama_token_to_piece(self.pointer, token, buffer, -count, 0, False)
        return buffer.raw[:count]

    def is_end(self, token: int) -> bool:
        """True for a token by which the model says that it has ended."""
        return bool(self._api.llama_vocab_is_eog(self.pointer, token))

    @property
    def bos(self) -> str:
        """The text of the first token of a sequence; empty: there is none."""
        return self._name(self._api.llama_vocab_bos(self.pointer))

    @property
    def eos(self) -> str:
        """The text of the last token of a sequence; empty: there is none."""
        return self._name(self._api.llama_vocab_eos(self.pointer))

    @property
    def adds_bos(self) -> bool:
        """True when every text is to begin with the first token."""
        return bool(self._api.llama_vocab_get_add_bos(self.pointer))

    def _name(self, token: int) -> str:
        return "" if token < 0 else self._api.llama_vocab_get_text(self.pointer, token).decode("utf-8", "replace")

    def walk(self) -> int:
        """Look at every token once, as a run may; returns how many there are."""
        count = int(self._api.llama_vocab_n_tokens(self.pointer))
        for token in range(count):
            self.piece(token)
            self._api.llama_vocab_get_attr(self.pointer, token)
        return count
