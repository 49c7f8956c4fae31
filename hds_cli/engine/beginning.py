"""A session whose first text may be held already: a fork of one that holds the beginning of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hds_cli.engine.base import Segment, Session
from hds_cli.engine.through import Through


class Beginning(Through):
    """`session` for a run that begins anew: the first text takes the place of all that it holds.

    What the two have in common stays evaluated.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._begun = False

    @property
    def used(self) -> int:
        return self._session.used if self._begun else 0

    def append(self, segments: Sequence[Segment]) -> int:
        if self._begun:
            return self._session.append(segments)
        return self.rewrite(0, segments)

    def mark(self) -> int:
        return self._session.mark() if self._begun else 0

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        self._begun = True
        return self._session.rewrite(mark, segments)

    def load(self, path: Path) -> bool:
        self._begun = True
        return self._session.load(path)
