"""The run as calm plain lines, in order: for a terminal that cannot redraw, and for `-v` in a pipe."""

from __future__ import annotations

from typing import TextIO

from hds_cli import events
from hds_cli.events import Event
from hds_cli.render import ledger, words
from hds_cli.render.text import one_line, safe_url
from hds_cli.run_state import MOST_TRIES, standing


class PlainLines:
    """One line for each event a person may care about.

    A stream that is closed or full ends the lines, never the run.

    Args:
        only_warnings: say warnings and nothing else.
    """

    def __init__(self, stream: TextIO, *, only_warnings: bool = False) -> None:
        self._stream, self._only_warnings = stream, only_warnings
        self._queries: dict[tuple[int, int], str] = {}
        self._sections: dict[int, str] = {}
        self._gone = False
        self._failed: set[str] = set()

    def handle(self, event: Event) -> None:
        line = self._warning(event) if self._only_warnings else self._says(event)
        if line is None or self._gone:
            return
        start = "hds: " if self._only_warnings else f"{words.duration(event.t):>8}  "
        try:
            self._stream.write(f"{start}{one_line(line)}\n")
            self._stream.flush()
        except (OSError, ValueError):
            self._gone = True

    def loading(self, name: str) -> None:
        """Nothing is said of a model that is being loaded."""

    def close(self) -> None:
        """Nothing is left to do: every line is out already."""

    def _warning(self, event: Event) -> str | None:
        """A warning, or a source that failed: once for each, as it may fail for every query."""
        if isinstance(event, events.SearchFinished) and event.error and event.source not in self._failed:
            self._failed.add(event.source)
            return f"warning: {event.source}: {event.error.get('message') or words.reason(event.error.get('code'))}"
        return self._says(event) if isinstance(event, events.Notice) and event.level == "warning" else None

    def _says(self, event: Event) -> str | None:
        match event:
            case events.RunStarted():
                self._sections = {n: f"try {n}" for n in range(1, min(event.tries, MOST_TRIES) + 1)}
                return f"asked: {event.question}"
            case events.Notice():
                return f"{event.level}: {event.message}"
            case events.TurnStarted():
                of = f" ({self._sections[event.section]})" if event.section in self._sections else ""
                return f"turn {event.turn}{of}" + (": answers with what there is" if event.forced else "")
            case events.Thought():
                return f"thought: {event.text}" if event.text.strip() else None
            case events.OutlineWritten() | events.SectionStarted() | events.SectionFinished():
                return self._section(event)
            case events.TryFinished():
                return f"try {event.number}: {event.end.status}" + (f", {event.end.answer}" if event.end.answer else "")
            case events.TurnFinished():
                return f"turn {event.turn} done in {words.duration(event.seconds)}"
            case events.LedgerUpdated():
                return "; ".join(ledger.lines(standing(event)))
            case events.RunFinished():
                return f"{event.status} after {words.duration(event.t)}"
            case events.QueryProposed():
                self._queries[event.turn, event.query] = event.text
                words_of = f", in other words for {event.turn}.{event.rewords}" if event.rewords else ""
                return f"query {self._name(event)}{words_of}" + (": asked before" if event.repeated else "")
            case events.SearchFinished() | events.PageFinished() | events.EvidenceSelected():
                return self._branch(event)
            case _:
                return None

    def _section(self, event: events.OutlineWritten | events.SectionStarted | events.SectionFinished) -> str:
        if isinstance(event, events.OutlineWritten):
            self._sections = {n: f"{n} {one.title}" for n, one in enumerate(event.sections, 1)}
            return f"sections: {'; '.join(self._sections.values())}"
        name = f"section {self._sections.get(event.section, event.section)}"
        return f"{name} begins" if isinstance(event, events.SectionStarted) else f"{name}: {event.end.status}"

    def _branch(self, event: events.SearchFinished | events.PageFinished | events.EvidenceSelected) -> str | None:
        name = self._name(event)
        match event:
            case events.SearchFinished(error=None):
                results = words.count(len(event.results), "result")
                return f"{event.source}: {results} for {name}, {words.duration(event.seconds)}"
            case events.SearchFinished():
                error = event.error or {}
                return f"{event.source}: {error.get('message') or words.reason(error.get('code'))}, for {name}"
            case events.PageFinished(status="cached", held_by=""):
                return f"read {_page(event)}, cached"
            case events.PageFinished(status="fetched" | "cached"):
                weight = f"{words.size(event.bytes)}, " if event.bytes else ""
                return f"read {_page(event)}, {weight}{words.duration(event.seconds)}"
            case events.PageFinished():
                return f"not read {_page(event)}: {words.reason(event.reason)}"
            case _:
                return f"{words.count(len(event.passages), 'passage')} chosen for {name}" if event.passages else None

    def _name(self, event: events.QueryProposed | events.SearchFinished | events.PageFinished | events.EvidenceSelected
              ) -> str:  # fmt: skip
        return f"{event.turn}.{event.query} {self._queries.get((event.turn, event.query), '')}".rstrip()


def _page(event: events.PageFinished) -> str:
    return f"{event.title} <{safe_url(event.url)}>" if event.title else safe_url(event.url)
