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


__all__ = ["Allowance"]
