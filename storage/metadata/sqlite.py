"""`SqliteStore`: the embedded engine.

Write-ahead logging lets reads go on beside the one writer. Reads run in line on the event loop: an indexed read takes
about ten microseconds, a thread hop several times that. Writes go through `writer.SqliteWriter`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TypeVar, cast

from storage.errors import DatabaseInUse, StorageUnavailable
from storage.metadata.checkpoints import LONGEST_PAGES, Checkpoints
from storage.metadata.migrate import migrate_sqlite, refuse_newer, sqlite_version
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


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # SQLite does not wait here when another process is doing the same.
    deadline = time.monotonic() + _WRITE_BUSY_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _verify(connection: sqlite3.Connection) -> list[str]:
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return found + [f"row {row[1]} of {row[0]} points to no row of {row[2]}" for row in dangling]


class _Reading:
    """Reads on one connection, in line."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._read = connection

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

    async def verify(self) -> list[str]:
        return await asyncio.to_thread(_verify, self._read)

    async def schema_version(self) -> int:
        return sqlite_version(self._read)


class SqliteStore(_Reading):
    """A `MetadataStore` in one file of the folder `data`. Any number of processes may have it open."""

    @staticmethod
    def exists(data: Path) -> bool:
        return (data / _FILE_NAME).is_file()

    @staticmethod
    def migrate(data: Path) -> int:
        """Create the database or bring it to the newest schema; return its version. Blocks.

        Raises `SchemaTooNew`, and `StorageUnavailable` when the file cannot be used, for instance by this user.
        """
        try:
            with closing(_connect(str(data / _FILE_NAME), _WRITE_BUSY_MS)) as connection:
                refuse_newer(connection)
                _use_write_ahead_log(connection)
                return migrate_sqlite(connection)
        except sqlite3.Error as error:
            raise translate(error) from error

    @staticmethod
    def copy(data: Path, target: Path) -> None:
        """Make a consistent copy of the database in `target`, a folder without one, whoever writes meanwhile. Blocks.

        Raises `StorageFull`, `StorageUnavailable` and `StorageDamaged`.
        """
        try:
            with (
                closing(_connect(str(data / _FILE_NAME), _READ_BUSY_MS)) as source,
                closing(_connect(str(target / _FILE_NAME), _WRITE_BUSY_MS)) as copy,
            ):
                source.backup(copy)
                # All of it is in one file then.
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise translate(error) from error

    def __init__(self, data: Path) -> None:
        """Open a database that `migrate` made."""
        path = data / _FILE_NAME
        write = _connect(str(path), _WRITE_BUSY_MS)
        read = _connect(str(path), _READ_BUSY_MS)
        read.execute("PRAGMA query_only = ON")
        read.execute("PRAGMA mmap_size = 268435456")
        super().__init__(read)
        write.execute(f"PRAGMA wal_autocheckpoint = {LONGEST_PAGES}")
        self._checkpoints = Checkpoints(_connect(str(path), _WRITE_BUSY_MS), data / _LOCK_NAME)
        self._writer = SqliteWriter(write, data / _LOCK_NAME, self._checkpoints.written)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        try:
            async with asyncio.timeout(_WRITE_TIMEOUT_S):
                return await self._writer.transact(work, durable=durable)
        except TimeoutError as error:
            raise StorageUnavailable("the metadata database did not answer in time") from error

    async def close(self) -> None:
        self._read.close()
        await asyncio.to_thread(self._writer.close)
        await asyncio.to_thread(self._checkpoints.close)


class _OneConnection(_Reading):
    """The same SQL without threads and locks: reads and transactions in line, on one connection."""

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        try:
            self._read.execute("BEGIN")
            result = run_to_end(work(SqliteTransaction(self._read)))
            self._read.execute("COMMIT")
        except sqlite3.Error as error:
            raise translate(error) from error
        else:
            return result
        finally:
            if self._read.in_transaction:
                self._read.execute("ROLLBACK")

    async def close(self) -> None:
        self._read.close()


@cache
def _empty() -> sqlite3.Connection:
    # Making the tables takes ten times as long as copying them.
    connection = _connect(":memory:", 0)
    migrate_sqlite(connection)
    return connection


class MemoryStore(_OneConnection):
    """A `MetadataStore` that is gone with the process."""

    def __init__(self, like: MemoryStore | None = None) -> None:
        """Begin with the rows that `like` has now, or with none."""
        connection = _connect(":memory:", 0)
        source = _empty() if like is None else like._read  # noqa: SLF001 - it is one of these
        source.backup(connection)
        super().__init__(connection)


class SoleStore(_OneConnection):
    """A `MetadataStore` in the folder `data`, which no other connection can read or write until it is closed.

    For commands, not for daemons: everything blocks.
    """

    def __init__(self, data: Path, *, wait_s: float = 2.0) -> None:
        """Open a database that `migrate` made. Raises `DatabaseInUse` if others have it open for longer than that."""
        connection = _connect(str(data / _FILE_NAME), int(wait_s * 1000))
        try:
            # Asked for before anything is read, it keeps even those out who only have it open.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            connection.close()
            raise DatabaseInUse if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else translate(error) from error
        super().__init__(connection)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        self._read.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        return await super().transact(work, durable=durable)
