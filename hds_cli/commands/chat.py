"""`hds chat`, and `hds` alone on a terminal: questions, and further questions to their answers, with one model."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hds_cli import config, events, paths
from hds_cli.commands import _formats, _options, _print, _saved
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._research import Request, answer_at, notices
from hds_cli.config import Settings
from hds_cli.desk.desk import Desk, desk, new_run_id
from hds_cli.engine.opening import find_model
from hds_cli.errors import HdsError, UsageError
from hds_cli.history.journal import Journal, keep
from hds_cli.interrupts import Interrupts
from hds_cli.render.display import Display

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

_HELP = (
    "/sources       the sources of the last answer",
    "/open N        one of them in the browser",
    "/save [FILE]   the last answer as a document: .md, .html, .json, .txt",
    "/model [NAME]  go on with another model; without a name: which one it is",
    "/new           forget what was said; the next question stands alone",
    "/help          these lines",
    "/quit          end (also Ctrl-D)",
)
COMMANDS = tuple(line.split()[0] for line in _HELP)


@with_flags()
def chat(
    *,
    flags: Flags,
    plain: _options.Plain = False,
    no_color: _options.NoColor = False,
    no_save: Annotated[bool, typer.Option("--no-save", help="Do not keep these runs in the history.")] = False,
) -> None:
    """Ask one question after another; each is a further question to the last answer, and the model stays loaded.

    hds chat

    hds chat -s notes -m starter

    Also `hds` alone on a terminal. A line that begins with / is a command: /help names them.
    """
    asyncio.run(_Chat(config.load(flags), plain=plain, save=not no_save).talk())


class _Chat:
    """A conversation: what was said last, and with which settings."""

    def __init__(self, settings: Settings, *, plain: bool, save: bool) -> None:
        self._settings, self._plain, self._save = settings, plain, save
        self._last: list[events.Event] = []
        self._model = ""

    async def talk(self) -> None:
        """Until there is no further line.

        Raises:
            HdsError: the first model cannot be used.
        """
        lines = _lines()
        going = True
        while going:
            async with desk(find_model(self._settings), self._settings) as place:
                self._model = place.model.info.name
                for notice in notices(place.model.spec, self._settings):
                    _print.say(f"{notice.level}: {notice.message}")
                if sys.stdin.isatty():
                    _print.say(f"{self._model}; /help names the commands, Ctrl-D ends")
                going = await self._at(place, lines)

    async def _at(self, place: Desk, lines: AsyncIterator[str]) -> bool:
        """Talk at an open desk; True when another one is wanted, with another model."""
        async for line in lines:
            if not line.strip():
                continue
            try:
                if not line.startswith("/"):
                    await self._ask(place, line.strip())
                elif (outcome := self._command(line)) != "":
                    return outcome is not None
            except HdsError as exc:
                _print.say(f"{exc.message}" + (f"   ({exc.hint})" if exc.hint else ""))
        return False

    async def _ask(self, place: Desk, question: str) -> None:
        from hds_cli.agent.earlier import earlier

        before = earlier(self._last) if self._last else None
        request = Request(question, (), place.model.spec, before=before if before and before.run_id else None)
        display = Display(_saved.look_of(None, None, plain=self._plain), sys.stdout, sys.stderr)
        journal = Journal(new_run_id()) if self._save else None
        seen: list[events.Event] = []

        def watch(event: events.Event) -> None:
            seen.append(event)
            display.handle(event)

        emit = keep(journal, watch) if journal else watch
        with Interrupts() as interrupts, interrupts.leaving(display.close):
            try:
                await answer_at(place, request, self._settings, emit, interrupts, journal.run_id if journal else None)
            finally:
                with interrupts.held():
                    display.close()
                    if journal:
                        journal.close()
        display.print_result()
        sys.stdout.write("\n")
        sys.stdout.flush()
        self._last = seen

    def _command(self, line: str) -> str | None:
        """Do what a line with / says: a model that is wanted, None for the end, an empty text to go on."""
        try:
            name, *words = shlex.split(line)
        except ValueError as exc:
            raise UsageError(f"{line}: {exc}") from exc
        match name, words:
            case "/quit" | "/exit", []:
                return None
            case "/new", []:
                self._last = []
            case "/sources", []:
                _print.show(self._sources())
            case "/open", [number] if number.isdecimal():
                self._open(int(number))
            case "/save", [] | [_]:
                self._write(Path(words[0] if words else f"answer-{self._run_id()}.md"))
            case "/model", []:
                _print.say(self._model)
            case "/model", [model]:
                settings = config.load(config.given(self._settings) | {"model": model, "dialect": None, "n_ctx": None})
                find_model(settings)
                self._settings = settings
                return model
            case "/help", []:
                _print.show(list(_HELP))
            case _:
                raise UsageError(f"{line} is no command", hint="/help names them")
        return ""

    def _finished(self) -> events.RunFinished:
        for event in reversed(self._last):
            if isinstance(event, events.RunFinished):
                return event
        raise UsageError("nothing was answered yet")

    def _run_id(self) -> str:
        return next((event.run_id for event in self._last if isinstance(event, events.RunStarted)), "")

    def _sources(self) -> list[str]:
        from hds_cli.render.text import one_line, safe_url

        cited = {c.n: c for c in self._finished().citations}
        return [f"[{n}] {one_line(cited[n].title)} <{safe_url(cited[n].url)}>" for n in sorted(cited)]

    def _open(self, number: int) -> None:
        from hds_cli.commands.open import open_source

        open_source(self._finished(), number)

    def _write(self, file: Path) -> None:
        from hds_cli.commands import _output
        from hds_cli.render.report import collected, write

        self._finished()
        _formats.check(_saved.document_of(file), file)
        with _output.target(_output.named(file)) as out:
            write(out, _saved.document_of(file), collected(self._last))
        _print.say(f"saved in {file}")


async def _lines() -> AsyncIterator[str]:
    """The lines that the user types, with editing and a history on a terminal; else the lines of stdin."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        for line in sys.stdin:
            yield line.rstrip("\n")
        return
    session = _prompt()
    while True:
        try:
            yield await session.prompt_async("hds> ", handle_sigint=False)
        except KeyboardInterrupt:  # as in a shell: the line is dropped
            continue
        except EOFError:
            return


def _prompt() -> PromptSession[str]:
    """A line editor that remembers the lines of earlier conversations."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory, History

    file = paths.data_dir() / "chat_history"
    history: History | None = None
    with contextlib.suppress(OSError):  # a home that cannot be written costs the memory of the lines
        paths.private_dir(file.parent)
        with open(file, "a", opener=paths.opened_private):
            history = FileHistory(str(file))
    commands = WordCompleter(list(COMMANDS), sentence=True)
    return PromptSession(history=history, completer=commands, complete_while_typing=False)
