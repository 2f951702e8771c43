"""`PostgresStore`: the engine for more than one machine.

A read is one statement on whichever connection is free. A transaction is serializable: it runs beside others, and again
if they were in one another's way. The third time it runs alone, in all processes, so that everybody gets done.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Generic, TypeVar, cast

import asyncpg

from storage.errors import StorageUnavailable
from storage.metadata.postgresql.connecting import Database
from storage.metadata.postgresql.connections import Connections
from storage.metadata.postgresql.errors import is_certain, is_conflict
from storage.metadata.postgresql.migrating import VERSION_TABLE, found_version, migrate, version_of
from storage.metadata.postgresql.turns import Turns
from storage.metadata.postgresql.verifying import verify
from storage.metadata.store import Row, Transaction, Value

T = TypeVar("T")

_BESIDE_MAX = 2


@lru_cache(maxsize=2048)
def numbered(sql: str) -> str:
    """The statement with $1, $2, … in place of each `?` outside of quotes."""
    numbers = count(1)
    parts = sql.split("'")
    for index in range(0, len(parts), 2):
        first, *others = parts[index].split("?")
        parts[index] = first + "".join(f"${next(numbers)}{other}" for other in others)
    return "'".join(parts)


def _storable(values: tuple[Value, ...]) -> tuple[Value, ...]:
    # PostgreSQL's text has no NUL. What takes its place is in no name either, and comes as early in the order.
    if any(isinstance(value, str) and "\0" in value for value in values):
        return tuple(value.replace("\0", "\1") if isinstance(value, str) else value for value in values)
    return values


class _Ask(Generic[T]):
    """What a transaction's work waits for: something that is to be done on its connection."""

    def __init__(self, do: Callable[[asyncpg.Connection], Awaitable[T]]) -> None:
        self.do = do

    def __await__(self) -> Generator[_Ask[T], T, T]:
        return (yield self)


class _Transaction:
    """A `Transaction` whose methods only say what is wanted; whoever runs the work does it."""

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        found: Row | None = await _Ask(lambda connection: fetch_one(connection, sql, values))
        return found

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        found: list[Row] = await _Ask(lambda connection: fetch_all(connection, sql, values))
        return found

    async def execute(self, sql: str, *values: Value) -> int:
        status = await _Ask(lambda connection: connection.execute(numbered(sql), *_storable(values)))
        changed: str = status.rpartition(" ")[2]
        # What changes tables tells no number of rows.
        return int(changed) if changed.isdigit() else 0


async def fetch_one(connection: asyncpg.Connection, sql: str, values: tuple[Value, ...]) -> Row | None:
    found = await connection.fetchrow(numbered(sql), *_storable(values))
    return None if found is None else tuple(found)


async def fetch_all(connection: asyncpg.Connection, sql: str, values: tuple[Value, ...]) -> list[Row]:
    found = await connection.fetch(numbered(sql), *_storable(values))
    return [tuple(row) for row in found]


class PostgresStore:
    """A `MetadataStore` in a database that `migrate` made. Any number of processes may have it open."""

    @staticmethod
    async def exists(database: Database) -> bool:
        """Whether there are Berth's tables. Raises what asyncpg raises."""
        return await found_version(database) > 0

    @staticmethod
    async def migrate(database: Database) -> int:
        """Create the tables or bring them to the newest schema; return its version.

        Raises `SchemaTooNew`, and what asyncpg raises.
        """
        return await migrate(database)

    def __init__(self, database: Database) -> None:
        """Nothing is connected yet."""
        self._connections = Connections(database)
        self._timeout_ms = int((database.statement_timeout_s or 0) * 1000)
        # Readers always find a connection.
        self._turns = Turns(max(1, database.pool_size - 1), database.statement_timeout_s)

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        return await self._connections.use(lambda connection: fetch_one(connection, sql, values))

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        return await self._connections.use(lambda connection: fetch_all(connection, sql, values))

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        return await self._connections.use(
            _Run(work, self._timeout_ms, self._turns.conflicted, durable=durable), self._turns
        )

    async def verify(self) -> list[str]:
        return await self._connections.use(verify)

    async def schema_version(self) -> int:
        return await self._connections.use(version_of)

    async def close(self) -> None:
        await self._connections.close()


@dataclass(frozen=True, slots=True)
class _Run(Generic[T]):
    """One transaction: called with a connection, it runs the work until it is committed, or failed for good."""

    work: Callable[[Transaction], Awaitable[T]]
    timeout_ms: int
    conflicted: Callable[[], None]
    durable: bool

    async def __call__(self, connection: asyncpg.Connection) -> T:
        for _ in range(_BESIDE_MAX):
            try:
                return await self._run(connection, alone=False)
            except Exception as error:
                if not is_conflict(error):
                    raise
                self.conflicted()
        return await self._run(connection, alone=True)

    async def _run(self, connection: asyncpg.Connection, *, alone: bool) -> T:
        try:
            await self._begin(connection, alone=alone)
            result = await _do(self.work, connection)
        except TimeoutError:
            raise
        except Exception:
            await _roll_back(connection)
            raise
        try:
            await connection.execute("COMMIT")
        except Exception as error:
            if is_certain(error):
                raise
            connection.terminate()
            # To run it again could do twice what was done; to say that it is done could be a lie.
            raise StorageUnavailable(
                "the metadata database was lost while it stored a change: whether it did is not known"
            ) from error
        return result

    async def _begin(self, connection: asyncpg.Connection, *, alone: bool) -> None:
        # The lock comes before the first statement, since that decides what the transaction sees.
        begin = (
            "BEGIN ISOLATION LEVEL SERIALIZABLE;"
            f"SET LOCAL statement_timeout = {self.timeout_ms};"
            f"SET LOCAL idle_in_transaction_session_timeout = {self.timeout_ms};"
            f"SET LOCAL synchronous_commit = {'on' if self.durable else 'off'};"
            f"LOCK TABLE {VERSION_TABLE} IN {'EXCLUSIVE' if alone else 'ROW SHARE'} MODE"
        )
        try:
            await connection.execute(begin)
        except asyncpg.FeatureNotSupportedError as error:
            # A standby has no serializable transactions.
            raise asyncpg.ReadOnlySQLTransactionError(str(error)) from error


async def _roll_back(connection: asyncpg.Connection) -> None:
    try:
        # Of a connection that was lost in between not even that can be asked.
        if not connection.is_closed() and connection.is_in_transaction():
            await connection.execute("ROLLBACK")
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()


async def _do(work: Callable[[Transaction], Awaitable[T]], connection: asyncpg.Connection) -> T:
    """Run the work step by step, and do what it asks for. Raises `RuntimeError` when it waits for anything else."""
    coroutine = cast("Generator[object, Any, T]", work(_Transaction()).__await__())
    answer: Any = None
    try:
        while True:
            try:
                asked = coroutine.send(answer)
            except StopIteration as stop:
                return cast("T", stop.value)
            if not isinstance(asked, _Ask):
                message = "a transaction awaited something that is not its own connection"
                raise RuntimeError(message)  # noqa: TRY004 - the work is wrong, not a type
            answer = await asked.do(connection)
    finally:
        coroutine.close()
