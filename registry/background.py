"""Work that a process does besides answering requests, and that goes on when it fails once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NoReturn, Self

LONGEST_DELAY = 300.0

logger = logging.getLogger(__name__)


class Background:
    """The background tasks of a process; an asynchronous context manager that stops them at its end.

    `failed` is called with a task's name whenever it ends with an error, for instance to count it.
    """

    def __init__(self, failed: Callable[[str], None] | None = None) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[NoReturn]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def every(self, seconds: float, name: str, function: Callable[[], Awaitable[None]]) -> None:
        """Call `function` again and again, with `seconds` before the first call and between two calls.

        An error is logged, and the next call comes after 1, 2, 4, … seconds (5 minutes at most)
        until one succeeds. `name` is for the log and the metrics.
        """
        task = asyncio.create_task(self._repeat(seconds, name, function), name=name)
        self._tasks.add(task)

    async def stop(self) -> None:
        """Cancel all tasks and return when they have ended."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, seconds: float, name: str, function: Callable[[], Awaitable[None]]) -> NoReturn:
        failures = 0
        while True:
            await asyncio.sleep(_retry_delay(failures) if failures else seconds)
            try:
                await function()
                failures = 0
            except Exception:
                failures += 1
                logger.exception("task %r failed, next try in %.0f s", name, _retry_delay(failures))
                if self._failed is not None:
                    self._failed(name)


def _retry_delay(failures: int) -> float:
    return float(min(2 ** min(failures - 1, 30), LONGEST_DELAY))
