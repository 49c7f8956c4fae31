"""From text to token ids and back. Only trusted text may form special tokens."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from hds_cli.engine.base import Segment

_GUARD = "\x01"  # joins with nothing: what is put before a text is put before it


class Vocabulary:
    """The vocabulary of a loaded model. `api` is llama-cpp-python's low-level module."""

    def __init__(self, api: Any, model: Any) -> None:
        self._api = api
        self.pointer = api.llama_model_get_vocab(model)
        self.size = int(api.llama_vocab_n_tokens(self.pointer))
        self._beginnings: tuple[Any, Any] | None = None
        self._special = api.LLAMA_TOKEN_ATTR_CONTROL | api.LLAMA_TOKEN_ATTR_USER_DEFINED | api.LLAMA_TOKEN_ATTR_UNKNOWN
        guard = self.ids(_GUARD, special=False)
        put = b"".join(map(self.piece, guard)).decode("utf-8", "replace")
        self._guard = guard if put in (f" {_GUARD}", f"▁{_GUARD}") else []
        """The tokens of `_GUARD` when a blank is put before every text (SentencePiece); else none."""

    def tokenize(self, segments: Sequence[Segment], before: Sequence[int] = ()) -> list[int]:
        """Token ids, each segment by itself.

        Args:
            before: the tokens that they follow on.

        Raises:
            ValueError: untrusted text became a control token all the same.
        """
        return [token for piece in self.pieces(segments, before) for token in piece]

    def pieces(self, segments: Sequence[Segment], before: Sequence[int] = (), *, check: bool = True) -> list[list[int]]:
        """The token ids of each segment, as `tokenize` has them; without `check` nothing is raised."""
        pieces: list[list[int]] = []
        last = before[-1] if before else None
        for text, trusted in segments:
            piece = self._following(text, last, special=trusted)
            if check and not trusted and any(self._is(i, self._api.LLAMA_TOKEN_ATTR_CONTROL) for i in piece):
                raise ValueError("untrusted text became a control token")
            pieces.append(piece)
            last = piece[-1] if piece else last
        return pieces

    def _following(self, text: str, last: int | None, *, special: bool) -> list[int]:
        """Token ids of a text that follows on the token `last`.

        SentencePiece puts a blank before a text. It belongs to the beginning of a sequence and behind a special token,
        not between two texts, nor before a blank that is there.
        """
        if not self._guard or last is None or (self._is(last, self._special) and not text.startswith(" ")):
            return self.ids(text, special=special)
        ids = self.ids(_GUARD + text, special=special) if text else []
        size = len(self._guard)
        return ids[size:] if ids[:size] == self._guard else self.ids(text, special=special)

    def _is(self, token: int, attributes: int) -> bool:
        return bool(self._api.llama_vocab_get_attr(self.pointer, token) & attributes)

    def control(self, text: str) -> int | None:
        """The control token that `text` is; None: it is none."""
        ids = self.ids(text, special=True)
        is_one = bool(ids) and self._is(ids[-1], self._api.LLAMA_TOKEN_ATTR_CONTROL) and self._name(ids[-1]) == text
        return ids[-1] if is_one else None

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

    def beginnings(self) -> tuple[Any, Any]:
        """The tokens by the character that they begin with; made once, as that takes a look at each.

        Returns (for each group the token that is this character alone, for each token the number of its group). Tokens
        that begin within a character, that have no text, or whose character is no token, are in group -1.
        """
        if self._beginnings is None:
            import numpy as np

            pieces = [self.piece(token) for token in range(self.size)]
            alone = {
                piece: token for token, piece in enumerate(pieces) if piece and len(_beginning(piece)) == len(piece)
            }
            numbers = {piece: number for number, piece in enumerate(alone)}
            groups = np.fromiter((numbers.get(_beginning(piece), -1) for piece in pieces), np.int32, self.size)
            self._beginnings = np.fromiter(alone.values(), np.int32, len(alone)), groups
        return self._beginnings

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
        for token in range(self.size):
            self.piece(token)
            self._api.llama_vocab_get_attr(self.pointer, token)
        return self.size


def _beginning(piece: bytes) -> bytes:
    """The first character of a text in UTF-8; empty when it is none."""
    lead = piece[0] if piece else 0x80
    size = 1 if lead < 0x80 else 0 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    return piece[:size] if size <= len(piece) else b""
