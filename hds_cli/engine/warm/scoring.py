"""The logits that a verifier reads, of a model in another process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Calling(Protocol):
    """The connection to that process."""

    def call(self, message: dict[str, Any], limit: float | None) -> dict[str, Any]: ...

    def tell(self, message: dict[str, Any]) -> None: ...


class WarmScorer:
    """A `Scorer` (`engine.llama.scoring`) of another process.

    Args:
        number: its name there.
    """

    def __init__(self, engine: Calling, number: int) -> None:
        self._engine, self._number = engine, number

    def logits(
        self, beginning: Sequence[int], endings: Sequence[Sequence[int]], tokens: Sequence[int]
    ) -> list[list[float]]:
        """The logits of `tokens` after each ending, in their order.

        Raises:
            ModelUnusable: a text is too long, llama.cpp fails, or the process is gone.
            TimeoutError: `abort` was called.
        """
        message = {
            "do": "logits", "scorer": self._number, "beginning": list(beginning), "tokens": list(tokens),
            "endings": [list(ending) for ending in endings],
        }  # fmt: skip
        rows: list[list[float]] = self._engine.call(message, None)["value"]
        return rows

    def abort(self) -> None:
        self._tell("abort")

    def resume(self) -> None:
        self._tell("resume")

    def close(self) -> None:
        self._engine.call({"do": "close", "scorer": self._number}, None)

    def _tell(self, do: str) -> None:
        self._engine.tell({"do": do, "scorer": self._number})


__all__ = ["WarmScorer"]
