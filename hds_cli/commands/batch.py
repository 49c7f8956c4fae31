"""`hds batch`: many questions, one model."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import hashlib
import json
import os
import stat
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from hds_cli import config, paths
from hds_cli.commands import _options, _output, _print
from hds_cli.commands._flags import Flags, with_flags
from hds_cli.commands._progress import Progress
from hds_cli.config import Settings
from hds_cli.desk import batch as room
from hds_cli.desk.batch import Item
from hds_cli.desk.clusters import cluster
from hds_cli.desk.desk import desk, options, warnings
from hds_cli.desk.rows import Row, Rows, of_model
from hds_cli.engine.opening import find_model
from hds_cli.errors import Interrupted, UsageError
from hds_cli.keys import redact
from hds_cli.render import words
from hds_cli.render.document import RunDocument
from hds_cli.types import ModelInfo

SCHEMA = "hds.batch/1"


@with_flags()
def batch(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Questions, one a line [stdin].", callback=_output.named)
    ] = None,
    *,
    jobs: Annotated[
        int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Questions at once, on one model.")
    ] = 1,
    unordered: Annotated[
        bool, typer.Option("--unordered", help="Each answer as soon as it is there, not in the order of the questions.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where it stopped; what was answered is not asked again.")
    ] = False,
    ray: Annotated[
        str | None,
        typer.Option("--ray", metavar="ADDRESS", help="Ask on the nodes of this Ray cluster (auto: the one at hand)."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew over what an earlier run left.")] = False,
    output: _options.Output = None,
    quiet: _options.Quiet = False,
    flags: Flags,
) -> None:
    """Answer many questions: a line of JSON (the document of hds ask --json, with the question's id) for each.

    A line of FILE is a question, or {"question": "…", "id": "…"}. All questions share one model, the pages and the
    limits of hosts. They are not kept in the history.

    Exit code: 0 all were answered, 3 some were not or a line was no question, 130 stopped (--resume goes on). With -o
    the answers are in FILE when all are there, and in FILE.part until then.

    hds batch questions.txt -o answers.jsonl --jobs 4

    hds batch questions.txt -o answers.jsonl --jobs 4 --resume

    hds batch questions.txt --ray auto --jobs 16 -m qwen3-4b

    jq -c '{id, question}' set.jsonl | hds batch -s notes --offline | jq -r .answer
    """  # fmt: skip
    settings = config.load(flags)
    items, wrong = _questions(file)
    work = _Batch(items, settings, jobs=jobs, unordered=unordered, output=output, quiet=quiet, ray=ray)
    statuses = work.run(resume=resume, overwrite=overwrite)
    answered = statuses["answered"]
    others = [f"{count:,} {status}" for status, count in sorted(statuses.items()) if status != "answered"]
    _print.say(", ".join([f"{answered:,} of {words.count(len(items), 'question')} answered", *others]), quiet=quiet)
    if wrong or answered < len(items):
        raise typer.Exit(3)


def _questions(file: Path | None) -> tuple[list[Item], int]:
    """The questions, and how many lines were none; each of those is said.

    Raises:
        UsageError: there is no such file, or no question in it.
    """
    wrong = 0

    def complain(text: str) -> None:
        nonlocal wrong
        wrong += 1
        _print.say(f"{file or 'stdin'}, {text}")

    if file is None and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("no questions were given", hint="hds batch FILE, or   … | hds batch")
    try:
        with open(0, "rb", closefd=False) if file is None else file.open("rb") as stream:
            items = room.read(stream, complain)
    except OSError as exc:
        raise UsageError(f"cannot read {file or 'stdin'}: {exc.strerror}", hint="hds batch FILE") from exc
    if not items:
        raise UsageError(f"there is no question in {file or 'stdin'}", hint="a question a line")
    return items, wrong


class _Batch:
    """One run of the command: asks, keeps, and writes in order."""

    def __init__(
        self, items: Sequence[Item], settings: Settings, *, jobs: int, unordered: bool, output: Path | None,
        quiet: bool, ray: str | None = None,
    ) -> None:  # fmt: skip
        self._items, self._settings, self._jobs = items, settings, min(jobs, len(items))
        self._unordered, self._output, self._quiet, self._ray = unordered, output, quiet, ray
        self._in_file = output is not None and _replaceable(output)
        self._statuses: collections.Counter[str] = collections.Counter()
        self._written = 0  # questions whose answers are out, in order

    def run(self, *, resume: bool, overwrite: bool) -> collections.Counter[str]:
        """Ask all questions; how many have which status."""
        place = self._place()
        if self._in_file and place.exists() and not resume and not overwrite:
            raise UsageError(f"there are answers of an earlier run in {place}", hint="--resume, or --overwrite")
        try:
            asyncio.run(self._run(place, resume))
        except KeyboardInterrupt:
            done = f"{sum(self._statuses.values()):,} of {words.count(len(self._items), 'question')} done"
            raise Interrupted(f"stopped, {done}", hint="the same command with --resume goes on") from None
        return self._statuses

    def _place(self) -> Path:
        """Where the rows are until all are there: beside the file, else a place that the questions name."""
        if self._in_file and self._output is not None:
            real = Path(os.path.realpath(self._output))
            return real.with_name(f"{real.name}.part")
        key = hashlib.sha256("\n".join(f"{item.id}\t{item.question}" for item in self._items).encode()).hexdigest()
        return paths.data_dir() / "batch" / f"{key[:16]}.jsonl"

    async def _run(self, place: Path, resume: bool) -> None:
        async with self._opened() as (answerer, info, notices):
            for notice in notices:
                _print.say(notice, quiet=self._quiet)
            model = of_model(info, self._settings)
            head = {"schema": SCHEMA, "options": options(self._settings), "model": model}
            with Rows(place, head, room.KEY).open(resume=resume) as rows:
                if self._in_file:
                    await self._ask(answerer, rows, None)
                    with _output.binary_target(self._output) as out:
                        self._write(rows, out, self._items)
                else:
                    with _output.binary_target(self._output) as out:
                        await self._ask(answerer, rows, out)
                rows.remove()

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[room.Answerer, ModelInfo, Sequence[str]]]:
        """Who answers, with which model, and what there is to say of it."""
        if self._ray is not None:
            async with cluster("ray", self._ray, self._settings, self._jobs) as nodes:
                yield nodes, nodes.info, nodes.notices
            return
        async with desk(find_model(self._settings), self._settings, jobs=self._jobs, apart=False) as place:
            said = [notice.message for notice in warnings(place.model, self._settings)]
            yield place, place.model.info, said

    async def _ask(self, answerer: room.Answerer, rows: Rows, out: BinaryIO | None) -> None:
        done = [item for item in self._items if item.key in rows]
        self._count(rows, done)
        if out is not None and self._unordered:
            self._write(rows, out, done)
        with Progress("answered", len(self._items), quiet=self._quiet, done=len(done), lines=True) as progress:

            def kept(item: Item, row: Row) -> None:
                self._statuses[str(row["status"])] += 1
                if error := row.get("error"):
                    _print.say(redact(f"{item.id}: {error['message']}"), quiet=self._quiet)
                if out is not None:
                    self._write(rows, out, [item] if self._unordered else self._ready(rows))
                progress.step()

            if out is not None and not self._unordered:
                self._write(rows, out, self._ready(rows))
            await room.run(self._items, answerer, rows, jobs=self._jobs, record=RunDocument, kept=kept)

    def _count(self, rows: Rows, done: Sequence[Item]) -> None:
        """Count the answers of an earlier run."""
        for item in done:
            self._statuses[str(json.loads(rows.line(item.key)).get("status"))] += 1

    def _ready(self, rows: Rows) -> Sequence[Item]:
        """The questions whose turn it is and that have an answer."""
        first = self._written
        while self._written < len(self._items) and self._items[self._written].key in rows:
            self._written += 1
        return self._items[first : self._written]

    @staticmethod
    def _write(rows: Rows, out: BinaryIO, items: Sequence[Item]) -> None:
        for item in items:
            out.write(rows.line(item.key))
        if items:
            out.flush()


def _replaceable(output: Path) -> bool:
    """True for a regular file, or a name that is free: there the answers come in one piece."""
    try:
        return stat.S_ISREG(os.stat(output).st_mode)
    except OSError:
        return True


__all__ = ["batch"]
