"""A session that keeps what was put into it and what the model wrote, piece by piece: a row to train with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from hds_cli.engine.base import Generation, OnText, Sampling, Segment, Session
from hds_cli.engine.beginning import Beginning


class Recorded(NamedTuple):
    """A piece of the sequence from the token `at` on; `learned`: the model wrote it."""

    at: int
    segment: Segment
    learned: bool


class Recording(Beginning):
    """`session`, with a record of its pieces.

    Args:
        written: texts that the model wrote in an earlier run and that are put in again.
        stops: strings that the model is trained to write although they are put in for it.
    """

    def __init__(self, session: Session, written: Collection[str] = (), stops: Collection[str] = ()) -> None:
        super().__init__(session)
        self._written, self._stops = set(written), frozenset(stops)
        self._pieces: list[Recorded] = []

    @property
    def segments(self) -> list[Segment]:
        """All that it holds."""
        return [piece.segment for piece in self._pieces]

    @property
    def row(self) -> list[list[object]]:
        """The pieces as `hds train` reads them: text, whether it forms special tokens, whether it is learned."""
        pieces = [piece for piece in self._pieces if piece.segment.text]
        return [[piece.segment.text, piece.segment.trusted, piece.learned] for piece in pieces]

    def append(self, segments: Sequence[Segment]) -> int:
        at = self.used
        self._keep(at, segments)
        return super().append(segments)

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        gone = [piece for piece in self._pieces if piece.at >= mark]
        self._pieces = self._pieces[: len(self._pieces) - len(gone)]
        said = "".join(piece.segment.text for piece in gone if piece.learned)
        if said and len(segments) == 1 and not segments[0].trusted:
            self._written.add(segments[0].text)  # the model's own text, put right
        self._keep(mark, segments)
        return super().rewrite(mark, segments)

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        at = self.used
        written = super().generate(
            max_tokens=max_tokens, stop=stop, sampling=sampling, grammar=grammar, on_text=on_text
        )
        self._written.add(written.text)
        self._pieces.append(Recorded(at, Segment(written.text), True))
        return written

    def _keep(self, at: int, segments: Sequence[Segment]) -> None:
        for segment in segments:
            known = segment.text in self._written or segment.text in self._stops
            self._pieces.append(Recorded(at, segment, known and not segment.trusted and bool(segment.text)))


def ended(row: list[list[object]], end: str) -> list[list[object]]:
    """A row with the token that ends the model's turn."""
    return [*row, [end, True, True]]


__all__ = ["Recorded", "Recording", "ended"]
