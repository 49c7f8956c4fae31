"""Ctrl-C, heard whatever runs just then (see `hds_cli.interrupts`; the commands' tests send the signal from outside)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

import pytest

from hds_cli.errors import HdsError
from hds_cli.interrupts import Interrupts
from hds_cli.plugins import prints_to_stderr
from hds_cli.search.checked import CheckedSource
from hds_cli.types import SearchResult


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_inside_a_plugin_prints_where_the_run_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """What a source prints goes to stderr; what the run says of the Ctrl-C that came meanwhile is the run's own."""

    async def run(interrupts: Interrupts) -> None:
        stopped = asyncio.Event()

        def stop() -> None:
            sys.stdout.write("stopping\n")
            stopped.set()

        with interrupts.running(stop):
            with prints_to_stderr():
                sys.stdout.write("a source\n")
                os.kill(os.getpid(), signal.SIGINT)
                for _ in range(10_000):  # the handler runs between two instructions
                    pass
            await asyncio.wait_for(stopped.wait(), 10)

    with Interrupts() as interrupts:
        asyncio.run(run(interrupts))
    out, err = capsys.readouterr()
    assert (out, err) == ("stopping\n", "a source\n")


class Blocking:
    """Holds up the event loop."""

    name, needs_network = "blocking", False

    async def search(self, query: str, top_k: int) -> list[SearchResult]:
        time.sleep(20)
        return []


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_source_that_blocks_after_the_stop_was_heard_is_ended_too() -> None:
    """A search may be under way, and reach its source only then: nobody presses a key for it again."""
    heard = asyncio.Event()

    async def run(interrupts: Interrupts) -> float:
        with interrupts.running(heard.set):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.wait_for(heard.wait(), 10)
            began = time.monotonic()
            for _ in range(2):
                with pytest.raises(HdsError, match="held up everything else"):
                    await asyncio.create_task(CheckedSource(Blocking()).search("zinc", 5))
            return time.monotonic() - began

    with Interrupts() as interrupts:
        assert asyncio.run(run(interrupts)) < 15
