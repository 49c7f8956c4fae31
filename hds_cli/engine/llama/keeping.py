"""The beginning that the prompts of many runs share, evaluated once: taken from the shelf, or put there."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from hds_cli.engine.llama.cells import TokenSequence
from hds_cli.engine.llama.decoder import Decoder
from hds_cli.engine.shelf import Found, Shelf
from hds_cli.errors import ModelUnusable

LEAST = 128  # tokens of a beginning: fewer are evaluated as soon as they are read from a file
PAYS = 0.2  # seconds that evaluating it took, by the clock: less is not worth a file; not tuned


class Keeping:
    """Keeps beginnings on a shelf for the sessions of one engine.

    The batch ends behind such a beginning, whether it is kept or not: what follows is evaluated in the same batches and
    comes out the same.

    Args:
        identity: what a state on the shelf must agree in.
        least, pays: other than the above in tests.
    """

    def __init__(
        self, shelf: Shelf, identity: Callable[[], dict[str, Any]], *, least: int = LEAST, pays: float = PAYS
    ) -> None:
        self._shelf, self._identity, self._least, self._pays = shelf, identity, least, pays

    def before(self, decoder: Decoder, sequence: TokenSequence, fixed: int) -> None:
        """Called before a text is written to `sequence`, whose first `fixed` tokens other runs may share."""
        if fixed - sequence.kept < self._least:
            return
        found = self._shelf.find(self._identity(), sequence.tokens[:fixed])
        if found is not None and found.count > sequence.kept:
            self._take(decoder, sequence, found)
        if fixed > sequence.kept:
            self._keep(sequence, fixed)

    def _take(self, decoder: Decoder, sequence: TokenSequence, found: Found) -> None:
        more = found.count - sequence.kept
        with contextlib.suppress(ModelUnusable):  # the engine was closed meanwhile, and what is written ends as aborted
            if decoder.restore(sequence, sequence.tokens, found.count, found.state):
                sequence.claimed += more
                sequence.counter.reused += more

    def _keep(self, sequence: TokenSequence, fixed: int) -> None:
        """Put the state after `fixed` tokens on the shelf once they are evaluated, if that took long enough."""
        began, tokens = time.monotonic(), sequence.tokens[:fixed]

        def reached(state: Callable[[], bytes]) -> None:
            if time.monotonic() - began >= self._pays:
                work = (self._identity(), tokens, state())
                threading.Thread(target=self._shelf.put, args=work, daemon=True, name="hds-shelf").start()

        sequence.halt, sequence.reached = fixed, reached
