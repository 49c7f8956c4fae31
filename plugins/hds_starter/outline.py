"""The sections of a report by rule: the countries that a question names, and what it names of them.

The adapter was taught single questions on facts, so each section is one. A report "on Norway" has those of `_USUAL`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from hds_cli.types import Section
from hds_starter import world
from hds_starter.further import FACT_NOUNS, PLURALS, Asked
from hds_starter.training.facts import FACTS

MAX_CHARS = 2_000
MAX_SUBJECTS = 6
_MAX_NAME = 60
_USUAL = ("region", "capital", "population", "language", "currency", "borders", "area")
_SEVERAL = ("capital", "population", "language", "currency", "area")
_MANY = PLURALS | {"region": "regions"}
_AROUND = re.compile(
    r"\b(?:countr(?:y|ies)|states|nations|neighbou?rs|neighbou?ring (?:countries|states))\s+"
    r"(?:that\s+border|that\s+share\s+a\s+border\s+with|bordering|around|next\s+to|of)\s+(?:the\s+)?\Z",
    re.IGNORECASE,
)


def sections(question: str, titles: Sequence[str], most: int) -> list[Section]:
    """The sections of a report on a question; none where it names no country and no page that was found.

    Args:
        titles: of the pages found for it.
        most: sections.
    """
    question = " ".join(question[:MAX_CHARS].split())
    found = _named(question, [*world.names(), *titles])
    if not found:
        return []
    spans = [span for span, _ in found]
    around = bool(_AROUND.search(question[: spans[0][0]]))
    names = [name for _, name in found][: 1 if around else MAX_SUBJECTS]
    several = around or len(names) > 1
    keys = _facts(_without(question, spans)) or list(_SEVERAL if several else _USUAL)
    if around:
        keys = ["borders", *(key for key in keys if key != "borders")]
    elif several:
        keys = [key for key in keys if key != "borders"]
    return [_section(key, names, around) for key in keys][:most]


def _section(key: str, names: Sequence[str], around: bool) -> Section:
    """The section on a fact, or on the neighbours, of one country, of several, or of those around one."""
    if key == "borders":
        return Section("Neighbours", Asked(key, names[0]).whole)
    if around or len(names) > 1:
        subject = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        return Section(_titled(_MANY.get(key, f"{FACTS[key].noun}s")), Asked(key, subject, around).whole)
    return Section(_titled(FACTS[key].noun), FACTS[key].ask[0].format(t=names[0]))


def _titled(noun: str) -> str:
    return noun[:1].upper() + noun[1:]


def _named(question: str, names: Iterable[str]) -> list[tuple[tuple[int, int], str]]:
    """The names that stand in the question as words, in its order; of two at one place the longer."""
    folded = question.casefold()
    found: list[tuple[tuple[int, int], str]] = []
    for name in sorted(
        {name.strip() for name in names if 2 < len(name.strip()) <= _MAX_NAME}, key=lambda n: (-len(n), n)
    ):
        key = name.casefold()
        start = folded.find(key)
        while start >= 0:
            end = start + len(key)
            apart = not (folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum())
            if apart and key not in FACT_NOUNS and all(end <= a or b <= start for (a, b), _ in found):
                found.append(((start, end), name))
                break
            start = folded.find(key, end)
    return sorted(found)


def _without(question: str, spans: Sequence[tuple[int, int]]) -> str:
    """The question without the names in it: `Capital` may be a part of one."""
    for start, end in reversed(spans):
        question = question[:start] + " , " + question[end:]
    return question


def _facts(text: str) -> list[str]:
    """The facts that a text names, in its order."""
    places: dict[str, int] = {}
    for noun, key in FACT_NOUNS.items():
        if match := re.search(rf"\b{re.escape(noun)}\b", text, re.IGNORECASE):
            places[key] = min(match.start(), places.get(key, match.start()))
    return sorted(places, key=lambda key: places[key])
