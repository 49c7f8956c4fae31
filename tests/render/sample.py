"""A made-up run like the one of the sketch, for every renderer's tests: two turns, seven queries, every kind of end."""

from __future__ import annotations

from typing import Any

from hds_cli import events as e
from hds_cli.types import Citation, Egress, ModelInfo, Passage, SearchResult, Seconds, Usage

QUESTION = "What are the capitals of the countries that border Austria?"
MODEL = ModelInfo(name="starter", file="starter.gguf", engine="llama_cpp", n_ctx=4096, dialect="hds")


def _search(t: float, turn: int, query: int, source: str, seconds: float, urls: list[tuple[str, str]]) -> e.Event:
    results = tuple(SearchResult(url, title, "…", rank, source) for rank, (url, title) in enumerate(urls, 1))
    return e.SearchFinished(t=t, turn=turn, query=query, source=source, seconds=seconds, results=results)


def _page(t: float, query: int, url: str, title: str, status: str, size: int = 0, reason: str | None = None) -> e.Event:
    return e.PageFinished(t=t, turn=2, query=query, url=url, title=title, status=status,  # type: ignore[arg-type]
                          bytes=size, seconds=0.3 if size else 0.0, reason=reason)  # fmt: skip


GERMANY = ("https://en.wikipedia.org/wiki/Germany", "Germany")
BERLIN = ("https://www.britannica.com/place/Berlin", "Berlin")
ATLAS = ("https://atlas.example/de", "Germany in the atlas")
ITALY = ("https://it.example/", "Italia")
ROME = ("https://rome.example/", "Rome 羅馬, the eternal city of many emperors and popes")
NAMES = ["Germany", "Italy", "Hungary", "Liechtenstein", "Slovenia", "Slovakia"]


def first_turn() -> list[e.Event]:
    """The question, one query, one cached page."""
    austria = ("world://Austria", "Austria")
    return [
        e.RunStarted(run_id="7f3k", question=QUESTION, sources=("world", "web"), model=MODEL, started_at="2026-01-01"),
        e.TurnStarted(t=0.1, turn=1),
        e.ThoughtDelta(t=0.2, turn=1, text="I need the "),
        e.ThoughtDelta(t=0.3, turn=1, text="neighbours first."),
        e.QueryProposed(t=0.4, turn=1, query=1, text="countries that border Austria"),
        e.SearchStarted(t=0.4, turn=1, query=1, source="world"),
        _search(0.41, 1, 1, "world", 0.01, [austria]),
        e.PageRequested(t=0.41, turn=1, query=1, url=austria[0], title=austria[1]),
        e.Thought(t=0.45, turn=1, text="I need the neighbours first."),
        e.PageFinished(t=0.46, turn=1, query=1, url=austria[0], title=austria[1], status="cached"),
        e.EvidenceSelected(t=0.8, turn=1, query=1, passages=(Passage(austria[0], "Austria", "It borders …", 1),)),
        e.TurnFinished(t=1.0, turn=1, seconds=0.9, generated_tokens=20),
    ]


def second_turn() -> list[e.Event]:
    """Six queries at once: one done, one half-way, two failed, one just sent, one repeated; then as far as 2.1 s."""
    run: list[e.Event] = [
        e.TurnStarted(t=1.0, turn=2),
        e.Thought(t=1.3, turn=2, text="Austria borders 8 countries. Now their capitals, all at once."),
    ]
    for number, name in enumerate(NAMES, 1):
        run.append(e.QueryProposed(t=1.3, turn=2, query=number, text=f"capital of {name}", repeated=number == 6))
    run += [e.SearchStarted(t=1.35, turn=2, query=n, source="web") for n in range(1, 6)]
    run.append(_search(1.4, 2, 1, "web", 0.05, [GERMANY, BERLIN, ATLAS]))
    run += [e.PageRequested(t=1.4, turn=2, query=1, url=u, title=t) for u, t in (GERMANY, BERLIN, ATLAS)]
    run += [_page(1.7, 1, *GERMANY, "fetched", 42000), _page(1.72, 1, *BERLIN, "fetched", 18000)]
    run += [_page(1.75, 1, *ATLAS, "failed", reason="http_403")]
    run.append(_search(1.5, 2, 2, "web", 0.15, [ITALY, ROME]))
    run += [e.PageRequested(t=1.5, turn=2, query=2, url=u, title=t) for u, t in (ITALY, ROME)]
    run.append(_page(1.8, 2, *ITALY, "fetched", 9000))
    for query, code, said in ((3, "http_429", "rate limited, again in 4 s"), (4, "timeout", "no answer in 8 s")):
        error = {"code": code, "message": said}
        run.append(e.SearchFinished(t=2.0, turn=2, query=query, source="web", seconds=0.65, error=error))
    return run


