"""A growing sequence whose model is elsewhere: what all such sessions have in common."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from typing import NamedTuple

from hds_cli.engine.base import Counter, Generation, OnText, Sampling, Segment, StopReason
from hds_cli.engine.llama.stops import StopText, repeats
from hds_cli.engine.remote.wire import SILENCE, Aborted, Call, unusable

_LOOK = 32  # pieces between two looks at whether the model repeats itself
_SLOWEST = 2.0  # seconds a token
_TOKEN_BYTES = 16 << 10  # of a stream, a token
_TOKEN_CHARS = 256
_SPARE = 8  # pieces that a server may send beyond one a token


class Order(NamedTuple):
    """What a server is asked to write; `tokens` at most."""

    tokens: int
    stop: Sequence[str]
    sampling: Sampling
    grammar: str | None

    @property
    def seconds(self) -> float:
        """The time it may take."""
        return SILENCE + _SLOWEST * self.tokens

    @property
    def bytes(self) -> int:
        """The length of the stream; a llama-server repeats the prompt in it."""
        return (16 << 20) + _TOKEN_BYTES * self.tokens


class Told(NamedTuple):
    """One piece of a stream.

    Args:
        ids: the tokens of `text`, where the server says them.
        reason: why the text ends; None: it goes on.
        stop: the stop string it ended at.
        prompt, evaluated, generated: tokens of the prompt, those of them that went through the model now, and those
            written. Known with the last piece; None: the server does not say.
    """

    text: str = ""
    ids: tuple[int, ...] = ()
    reason: StopReason | None = None
    stop: str | None = None
    prompt: int | None = None
    evaluated: int | None = None
    generated: int | None = None


class RemoteSession:
    """A session without its sequence; a subclass holds that, and says what the server is sent."""

    def __init__(self, n_ctx: int) -> None:
        self._n_ctx = n_ctx
        self._call = Call()
        self._closed = False
        self._fresh = 0  # tokens added since the model last read
        self.counter = Counter()

    # --- what a subclass has -------------------------------------------------------------------------------------

    @property
    def used(self) -> int:
        raise NotImplementedError

    def append(self, segments: Sequence[Segment]) -> int:
        raise NotImplementedError

    def _stream(self, order: Order) -> Generator[Told, None, None]:
        """What the server writes; the last piece has a reason."""
        raise NotImplementedError

    def _wrote(self, text: str, ids: Sequence[int] | None, generated: int, prompt: int | None) -> int:
        """Take what was written into the sequence; returns how many tokens it took.

        Args:
            ids: its tokens, where all of them are known.
            prompt: tokens of what stood before, as the server counted them.
        """
        raise NotImplementedError

    # --- what all have -------------------------------------------------------------------------------------------

    @property
    def n_ctx(self) -> int:
        return self._n_ctx

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        if self._call.stopped.is_set():
            return Generation("", "aborted")
        room = self._n_ctx - self.used
        order = Order(min(max_tokens, room), [s for s in stop if s], sampling, grammar)
        full: StopReason = "length" if max_tokens <= room else "context"
        if order.tokens <= 0:
            return Generation("", full)
        started = time.monotonic()
        text, ids, last = StopText(stop, on_text), list[int](), Told()
        try:
            last = self._follow(order, text, ids)
        except Aborted:
            last = Told(reason="aborted")
        finally:
            self.counter.seconds += time.monotonic() - started
        text.finish()
        reason = full if last.reason == "length" else last.reason or "eos"
        return self._settle(text, reason, ids, last)

    def _follow(self, order: Order, text: StopText, ids: list[int]) -> Told:
        """Read the stream into `text` and `ids`; the last piece. Where the text was cut, its tokens are not known."""
        pieces = 0
        with contextlib.closing(self._stream(order)) as stream:
            for told in stream:
                ids += told.ids
                pieces += bool(told.text)
                cut = self._cut(order, text, told, pieces)
                if cut is not None:
                    ids.clear()
                    return Told(reason=cut, stop=text.stop, generated=pieces)
                if told.reason is not None:
                    return told if told.generated is not None else told._replace(generated=pieces)
        if self._call.stopped.is_set():
            raise Aborted
        raise unusable("broke off while it wrote")

    def _cut(self, order: Order, text: StopText, told: Told, pieces: int) -> StopReason | None:
        """Add a piece to the text; the reason to end here, if there is one.

        Raises:
            ModelUnusable: it is more text than so many tokens can be.
        """
        most = order.tokens + _SPARE
        if len(text.value) + len(told.text) > _TOKEN_CHARS * most:
            raise unusable("writes more than it was asked for")
        if text.feed(told.text.encode("utf-8", "replace")):
            return "stop"
        if told.reason is not None:
            return None
        if pieces > most:
            return "length"  # the server does not heed what it was asked
        return "loop" if pieces % _LOOK == 0 and pieces and repeats(text.value) else None

    def _settle(self, text: StopText, reason: StopReason, ids: list[int], last: Told) -> Generation:
        """Take the text into the sequence, and count."""
        generated = last.generated if last.generated is not None else len(ids)
        if reason == "eos" and len(ids) == generated:
            del ids[-1:]
        known = ids if reason in ("eos", "length", "context") and len(ids) == generated - (reason == "eos") else None
        tokens = self._wrote(text.value, known, generated, last.prompt)
        counter = self.counter
        counter.generated += generated
        read = self._fresh if last.evaluated is None else last.evaluated
        counter.evaluated += read + max(0, generated - 1)  # the last one is evaluated with what follows
        counter.reused = max(counter.reused, counter.prompt + counter.generated - counter.evaluated - 1)
        self._fresh = 0
        return Generation(text.value, reason, text.stop or last.stop, tokens)

    def abort(self) -> None:
        self._call.abort()

    def resume(self) -> None:
        if not self._closed:
            self._call.resume()

    def close(self) -> None:
        self._closed = True
        self._call.abort()


__all__ = ["Order", "RemoteSession", "Told"]
