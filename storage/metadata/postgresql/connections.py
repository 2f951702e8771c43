"""Connections to the database: how they are shared, and made again when the server was away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TypeVar

import asyncpg

from storage.errors import StorageUnavailable
from storage.metadata.postgresql.connecting import Database, close, connect
from storage.metadata.postgresql.errors import is_lost, translate

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
# A connection on which nothing was heard for longer may have been forgotten by what lies between.
_IDLE_S = 300.0


class Patience:
    """Waits while the server is away, for `wait_s`. That is counted from when it went: later ones wait no longer."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._began_at = self._failed_at = -math.inf

    async def call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call `attempt` again while it fails for want of a connection. Raises what it raises."""
        pause, until = _FIRST_PAUSE_S, math.inf
        while True:
            try:
                result = await attempt()
            except Exception as error:
                if not is_lost(error):
                    raise
                # Others may succeed meanwhile, whose connections do not end: that is no reason to wait for ever.
                until = min(until, self._failed())
                left = until - asyncio.get_running_loop().time()
                if left <= 0:
                    raise
            else:
                self._failed_at = -math.inf
                return result
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _failed(self) -> float:
        """Take notice of a failure; until when it makes sense to wait."""
        now = asyncio.get_running_loop().time()
        if now - self._failed_at > self._wait_s:
            self._began_at = now
        self._failed_at = now
        return self._began_at + self._wait_s


class Connections:
    """A pool: connections are made when they are wanted, shared one after another, and kept for the next.

    asyncpg's own pool takes twice as long for one read as the read itself, in tasks and timers.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._patience = Patience(database.connect_timeout_s)
        self._room = asyncio.Semaphore(database.pool_size)
        self._free: list[tuple[asyncpg.Connection, float]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._users = 0
        self._closing = False
        self._unused = asyncio.Event()

    async def use(
        self,
        work: Callable[[asyncpg.Connection], Awaitable[T]],
        turn: AbstractAsyncContextManager[None] | None = None,
    ) -> T:
        """Run `work` with a connection; again, with another one, if it fails because the connection was lost.

        It is run in `turn`, if one is given, and has no connection while it waits for that. Raises what `work` raises
        in the words of `storage.errors`, and `StorageUnavailable` if there is no connection.
        """
        if self._closing:
            raise StorageUnavailable("the metadata database was closed")
        self._users += 1
        try:
            async with turn or nullcontext():
                return await self._patience.call(lambda: self._use_once(work))
        except Exception as error:
            translated = translate(error)
            if translated is error:
                raise
            raise translated from error
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()

    async def close(self) -> None:
        """Close all connections, after those who use one, or wait for one, have finished."""
        self._closing = True
        while self._users:
            self._unused.clear()
            await self._unused.wait()
        while self._free:
            self._leave(self._free.pop()[0])
        await asyncio.gather(*self._leaving)

    async def _use_once(self, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        # Waiting with a time limit costs more than most reads.
        async with asyncio.timeout(self._database.connect_timeout_s) if self._room.locked() else nullcontext():
            await self._room.acquire()
        try:
            connection = self._usable() or await connect(self._database)
            begun_at = time.monotonic()
            try:
                result = await work(connection)
            except BaseException as error:
                self._take_back_after(error, connection, begun_at)
                raise
            self._take_back(connection)
            return result
        finally:
            self._room.release()

    def _take_back_after(self, error: BaseException, connection: asyncpg.Connection, begun_at: float) -> None:
        if is_lost(error):
            connection.terminate()
        elif isinstance(error, Exception) and not isinstance(error, TimeoutError):
            self._take_back(connection)
        else:
            self._leave(connection)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            # The others are to the same server, which is not the one any more.
            self._give_up_before(math.inf)
        elif is_lost(error) or isinstance(error, TimeoutError):
            # What was not heard of meanwhile may be as dead.
            self._give_up_before(begun_at)

    def _give_up_before(self, time_s: float) -> None:
        for connection, used_at in self._free:
            if used_at < time_s:
                connection.terminate()
        self._free = [free for free in self._free if free[1] >= time_s]

    def _take_back(self, connection: asyncpg.Connection) -> None:
        if not connection.is_closed():
            self._free.append((connection, time.monotonic()))

    def _usable(self) -> asyncpg.Connection | None:
        """The connection that was used last, if there is one that still can be."""
        while self._free:
            connection, used_at = self._free.pop()
            if not connection.is_closed() and time.monotonic() - used_at < _IDLE_S:
                return connection
            connection.terminate()
        return None

    def _leave(self, connection: asyncpg.Connection) -> None:
        """Break off what the connection does, and close it. That the caller need not wait for."""
        task = asyncio.ensure_future(close(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
