"""A daemon thread does nothing that nobody waits for."""

from __future__ import annotations

import asyncio
import threading

from hds_cli.threads import Daemon


def test_a_call_that_was_given_up_before_it_began_is_not_made() -> None:
    """What is queued behind a slow call and cancelled never runs; what comes after it does."""

    async def work() -> list[str]:
        done: list[str] = []
        go = threading.Event()
        thread = Daemon("test")
        slow = asyncio.create_task(thread.call(go.wait, 5))
        given_up = asyncio.create_task(thread.call(done.append, "given up"))
        wanted = asyncio.create_task(thread.call(done.append, "wanted"))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(slow, wanted)
        thread.close()
        return done

    assert asyncio.run(work()) == ["wanted"]
