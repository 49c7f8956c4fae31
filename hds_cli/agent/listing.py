"""The written form of passages and empty results for a model that was not trained on another one.

`[3] Title › Heading (host, 2024-05-01)` and the text below it as the page has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from hds_cli.agent import protocol
from hds_cli.types import Page, Passage

_MORE = re.compile(r"more\s*:?\s*\[?\(?(\d{1,4})[\])]?", re.IGNORECASE)
_VISIT = re.compile(r"visit\s*:?\s*<([^<>\n]{1,2000})>\s*(.*)", re.IGNORECASE | re.DOTALL)
_INNER = re.compile(r"^(#{1,6})[ \t]{1,8}\S", re.MULTILINE)  # a heading within a passage
_WHY = {
    "unknown_address": "no search of this run led there",
    "robots": "blocked by robots.txt", "robots_unavailable": "blocked by robots.txt",
    "needs_browser": "needs a browser", "consent": "behind a question for consent",
    "sign_in": "behind a sign-in form", "http_401": "behind a sign-in form",
    "too_big": "over the size limit", "bomb": "over the size limit", "too_old": "too old",
    "deadline": "not there in time", "timeout": "not there in time", "not_text": "not a text",
    "empty": "without text", "offline": "not on this machine", "dns": "no such host",
    "http_404": "not found", "http_410": "gone",
}  # fmt: skip
_REASONS, _HOSTS = 4, 2  # as many are named


class Selection(tuple[Passage, ...]):
    """The passages chosen for a query; `of`: passages there were; `why`: the reason why there are not more.

    `dropped`: passages that the selector weighed against these and left out.
    """

    of: int
    why: str
    dropped: tuple[Passage, ...]

    def __new__(
        cls, passages: Iterable[Passage] = (), of: int = 0, why: str = "", dropped: Iterable[Passage] = ()
    ) -> Self:
        selection = super().__new__(cls, passages)
        selection.of, selection.why, selection.dropped = of, why, tuple(dropped)
        return selection

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (tuple(self), self.of, self.why, self.dropped))

    @property
    def told(self) -> dict[str, Any]:
        """What an event says of it."""
        return {"passages": tuple(self), "dropped": self.dropped}


def more_of(query: str) -> int | None:
    """The number of the passage that `more: [3]` reads on from; None for any other query."""
    asked = _MORE.fullmatch(query.strip())
    return int(asked[1]) if asked else None


class Visit(NamedTuple):
    """A page to read by its address; `goal`: what is sought in it, empty for what the question asks."""

    url: str
    goal: str = ""

    @property
    def query(self) -> str:
        """The visit as a query, which `visit_of` reads: `visit: <https://example.org/tides> the next spring tide`."""
        return f"visit: <{self.url}> {self.goal}".rstrip()


def visit_of(query: str) -> Visit | None:
    """The visit that a query stands for; None for any other query."""
    asked = _VISIT.fullmatch(query.strip())
    return Visit(asked[1], asked[2].strip()) if asked else None


def listed(passages: Sequence[Passage], *, addresses: bool = False) -> str:
    """Passages one below the other, each under its number; page text is made safe.

    Args:
        addresses: with the address of its page, for a model that may visit it.
    """
    where = {p.n: f"\n{_address(p.url)}" if addresses else "" for p in passages}
    return "\n\n".join(f"[{p.n}] {head(p)}{where[p.n]}\n{protocol.neutral(body(p)).strip()}" for p in passages)


def _address(url: str) -> str:
    return protocol.neutral(protocol.one_line(url))


def head(passage: Passage) -> str:
    """Title, heading, host and date of a passage: `Title › Heading (host, 2024-05-01)`.

    The heading of a passage of several sections is not that of all: it stands in the `body`, as the others do.
    """
    heading = "" if _INNER.search(passage.text) else passage.heading
    name = " › ".join(dict.fromkeys(part for part in (passage.title, heading) if part))
    about = ", ".join(part for part in (_host(passage.url), passage.date) if part)
    return protocol.neutral(protocol.one_line(f"{name} ({about})" if about else name))


def body(passage: Passage) -> str:
    """The text of a passage; one of several sections has the heading that it begins under above it."""
    inner = _INNER.search(passage.text)
    if inner is None or not passage.heading or passage.text.lstrip().startswith("#"):
        return passage.text
    return f"{inner[1]} {passage.heading}\n{passage.text}"


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def in_turn(lists: Iterable[Sequence[Passage]]) -> list[Passage]:
    """The first passages of all queries, then the second ones, and so on, each once: no query is crowded out."""
    rounds = zip_longest(*lists)
    return list({(p.url, p.text): p for of_round in rounds for p in of_round if p is not None}.values())


def counted(passages: Sequence[Passage]) -> str:
    """`3 of 14 passages`, or how many there are where nobody knows of how many."""
    of = getattr(passages, "of", 0)
    number = f"{len(passages)} of {of}" if of > len(passages) else str(len(passages))
    return f"{number} passage{'' if number == '1' else 's'}"


def why_lost(reasons: Sequence[str], lost: Sequence[Page]) -> str:
    """In words, why a query brought less than there may be: what its sources said, then its pages by reason.

    Example: `wikipedia: no answer in 5 s; needs a browser (shop.example); blocked by robots.txt (4 pages)`
    """
    causes = list(dict.fromkeys(reasons))[:_REASONS]
    pages: dict[str, list[str]] = {}
    for page in lost:
        reason = page.reason or "failed"
        pages.setdefault(_WHY.get(reason, reason.replace("_", " ")), []).append(_host(page.url))
    for reason, hosts in list(pages.items())[:_REASONS]:
        named = ", ".join(dict.fromkeys(filter(None, hosts)))
        causes.append(f"{reason} ({named if named and len(hosts) <= _HOSTS else _pages(len(hosts))})")
    return "; ".join(causes)


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
