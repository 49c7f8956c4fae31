"""`hds history replay --rerun`: the same question, settings and seed once more, and where it comes out differently."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hds_cli import config, events
from hds_cli.agent.protocol import query_key
from hds_cli.commands import _earlier, _print, _saved
from hds_cli.config import Settings
from hds_cli.desk.desk import desk
from hds_cli.engine.opening import find_model
from hds_cli.errors import HdsError, UsageError
from hds_cli.render.display import Display
from hds_cli.run_state import RunState
from hds_cli.search.base import Source, SourceContext
from hds_cli.threads import in_daemon
from hds_cli.types import SearchResult

_ASPECTS = ("queries", "pages", "evidence", "answer")


@dataclass(frozen=True)
class Difference:
    """One aspect of two runs: how many things both have, and what only one of them has."""

    aspect: str
    both: int
    only_then: tuple[str, ...]
    only_now: tuple[str, ...]

    @property
    def same(self) -> bool:
        return not self.only_then and not self.only_now


class Recorded:
    """A web source played back: a query of the run gets its results of then, any other the pages on disk.

    Args:
        results: what it found then, by the key of the query.
        context: where the pages on disk are.
    """

    needs_network = False

    def __init__(self, name: str, results: dict[str, list[SearchResult]], context: SourceContext) -> None:
        self.name, self._results, self._pages = name, results, context.pages

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        results = self._results.get(query_key(query))
        if results is not None:
            return results[:top_k]
        return await in_daemon(self._pages.search, query, top_k) if self._pages else []


def rerun(name: str, *, offline: bool, as_json: bool) -> None:
    """Ask again what a run asked, and print the differences.

    Raises:
        UsageError: the run cannot be asked again.
        HdsError: the model or a source is missing.
    """
    run = _saved.events_of(name)
    then = RunState.of(run)
    started = then.started
    assert started is not None  # `events_of` gives no run without its beginning
    if then.continued or then.documents:
        raise UsageError(
            "a run that continued another, or read an attached document, cannot be asked again alone",
            hint=f"hds history replay {started.run_id}",
        )
    if started.sections:
        raise UsageError(
            "a report is not asked again section by section", hint=f'hds ask --report "{started.question[:60]}"'
        )
    if started.tries:
        raise UsageError(
            "a run of several tries is not asked again try by try",
            hint=f'hds ask --rollouts {started.tries} "{started.question[:60]}"',
        )
    flags = {key: value for key, value in _earlier.settings_of(run).items() if value is not None}
    settings = config.load(flags | {"source": started.sources, "offline": offline or started.offline or None})
    display = Display(_saved.look_of("text", None), sys.stdout, sys.stderr)
    try:
        again = asyncio.run(_ask(started, then, settings, display))
    finally:
        display.close()
    differences = compare(then, again)
    lines = [line for difference in differences for line in _lines(difference)]
    _print.result("hds.rerun/1", _document(started.run_id, differences), lines, as_json=as_json)


async def _ask(started: events.RunStarted, run: RunState, settings: Settings, display: Display) -> RunState:
    again = RunState()

    def emit(event: events.Event) -> None:
        again.apply(event)
        display.handle(event)

    async with desk(find_model(settings), settings, lambda context: _sources(started, run, context)) as place:
        if place.model.info.sha256 != started.model.sha256:
            _print.say("the model's file is not the one of that run")
        try:
            await place.answer(started.question, emit)
        except HdsError as exc:  # how it ended is in its last event, and is compared
            _print.say(exc.message)
    return again


def _sources(started: events.RunStarted, run: RunState, context: SourceContext) -> list[Source]:
    """The sources of a run; offline, those of the web as they were."""
    from hds_cli.search.sources import open_sources

    opened: list[Source] = []
    for name in started.sources:
        try:
            opened += open_sources([name], context)
        except HdsError:
            if not context.settings.offline:
                raise
            opened.append(Recorded(name, _results(run, name), context))
    return opened


def _results(run: RunState, source: str) -> dict[str, list[SearchResult]]:
    """The results of a source in a run, by the key of the query."""
    searches = ((query_key(query.text), query.searches.get(source)) for query in run.queries)
    return {
        key: list(search.results)
        for key, search in searches
        if search and search.finished is not None and not search.error
    }


def compare(then: RunState, now: RunState) -> list[Difference]:
    """The differences of two runs: queries by their keys, pages by address, evidence by its words, and the answer."""
    differences = []
    for aspect, old, new in zip(_ASPECTS, _aspects(then), _aspects(now), strict=True):
        gone = tuple(text for key, text in old.items() if key not in new)
        come = tuple(text for key, text in new.items() if key not in old)
        differences.append(Difference(aspect, len(old.keys() & new.keys()), gone, come))
    return differences


def _aspects(run: RunState) -> tuple[dict[str, str], ...]:
    """For each aspect (queries, pages, evidence, answer) a dictionary: the key that is compared -> the text shown."""
    queries: dict[str, str] = {}
    pages: dict[str, str] = {}
    evidence: dict[str, str] = {}
    for turn in run.turns.values():
        for query in turn.queries.values():
            queries[f"{turn.number} {query_key(query.text)}"] = f"turn {turn.number}: {query.text}"
            pages |= {page.url: page.url for page in query.pages.values() if page.ok}
            evidence |= {f"{p.url} {p.text}": f"{p.title}: {p.text}" for p in query.passages or ()}
    if run.finished is None:
        return queries, pages, evidence, {}
    answer = run.finished.answer or f"no answer ({run.finished.reason})"
    return queries, pages, evidence, {answer: answer}


def _lines(difference: Difference) -> list[str]:
    from hds_cli.render.text import one_line

    if difference.same:
        return [f"{difference.aspect:9} the same" + (f" ({difference.both})" if difference.aspect != "answer" else "")]
    only = f"{len(difference.only_then)} only then, {len(difference.only_now)} only now"
    head = f"{difference.aspect:9} {difference.both} the same, {only}"
    marked = [("-", text) for text in difference.only_then] + [("+", text) for text in difference.only_now]
    return [head, *(f"  {mark} {one_line(text, 160)}" for mark, text in marked)]


def _document(run_id: str, differences: Sequence[Difference]) -> dict[str, object]:
    return {
        "run_id": run_id,
        "same": all(difference.same for difference in differences),
        "differences": [asdict(difference) for difference in differences],
    }


__all__ = ["Difference", "Recorded", "compare", "rerun"]
