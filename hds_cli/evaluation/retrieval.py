"""The retrieval bench: how well sources find, and selectors keep, the pages a question needs. No model."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from hds_cli.agent.evidence import Budget, Evidence
from hds_cli.agent.selectors.base import about_tokens
from hds_cli.agent.selectors.door import selector as selector_named
from hds_cli.evaluation.ranking import ndcg, recall, reciprocal_rank
from hds_cli.evaluation.relevance import Bench, Topic
from hds_cli.search.fusion import Listed, fuse
from hds_cli.text import quote_words
from hds_cli.types import Page, Passage, SearchResult

SCHEMA = "hds.eval.retrieval/1"
CUTS = (2, 5, 10, 20, 100)
_RANKED = 10  # nDCG and MRR look at the first ten
_STEP = 5  # results of each gold sub-query
_PAGES, _PASSAGES, _TOKENS = 5, 4, 1500  # pages given to a selector, passages and tokens it may keep
Row = dict[str, float]
Search = Callable[[str, int], Awaitable[Sequence[SearchResult]]]


@dataclass(frozen=True)
class Finding:
    """The means over a set's topics, in percent: of one source, and of one selector if that was asked."""

    bench: str
    source: str
    selector: str | None
    n: int
    figures: dict[str, float | None]
    kinds: tuple[Finding, ...] = ()
    """The same by the kind of question, where a set has several."""

    def to_dict(self) -> dict[str, Any]:
        kinds = {kind.bench: {"n": kind.n, **kind.figures} for kind in self.kinds}
        found = {"set": self.bench, "source": self.source, "selector": self.selector, "n": self.n, **self.figures}
        return found | ({"kinds": kinds} if kinds else {})


def _finding(bench: Bench, source: str, selector: str | None, topics: Sequence[Topic], rows: Sequence[Row]) -> Finding:
    of: dict[str, list[Row]] = {}
    for topic, row in zip(topics, rows, strict=True):
        of.setdefault(topic.kind, []).append(row)
    kinds = [Finding(kind or "other", source, selector, len(of[kind]), _means(of[kind])) for kind in sorted(of)]
    return Finding(bench.name, source, selector, len(topics), _means(rows), tuple(kinds) if len(of) > 1 else ())


def rewritten(search: Search, bench: Bench, queries: Mapping[str, Sequence[str]]) -> Search:
    """A search that asks, in place of a question, the queries that are known for it; their ranks are fused (RRF)."""
    known = {topic.query: queries[topic.id] for topic in bench.topics if topic.id in queries}

    async def fused(query: str, top_k: int) -> list[SearchResult]:
        lists = [Listed(await search(text, top_k), anchors=True) for text in known.get(query, (query,))]
        return [page.result for page in fuse(lists)][:top_k]

    return fused


async def rank(
    bench: Bench, source: str, search: Search, top_k: int, limit: int | None, on_topic: Callable[[], None]
) -> Finding:
    """How well a source ranks, for the whole question as the only query and for the union of the gold sub-queries.

    Args:
        top_k: results asked for; recall is given up to there.
    """
    rows = []
    topics = bench.topics[:limit]
    for topic in topics:
        rows.append(_ranked(bench, topic, await search(topic.query, top_k), top_k) | await _steps(bench, topic, search))
        on_topic()
    return _finding(bench, source, None, topics, rows)


def _ranked(bench: Bench, topic: Topic, results: Sequence[SearchResult], top_k: int) -> dict[str, float]:
    ranked = [_key(bench, topic, result) for result in results]
    figures = {f"R@{k}": recall(ranked, topic.grades, k) for k in CUTS if k <= top_k}
    figures["all@10"] = float(recall(ranked, topic.grades, 10) == 1.0)
    return figures | {
        f"nDCG@{_RANKED}": ndcg(ranked, topic.grades, _RANKED),
        f"MRR@{_RANKED}": reciprocal_rank(ranked, topic.grades, _RANKED),
    }


