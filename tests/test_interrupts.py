"""Ctrl-C, heard whatever runs just then (see `hds_cli.interrupts`; the commands' tests send the signal from outside)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest

from hds_cli.interrupts import Interrupts
from hds_cli.plugins import prints_to_stderr


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
