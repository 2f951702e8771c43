"""`SqliteStore`: the embedded engine.

Write-ahead logging lets reads go on beside the one writer. Reads run in line on the event loop: an indexed read takes
about ten microseconds, a thread hop several times that. Writes go through `writer.SqliteWriter`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

from storage.errors import StorageUnavailable
from storage.metadata.migrate import migrate_sqlite, sqlite_version
from storage.metadata.store import Row, Transaction, Value
from storage.metadata.writer import SqliteTransaction, SqliteWriter, run_to_end, translate

T = TypeVar("T")

_FILE_NAME = "metadata.db"
_LOCK_NAME = "metadata.lock"
_WRITE_TIMEOUT_S = 30.0
# Readers only ever wait while a crashed process's log is being recovered.
_READ_BUSY_MS = 2000
_WRITE_BUSY_MS = 20_000


def _connect(path: str, busy_ms: int) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=busy_ms / 1000, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA temp_store = MEMORY")
    return connection


def _verify(connection: sqlite3.Connection) -> list[str]:
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    return found + [f"row {row[1]} of {row[0]} points to no row of {row[2]}" for row in dangling]


class SqliteStore:
    """A `MetadataStore` in one file of the folder `data`. Any number of processes may have it open."""

    @staticmethod
    def exists(data: Path) -> bool:
        return (data / _FILE_NAME).is_file()

    @staticmethod
    def migrate(data: Path) -> int:
        """Create the database or bring it to the newest schema; return its version. Blocks. Raises `SchemaTooNew`."""
        connection = _connect(str(data / _FILE_NAME), _WRITE_BUSY_MS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return migrate_sqlite(connection)
        finally:
            connection.close()

    def __init__(self, data: Path) -> None:
        """Open a database that `migrate` made."""
        path = data / _FILE_NAME
        write = _connect(str(path), _WRITE_BUSY_MS)
        self._read = _connect(str(path), _READ_BUSY_MS)
        self._read.execute("PRAGMA query_only = ON")
        self._read.execute("PRAGMA mmap_size = 268435456")
        self._writer = SqliteWriter(write, data / _LOCK_NAME)

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        try:
            return cast("Row | None", self._read.execute(sql, values).fetchone())
        except sqlite3.Error as error:
            raise translate(error) from error

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        try:
            return self._read.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        try:
            async with asyncio.timeout(_WRITE_TIMEOUT_S):
                return await self._writer.transact(work, durable=durable)
        except TimeoutError as error:
            raise StorageUnavailable("the metadata database did not answer in time") from error

    async def verify(self) -> list[str]:
        return await asyncio.to_thread(_verify, self._read)

    async def schema_version(self) -> int:
        return sqlite_version(self._read)

    async def close(self) -> None:
        self._read.close()
        await asyncio.to_thread(self._writer.close)


class MemoryStore:
    """A `MetadataStore` that is gone with the process: the same SQL on one connection, without threads or locks."""

    def __init__(self) -> None:
        self._connection = _connect(":memory:", 0)
        migrate_sqlite(self._connection)

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        return cast("Row | None", self._connection.execute(sql, values).fetchone())

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        self._connection.execute("BEGIN")
        try:
            result = run_to_end(work(SqliteTransaction(self._connection)))
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result

    async def verify(self) -> list[str]:
        return _verify(self._connection)

    async def schema_version(self) -> int:
        return sqlite_version(self._connection)

    async def close(self) -> None:
        self._connection.close()