def ending() -> list[e.Event]:
    """What was awaited arrives, the answer is written, the run is over."""
    citations = (
        Citation(1, "world://Austria", "Austria", "Austria borders Germany, Switzerland, Italy.", True),
        Citation(2, GERMANY[0], "Germany", "Its capital is Berlin.", True),
        Citation(3, ITALY[0], "Italia", "La capitale è Roma.", False),
    )
    usage = Usage(900, 1000, 400, 123, Seconds(3.8, 3.0, 0.9, 0.8, 0.1, 0.7))
    return [
        _page(2.2, 2, *ROME, "cached"),
        _search(2.3, 2, 5, "web", 0.95, []),
        e.EvidenceSelected(t=2.4, turn=2, query=1, passages=(Passage(GERMANY[0], "Germany", "Berlin …", 2),)),
        e.EvidenceSelected(t=2.4, turn=2, query=2, passages=(Passage(ITALY[0], "Italia", "Roma …", 3),)),
        e.TurnFinished(t=2.5, turn=2, seconds=1.5, generated_tokens=80),
        e.TurnStarted(t=2.5, turn=3),
        e.AnswerDelta(t=2.9, text="Berlin and "),
        e.AnswerDelta(t=3.0, text="Rome."),
        e.TurnFinished(t=3.1, turn=3, seconds=0.6, generated_tokens=23),
        e.RunFinished(t=3.8, status="answered", answer="Berlin and Rome.", explanation=None, citations=citations,
                      usage=usage, egress=(Egress("en.wikipedia.org", 1, 42000),), finished_at="2026-01-02"),
    ]  # fmt: skip


def whole_run() -> list[e.Event]:
    return first_turn() + second_turn() + ending()


def _town(turn: int, query: int, rank: int) -> SearchResult:
    name = f"{turn}{query}{rank}"
    return SearchResult(f"https://town{name}.example/bridge", f"The old bridge of town {name}", "", rank, "searxng")


def _district(turn: int, query: int, t: float) -> list[e.Event]:
    """A query of the big run from its text to its five pages, every ninth of them refused."""
    at: dict[str, Any] = {"turn": turn, "query": query}
    found = tuple(_town(turn, query, rank) for rank in range(1, 6))
    took = 0.1 + 0.07 * (query * turn % 8)
    run: list[e.Event] = [
        e.QueryProposed(t=t, text=f"bridges older than 1800 in district {turn}.{query} of the region", **at),
        e.SearchStarted(t=t, source="searxng", **at),
        e.SearchFinished(t=t + took, source="searxng", seconds=took, results=found, **at),
    ]
    for place, result in enumerate(found):
        page = 0.1 + 0.13 * ((place * 7 + query * 3 + turn) % 11)
        refused = (place + query + turn) % 9 == 0
        run.append(e.PageRequested(t=t + took, url=result.url, title=result.title, **at))
        run.append(
            e.PageFinished(t=t + took + page, url=result.url, title=result.title, seconds=page, extract_seconds=0.06,
                           status="failed" if refused else "fetched", reason="http_403" if refused else None,
                           bytes=0 if refused else int(page * 30000), **at)
        )  # fmt: skip
    return run


def big_run() -> list[e.Event]:
    """Five turns of eight queries, 200 pages, 200 citations."""
    question = "Which of the two hundred towns of the region have a bridge older than 1800, and who built each of them?"
    run: list[e.Event] = [e.RunStarted(run_id="big1", question=question, sources=("searxng",), model=MODEL)]
    citations: list[Citation] = []
    t = 0.2
    for turn in range(1, 6):
        branches = [event for query in range(1, 9) for event in _district(turn, query, t + 0.5 + 0.15 * query)]
        branches.append(e.Thought(t=t + 1.9, turn=turn, text=f"District {turn} next: eight places at once."))
        run += [e.TurnStarted(t=t, turn=turn), *sorted(branches, key=lambda event: event.t)]
        read = run[-1].t + 0.05
        for query in range(1, 9):
            passages = []
            for rank in range(1, 6):
                n, town = len(citations) + 1, _town(turn, query, rank)
                quote = f"Its bridge of {1500 + n} was built by master {n}"
                passages.append(
                    Passage(town.url, town.title, f"The town lies on a river. {quote}. It is still used.", n)
                )
                citations.append(Citation(n, town.url, town.title, quote, n % 9 != 0, "2026-01-01T10:00:00Z"))
            run.append(e.EvidenceSelected(t=read, turn=turn, query=query, passages=tuple(passages)))
        run.append(e.TurnFinished(t=read + 0.9, turn=turn, seconds=read + 0.9 - t, generated_tokens=99))
        t = read + 0.9
    said = "The bridge of the first town was built in 1501 [1]. That of the last in 1700 [200]."
    end = e.RunFinished(t=t + 2, status="answered", answer="All of them", explanation=said, citations=tuple(citations))
    return [*run, e.TurnStarted(t=t, turn=6), e.TurnFinished(t=t + 1.9, turn=6, seconds=1.9), end]
