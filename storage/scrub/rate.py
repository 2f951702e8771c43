"""How fast a long work may read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

# Shorter waits are put together: a timer for each small blob would cost more than reading it.
_SHORTEST_S = 0.05


class Rate:
    def __init__(
        self,
        bytes_per_s: int,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`bytes_per_s` is 0 for as fast as it goes; `now` and `sleep` are in seconds."""
        self._bytes_per_s, self._now, self._sleep = bytes_per_s, now, sleep
        self._paid_until = now()

    async def spend(self, size: int) -> None:
        """To be called after so many bytes were read: returns when the next may be.

        Time in which nothing was read is not made up for.
        """
        if not self._bytes_per_s:
            return
        now = self._now()
        self._paid_until = max(self._paid_until, now) + size / self._bytes_per_s
        if self._paid_until - now >= _SHORTEST_S:
            await self._sleep(self._paid_until - now)