def _key(bench: Bench, topic: Topic, result: SearchResult) -> str:
    """The name by which the topic knows a page, or any other one."""
    keys = bench.keys(result)
    return next((key for key in keys if key in topic.grades), min(keys, default=result.url))


async def _steps(bench: Bench, topic: Topic, search: Search) -> dict[str, float]:
    if not topic.steps:
        return {}
    keys = [_key(bench, topic, r) for step in topic.steps for r in await search(step, _STEP)]
    share = recall(keys, topic.grades, len(keys))
    return {f"sub{_STEP}": share, f"sub{_STEP} all": float(share == 1.0)}


async def choose(
    bench: Bench,
    source: str,
    search: Search,
    read: Callable[[str], Awaitable[Page | None]],
    selector: str,
    limit: int | None,
    on_topic: Callable[[], None],
    distractors: int = 0,
) -> Finding:
    """How well a selector keeps what the first pages hold: the supporting pages, and the answer in its passages.

    Args:
        distractors: pages of other questions that it is given behind them.

    Raises:
        PluginError: there is no such selector, or it fails.
    """
    chooser = selector_named(selector)
    rows = []
    topics = bench.topics[:limit]
    for place, topic in enumerate(topics):
        pages = [page for r in await search(topic.query, _PAGES) if (page := await read(r.url))]
        others = [*bench.topics[place + 1 :], *bench.topics[:place]]
        pages += await _distracting(bench, topic, others, search, read, {page.url for page in pages}, distractors)
        evidence = Evidence(topic.query, about_tokens, chooser)
        (passages,) = evidence.select([(topic.query, pages)], Budget(_TOKENS, _PASSAGES))
        rows.append(_kept(bench, topic, pages, passages))
        on_topic()
    return _finding(bench, source, selector, topics, rows)


async def _distracting(
    bench: Bench, topic: Topic, others: Sequence[Topic], search: Search,
    read: Callable[[str], Awaitable[Page | None]], known: set[str], count: int,
) -> list[Page]:  # fmt: skip
    """As many pages as are wanted that the searches of other questions find first, none of them relevant to this."""
    found: list[Page] = []
    for other in others:
        if len(found) >= count:
            break
        for result in await search(other.query, 1):
            if result.url in known or topic.grades.get(_key(bench, topic, result), 0) > 0:
                continue
            known.add(result.url)
            found += [page] if (page := await read(result.url)) else []
    return found


def _kept(bench: Bench, topic: Topic, pages: Sequence[Page], passages: Sequence[Passage]) -> dict[str, float]:
    given = [_key(bench, topic, SearchResult(page.url, page.title)) for page in pages]
    kept = [_key(bench, topic, SearchResult(p.url, p.title)) for p in passages]
    relevant = sum(topic.grades.get(key, 0) > 0 for key in kept)
    figures = {
        "pages given": recall(given, topic.grades, len(given)),
        "pages kept": recall(kept, topic.grades, len(kept)),
        "precision": relevant / len(kept) if kept else 0.0,
    }
    text = f" {' '.join(quote_words(p.text) for p in passages)} "
    if topic.nuggets:
        figures["nuggets kept"] = fmean(f" {quote_words(one)} " in text for one in topic.nuggets)
    if topic.answers:
        figures["answer kept"] = float(any(f" {quote_words(answer)} " in text for answer in topic.answers))
    return figures


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float | None]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: round(100.0 * fmean(row[name] for row in rows if name in row), 2) for name in names}


def overall(findings: Sequence[Finding]) -> list[Finding]:
    """The means over several sets, each set counting the same; one for each source and selector."""
    groups: dict[tuple[str, str | None], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.source, finding.selector), []).append(finding)
    return [
        replace(of[0], bench="mean of the sets", n=sum(f.n for f in of), figures=_over(of), kinds=())
        for of in groups.values()
        if len(of) > 1
    ]


def _over(findings: Sequence[Finding]) -> dict[str, float | None]:
    names = dict.fromkeys(name for finding in findings for name in finding.figures)
    known = {name: [v for f in findings if (v := f.figures.get(name)) is not None] for name in names}
    return {name: round(fmean(values), 2) for name, values in known.items()}
