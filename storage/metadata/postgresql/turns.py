"""Turns: how many transactions of a process run side by side."""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from storage.errors import StorageUnavailable

_STEP = 0.05


class Turns:
    """An asynchronous context manager around each transaction.

    Those that write to the same places are in one another's way, and whoever has to run again has run for nothing. So
    after a conflict half as many run side by side, and after each success a little more, `most` at last. Whoever waits
    for longer than `wait_s` (None is for ever) is told that the database is busy.
    """

    def __init__(self, most: int, wait_s: float | None) -> None:
        self._most, self._wait_s = most, wait_s
        self.allowed = float(most)
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def conflicted(self) -> None:
        """A transaction has to run again, because of another one."""
        self.allowed = max(1.0, self.allowed / 2)

    async def __aenter__(self) -> None:
        if self._running < int(self.allowed):
            self._running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._end()
            if isinstance(error, TimeoutError):
                raise StorageUnavailable("the metadata database is busy", retry_after_s=1) from error
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.allowed = min(self._most, self.allowed + _STEP)
        self._end()

    def _end(self) -> None:
        self._running -= 1
        while self._waiting and self._running < int(self.allowed):
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._running += 1
