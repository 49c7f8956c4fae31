"""One llama.cpp context with many sequences, and the one thread that works in it.

Each step puts the next token of every sequence that is being written, and as much of the prompts that are still to be
read as fits, into one batch.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from hds_cli.engine.base import StopReason
from hds_cli.engine.llama.api import StopFlag
from hds_cli.engine.llama.cells import Cells, TokenSequence
from hds_cli.engine.llama.thread_count import ThreadCount, evaluate, failed
from hds_cli.errors import ModelUnusable

BATCH = 512  # tokens
_FULL, _ABORTED = 1, 2  # what llama_decode returns
T = TypeVar("T")


class Writing(Protocol):
    """One call of `generate`, as the decoder sees it; all calls come from the decoder's thread."""

    sequence: TokenSequence

    def due(self) -> StopReason | None:
        """The reason to write no further token, asked before each token; None: go on."""

    def take(self, context: Any, index: int) -> StopReason | None:
        """Draw a token from the logits of the batch's token `index`; the reason if it was the last one."""

    def end(self, reason: StopReason, error: BaseException | None = None) -> None:
        """Called once, when the writing is over."""


class Decoder:
    """Evaluates the sequences of `context`, all at once, in a thread of its own. Its methods may be called from any.

    Args:
        context: a llama.cpp context; the decoder frees it.
        sequences: how many it can hold.
        apart: a batch is of one sequence, and they take turns.
        rewinds: False: the model has a state that cannot be cut back.
        n_batch: tokens of a batch.
        count: says with how many threads a batch is evaluated; None: with those of the context.
    """

    def __init__(
        self, api: Any, context: Any, sequences: int, *, apart: bool = False, rewinds: bool = True,
        n_batch: int = BATCH, count: ThreadCount | None = None,
    ) -> None:  # fmt: skip
        self._api, self._context, self._apart, self._count = api, context, apart, count
        self._cells = Cells(api, context, sequences, rewinds=rewinds)
        self._batch, self._n_batch = api.llama_batch_init(n_batch, 0, 1), n_batch
        self._flag = StopFlag(api)
        self._flag.watch(api, context)
        self._writings: list[Writing] = []
        self._parked: list[Writing] = []  # writings without cells, which go on when another has ended
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, daemon=True, name="hds-decoder")
        self._thread.start()

    def write(self, writing: Writing) -> None:
        """Begin to write; `writing.end` is called when it is over."""
        writing.sequence.writing = True
        if not self._put(lambda: self._writings.append(writing)):
            writing.end("aborted")

    def abort(self, sequence: TokenSequence) -> None:
        """End what is being written to `sequence`, in the middle of a batch too: the others' part of it is repeated."""
        sequence.aborted = True
        if sequence.writing:
            self._flag.set()

    def forget(self, sequence: TokenSequence) -> None:
        """Give back what a closed sequence holds; what is being written to it ends."""
        self.abort(sequence)
        self._put(lambda: self._cells.release(sequence))

    def fork(self, sequence: TokenSequence) -> TokenSequence:
        """A sequence with the same tokens, evaluated as far as `sequence` is."""
        return self._call(lambda: self._cells.fork(sequence))

    def state(self, sequence: TokenSequence) -> bytes:
        """The context's state after the first `sequence.evaluated` tokens."""
        return self._call(lambda: self._cells.state(sequence))

    def restore(self, sequence: TokenSequence, tokens: list[int], evaluated: int, state: bytes) -> bool:
        """Make `tokens` the sequence, with `state` after the first `evaluated`; False: the context refuses it."""
        return self._call(lambda: self._cells.restore(sequence, tokens, evaluated, state))

    def close(self) -> None:
        """End everything that is being written, and free the context."""
        self._flag.set()
        if self._put(self._close):
            self._thread.join()

    def _put(self, job: Callable[[], None]) -> bool:
        """Have `job` done between two batches; False when the decoder is closed."""
        with self._lock:
            if not self._closed:
                self._jobs.put(job)
            return not self._closed

    def _call(self, work: Callable[[], T]) -> T:
        """Run `work` between two batches and return its result."""
        answers: queue.SimpleQueue[tuple[list[T], BaseException | None]] = queue.SimpleQueue()

        def job() -> None:
            try:
                answers.put(([work()], None))
            except BaseException as exc:  # handed to whoever waits
                answers.put(([], exc))

        if not self._put(job):
            raise ModelUnusable("the engine is closed")
        values, error = answers.get()
        if error is not None:
            raise error
        return values[0]

    # --- in the decoder's thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        while not self._closed:
            if not self._writings:
                self._jobs.get()()
            while not self._jobs.empty():
                self._jobs.get()()
            if self._writings:
                try:
                    self._step()
                except Exception as exc:  # no memory for a state: who waits for this thread would wait for ever
                    self._give_up(exc)

    def _give_up(self, error: Exception) -> None:
        """End everything that is being written; what the context holds of it is not known."""
        for writing in [*self._writings, *self._parked]:
            self._cells.release(writing.sequence)
            self._end(writing, "aborted", error)

    def _close(self) -> None:
        with self._lock:
            self._closed = True  # no job is put any more
        while not self._jobs.empty():
            self._jobs.get()()
        for writing in [*self._writings, *self._parked]:
            self._end(writing, "aborted")
        self._api.llama_batch_free(self._batch)
        self._api.llama_free(self._context)

    def _step(self) -> None:
        """One batch of what is being written."""
        self._flag.clear()
        for writing in [*self._writings, *self._parked]:  # after the flag: a later abort sets it again
            if writing.sequence.aborted or writing.sequence.closed:
                self._end(writing, "aborted")
            elif reason := writing.due():
                self._end(writing, reason)
        while filled := self._fill():
            result = evaluate(self._api, self._context, self._batch, self._count)
            if result == 0:
                self._evaluated(filled)
            elif result != _FULL or not self._make_room():
                self._failed(filled, result)
            else:
                continue
            return

    def _fill(self) -> list[tuple[Writing, int]]:
        """Fill the batch: single tokens first, then prompts. Returns each writing in it with its number of tokens."""
        ready = [writing for writing in self._writings if self._cells.prepare(writing.sequence)]
        if self._apart:
            ready = ready[:1]
            self._writings.sort(key=lambda writing: writing in ready)  # the next batch is of another one
        ready.sort(key=lambda writing: len(writing.sequence.tokens) - writing.sequence.evaluated > 1)
        batch, at = self._batch, 0
        filled = []
        for writing in ready:
            tokens, begin = writing.sequence.tokens, writing.sequence.evaluated
            end = self._cells.next_place(writing.sequence) or len(tokens)
            chunk = tokens[begin : min(end, begin + self._n_batch - at)]
            for place, token in enumerate(chunk, begin):
                batch.token[at], batch.pos[at], batch.n_seq_id[at] = token, place, 1
                batch.seq_id[at][0], batch.logits[at] = writing.sequence.number, place == len(tokens) - 1
                at += 1
            if chunk:
                filled.append((writing, len(chunk)))
        batch.n_tokens = at
        return filled

    def _evaluated(self, filled: list[tuple[Writing, int]]) -> None:
        """Count the batch as evaluated; a writing whose last token was in it draws the next one."""
        at = 0
        for writing, size in filled:
            sequence = writing.sequence
            at += size
            sequence.evaluated += size
            sequence.kept = sequence.evaluated
            sequence.counter.evaluated += size
            sequence.claimed = 0
            self._cells.keep(sequence)
            if sequence.evaluated == len(sequence.tokens):
                self._draw(writing, at - 1)

    def _failed(self, filled: list[tuple[Writing, int]], result: int) -> None:
        """Undo a batch that was given up, maybe half done: each sequence holds the tokens it held before."""
        for writing, _ in filled:
            self._cells.cut_back(writing.sequence, writing.sequence.evaluated)
            if result != _ABORTED:
                self._end(writing, "aborted", failed(result))

    def _draw(self, writing: Writing, index: int) -> None:
        try:
            reason = writing.take(self._context, index)
        except Exception as exc:  # whatever a sampler does, the others go on writing
            self._end(writing, "aborted", exc)
            return
        if reason is not None:
            self._end(writing, reason)

    def _end(self, writing: Writing, reason: StopReason, error: BaseException | None = None) -> None:
        (self._writings if writing in self._writings else self._parked).remove(writing)
        self._writings, self._parked = self._writings + self._parked, []
        writing.sequence.writing = False
        writing.end(reason, error)

    def _make_room(self) -> bool:
        """Free cells: those of an idle sequence, else of the one that began to write last."""
        if self._cells.drop_idle():
            return True
        if len(self._writings) < 2:
            return False
        self._parked.append(self._writings.pop())
        self._cells.release(self._parked[-1].sequence)
        return True
