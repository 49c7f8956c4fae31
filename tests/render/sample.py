"""A made-up run like the one of the sketch, for every renderer's tests: two turns, seven queries, every kind of end."""

from __future__ import annotations

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
