"""The budget of a run, as the user gives it."""

from __future__ import annotations

from dataclasses import dataclass

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Allowance:
    """A run's budget: seconds, or tokens that the model reads and writes."""

    seconds: float | None = None
    tokens: float | None = None

    @classmethod
    def of(cls, text: str | None) -> Allowance | None:
        """`60s`, `5m`, `1h` or `20k` (tokens); the settings have checked the form."""
        if text is None:
            return None
        number, unit = float(text[:-1]), text[-1]
        return cls(tokens=1000 * number) if unit == "k" else cls(seconds=number * _UNITS[unit])

    def share(self, *, taken: float, spent: float, left: int, at_once: int) -> Allowance:
        """The part of one of several runs that still is to come.

        Args:
            taken: seconds that the whole has taken; `spent`: tokens of the runs that have ended.
            left: runs that have not ended.
            at_once: runs at the same time.
        """
        left = max(1, left)
        if self.seconds is not None:
            return Allowance(seconds=max(1.0, self.seconds - taken) / -(-left // at_once))
        return Allowance(tokens=max(1.0, (self.tokens or 0.0) - spent) / left)


__all__ = ["Allowance"]
