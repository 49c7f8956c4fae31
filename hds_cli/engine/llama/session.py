"""One growing sequence of tokens of a `Decoder`."""

from __future__ import annotations

import array
import itertools
import queue
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hds_cli.engine import state
from hds_cli.engine.base import Counter, Generation, OnText, Sampling, Segment, StopReason
from hds_cli.engine.llama.cells import TokenSequence
from hds_cli.engine.llama.decoder import Decoder
from hds_cli.engine.llama.keeping import Keeping, OwnText
from hds_cli.engine.llama.sampling import Draw, sampler
from hds_cli.engine.llama.stops import StopText, repeats
from hds_cli.engine.llama.vocabulary import Vocabulary

_LOOK = 32  # tokens between two looks at whether the model repeats itself


class LlamaSession:
    """A `Session` of a llama.cpp model.

    Args:
        n_ctx: tokens it may hold.
        identity: what a saved state must agree in: the model, the build, the parameters.
        keeping: keeps the beginnings of prompts from one start to the next; None: nobody does.
    """

    def __init__(
        self,
        api: Any,
        decoder: Decoder,
        vocabulary: Vocabulary,
        n_ctx: int,
        identity: Callable[[], dict[str, Any]],
        sequence: TokenSequence | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._api, self._decoder, self._vocabulary, self._identity = api, decoder, vocabulary, identity
        self._n_ctx, self._keeping = n_ctx, keeping
        self._sequence = sequence or TokenSequence()
        self._replayed = 0  # tokens that `replay` has counted as reused
        self._fixed = 0  # tokens before the last piece of untrusted text in the first text: other runs may share them
        self._end = 0  # tokens up to where the last such piece of all ends
        self._own: OwnText | None = None

    @property
    def tokens(self) -> tuple[int, ...]:
        """The ids it holds."""
        return tuple(self._sequence.tokens)

    @property
    def counter(self) -> Counter:
        return self._sequence.counter

    @property
    def n_ctx(self) -> int:
        return self._n_ctx

    @property
    def used(self) -> int:
        return len(self._sequence.tokens)

    @property
    def stopped(self) -> bool:
        """True when it is closed or aborted, and writes nothing."""
        return self._sequence.closed or self._sequence.aborted

    @property
    def pending(self) -> int:
        """Tokens that the next `generate` evaluates before it writes."""
        return len(self._sequence.tokens) - self._sequence.kept

    def append(self, segments: Sequence[Segment]) -> int:
        ids, places = self._tokens(segments, self.used)
        self._sequence.tokens += ids
        self._sequence.places |= places
        self.counter.prompt += len(ids)
        return len(ids)

    def mark(self) -> int:
        return self.used

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        sequence = self._sequence
        ids, places = self._tokens(segments, mark)
        shared = 0
        for old, new in zip(sequence.tokens[mark : sequence.kept], ids, strict=False):
            if old != new:
                break
            shared += 1
        sequence.cut(mark + shared)
        sequence.tokens += ids[shared:]
        sequence.places |= places
        sequence.claimed += shared
        self._replayed = min(self._replayed, mark + shared)
        self.counter.prompt += len(ids)
        self.counter.reused += shared
        return len(ids)

    def _tokens(self, segments: Sequence[Segment], mark: int) -> tuple[list[int], set[int]]:
        """The tokens of text at `mark`, and the places where the last piece of untrusted text begins and ends.

        Most texts that are put in another's place differ from it there: another task, or a further turn.
        """
        pieces = self._vocabulary.pieces(segments, self._sequence.tokens[:mark])
        ends = list(itertools.accumulate(map(len, pieces), initial=mark))
        last = max((at for at, segment in enumerate(segments) if not segment.trusted and pieces[at]), default=None)
        places = set() if last is None else {ends[last], ends[last + 1]} - {0}
        if mark == 0:
            self._fixed = 0 if last is None else ends[last]
        self._end = self._end if last is None else ends[last + 1]
        return [token for piece in pieces for token in piece], places

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        started = time.monotonic()
        if self._sequence.closed:
            return Generation("", "aborted")
        if self._keeping is not None:
            fixed, end = min(self._fixed, self.used), min(self._end, self.used)
            self._keeping.before(self._decoder, self._sequence, fixed, self._own, end)
        with sampler(self._api, self._vocabulary, sampling, grammar) as draw:
            writing = _Writing(self._sequence, self._vocabulary, draw, max_tokens, self._n_ctx, stop, on_text)
            try:
                self._decoder.write(writing)
                writing.pass_on()
            except BaseException:  # `on_text` failed, or Ctrl-C: the writing ends with the caller
                writing.stop_and_wait(self._decoder)
                raise
            finally:
                self.counter.seconds += time.monotonic() - started
        return writing.result()

    def replay(self, ids: Sequence[int], generated: int) -> None:
        """Add tokens that were written before, as if they were written now, and nothing had to be evaluated.

        Args:
            generated: tokens that were drawn then; the end of a text and what stood behind it are none of `ids`.
        """
        sequence, counter = self._sequence, self.counter
        sequence.tokens += ids
        counter.generated += generated
        counter.reused += max(0, self.used - max(self._replayed, sequence.evaluated)) + max(0, generated - len(ids))
        self._replayed = self.used

    def fork(self) -> LlamaSession:
        forked = self._decoder.fork(self._sequence)
        return LlamaSession(self._api, self._decoder, self._vocabulary, self._n_ctx, self._identity, forked)

    def save(self, path: Path) -> None:
        sequence = self._sequence
        held = self._decoder.state(sequence)
        tokens = array.array("i", sequence.tokens).tobytes()
        state.write(path, self._identity(), struct.pack("<QQ", len(tokens), sequence.evaluated) + tokens + held)

    def load(self, path: Path) -> bool:
        body = state.read(path, self._identity())
        if body is None:
            return False
        size, evaluated = struct.unpack_from("<QQ", body)
        tokens = array.array("i", body[16 : 16 + size]).tolist()
        return self._decoder.restore(self._sequence, tokens, evaluated, body[16 + size :])

    def keep(self) -> None:
        self._own = OwnText()

    def drop(self) -> None:
        if self._own is not None:
            self._own.drop()
        self._own = None

    def abort(self) -> None:
        self._decoder.abort(self._sequence)

    def resume(self) -> None:
        self._sequence.aborted = False

    def close(self) -> None:
        self._sequence.closed = True
        self._decoder.forget(self._sequence)


class _Writing:
    """One call of `generate`: draws in the decoder's thread, hands the text to the caller's."""

    def __init__(
        self, sequence: TokenSequence, vocabulary: Vocabulary, draw: Draw, max_tokens: int, n_ctx: int,
        stop: Sequence[str], on_text: OnText | None,
    ) -> None:  # fmt: skip
        self.sequence, self._vocabulary, self._draw = sequence, vocabulary, draw
        self._left, self._n_ctx, self._on_text = max_tokens, n_ctx, on_text
        self._first = len(sequence.tokens)
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._stops = {token: text for text in stop if (token := vocabulary.control(text)) is not None}
        self._text = StopText(stop, self._pieces.put if on_text else None)
        self._reason: StopReason = "length"
        self._error: BaseException | None = None

    # --- in the decoder's thread ---------------------------------------------------------------------------------

    def due(self) -> StopReason | None:
        if self._left <= 0:
            return "length"
        return "context" if len(self.sequence.tokens) >= self._n_ctx else None

    def take(self, context: Any, index: int) -> StopReason | None:
        token = self._draw(context, index)
        self.sequence.counter.generated += 1
        self._left -= 1
        if token in self._stops:  # such a token has no text that could be found
            self._text.stop = self._stops[token]
            return "stop"
        if self._vocabulary.is_end(token):
            return "eos"
        tokens = self.sequence.tokens
        tokens.append(token)
        if self._text.feed(self._vocabulary.piece(token)):
            return "stop"
        if (len(tokens) - self._first) % _LOOK == 0 and repeats(self._text.value):
            return "loop"
        return None

    def end(self, reason: StopReason, error: BaseException | None = None) -> None:
        self._reason, self._error = reason, error
        self._text.finish()
        self._pieces.put(None)

    # --- in the caller's thread ----------------------------------------------------------------------------------

    def pass_on(self) -> None:
        """Hand the text to `on_text` until the writing is over."""
        while (piece := self._pieces.get()) is not None:
            assert self._on_text is not None
            self._on_text(piece)

    def stop_and_wait(self, decoder: Decoder) -> None:
        before = self.sequence.aborted
        decoder.abort(self.sequence)
        while self._pieces.get() is not None:
            pass
        self.sequence.aborted = before

    def result(self) -> Generation:
        """The result of the writing; tokens behind a stop string are taken out of the sequence."""
        if self._error is not None:
            raise self._error
        text = self._text
        written = len(self.sequence.tokens) - self._first
        if text.excess:
            self._cut(text.value)
        return Generation(text.value, self._reason, text.stop, written)

    def _cut(self, keep: str) -> None:
        """Drop what was written after `keep`: whole tokens first, then the split one is written again."""
        data = keep.encode()
        size, at = 0, self._first
        tokens = self.sequence.tokens
        while at < len(tokens):
            piece = self._vocabulary.piece(tokens[at])
            if size + len(piece) > len(data):
                break
            size, at = size + len(piece), at + 1
        self.sequence.cut(at)
        tokens += self._vocabulary.tokenize([Segment(data[size:].decode("utf-8", "replace"))], tokens)
