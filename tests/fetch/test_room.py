"""Large bodies wait for their turn: what is in memory of all of them has a limit."""

from __future__ import annotations

import asyncio
import random

from hds_cli.fetch.room import Room
from tests.fetch.conftest import run


def test_no_more_is_given_out_than_there_is() -> None:
    """Whatever is asked for, given back and given up; who asks for more than all gets all, and everybody comes."""

    async def work() -> tuple[int, int]:
        room, chance = Room(100), random.Random(3)
        held = most = done = 0

        async def one(size: int) -> None:
            nonlocal held, most, done
            taken = await room.take(size)
            held += taken
            most = max(most, held)
            try:
                await asyncio.sleep(chance.random() / 1000)
                done += 1
            finally:
                held -= taken
                room.give(taken)

        tasks = [asyncio.create_task(one(chance.randrange(1, 160))) for _ in range(300)]
        for task in tasks[::7]:
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await asyncio.wait_for(room.take(100), 1) == 100
        return most, done

    most, done = run(work())
    assert most <= 100
    assert done > 200


def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    """A small one does not go past a large one that waits."""

    async def work() -> list[str]:
        room, order = Room(10), list[str]()
        await room.take(8)

        async def one(name: str, size: int) -> None:
            taken = await room.take(size)
            order.append(name)
            room.give(taken)

        waiting = [asyncio.create_task(one("large", 9)), asyncio.create_task(one("small", 1))]
        await asyncio.sleep(0)
        room.give(8)
        await asyncio.gather(*waiting)
        return order

    assert run(work()) == ["large", "small"]
