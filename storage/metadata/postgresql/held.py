"""A database that one command has for itself: what it reads or writes there nobody else changes meanwhile."""

from __future__ import annotations

import asyncio
from typing import Self

import asyncpg

from storage.errors import DatabaseInUse
from storage.metadata.postgresql.connecting import Database, close, connect
from storage.metadata.postgresql.connections import Patience
from storage.metadata.postgresql.errors import translate
from storage.metadata.postgresql.lease import LEASE_LOCK
from storage.metadata.postgresql.migrating import VERSION_TABLE, version_of
from storage.metadata.postgresql.store import fetch_all, fetch_one
from storage.metadata.store import Row, Value

_PAUSE_S = 0.1
# Daemons ask for what has changed every second, so each always has a connection.
_OTHERS = (
    "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name = 'berth' AND pid <> pg_backend_pid()"
)
_FOR_LONG = (
    "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;"
    # So the locks do not stay with a machine that vanished.
    "SET LOCAL tcp_keepalives_idle = 60; SET LOCAL tcp_keepalives_interval = 10; SET LOCAL tcp_keepalives_count = 6"
)


class HeldDatabase:
    """`Queries` on one connection, whose transaction keeps daemons from work, until `close`, or until it is lost."""

    @classmethod
    async def hold(cls, database: Database, *, frozen: bool, wait_s: float) -> Self:
        """Wait until nobody else uses the database, for `wait_s` at most, and hold it.

        Other commands end by themselves, and what a killed process leaves ends soon. If the database is `frozen`,
        nobody can write at all, and all that is read was there at the same moment. Raises `DatabaseInUse`, and what
        asyncpg raises.
        """
        connection = await Patience(database.connect_timeout_s).call(lambda: connect(database))
        try:
            await _expect_unused(connection, wait_s)
            await connection.execute(f"BEGIN ISOLATION LEVEL {'REPEATABLE READ' if frozen else 'READ COMMITTED'}")
            await connection.execute(_FOR_LONG)
            if frozen:
                await _lock_writers_out(connection, wait_s)
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LEASE_LOCK):
                raise DatabaseInUse  # noqa: TRY301 - it is one of many that can come from here
        except BaseException:
            await close(connection)
            raise
        return cls(connection)

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        try:
            return await fetch_one(self._connection, sql, values)
        except Exception as error:
            raise translate(error) from error

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        try:
            return await fetch_all(self._connection, sql, values)
        except Exception as error:
            raise translate(error) from error

    async def schema_version(self) -> int:
        return await version_of(self._connection)

    async def close(self) -> None:
        await close(self._connection)


async def _expect_unused(connection: asyncpg.Connection, wait_s: float) -> None:
    until = asyncio.get_running_loop().time() + wait_s
    while await connection.fetchval(_OTHERS):
        if asyncio.get_running_loop().time() > until:
            raise DatabaseInUse
        await asyncio.sleep(_PAUSE_S)


async def _lock_writers_out(connection: asyncpg.Connection, wait_s: float) -> None:
    """Every transaction of a daemon locks this table first. Here it comes before what decides which rows are seen."""
    try:
        await connection.execute(f"SET LOCAL lock_timeout = {int(wait_s * 1000)}")
        await connection.execute(f"LOCK TABLE {VERSION_TABLE} IN EXCLUSIVE MODE")
    except asyncpg.LockNotAvailableError as error:
        raise DatabaseInUse from error
