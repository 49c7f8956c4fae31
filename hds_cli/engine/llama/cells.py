"""The part of each sequence that a llama.cpp context holds. Called from the decoder's thread only.

The cells are a cache of the sequences' tokens: a sequence that nobody writes may lose its own, and is evaluated anew
when it is written again.

A recurrent state cannot go back to an earlier token. Copies of it are kept at places to which a sequence is likely to
be cut back: checkpoints, where the last text from outside begins and ends, and where a sequence was cut back before.
"""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hds_cli.engine.base import Counter

_CHECKPOINTS = 4  # of a sequence; one of Qwen3.5-4B takes 50 MB
_CHECKPOINT_BYTES = 1 << 30  # of all sequences


@dataclass(eq=False)
class TokenSequence:
    """Tokens, and how many of them the context holds.

    `number`: the context's name for it, when it holds any. `kept`: how many of those evaluated are still right; the
    context is cut back to them before the next batch. `claimed`: tokens that `counter.reused` got since the last batch.
    `places`: lengths at which a checkpoint is worth having. `checkpoints`: state after so many tokens, in the order of
    their use. `halt`: a length at which a batch ends, whatever follows; `reached` is called there once, with what makes
    the context's state, or None if it takes more than so many bytes.
    """

    tokens: list[int] = field(default_factory=list)
    counter: Counter = field(default_factory=Counter)
    evaluated: int = 0
    kept: int = 0
    claimed: int = 0
    places: set[int] = field(default_factory=set)
    checkpoints: dict[int, bytes] = field(default_factory=dict)
    halt: int = 0
    reached: Callable[[Callable[[int], bytes | None]], None] | None = None
    number: int | None = None
    used: int = 0
    writing: bool = False
    aborted: bool = False
    closed: bool = False

    def cut(self, length: int) -> None:
        """Drop the tokens after the first `length`."""
        del self.tokens[length:]
        self.kept = min(self.kept, length)
        self.halt = self.halt if self.halt <= length else 0
        self.places = {place for place in self.places if place <= length}
        self.checkpoints = {place: state for place, state in self.checkpoints.items() if place <= length}

    def holds(self, length: int) -> None:
        """Note that the context holds the first `length` tokens, and no more."""
        unclaimed = min(self.claimed, max(0, self.kept - length))
        self.counter.reused -= unclaimed
        self.claimed -= unclaimed
        self.evaluated = self.kept = length

    def lost(self) -> None:
        """Note that the context holds nothing of the sequence any more."""
        self.holds(0)
        self.checkpoints = {}


class Cells:
    """Gives the sequences of `context` their numbers, and takes them back.

    Args:
        sequences: how many the context can hold.
        rewinds: False: the model has a state that cannot be cut back.
    """

    def __init__(self, api: Any, context: Any, sequences: int, *, rewinds: bool = True) -> None:
        self._api, self._context, self._rewinds = api, context, rewinds
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
        """Hold only the first `length` tokens; fewer when a recurrent state cannot go back: those of a checkpoint."""
        if self._api.llama_memory_seq_rm(self._memory, sequence.number, length, -1):
            sequence.holds(length)
            return
        sequence.kept = length
        sequence.places.add(length)  # for the next time
        for place in sorted((place for place in sequence.checkpoints if place <= length), reverse=True):
            if self._rewind(sequence, place):
                sequence.holds(place)
                return
        self._api.llama_memory_seq_rm(self._memory, sequence.number, -1, -1)
        sequence.lost()

    def next_place(self, sequence: TokenSequence) -> int | None:
        """The length at which a batch ends: a checkpoint is made there, or the state is kept."""
        places = {sequence.halt} if self._rewinds else {sequence.halt, *sequence.places}
        return min((place for place in places if place > sequence.evaluated), default=None)

    def keep(self, sequence: TokenSequence) -> None:
        """Make a checkpoint, if one is wanted at the present length, and give away the state, if it is."""
        length = sequence.evaluated
        if sequence.reached is not None and length == sequence.halt:
            reached, sequence.reached = sequence.reached, None
            reached(lambda most: self._state(sequence) if self._size(sequence) <= most else None)
        if self._rewinds or length not in sequence.places or length in sequence.checkpoints:
            return
        sequence.checkpoints[length] = self._state(sequence, partly=True)
        while len(sequence.checkpoints) > _CHECKPOINTS or self._checkpoint_bytes() > _CHECKPOINT_BYTES:
            oldest = next(iter(sequence.checkpoints), None)
            if oldest is None:
                return
            del sequence.checkpoints[oldest]
            sequence.places.discard(oldest)

    def _checkpoint_bytes(self) -> int:
        """Bytes of the checkpoints of all sequences that hold cells; forks share them."""
        states = {id(state): len(state) for held in self._holding.values() for state in held.checkpoints.values()}
        return sum(states.values())

    def _rewind(self, sequence: TokenSequence, place: int) -> bool:
        """Put a checkpoint's state back; False when the context refuses it."""
        state = sequence.checkpoints.pop(place)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        flags = self._api.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY
        if not self._api.llama_state_seq_set_data_ext(self._context, buffer, len(state), sequence.number, flags):
            return False
        sequence.checkpoints[place] = state
        return bool(self._api.llama_memory_seq_rm(self._memory, sequence.number, place, -1))

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
            fork.places, fork.checkpoints = set(sequence.places), dict(sequence.checkpoints)
        return fork

    def state(self, sequence: TokenSequence) -> bytes:
        """The context's state after the first `evaluated` tokens; empty when none are evaluated."""
        if sequence.number is None:
            return b""
        if sequence.kept < sequence.evaluated:
            self.cut_back(sequence, sequence.kept)
        return self._state(sequence) if sequence.evaluated else b""

    def _size(self, sequence: TokenSequence) -> int:
        return int(self._api.llama_state_seq_get_size_ext(self._context, sequence.number, 0))

    def _state(self, sequence: TokenSequence, *, partly: bool = False) -> bytes:
        """The state of a sequence; `partly`: without what can be cut back (the keys and values of a hybrid model)."""
        api = self._api
        flags = api.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY if partly else 0
        size = api.llama_state_seq_get_size_ext(self._context, sequence.number, flags)
        buffer = (ctypes.c_uint8 * size)()
        written = api.llama_state_seq_get_data_ext(self._context, buffer, size, sequence.number, flags)
        return bytes(memoryview(buffer)[:written])

    def restore(self, sequence: TokenSequence, tokens: list[int], evaluated: int, state: bytes) -> bool:
        """Make `tokens` the sequence, with `state` after the first `evaluated`; False: the context refuses it."""
        places = sequence.places if sequence.tokens == tokens else set()
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
        sequence.places, sequence.checkpoints = {place for place in places if place >= evaluated}, {}
        sequence.halt, sequence.reached = 0, None
        self.keep(sequence)
        return True

    def _take_number(self, sequence: TokenSequence) -> bool:
        if not self._free and not self.drop_idle():
            return False
        sequence.number = self._free.pop()
        self._holding[sequence.number] = sequence
        return True
