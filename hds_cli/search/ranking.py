"""The ranking of documents for a query: BM25 over passages, then names, exact forms and neighbours, then mentions.

1. FTS5 finds the best passages; a title counts twice. Terms that stand nearly everywhere do not choose passages, they
   only add to the score of those that rarer terms chose (the idea of MaxScore, Turtle and Flood 1995).
2. The best of them are looked at again: words in the query's own form, and pairs of words side by side; and a title
   that the query names in full.
3. A question of several steps names only the first page; that one names the next. So documents whose titles the best
   two passages mention move up behind them.
"""

from __future__ import annotations

import itertools
import math
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hds_cli.search.query import Query, quoted, search_terms, title_key
from hds_cli.text import STOPWORDS, abbreviated, lone_letter, named_in, segmented, words

TITLE_WEIGHT, HEADING_WEIGHT = 2.0, 1.0
NAMED, EXACT, PAIR, QUOTED = 4.0, 0.15, 0.2, 0.5
LINK, KEPT, DECAY = 0.55, 0.5, 0.8
ROWS_BUDGET = 4000
LOOKED_AT = 50
LINKING_PASSAGES = 2
LINKING_TERMS = 4
_MOST_ALIKE = 5  # documents of one title: more of them are chapters or copies, and no mention means one of them
_LONGEST_NAME = 7
_TOKEN = re.compile(r"[\w'’.&-]+|[^\w\s]")
_CANDIDATES = f"""
SELECT found.score, cuts.doc, docs.title, docs.url, cuts.heading, cuts.text
FROM (SELECT rowid, bm25(passages, {TITLE_WEIGHT}, {HEADING_WEIGHT}, 1.0) AS score
      FROM passages WHERE passages MATCH ? ORDER BY score LIMIT ?) AS found
JOIN cuts ON cuts.id = found.rowid JOIN docs ON docs.id = cuts.doc
WHERE docs.pending = 0 ORDER BY found.score, docs.url, found.rowid
"""
_DATED = f"""
SELECT bm25(passages, {TITLE_WEIGHT}, {HEADING_WEIGHT}, 1.0) AS score, cuts.doc, docs.title, docs.url, cuts.heading,
       cuts.text
FROM passages JOIN cuts ON cuts.id = passages.rowid JOIN docs ON docs.id = cuts.doc
WHERE passages MATCH ? AND docs.pending = 0 AND docs.date != '' AND docs.date >= ? AND (? = '' OR docs.date < ?)
ORDER BY score, docs.url, passages.rowid LIMIT ?
"""

_Row = tuple[float, int, str, str, str, str]


@dataclass
class Candidate:
    """A document with its best passage."""

    doc: int
    title: str
    url: str
    heading: str
    text: str
    score: float


def best(db: sqlite3.Connection, query: Query, top_k: int) -> list[Candidate]:
    """The `top_k` documents for `query`, best first."""
    limit = max(200, 40 * top_k)
    if query.plain:
        idf, match = _plain(db, query)
    else:
        idf, match = dict.fromkeys(query.terms, 1.0), _strict(query)
    if not match:
        return []
    if query.after or query.before:
        rows = db.execute(_DATED, (match, query.after, query.before, query.before, limit)).fetchall()
    else:
        rows = db.execute(_CANDIDATES, (match, limit)).fetchall()
    candidates = _by_document(rows, query, idf)
    order = sorted(candidates.values(), key=_rank)
    if query.plain and len(query.terms) >= LINKING_TERMS:
        order = _with_mentioned(db, candidates, order)
    return order[:top_k]


def _rank(candidate: Candidate) -> tuple[float, str]:
    return (-candidate.score, candidate.url)


def _plain(db: sqlite3.Connection, query: Query) -> tuple[dict[str, float], str]:
    """Each term's idf, and the match: rare terms choose the passages, all terms count."""
    total = db.execute("SELECT max(id) FROM cuts").fetchone()[0] or 0
    rows = {term: holding(db, term) for term in query.terms}
    known = sorted((term for term in query.terms if rows[term]), key=lambda term: (rows[term], term))
    idf = {term: rarity(total, rows[term]) for term in known}
    size = 0
    rare: list[str] = []
    for term in known:
        if rare and size + rows[term] > ROWS_BUDGET:
            break
        size += rows[term]
        rare.append(_term(term))
    common = [_term(term) for term in known[len(rare) :]]
    if not common:
        return idf, _any(rare)
    # A rare term stands on both sides of the match and counts twice, so a common term is made to count twice too.
    return idf, f"{_any(rare)} AND {_any([*rare, *common, *common])}"


def holding(db: sqlite3.Connection, term: str) -> int:
    """The number of passages that hold a term."""
    return int(db.execute("SELECT count(*) FROM passages WHERE passages MATCH ?", (_term(term),)).fetchone()[0])


def rarity(total: int, rows: int) -> float:
    """The idf of a term that `rows` of `total` passages hold."""
    return math.log(1 + (max(0, total - rows) + 0.5) / (rows + 0.5))


def _term(term: str) -> str:
    # A single letter of a language without blanks is the beginning of a pair.
    return f'"{term}"*' if lone_letter(term) else f'"{term}"'


def _any(parts: Sequence[str]) -> str:
    return f"({' OR '.join(parts)})" if parts else ""


