"""A second look at an answer of the model's own: it is about all that the question names, and of the kind asked for."""

from __future__ import annotations

import re

from hds_cli.agent.notebook import Notebook
from hds_cli.agent.verdict import Verdict
from hds_cli.text import STOPWORDS, terms
from hds_starter.forms import Asked, Unread
from hds_starter.symbols import read
from hds_starter.told import Facts

_BORDERS = re.compile(r"\bborder countries(?: \(\d{1,2}\))?: ([^\n]{3,2000})", re.IGNORECASE)  # the World Factbook's
_MOST = 40  # neighbours
_ASKING = frozenset(
    terms("tell name list give find look know please what which who where when how many much country countries nation "
          "want need does is are have live people place thing called same another other")
)  # fmt: skip


def covers(verdict: Verdict, book: Notebook) -> bool:
    """True where what was cited, with the answer, has every word of the question that says what is asked for.

    Over pages that the rules know, those of `world` and copies of them, an answer is what the rules work out, or none.
    """
    if any(c.url.startswith("local://world/") for c in verdict.citations) or Facts(book.read).any:
        return False
    cited = {citation.url for citation in verdict.citations}
    texts = [f"{p.title} {p.heading} {p.text}" for _, p in book.read if p.url in cited]
    known = set(terms(" ".join([*texts, verdict.answer or ""])))
    symbols = read(book.question)
    if any(symbol.kind == "refused" for symbol in symbols):
        return False  # why?
    for symbol in symbols:
        if symbol.kind == "unknown" and not _said(symbol.text, known):
            return False
        named = symbol.found.names if symbol.found and symbol.found.kind == "country" else ()
        if named and not any(set(terms(name)) <= known for name in named):
            return False
        if symbol.kind == "number" and not set(terms(symbol.text)) <= known:
            return False
    return _fits(book.question, verdict.answer or "")


def misread(reading: Asked | Unread, answer: str, book: Notebook) -> str:
    """The neighbours on a country's page, where an answer lists others (`Chad 9 km; Mali 7 km`), else nothing."""
    if not isinstance(reading, Asked) or reading.what not in ("show", "list") or reading.of.kind != "around":
        return ""
    of = reading.of.of.names if reading.of.of else ()
    pages = [page for url in book.found if (page := book.page(url)) is not None and _country(page.title) == {*of}]
    stated = [found[1] for page in pages if (found := _BORDERS.search(page.text))]
    if len(of) != 1 or not stated:
        return ""
    around = set().union(*(_country(part) for part in stated[0].split(";")[:_MOST]))
    parts = [part for part in re.split(r"[;,]|\band\b", answer) if part.strip()][:_MOST]
    named = set().union(*(_country(part.partition(":")[0]) for part in parts))
    return "" if (around == named if named else len(parts) >= len(around)) else stated[0].strip()


def _country(text: str) -> set[str]:
    """The country that a text begins with: `Czechia 402 km`, `Austria (World Factbook)`."""
    name = re.match(r"[^\d(:]{1,80}", text.strip())
    symbols = read(name[0]) if name else []
    found = symbols[0].found if symbols else None
    return set(found.names) if found and found.kind == "country" and len(found.names) == 1 else set()


def _said(word: str, known: set[str]) -> bool:
    words = set(terms(word)) - _ASKING
    return not words or word in STOPWORDS or words <= known


def _fits(question: str, answer: str) -> bool:
    """True where the kind of the answer is that of the question: a number for how many, a date for when."""
    start = question.strip().casefold()
    if re.match(r"(?:\w+ ){0,3}how (?:many|much)\b", start):
        return bool(re.search(r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|no|none)\b", answer, re.I))
    if re.match(r"(?:and |so )?when\b", start):
        return bool(re.search(r"\d", answer))
    if re.match(r"(?:is|are|does|do|has|have|can|did|was|were)\b", start) and " or " not in start:
        return bool(re.match(r"(?:yes|no)\b", answer.strip(), re.I))
    return True
