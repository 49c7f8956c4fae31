"""What a tree is made of: rows, and how it is seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from hds_cli.render.words import Signs

_WIDEST = 120

Pieces = list[tuple[str, str]]  # (text, style)


@dataclass
class Row:
    """A line of the tree and what hangs below it; `lead` stays whole before the label, which is safe already.

    `tail`: a label too long shows its end, not its beginning.
    """

    label: str
    style: str = ""
    right: Pieces = field(default_factory=list)
    tail: bool = False
    lead: str = ""
    children: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """How a tree is seen: room in cells and lines (None: as many as it takes), signs, and the run's present second.

    `live` is False once nothing moves any more: no spinner, nothing running. `grades`: the last turn says how its
    answer is supported, which is not said elsewhere on the screen. `loading` names the model until the run begins.
    """

    width: int
    height: int | None = None
    signs: Signs = field(default_factory=Signs)
    now: float = 0.0
    live: bool = True
    grades: bool = False
    loading: str = ""

    @property
    def room(self) -> int:
        return max(10, min(self.width - 1, _WIDEST))

    @property
    def state_width(self) -> int:
        return 12 if self.width < 60 else 14 if self.width < 80 else 20

    @property
    def spin(self) -> str:
        frames = self.signs.spinner
        return frames[int(self.now * 8) % len(frames)] if self.live else ""


__all__ = ["Pieces", "Row", "View"]
