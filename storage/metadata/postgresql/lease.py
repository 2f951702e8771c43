"""The lease of the one process, of all that share a database, that does background work."""

from __future__ import annotations

import asyncio

import asyncpg

from storage.metadata.postgresql.connecting import Database, close, connect

# Advisory locks are numbers. This one was drawn.
LEASE_LOCK = 0x6265_7274_6800_0002


class DatabaseLease:
    """A `Lease`: an advisory lock on a connection of its own, which ends with the process or the server.

    The lock is held by an open transaction in which nothing happens, so that poolers leave the connection alone.
    """

    def __init__(self, database: Database, silence_s: float = 300) -> None:
        """Nothing is connected yet.

        Who has the lease and does not ask for `silence_s` loses it, so that it does not stay with a machine that
        vanished. A worker asks once a minute.
        """
        self._database, self._silence_ms = database, int(silence_s * 1000)
        self._connection: asyncpg.Connection | None = None
        self._asking = asyncio.Lock()

    async def held(self) -> bool:
        async with self._asking:
            try:
                return await self._ask()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                self._drop()
                return False

    async def close(self) -> None:
        self._drop()

    async def _ask(self) -> bool:
        if self._connection is not None and not self._connection.is_closed():
            # The server may have gone without a word, and another process may have the lock of a new one.
            await self._connection.execute("SELECT 1")
            return True
        connection = await connect(self._database)
        try:
            # At other levels the transaction would keep the server from cleaning up.
            await connection.execute(
                "BEGIN ISOLATION LEVEL READ COMMITTED;"
                f"SET LOCAL idle_in_transaction_session_timeout = {self._silence_ms}"
            )
            if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LEASE_LOCK):
                self._connection = connection
                return True
            return False
        finally:
            if self._connection is not connection:
                await close(connection)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
