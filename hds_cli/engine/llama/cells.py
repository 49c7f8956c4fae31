"""The part of each sequence that a llama.cpp context holds. Called from the decoder's thread only.

The cells are a cache of the sequences' tokens: a sequence that nobody writes may lose its own, and is evaluated anew
when it is written again.
"""

from __future__ import annotations

import ctypes
import itertools
from dataclasses import dataclass, field
from typing import Any

from hds_cli.engine.base import Counter


@dataclass(eq=False)
class TokenSequence:
    """Tokens, and how many of them the context holds.

    `number`: the context's name for it, when it holds any. `kept`: how many of those evaluated are still right; the
    context is cut back to them before the next batch. `claimed`: tokens that `counter.reused` got since the last batch.
    """

    tokens: list[int] = field(default_factory=list)
    counter: Counter = field(default_factory=Counter)
    evaluated: int = 0
    kept: int = 0
    claimed: int = 0
    number: int | None = None
    used: int = 0
    writing: bool = False
    aborted: bool = False
    closed: bool = False

    def cut(self, length: int) -> None:
        """Drop the tokens after the first `length`."""
        del self.tokens[length:]
        self.kept = min(self.kept, length)

    def lost(self) -> None:
        """Note that the context holds nothing of the sequence any more."""
        self.evaluated = self.kept = 0
        self.counter.reused -= self.claimed
        self.claimed = 0


class Cells:
    """Gives the sequences of `context` their numbers, and takes them back.

    Args:
        sequences: how many the context can hold.
    """

    def __init__(self, api: Any, context: Any, sequences: int) -> None:
        self._api, self._context = api, context
        self._memory = api.llama_get_memory(context)
        self._free = list(range(sequences))[::-1]
        self._holding: dict[int, TokenSequence] = {}
        self._clock = itertools.count(1)

    def prepare(self, sequence: TokenSequence) -> bool:
        """Make a sequence ready for the next batch; False when it has to wait until another gives its number back."""
        sequence.used = next(self._clock)
        if sequence.number is None and not self._take_number(sequence):
            return False
        if sequence.kept < sequence.evaluated:
            self.cut_back(sequence, sequence.kept)
        if sequence.evaluated == len(sequence.tokens):
            self.cut_back(sequence, sequence.evaluated - 1)  # the last token's logits are needed
        return True

    def cut_back(self, sequence: TokenSequence, length: int) -> None:
        """Hold only the first `length` tokens; hold none when a recurrent state cannot go back part of the way."""
        if self._api.llama_memory_seq_rm(self._memory, sequence.number, length, -1):
            sequence.evaluated = sequence.kept = length
        else:
            self._api.llama_memory_seq_rm(self._memory, sequence.number, -1, -1)
            sequence.lost()

    def release(self, sequence: TokenSequence) -> None:
        """Take cells and number from a sequence; its tokens stay."""
        if sequence.number is None:
            return
        self._api.llama_memory_seq_rm(self._memory, sequence.number, -1, -1)
        del self._holding[sequence.number]
        self._free.append(sequence.number)
        sequence.number = None
        sequence.lost()

    def drop_idle(self) -> bool:
        """Release the sequence that was not written for the longest time; False when all are being written."""
        idle = [sequence for sequence in self._holding.values() if not sequence.writing]
        if not idle:
            return False
        self.release(min(idle, key=lambda sequence: sequence.used))
        return True

    def fork(self, sequence: TokenSequence) -> TokenSequence:
        """A sequence with the same tokens; both hold the same cells of those that are evaluated."""
        fork = TokenSequence(list(sequence.tokens))
        sequence.used = next(self._clock)
        if sequence.kept and sequence.number is not None and self._take_number(fork):
            if sequence.number is None:  # it was the only one to take a number from
                return fork
            self._api.llama_memory_seq_cp(self._memory, sequence.number, fork.number, -1, -1)
            fork.evaluated, fork.kept, fork.used = sequence.evaluated, sequence.kept, next(self._clock)
        return fork

    def state(self, sequence: TokenSequence) -> bytes:
        """The context's state after the first `evaluated` tokens; empty when none are evaluated."""
        if sequence.number is None:
            return b""
        if sequence.kept < sequence.evaluated:
            self.cut_back(sequence, sequence.kept)
        if not sequence.evaluated:
            return b""
        size = self._api.llama_state_seq_get_size(self._context, sequence.number)
        buffer = (ctypes.c_uint8 * size)()
        written = self._api.llama_state_seq_get_data(self._context, buffer, size, sequence.number)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: TokenSequence, tokens: list[int], evaluated: int, state: bytes) -> bool:
        """Make `tokens` the sequence, with `state` after the first `evaluated`; False: the context refuses it."""
        fresh = TokenSequence(tokens)
        if evaluated:
            buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
            while not (
                self._take_number(fresh)
                and self._api.llama_state_seq_set_data(self._context, buffer, len(state), fresh.number)
            ):
                self.release(fresh)
                if not self.drop_idle():
                    return False
        self.release(sequence)
        if fresh.number is not None:
            self._holding[fresh.number] = sequence
        sequence.number, sequence.tokens, sequence.used = fresh.number, tokens, next(self._clock)
        sequence.evaluated = sequence.kept = evaluated
        return True

    def _take_number(self, sequence: TokenSequence) -> bool:
        if not self._free and not self.drop_idle():
            return False
        sequence.number = self._free.pop()
        self._holding[sequence.number] = sequence
        return True
