"""What is evaluated once for several starts: the beginning that many runs share, and the text of a run that died."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hds_cli.engine.llama.cells import TokenSequence
from hds_cli.engine.llama.decoder import Decoder
from hds_cli.engine.shelf import Shelf
from hds_cli.errors import ModelUnusable

Reached = Callable[[Callable[[int], bytes | None]], None]
"""Called in the decoder's thread once a text is evaluated, with what makes its state, of at most so many bytes."""

LEAST = 128  # tokens of a beginning: fewer are evaluated as soon as they are read from a file
PAYS = 0.2  # seconds that evaluating it took, by the clock: less is not worth a file; not tuned
OWN = 10.0  # seconds that a run took since its own text was kept last: less is soon made up for; not tuned


class Keeping:
    """Keeps evaluated texts on a shelf for the sessions of one engine.

    The batch ends behind such a text, whether it is kept or not: what follows is evaluated in the same batches and
    comes out the same.

    Args:
        identity: what a state on the shelf must agree in.
        least, pays, own: other than the above in tests.
    """

    def __init__(
        self, shelf: Shelf, identity: Callable[[], dict[str, Any]], *,
        least: int = LEAST, pays: float = PAYS, own: float = OWN,
    ) -> None:  # fmt: skip
        self.shelf, self.identity = shelf, identity
        self.least, self.pays, self.own = least, pays, own

    def before(self, decoder: Decoder, sequence: TokenSequence, fixed: int, own: OwnText | None, end: int) -> None:
        """Called before a text is written to `sequence`.

        Args:
            fixed: of so many tokens other runs may share the evaluation.
            own: keeps the text of this run; None: nobody does.
            end: tokens up to where the last text from outside ends.
        """
        most = fixed if own is None else max(fixed, end)
        if most - sequence.kept < self.least:
            return
        self._take(decoder, sequence, sequence.tokens[:most], fixed, own)
        if fixed - sequence.kept >= self.least:
            sequence.halt, sequence.reached = fixed, self._shared(sequence.tokens[:fixed])
        elif own is not None and end - sequence.kept >= self.least:
            sequence.halt, sequence.reached = end, own.reached(self, sequence.tokens[:end], sequence.counter.seconds)

    def _take(
        self, decoder: Decoder, sequence: TokenSequence, tokens: list[int], fixed: int, own: OwnText | None
    ) -> None:
        """Restore the longest beginning of `tokens` that is kept."""
        found = self.shelf.find(self.identity(), tokens)
        if found is None or (more := found.count - sequence.kept) <= 0:
            return
        with contextlib.suppress(ModelUnusable):  # the engine was closed meanwhile, and what is written ends as aborted
            if decoder.restore(sequence, sequence.tokens, found.count, found.state):
                sequence.claimed += more
                sequence.counter.reused += more
                if own is not None and found.count > fixed:
                    own.path = found.path

    def _shared(self, tokens: list[int]) -> Reached:
        """Puts the state after `tokens` on the shelf once they are evaluated, if that took long enough."""
        began = time.monotonic()

        def reached(state: Callable[[int], bytes | None]) -> None:
            if time.monotonic() - began >= self.pays:
                self.write(state, lambda body: self.shelf.put(self.identity(), tokens, body))

        return reached

    def write(self, state: Callable[[int], bytes | None], put: Callable[[bytes], object]) -> None:
        """Have a state written while the model goes on; one that is too large, or has no room in memory, is not."""
        with contextlib.suppress(MemoryError, RuntimeError):  # no thread could be started
            if (body := state(self.shelf.limit // 2)) is not None:
                threading.Thread(target=put, args=(body,), daemon=True, name="hds-shelf").start()


class OwnText:
    """The evaluated text of one run, on the shelf until the run has come to its end: one that is killed goes on there.

    `path` is its file, if there is one.
    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self._kept_at = self._newest = 0.0  # seconds of the session's counter
        self._over = False
        self._lock = threading.Lock()

    def reached(self, keeping: Keeping, tokens: list[int], seconds: float) -> Reached:
        """Keeps the state after `tokens` in place of the one before, if the run took long enough since that.

        Args:
            seconds: of the session's counter, at this time.
        """
        began = time.monotonic()

        def reached(state: Callable[[int], bytes | None]) -> None:
            spent = seconds + time.monotonic() - began
            if spent - self._kept_at >= keeping.own:
                self._kept_at = spent
                keeping.write(state, lambda body: self._put(keeping, tokens, body, spent))

        return reached

    def drop(self) -> None:
        """Delete the file; none is written any more."""
        with self._lock:
            self._over = True
            _delete(self.path)

    def _put(self, keeping: Keeping, tokens: list[int], state: bytes, spent: float) -> None:
        with self._lock:
            if self._over or spent < self._newest:  # a later one was quicker
                return
            self._newest = spent
            path = keeping.shelf.put(keeping.identity(), tokens, state)
            if path not in (None, self.path):
                _delete(self.path)
                self.path = path


def _delete(path: Path | None) -> None:
    with contextlib.suppress(OSError):
        if path is not None:
            path.unlink()
