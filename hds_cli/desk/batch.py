"""Many questions at one desk: read from lines, asked several at once, each answer kept before the next is begun."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, TypeVar

from hds_cli import events
from hds_cli.desk.rows import Row, Rows
from hds_cli.errors import HdsError

MAX_LINE = 64 << 10  # bytes
MAX_QUESTION = 8_000  # characters
MAX_ID = 200
MAX_ITEMS = 1_000_000
KEY = ("id", "question")

T = TypeVar("T")


class Answerer(Protocol):
    """Whoever answers one question: a desk here, or one elsewhere."""

    async def answer(self, question: str, emit: events.Emit) -> events.RunFinished:
        """Research one question; every event goes to `emit`, `RunFinished` last."""


class Record(Protocol):
    """Makes a document of the events of one run."""

    def handle(self, event: events.Event) -> None: ...

    def to_dict(self) -> Row: ...


@dataclass(frozen=True, slots=True)
class Item:
    """A question, and the name that its answer has among the others."""

    id: str
    question: str

    @property
    def key(self) -> tuple[str, str]:
        return self.id, self.question


def read(stream: BinaryIO, complain: Callable[[str], None]) -> list[Item]:
    """The questions of a stream: a JSON object a line, `{"question": "…", "id": "…"}`, or plain text.

    A question without an id is called by the number of its line. A line that is no question is told to `complain`, with
    its number, and left out.
    """
    items: list[Item] = []
    seen: dict[str, int] = {}
    for number, line in _lines(stream):
        try:
            item = _item(line, number)
            if item is None:
                continue
            if (other := seen.setdefault(item.id, number)) != number:
                raise _Bad(f"the id {item.id!r} is that of line {other}")
            if len(items) >= MAX_ITEMS:
                raise _Bad(f"more than {MAX_ITEMS:,} questions")
        except _Bad as exc:
            complain(f"line {number}: {exc}")
            continue
        items.append(item)
    return items


class _Bad(Exception):
    """A line that is no question."""


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Every line and its number; None for one that is too long, of which no more is kept."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if len(line) <= MAX_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while (rest := stream.readline(MAX_LINE)) and not rest.endswith(b"\n"):
            pass
        yield number, None


def _item(line: bytes | None, number: int) -> Item | None:
    """The question of a line; None for an empty one."""
    if line is None:
        raise _Bad(f"longer than {MAX_LINE >> 10} KiB")
    try:
        text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
    except UnicodeDecodeError:
        raise _Bad("not UTF-8") from None
    if not text:
        return None
    given: Any = {"question": text}
    if text.startswith("{"):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            raise _Bad('no JSON object such as {"question": "…"}') from None
    if wrong := next((name for name in given if name not in KEY), None):
        raise _Bad(f"unknown field {wrong[:60]!r}; a line has {' and '.join(KEY)}")
    return Item(_name(given.get("id", number)), _question(given.get("question")))


def _name(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= MAX_ID:
        raise _Bad(f"id must be text of 1 to {MAX_ID} characters, or a whole number")
    return str(value)


def _question(value: object) -> str:
    text = value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""
    if not text or "\0" in text:
        raise _Bad("question must be text")
    if len(text) > MAX_QUESTION:
        raise _Bad(f"the question has {len(text):,} characters; at most {MAX_QUESTION:,} are asked")
    return text


async def each(things: Iterable[T], work: Callable[[T], Awaitable[None]], jobs: int) -> None:
    """Do the work for every thing, in their order, `jobs` of them at once; what one raises ends all."""
    left = iter(things)

    async def worker() -> None:
        for thing in left:
            await work(thing)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(jobs):
                group.create_task(worker())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None  # a full disk, a closed pipe: the others were only cancelled


async def run(
    items: Sequence[Item],
    answerer: Answerer,
    rows: Rows,
    *,
    jobs: int,
    record: Callable[[], Record],
    kept: Callable[[Item, Row], None],
) -> None:
    """Answer what has no row yet.

    Args:
        jobs: questions at once.
        record: makes the document of a run, which is its row.
        kept: is called when a row is in the file.
    """

    async def answer(item: Item) -> None:
        row = await asked(item, answerer, record())
        rows.append(row)
        kept(item, row)

    await each((item for item in items if item.key not in rows), answer, jobs)


async def asked(item: Item, answerer: Answerer, record: Record) -> Row:
    """The row of one question; what goes wrong with it is part of the row."""
    error = await failure_of(answerer.answer(item.question, record.handle))
    row = {"id": item.id, **record.to_dict(), "question": item.question}
    return row if error is None else row | {"status": "failed", "error": error}


async def failure_of(asking: Awaitable[object]) -> dict[str, str] | None:
    """What went wrong with one question of many, as its row names it; None: nothing did."""
    try:
        await asking
    except HdsError as exc:
        return {"code": exc.error_code, "message": exc.message}
    except Exception as exc:  # a bug in one question must not lose hours of others; the row names the bug
        return {"code": "bug", "message": f"{type(exc).__name__}: {exc}"}
    return None


__all__ = ["KEY", "Answerer", "Item", "Record", "each", "failure_of", "read", "run"]
