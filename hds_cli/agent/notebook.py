"""The notebook of a run: its queries, the passages it read with their numbers, and the pages they stand in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hds_cli.agent import protocol
from hds_cli.agent.documents import Attached
from hds_cli.agent.earlier import DoneTurn, pages
from hds_cli.agent.evidence import Budget, Evidence
from hds_cli.agent.listing import Selection, more_of, visit_of
from hds_cli.agent.selectors.base import never
from hds_cli.types import Citation, Findings, Page, Passage


class Notebook:
    """The memory of one run.

    Args:
        evidence: chooses and numbers the passages.
        page_of: a page that the searches of this run led to.
    """

    def __init__(self, question: str, evidence: Evidence, page_of: Callable[[str], Page | None]) -> None:
        self.question = question
        self.read: list[tuple[str, Passage]] = []
        """(query, passage) in the order in which the model read them."""
        self._evidence, self._page_of = evidence, page_of
        self.found: set[str] = set()
        """The addresses of the pages that its searches led to."""
        self.queries: list[str] = []
        """The queries that were searched, in order."""
        self._asked: set[str] = set()
        self._waiting: dict[str, str] = {}
        self._late: set[str] = set()
        self._due: set[str] = set()
        self._attached: dict[str, Page] = {}
        self._recorded: dict[str, Page] = {}
        self.late: Callable[[], bool] = never
        """True once nobody is to wait for more reading in pages."""

    @property
    def asked(self) -> bool:
        """True when a query was proposed."""
        return bool(self.queries or self._waiting)

    @property
    def numbers(self) -> set[int]:
        """The numbers of all passages that the model read."""
        return {passage.n for _, passage in self.read}

    @property
    def not_searched(self) -> tuple[str, ...]:
        """The queries that were proposed and never searched, or never answered in time, in order."""
        return tuple(self._waiting.values())

    @property
    def waiting(self) -> tuple[str, ...]:
        """Those of them that are searched in the next turn: all but what was late twice."""
        return tuple(query for key, query in self._waiting.items() if key in self._due)

    def put_off(self, query: str, *, late: bool = False) -> bool:
        """Note a query that there was no room for, or (`late`) no time: True when the next turn searches it.

        One that was late twice is left to the model, which may ask it again.
        """
        key = protocol.query_key(query)
        self._waiting.setdefault(key, query)
        self._asked.discard(key)
        if due := not (late and key in self._late):
            self._due.add(key)
        if late:
            self._late.add(key)
        return due

    def forget(self, query: str) -> None:
        """Let a query be asked again that led to pages which were not there in time."""
        self._asked.discard(protocol.query_key(query))

    def is_new(self, query: str) -> bool:
        """Note a query; False when the run has asked it before."""
        key = protocol.query_key(query)
        new = key not in self._asked
        self._asked.add(key)
        self._waiting.pop(key, None)
        self._due.discard(key)
        if new and query not in self.queries:
            self.queries.append(query)
        return new

    def choose(self, searched: Sequence[tuple[str, Sequence[Page]]], budget: Budget) -> list[Selection]:
        """The passages to read of the pages that the queries of a turn led to; `more: [3]` reads on in a page."""
        self.found |= {page.url for _, pages in searched for page in pages}
        visits = {query: visit for query, _ in searched if (visit := visit_of(query))}
        plain = [one for one in searched if more_of(one[0]) is None and one[0] not in visits]
        rest = iter(self._evidence.select(plain, budget))
        share = replace(budget, tokens=budget.tokens // max(1, len(searched)))
        chosen = []
        for query, its_pages in searched:
            if visit := visits.get(query):
                chosen.append(self._evidence.visit(visit.goal or self.question, its_pages, share))
            elif (number := more_of(query)) is not None:
                chosen.append(self._evidence.more(number, its_pages, budget))
            else:
                chosen.append(next(rest))
        return chosen

    def page_of(self, number: int) -> list[Page]:
        """The page that a passage is from, if it is one of this run."""
        url = next((passage.url for _, passage in self.read if passage.n == number), None)
        page = self.page(url) if url is not None else None
        return [page] if page else []

    def nothing_on(self) -> str | None:
        """That pages were read and had nothing on what was asked for; None when there were none."""
        if not self.found:
            return None
        pages = "1 page was" if len(self.found) == 1 else f"{len(self.found)} pages were"
        return f"{pages} read, and nothing in them was on: {'; '.join(self.queries)}"

    def note(self, query: str, passages: Sequence[Passage]) -> None:
        """The model reads `passages` for `query`."""
        self.read += [(query, passage) for passage in passages]

    def attach(self, page: Page, budget: Budget) -> Attached:
        """Take in a document that came with the question: all of it, or what the model reads of it."""
        self._attached[page.url] = page
        document = self._evidence.attach(self.question, page, budget)
        self.note(self.question, document.passages)
        return document

    def know(self, findings: Sequence[Findings]) -> None:
        """Take in what an earlier run read: it can be cited, and the page is what was kept of it."""
        self._evidence.restore([passage for entry in findings for passage in entry.passages])
        for entry in findings:
            self.note(entry.query, entry.passages)
        self._recorded |= pages(passage for _, passage in self.read)

    def described(self, citation: Citation) -> Citation:
        """The source with what its page says of who wrote it, and when."""
        page = self.page(citation.url)
        return replace(citation, author=page.author, date=page.date) if page else citation

    def replay(self, turn: DoneTurn) -> list[tuple[str, Sequence[Passage] | str]]:
        """Take in a finished turn of an earlier run; the results of its queries as the model read them."""
        self.know([Findings(turn.queries[n - 1], passages) for n, passages in turn.evidence.items()])
        results: list[tuple[str, Sequence[Passage] | str]] = []
        for number, query in enumerate(turn.queries, 1):
            self.is_new(query)
            results.append((query, turn.evidence.get(number, protocol.REPEATED)))
            if query in turn.not_searched:
                results[-1] = query, protocol.NO_TIME if self.put_off(query, late=True) else protocol.NO_TIME_AGAIN
        for query in turn.not_searched:
            if query not in turn.queries:
                results.append((query, protocol.NOT_SEARCHED))
                self.put_off(query)
        return results

    def kept(self, url: str) -> Page | None:
        """A document that came with the question, or what an earlier run kept of a page."""
        return self._attached.get(url) or self._recorded.get(url)

    def page(self, url: str) -> Page | None:
        """A page of this run; with what an earlier run kept of it, as it may have changed since."""
        page, kept = self._attached.get(url) or self._page_of(url), self._recorded.get(url)
        if page is None or kept is None:
            return page or kept
        return replace(page, text=f"{page.text}\n\n{kept.text}")
