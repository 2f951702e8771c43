"""Connections to the database: how they are made, shared, and made again when the server was away."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from storage.errors import StorageUnavailable
from storage.metadata.postgresql.errors import is_lost, translate

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.5
_CLOSE_S = 5.0
# A connection on which nothing was heard for longer may have been forgotten by what lies between.
_IDLE_S = 300.0
_CACHED_STATEMENTS = 500


@dataclass(frozen=True, slots=True)
class Database:
    """Which database, and how it is used.

    `url` is postgresql://user:password@host:port/name, with everything optional that libpq and asyncpg find elsewhere
    (PGPASSWORD, .pgpass and the like). `connect_timeout_s` is how long anybody waits for a connection, also while the
    server restarts; `statement_timeout_s` how long for the answer to one statement, None for ever. Without `prepared`
    nothing is kept on a connection between two transactions, as poolers want it.
    """

    url: str = field(repr=False)
    pool_size: int = 10
    connect_timeout_s: float = 10.0
    statement_timeout_s: float | None = 30.0
    prepared: bool = True


async def connect(database: Database) -> asyncpg.Connection:
    """A connection of its own, outside of all pools. Raises what asyncpg raises."""
    return await asyncpg.connect(
        database.url,
        timeout=database.connect_timeout_s,
        command_timeout=database.statement_timeout_s,
        statement_cache_size=_CACHED_STATEMENTS if database.prepared else 0,
        max_cached_statement_lifetime=0,
        server_settings={"application_name": "berth"},
        # A standby has old rows, and takes no new ones.
        target_session_attrs=SessionAttribute.read_write,
    )


class Patience:
    """Waits while the server is away, for `wait_s`. That is counted from when it went: later ones wait no longer."""

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s
        self._began_at = self._failed_at = -math.inf

    async def call(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Call `attempt` again while it fails for want of a connection. Raises what it raises."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                result = await attempt()
            except Exception as error:
                if not is_lost(error) or not self._may_wait(pause):
                    raise
            else:
                self._failed_at = -math.inf
                return result
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)

    def _may_wait(self, pause: float) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._failed_at > self._wait_s:
            self._began_at = now
        self._failed_at = now
        return now + pause <= self._began_at + self._wait_s


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
            try:
                result = await work(connection)
            except BaseException as error:
                self._take_back_after(error, connection)
                raise
            self._take_back(connection)
            return result
        finally:
            self._room.release()

    def _take_back_after(self, error: BaseException, connection: asyncpg.Connection) -> None:
        if is_lost(error):
            connection.terminate()
        elif isinstance(error, Exception) and not isinstance(error, TimeoutError):
            self._take_back(connection)
        else:
            self._leave(connection)
        if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
            # The others are to the same server, which is not the one any more.
            while self._free:
                self._free.pop()[0].terminate()

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
        task = asyncio.ensure_future(_close(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _close(connection: asyncpg.Connection) -> None:
    try:
        await connection.close(timeout=_CLOSE_S)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()