def _strict(query: Query) -> str:
    must = [quoted(words) for words in query.phrases] + [f"title : {quoted(words)}" for words in query.titles]
    any_of = [_term(term) for term in query.terms]
    return " AND ".join([f"({part})" for part in must] + ([_any(any_of)] if any_of else []))


class _Form:
    """The words of a query in their own form: folded, not stemmed."""

    def __init__(self, query: Query, idf: dict[str, float]) -> None:
        asked = words(segmented(query.text))
        content = [word for word in asked if word not in STOPWORDS]
        weight = {word: max((idf.get(term, 0.0) for term in search_terms(word)), default=0.0) for word in content}
        self._parts = {f" {word} ": EXACT * weight[word] for word in content}
        for a, b in itertools.pairwise(asked):
            if a in weight and b in weight:
                self._parts[f" {a} {b} "] = PAIR * min(weight[a], weight[b])
        for phrase in query.preferred:
            inside = words(segmented(phrase))
            self._parts[f" {' '.join(inside)} "] = QUOTED * sum(weight.get(word, 0.0) for word in inside)

    def points(self, title: str, text: str) -> float:
        """The points for forms of the query that stand in a passage or its title."""
        have = f" {' '.join(words(segmented(title)))} | {' '.join(words(segmented(text)))} "
        return sum(points for part, points in self._parts.items() if part in have)


def _by_document(rows: Iterable[_Row], query: Query, idf: dict[str, float]) -> dict[int, Candidate]:
    form = _Form(query, idf)
    candidates: dict[int, Candidate] = {}
    titles: dict[str, float] = {}
    for place, (score, doc, title, url, heading, text) in enumerate(rows):
        if title not in titles:
            titles[title] = NAMED * (named_in(title, query.terms) or bool(abbreviated(title, query.terms)))
        points = titles[title] - score
        if place < LOOKED_AT:
            points += form.points(title, text)
        if doc not in candidates or points > candidates[doc].score:
            candidates[doc] = Candidate(doc, title, url, heading, text, points)
    return candidates


def _with_mentioned(
    db: sqlite3.Connection, candidates: dict[int, Candidate], order: list[Candidate]
) -> list[Candidate]:
    """All candidates again, with the documents that the best passages mention by their titles."""
    sources = order[:LINKING_PASSAGES]
    given: dict[int, float] = {}
    for place, source in enumerate(sources):
        for doc in _mentioned(db, f"{source.heading}. {source.text}"):
            if all(doc != other.doc for other in sources):
                given[doc] = max(given.get(doc, 0.0), LINK * DECAY**place * source.score)
    for doc, points in given.items():
        if doc in candidates:
            candidates[doc].score = max(candidates[doc].score, KEPT * candidates[doc].score + points)
        elif one := _first_passage(db, doc, points):
            candidates[doc] = one
    return sorted(candidates.values(), key=_rank)


def _mentioned(db: sqlite3.Connection, text: str) -> list[int]:
    """Documents whose title is a name in `text`: from a capital letter or digit on, the longest there."""
    keys = _names(text)
    known: dict[str, list[int]] = {}
    for keys_part in _chunks(list(dict.fromkeys(key for names in keys for key in names))):
        marks = ",".join("?" * len(keys_part))
        rows = db.execute(f"SELECT key, id FROM docs WHERE key IN ({marks}) AND pending = 0 ORDER BY url", keys_part)
        for key, number in rows:
            known.setdefault(key, []).append(number)
    longest = (next((known[key] for key in names if key in known), []) for names in keys)
    return [number for numbers in longest if len(numbers) <= _MOST_ALIKE for number in numbers]


def _names(text: str) -> list[list[str]]:
    """For every place where a name may begin, the keys of what may be it, longest first."""
    tokens = _TOKEN.findall(text)
    keys = [title_key(token) for token in tokens]
    names = []
    for start, token in enumerate(tokens):
        if token[0].isupper() or token[0].isdigit():
            ends = range(min(len(tokens), start + _LONGEST_NAME), start, -1)
            keys_of_names = ("".join(keys[start : end - 1]) + _owner(keys[end - 1], tokens[end - 1]) for end in ends)
            names.append([key for key in dict.fromkeys(keys_of_names) if len(key) > 2])
    return names


def _owner(key: str, token: str) -> str:
    """The key of a name's last word, without the `s` of a genitive."""
    return key[:-1] if token.endswith(("'s", "’s")) else key


def _chunks(keys: list[str], size: int = 500) -> Iterable[list[str]]:
    return (keys[start : start + size] for start in range(0, len(keys), size))


def _first_passage(db: sqlite3.Connection, doc: int, points: float) -> Candidate | None:
    row = db.execute(
        "SELECT docs.title, docs.url, cuts.heading, cuts.text FROM docs JOIN cuts ON cuts.doc = docs.id "
        "WHERE docs.id = ? ORDER BY cuts.id LIMIT 1",
        (doc,),
    ).fetchone()
    return Candidate(doc, row[0], row[1], row[2], row[3], points) if row else None


def passage(db: sqlite3.Connection, cut: int) -> Candidate:
    """A passage by its number, as a candidate without points."""
    row = db.execute(
        "SELECT docs.id, docs.title, docs.url, cuts.heading, cuts.text FROM cuts JOIN docs ON docs.id = cuts.doc "
        "WHERE cuts.id = ?",
        (cut,),
    ).fetchone()
    return Candidate(row[0], row[1], row[2], row[3], row[4], 0.0)
