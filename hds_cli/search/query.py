"""The parts of a query: words, "exact phrases", title:words, and before: and after: a date.

Nothing is a syntax error: what is no operator is a word, since models and people write queries without a manual.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from hds_cli.text import fold, plain_title, segmented, terms, words

MAX_TERMS = 64
_PART = re.compile(
    r'(?P<title>\btitle:(?:"(?P<t1>[^"]+)"|(?P<t2>[^\s"]+)))'
    r"|(?P<date>\b(?P<side>before|after):(?P<day>\d{4}(?:-\d\d(?:-\d\d)?)?)(?!\S))"
    r'|"(?P<phrase>[^"]+)"'
)


@dataclass(frozen=True)
class Query:
    """One parsed query.

    Attributes:
        text: its words as they were written, without operators.
        terms: the terms to look for, each once.
        phrases: word sequences that a passage must hold: quotation marks around all of the query, or beside a filter.
        preferred: quoted words among others, as in a question that names a song: what holds them comes first.
        titles: word sequences that the title must hold.
        after: the first date, `YYYY[-MM[-DD]]`; documents without a date do not match.
        before: the first date that is too late.
    """

    text: str
    terms: tuple[str, ...]
    phrases: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    after: str = ""
    before: str = ""

    @property
    def plain(self) -> bool:
        """True when the query has words alone."""
        return not (self.phrases or self.titles or self.after or self.before)


def parse(query: str) -> Query:
    """The parts of `query`."""
    phrases: list[str] = []
    titles: list[str] = []
    dates = {"after": "", "before": ""}

    def take(operator: re.Match[str]) -> str:
        if operator["date"]:
            dates[operator["side"]] = operator["day"]
            return " "
        inside = operator["t1"] or operator["t2"] or operator["phrase"]
        if search_terms(inside):
            (titles if operator["title"] else phrases).append(inside)
        return f" {inside} "

    text = " ".join(_PART.sub(take, query).split())
    words = tuple(dict.fromkeys(search_terms(text)))[:MAX_TERMS]
    filters = Query(text, words, (), (), tuple(titles), dates["after"], dates["before"])
    if phrases and filters.plain and search_terms(_PART.sub(" ", query)):
        return replace(filters, preferred=tuple(phrases))
    return replace(filters, phrases=tuple(phrases))


def search_terms(text: str) -> list[str]:
    """The terms of a text as they are indexed."""
    return [term for term in terms(text) if term.strip("_")]


def quoted(phrase: str) -> str:
    """Words as one FTS5 string: adjacent and in order; never syntax."""
    return '"' + segmented(phrase).replace('"', " ").replace("\0", " ") + '"'


def title_key(title: str) -> str:
    """A title as mentions of it are compared: `J. D. Drew (baseball)` and `JD Drew` are one."""
    return "".join(words(fold(plain_title(title)))).replace("_", "")
