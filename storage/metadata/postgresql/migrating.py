"""Migrations on PostgreSQL: the same numbers as SQLite's, in one transaction, by one process at a time."""

from __future__ import annotations

from dataclasses import replace

from asyncpg import Connection

from storage.metadata.migrate import expect_known, migrations
from storage.metadata.postgresql.connecting import Database, connect
from storage.metadata.postgresql.connections import Patience

DIALECT = "postgresql"
VERSION_TABLE = "schema_version"

# Advisory locks are numbers. This one was drawn.
_MIGRATION_LOCK = 0x6265_7274_6800_0001


async def version_of(connection: Connection) -> int:
    """The version of the schema; 0 if there is none."""
    if await connection.fetchval("SELECT to_regclass($1)", VERSION_TABLE) is None:
        return 0
    return int(await connection.fetchval(f"SELECT version FROM {VERSION_TABLE}"))  # noqa: S608 - a constant


async def found_version(database: Database) -> int:
    """As `version_of`, of a database that nobody is connected to. Raises what asyncpg raises."""
    connection = await Patience(database.connect_timeout_s).call(lambda: connect(database))
    try:
        return await version_of(connection)
    finally:
        await connection.close()


async def migrate(database: Database, upto: int | None = None) -> int:
    """Bring the database to the newest version (or to `upto`), all or nothing, and return the version.

    Any number of processes may do this at once: all but one wait, and find nothing left to do. Waits a while for a
    server that is not there yet. Raises `SchemaTooNew`, `CopyUnfinished`, and what asyncpg raises.
    """
    unhurried = replace(database, statement_timeout_s=None)
    connection = await Patience(database.connect_timeout_s).call(lambda: connect(unhurried))
    try:
        return await _migrate(connection, upto or migrations(DIALECT)[-1][0])
    finally:
        await connection.close()


async def _migrate(connection: Connection, target: int) -> int:
    if await _version_below(connection, target) == target:
        return target
    # Each statement has to see what was committed while this one waited for the lock, whatever the server's default is.
    async with connection.transaction(isolation="read_committed"):
        await connection.execute("SET LOCAL statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _MIGRATION_LOCK)
        version = await _version_below(connection, target)
        if version == 0:
            await connection.execute(f"CREATE TABLE IF NOT EXISTS {VERSION_TABLE} (version BIGINT NOT NULL)")
            await connection.execute(f"INSERT INTO {VERSION_TABLE} (version) VALUES (0)")  # noqa: S608 - a constant
        for number, sql in migrations(DIALECT):
            if version < number <= target:
                await connection.execute(sql)
        await connection.execute(f"UPDATE {VERSION_TABLE} SET version = $1", target)  # noqa: S608 - a constant
    return target


async def _version_below(connection: Connection, target: int) -> int:
    version = await version_of(connection)
    expect_known(version, target)
    return version
