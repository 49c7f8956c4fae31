"""The hosts contacted, counted for the whole process and for each run apart.

Runs share one fetcher. A request belongs to the run in whose context it is made: tasks and threads inherit it. A page
that several runs ask for at once is fetched for the first of them, and counts there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from hds_cli.types import Egress


class Tally:
    """Requests, and bytes that came back, by host."""

    def __init__(self) -> None:
        self.hosts: dict[str, list[int]] = {}

    def add(self, host: str, requests: int, size: int) -> None:
        entry = self.hosts.setdefault(host, [0, 0])
        entry[0] += requests
        entry[1] += size

    def note(self, host: str, *, requests: int = 0, size: int = 0) -> None:
        """Count here, and for the run that is at work."""
        self.add(host, requests, size)
        note(host, requests=requests, size=size)


def note(host: str, *, requests: int = 0, size: int = 0) -> bool:
    """Count for the run that is at work; False: none is."""
    run = _run.get()
    if run is not None:
        run.add(host, requests, size)
    return run is not None


_run: ContextVar[Tally | None] = ContextVar("hds-egress", default=None)


@contextmanager
def counted_apart() -> Iterator[Tally]:
    """A tally of what is contacted from here on, in this task and what it starts."""
    tally = Tally()
    token = _run.set(tally)
    try:
        yield tally
    finally:
        _run.reset(token)


def summed(tallies: Iterable[Tally]) -> tuple[Egress, ...]:
    """Every host contacted, by name."""
    total = Tally()
    for tally in tallies:
        for host, (requests, size) in tally.hosts.items():
            total.add(host, requests, size)
    return tuple(Egress(host, requests, size) for host, (requests, size) in sorted(total.hosts.items()))
