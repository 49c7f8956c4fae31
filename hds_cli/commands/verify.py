"""`hds verify`: does the ground say what a text says?"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from hds_cli import config
from hds_cli.commands import _input, _options, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.desk.checking import MOST_TEXT, Checked, Ground, check, found
from hds_cli.desk.verifying import Verifying
from hds_cli.errors import ModelMissing, NoSources, SourceError, UsageError
from hds_cli.render import grounds
from hds_cli.types import Page, Passage

SCHEMA = "hds.verify/1"
NOT_ALL = 7


@with_flags("verify", "verifier", "offline", "top_k", "timeout")
def verify(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The text; read from stdin if absent or '-'.")
    ] = None,
    *,
    against: Annotated[
        list[str] | None,
        typer.Option(
            "--against", "-a", metavar="PAGE|COLLECTION|RUN", help="An address, a file, a source or a run (repeatable)."
        ),
    ] = None,
    flags: Flags,
    json_: _options.Json = False,
    quiet: _options.Quiet = False,
) -> None:
    """Say of each sentence of a text whether a page, a collection or a run says it.

    Words, names and values are compared first; a verifier reads the rest. Exits with 0 only if every sentence is
    supported; else with 7.

    hds verify draft.md --against notes

    hds verify draft.md --against https://example.org/

    hds verify --against last < answer.txt
    """  # fmt: skip
    if not against:
        raise UsageError("verified against what?", hint="hds verify draft.md --against notes")
    settings = config.load(flags)
    text = _text(file)
    if not text.strip():
        raise UsageError("there is no sentence in the text", hint="hds verify draft.md --against notes")
    ground = _Grounds(text, settings).of(against)
    if not ground.passages:
        raise NoSources(f"nothing to verify against in {', '.join(against)}", hint="hds search QUERY  shows more")
    checked = _checked(text, ground, settings, quiet)
    if not checked.support:
        raise UsageError("the text claims nothing", hint="hds verify draft.md --against notes")
    _print.result(SCHEMA, _document(checked, ground, against), _table(checked, ground), as_json=json_)
    sys.stdout.flush()
    _say(text, checked, ground, quiet)
    if any(one.weak for one in checked.support):
        raise typer.Exit(NOT_ALL)


def _text(file: Path | None) -> str:
    """The text of the file, or of stdin.

    Raises:
        UsageError: there is none, or it cannot be read.
    """
    if file is not None and str(file) != "-":
        if not file.exists():
            raise UsageError(f"there is no file {file}", hint="hds verify draft.md --against notes")
        if (text := _input.plain_text(file)) is not None:
            return text
        pages, notes = _input.attached([file], "read")
        for note in notes:
            _print.say(f"warning: {note}")
        return pages[0].text
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("there is no text to verify", hint="hds verify draft.md --against notes")
    return _input.piped_text()


@dataclass
class _Grounds:
    """Finds what a text is checked against, by the names that were given."""

    text: str
    settings: config.Settings

    def of(self, names: Sequence[str]) -> Ground:
        """The passages of all of them.

        Raises:
            HdsError: a name means nothing, or what it means cannot be read.
        """
        from hds_cli.search.sources import known

        pages: list[Page] = []
        passages: list[Passage] = []
        sources: list[str] = []
        for name in names:
            if "://" in name:
                pages += asyncio.run(self._fetched(name))
            elif name in known():
                sources.append(name)
            elif Path(name).is_file():
                pages += _input.attached([Path(name)], "read")[0]
            else:
                passages += self._run(name)
        if sources:
            pages += asyncio.run(self._searched(sources))
        ground = Ground.of(pages)
        for passage in passages:
            ground.add(passage)
        return ground

    async def _fetched(self, url: str) -> list[Page]:
        from hds_cli.commands.fetch import pages_of
        from hds_cli.render.words import reason

        pages, _, _ = await pages_of([url], self.settings, typed=True)
        if not pages[0].ok:
            why = reason(pages[0].reason or pages[0].status)
            raise SourceError(f"{url}: {why}", code="unreachable", hint=f"hds fetch {url}")
        return pages

    async def _searched(self, names: Sequence[str]) -> list[Page]:
        from hds_cli.fetch.client import Fetcher
        from hds_cli.search.sources import open_sources

        async with Fetcher(self.settings) as fetcher:
            return await found(self.text, open_sources(names, fetcher.context), self.settings, fetcher.fetch)

    def _run(self, name: str) -> list[Passage]:
        from hds_cli.agent.earlier import earlier
        from hds_cli.commands._saved import events_of

        try:
            return earlier(events_of(name)).passages
        except UsageError as exc:
            hint = exc.hint or "an address, a file, a name of `hds index list`, or a run of `hds history list`"
            raise UsageError(f"there is no page, source or run {name!r}", hint=hint) from exc


def _checked(text: str, ground: Ground, settings: config.Settings, quiet: bool) -> Checked:
    """The text checked; without a verifier where none is installed and none was asked for."""
    until = time.monotonic() + (settings.timeout or 1e9)

    def late() -> bool:
        return time.monotonic() > until

    if settings.verify is False:
        return check(text, ground, None, late)
    verifying = Verifying(settings)
    try:
        return check(text, ground, verifying.open, late)
    except ModelMissing as exc:
        if settings.verify or settings.verifier:
            raise
        _print.say(f"warning: not verified, words and values alone: {exc.message}", quiet=quiet)
        return check(text, ground, None, late)
    finally:
        verifying.close()


def _document(checked: Checked, ground: Ground, against: Sequence[str]) -> dict[str, Any]:
    units = [
        {
            "text": one.text,
            "level": one.level,
            "probability": one.probability,
            "quotes": [{"source": ground.passage(q.n).url, "quote": q.quote} for q in one.quotes],
            "missing": list(one.missing),
        }
        for one in checked.support
    ]
    return {"against": list(against), "units": units}


def _table(checked: Checked, ground: Ground) -> _print.Table:
    rows = []
    for one in checked.support:
        source = ground.passage(one.quotes[0].n).url if one.quotes else ""
        says = one.quotes[0].quote if one.quotes else grounds.reason(one) if one.missing else ""
        odds = "" if one.probability is None else f"{one.probability:.2f}"
        rows.append([grounds.WORDS[one.level], odds, one.text, source, says])
    return _print.Table(["grade", "p", "sentence", "source", "says"], rows)


def _say(text: str, checked: Checked, ground: Ground, quiet: bool) -> None:
    """The counts, and what was left out, on stderr."""
    _print.say(grounds.counts(checked.support), quiet=quiet)
    if checked.left:
        why = "--timeout was over" if checked.late else "there is more to compare than a verifier takes"
        _print.say(f"warning: not verified: {checked.left} of {len(checked.support)} parts, {why}")
    if len(text) > MOST_TEXT:
        _print.say(f"warning: only the first {MOST_TEXT:,} characters were read")
    if ground.cut:
        _print.say("warning: the ground is larger than what is looked at; name fewer pages", quiet=quiet)
