"""A checked step for what small models get wrong: ordering and adding numbers is done here, not by the model.

A model that was taught to writes `[[largest: Norway 5,600,000; Sweden 10,500,000` and stops at `]]`; the run closes the
brackets and writes the result behind them (the calculator of Toolformer, arXiv 2302.04761). Models that were not taught
it never meet it: see `ModelSpec.calculates`.
"""

from __future__ import annotations

import re
from decimal import Decimal

CLOSE = "]]"
_OPEN = re.compile(r"\[\[(largest|smallest|sum):\s*([^\[\]]*)\Z")
_NUMBER = re.compile(
    r"(?<![\w.,])([-−]?)(\d[\d,]*(?:\.\d+)?)(?:\s*(thousand|million|billion|trillion)\b)?", re.IGNORECASE
)
_SCALE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def result(text: str) -> str | None:
    """What is to stand behind the calculation that `text` ends with: a name, or a number; None when there is none.

    `largest` and `smallest` give the label of the part with that number; of equals, each of them once.
    """
    found = _OPEN.search(text)
    if found is None:
        return None
    parts = [(part, number) for part in found[2].split(";") if (number := _number(part)) is not None]
    if not parts:
        return None
    if found[1] == "sum":
        return f"{sum((value for _, (_, value) in parts), Decimal(0)):,}"
    best = (max if found[1] == "largest" else min)(value for _, (_, value) in parts)
    names = [part[: match.start()].strip(" :=$€£") for part, (match, value) in parts if value == best]
    return " and ".join(dict.fromkeys(names))


def _number(part: str) -> tuple[re.Match[str], Decimal] | None:
    """The last number of a part (a name may hold another: `Area 51 1,200`)."""
    matches = list(_NUMBER.finditer(part))
    if not matches:
        return None
    match = matches[-1]
    value = Decimal(match[2].replace(",", "")) * _SCALE.get((match[3] or "").casefold(), 1)
    return match, -value if match[1] else value
