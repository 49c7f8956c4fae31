"""A method that has a query searched once more in other words, when it brought nothing or nothing new.

The rule for when is that of SmartSearch (arXiv 2601.04888): the documents of a query are counted that an earlier step
brought already. Other words come from the model where it can, else from a rule: a question becomes its keywords, and
what was read already is left out.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence

from hds_cli import jsons
from hds_cli.agent.methods.base import Method
from hds_cli.agent.notebook import Notebook
from hds_cli.agent.protocol import clean_query, query_key
from hds_cli.agent.verdict import Verdict
from hds_cli.engine.base import Segment
from hds_cli.text import STOPWORDS, fold, terms
from hds_cli.types import Page

MOST_IN_TURN = 2
NOTHING, KNOWN = "It found nothing.", "It found only pages that were read already."
SYSTEM = "You reword search queries. You answer in JSON."
GRAMMAR = (
    'root ::= "{\\"query\\": \\"" char char char+ "\\"}"\n'
    'char ::= [^"\\\\\\x00-\\x1f]\n'
)  # fmt: skip
TOKENS = 96
_MOST = 200  # characters of a query in other words
_LEAST = 2  # words of one that the rule makes
_ASKING = frozenset("can could give list many me much name not please show tell there".split())
_READ, _MOST_VALUES = 4000, 100  # characters and values of an answer
_FENCED = re.compile(r"```[^\n`]{0,40}\n([^`]*)")
_CONTROL = re.compile(r"[\x00-\x1f]")
_BRACE = re.compile(r"[{}]")
_WORD = re.compile(r"[^\s\"“”«»;,:?!()\[\]]+")

Reword = Callable[[str, str, str], str]
"""(the question of the run, a query, what is wrong with it) -> an answer by `GRAMMAR`, or nothing."""


class Refine(Method):
    """Rewords a query whose results are all known or empty: once for each, twice a turn.

    Args:
        reword: asks a model; None, or an answer of no use: the rule alone.
        settle: called when the model of the run does not write: what the calls took can be counted now.
    """

    name = "refine"

    def __init__(self, reword: Reword | None = None, settle: Callable[[], None] = lambda: None) -> None:
        self._reword, self._settle = reword, settle
        self._question, self._book = "", None  # type: tuple[str, Notebook | None]
        self._known: set[str] = set()
        self._new: set[str] = set()
        self._left = MOST_IN_TURN
        self._lock = threading.Lock()

    def began(self, question: str, book: Notebook) -> None:
        self._question, self._book = question, book

    def searched(self, query: str, pages: Sequence[Page]) -> str | None:
        """Another wording of a query that brought no page that an earlier turn had not."""
        urls = {page.url for page in pages}
        with self._lock:
            self._new |= urls
            if urls - self._known or not self._left:
                return None
            self._left -= 1
        wording = self._asked(query, KNOWN if urls else NOTHING) or reworded(query, [page.title for page in pages])
        return wording if wording and self._is_new(wording, query) else None

    def read(self, turn: int, book: Notebook) -> Sequence[Segment]:
        """A turn is over: its pages are known from now on."""
        with self._lock:
            self._known, self._new, self._left = self._known | self._new, set(), MOST_IN_TURN
        self._settle()
        return ()

    def judged(self, verdict: Verdict, book: Notebook) -> Verdict:
        self._settle()
        return verdict

    def _asked(self, query: str, issue: str) -> str:
        if self._reword is None:
            return ""
        wording = parsed(self._reword(self._question, query, issue))
        return wording if self._is_new(wording, query) else ""

    def _is_new(self, wording: str, query: str) -> bool:
        asked = {query_key(one) for one in (query, *(self._book.queries if self._book else ()))}
        return query_key(wording) not in asked


def reworded(query: str, read: Sequence[str]) -> str:
    """A query in other words by rule; empty where there are none.

    Its keywords; where it is no more than those, they without the words of the titles that were read already, or,
    where nothing was found, its names and numbers alone.

    Args:
        read: titles of the pages that it found.
    """
    words = [word.strip("'’.-") for word in _WORD.findall(query[:_MOST])]
    keywords = [word for word in words if word and fold(word) not in STOPWORDS | _ASKING]
    if query_key(" ".join(keywords)) != query_key(query) and len(keywords) >= _LEAST:
        return clean_query(" ".join(keywords))
    titled = {term for title in read for term in terms(title[:_MOST])}
    fewer = [word for word in keywords if (not titled & set(terms(word)) if read else _names(word))]
    return clean_query(" ".join(fewer)) if _LEAST <= len(fewer) < len(keywords) else ""


def _names(word: str) -> bool:
    return word[:1].isupper() or any(c.isdigit() for c in word)


def task(question: str, query: str, issue: str) -> str:
    """What the model is asked."""
    return (
        f"Question: {question}\nSearch query: {query}\n{issue}\n\n"
        "Write one other search query that may find what this one did not: a question as keywords or keywords as a "
        'question, other words for the same thing, or a narrower part of the question.\n{"query": …}'
    )


def parsed(written: str) -> str:
    """The query of an answer: in JSON by `GRAMMAR`, in a fence or not, or a line of a fence; empty: none is of use."""
    written = written[:_READ]
    fenced = _FENCED.search(written)
    for body in (fenced[1], written) if fenced else (written,):
        query = _stated(body)
        if query is not None:
            return query
    lines = (clean_query(line) for line in fenced[1].splitlines()) if fenced else ()
    return next((line[:_MOST] for line in lines if line and not _BRACE.search(line)), "")


def _stated(body: str) -> str | None:
    """The query of the JSON in a text; None: there is no JSON."""
    body = _CONTROL.sub(" ", body[body.find("{") : body.rfind("}") + 1])
    try:
        said = jsons.loads(body.encode("utf-8", "replace"), _MOST_VALUES)
    except ValueError:
        return None
    query = said.get("query") if isinstance(said, dict) else None
    return clean_query(query)[:_MOST] if isinstance(query, str) else ""


__all__ = ["GRAMMAR", "KNOWN", "NOTHING", "SYSTEM", "TOKENS", "Refine", "parsed", "reworded", "task"]
