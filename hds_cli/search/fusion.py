"""Results of several sources for one query as one list: ranks fused, addresses of one page taken together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from hds_cli.text import in_pieces, quote_words
from hds_cli.types import Page, SearchResult

T = TypeVar("T")
K = 60
_PORTS = {"http": 80, "https": 443}
# Parameters that say where a reader came from, by the names their makers document. A wider pattern (`ref`, `source`,
# `uid`, as link cleaners have it) would take different pages for one.
_TRACKING = frozenset(
    "utm_source utm_medium utm_campaign utm_term utm_content utm_id utm_source_platform utm_creative_format"
    " utm_marketing_tactic gclid gclsrc gbraid wbraid dclid fbclid msclkid yclid ysclid twclid ttclid igshid igsh"
    " mc_cid mc_eid mkt_tok _hsenc _hsmi".split()
)
_COMPARED = 200_000  # characters
MARKED = 30_000  # characters of a page whose checksum is kept: no run reads fewer
_LEAST_WORDS = 20  # shorter texts are alike by chance: "see the list", "no results"


class Listed(NamedTuple):
    """The results of one source, best first; `anchors`: its addresses with different fragments are different texts."""

    results: Sequence[SearchResult]
    anchors: bool = False


@dataclass(frozen=True, slots=True)
class Fused:
    """One page that the sources found: the best-ranked result, every address it has, and who found it at which rank."""

    result: SearchResult
    urls: tuple[str, ...]
    ranks: tuple[tuple[str, int], ...]
    score: float


def fuse(lists: Iterable[Listed], k: int = K) -> list[Fused]:
    """The results of all sources, best first.

    A page scores the sum of 1 / (`k` + its rank) over the lists it is in (Reciprocal Rank Fusion: Cormack, Clarke and
    Büttcher, SIGIR 2009). Equal scores are ordered by the best rank, then by the order of the lists.
    """
    groups: dict[str, list[tuple[int, int, SearchResult]]] = {}
    for place, listed in enumerate(lists):
        seen: set[str] = set()
        for rank, result in enumerate(listed.results, 1):
            key = identity(result.url, listed.anchors)
            if key not in seen:
                groups.setdefault(key, []).append((rank, place, result))
                seen.add(key)
    placed = [_fused(sorted(group, key=lambda entry: entry[:2]), k) for group in groups.values()]
    placed.sort(key=lambda entry: (-entry[0].score, entry[1], entry[2]))
    return [fused for fused, _, _ in placed]


def _fused(group: list[tuple[int, int, SearchResult]], k: int) -> tuple[Fused, int, int]:
    """The group as one result, its best rank, and the place of the list with that rank."""
    rank, place, best = group[0]
    urls = tuple(dict.fromkeys(result.url for _, _, result in group))
    ranks = tuple((result.source, rank) for rank, _, result in group)
    return Fused(best, urls, ranks, sum(1 / (k + rank) for rank, _, _ in group)), rank, place


def identity(url: str, anchors: bool = False) -> str:
    """The key of an address: two addresses of one web page have one key; any other address is its own.

    Nothing is ever fetched by a key. These make no difference (RFC 3986 6.2): http and https, a default port, the case
    of the host, percent-encoding, the order of parameters, tracking parameters, a slash at the end, the fragment. A
    fragment that is a route (`#/…`, `#!…`) does make one, and with `anchors` every fragment.
    """
    from w3lib.url import canonicalize_url

    try:
        parts = urlsplit(url)
        if parts.scheme.lower() not in _PORTS:
            return url
        route = parts.fragment if anchors or parts.fragment.startswith(("/", "!")) else ""
        parts = urlsplit(canonicalize_url(url))
        host = (parts.hostname or "").rstrip(".")
        port = f":{parts.port}" if parts.port not in (None, _PORTS[parts.scheme]) else ""
    except (ValueError, UnicodeError):
        return url
    query = "&".join(p for p in parts.query.split("&") if p.partition("=")[0].lower() not in _TRACKING)
    return f"//{host}{port}{parts.path.rstrip('/')}" + (f"?{query}" if query else "") + (f"#{route}" if route else "")


def checksum(text: str) -> str:
    """SHA-256 of the first `MARKED` characters of a page's text, as far as every run reads it."""
    return hashlib.sha256(text[:MARKED].encode("utf-8", "replace")).hexdigest()


def fingerprint(page: Page) -> str | None:
    """A hash of the words of a page, to know the same story at another address; None for a page of a few words."""
    made, number = hashlib.blake2b(digest_size=16), 0
    for piece in in_pieces(quote_words, page.text[:_COMPARED]):
        if piece:
            number += piece.count(" ") + 1
            made.update(f" {piece}".encode("utf-8", "replace"))
    return made.hexdigest() if number > _LEAST_WORDS else None


def without_copies(
    pages: Sequence[tuple[Page, T]], mark_of: Callable[[Page], str | None] = fingerprint
) -> tuple[list[tuple[Page, T]], list[tuple[Page, T]]]:
    """The pages without copies, and the copies: pages whose words an earlier page has. Both keep their order.

    Args:
        mark_of: a page's fingerprint.
    """
    kept: list[tuple[Page, T]] = []
    copies: list[tuple[Page, T]] = []
    seen: set[str] = set()
    for page, more in pages:
        mark = mark_of(page)
        (copies if mark in seen else kept).append((page, more))
        if mark is not None:
            seen.add(mark)
    return kept, copies
