"""What a model has written before: the same call after the same tokens is not computed again.

Draws depend on nothing but the tokens, the call and its seed, so a remembered text is the one that would be written.
"""

from __future__ import annotations

import array
import hashlib
from collections import OrderedDict
from typing import Any, NamedTuple, Protocol

from hds_cli.engine.base import Generation, OnText, Session

_MOST = 1000  # calls; a run has about ten


class Replayed(Protocol):
    """What a session needs besides for its texts to be remembered."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """The ids it holds."""

    @property
    def stopped(self) -> bool:
        """True when it is closed or aborted, and writes nothing."""

    def replay(self, ids: tuple[int, ...], generated: int) -> None:
        """Add tokens that were written before, as if they were written now."""


class _Written(NamedTuple):
    made: Generation
    ids: tuple[int, ...]
    generated: int


class Remembered:
    """Texts by what they followed on and how they were asked for; the oldest are forgotten first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._texts: OrderedDict[bytes, _Written] = OrderedDict()

    def generate(self, session: Session, order: dict[str, Any], on_text: OnText) -> Generation:
        """`session.generate(**order)`, or what it gave before."""
        replayed: Any = session
        if not hasattr(session, "replay") or replayed.stopped:
            return session.generate(**order, on_text=on_text)
        before = replayed.tokens
        key = hashlib.sha256(array.array("i", before).tobytes() + repr(sorted(order.items())).encode()).digest()
        if (known := self._texts.get(key)) is not None:
            self._texts.move_to_end(key)
            replayed.replay(known.ids, known.generated)
            if known.made.text:
                on_text(known.made.text)
            return known.made
        generated = session.counter.generated
        made = session.generate(**order, on_text=on_text)
        if made.reason != "aborted":
            ids = tuple(replayed.tokens[len(before) :])
            self._texts[key] = _Written(made, ids, session.counter.generated - generated)
            while len(self._texts) > self._most:
                self._texts.popitem(last=False)
        return made


__all__ = ["Remembered"]
