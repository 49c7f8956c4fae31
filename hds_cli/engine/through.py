"""A session around another one, which does everything that the one around it does not do itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hds_cli.engine.base import Counter, Generation, OnText, Sampling, Segment, Session


class Through:
    """A `Session` whose calls are those of `session`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def counter(self) -> Counter:
        return self._session.counter

    @property
    def n_ctx(self) -> int:
        return self._session.n_ctx

    @property
    def used(self) -> int:
        return self._session.used

    def append(self, segments: Sequence[Segment]) -> int:
        return self._session.append(segments)

    def mark(self) -> int:
        return self._session.mark()

    def rewrite(self, mark: int, segments: Sequence[Segment]) -> int:
        return self._session.rewrite(mark, segments)

    def generate(
        self,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        sampling: Sampling = Sampling(),
        grammar: str | None = None,
        on_text: OnText | None = None,
    ) -> Generation:
        return self._session.generate(
            max_tokens=max_tokens, stop=stop, sampling=sampling, grammar=grammar, on_text=on_text
        )

    def fork(self) -> Session:
        return self._session.fork()

    def save(self, path: Path) -> None:
        self._session.save(path)

    def load(self, path: Path) -> bool:
        return self._session.load(path)

    def abort(self) -> None:
        self._session.abort()

    def resume(self) -> None:
        self._session.resume()

    def close(self) -> None:
        self._session.close()


__all__ = ["Through"]
