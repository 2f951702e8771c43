"""Work that leaves room for others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class Pace:
    """Keeps a long work to a share of the time, so that requests to the same process or database go on beside it.

    `stride` is how many rows to look at, and at most to change, in one step: meanwhile others wait.
    """

    def __init__(
        self,
        share: float,
        stride: int,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`share` is more than 0 and at most 1; `now` and `sleep` are in seconds."""
        self._share, self.stride, self._now, self._sleep = share, stride, now, sleep
        self._since = now()

    async def rest(self) -> None:
        """To be called after each small step: returns when enough time has passed since the one before."""
        worked = self._now() - self._since
        await self._sleep(worked * (1 - self._share) / self._share)
        self._since = self._now()
