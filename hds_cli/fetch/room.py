"""Room for bodies in memory: a small one comes at once, a large one waits for its turn."""

from __future__ import annotations

import asyncio
from collections import deque

FREE = 1 << 18  # bytes of each body that take no room
MOST = 16 << 20


class Room:
    """Bytes that are given out in the order they are asked for.

    A body asks once, for all that it may become, and holds nothing while it waits: no two can wait for each other.

    Args:
        most: bytes given out at once; one that wants more than all gets all.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = self._left = most
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int) -> int:
        """Wait for `size` bytes; how many were taken, to be given back."""
        size = min(size, self._most)
        if self._waiting or size > self._left:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                # It may have been given in the very moment of the cancelling; else `give` passes it over.
                self.give(0 if turn.cancelled() else size)
                raise
        else:
            self._left -= size
        return size

    def give(self, size: int) -> None:
        """Give back what `take` returned."""
        self._left += size
        while self._waiting and (self._waiting[0][1].cancelled() or self._waiting[0][0] <= self._left):
            size_waiting, turn = self._waiting.popleft()
            if not turn.cancelled():
                self._left -= size_waiting
                turn.set_result(None)
