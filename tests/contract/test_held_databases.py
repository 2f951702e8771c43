"""Databases that a command has for itself alone: nobody works there meanwhile, and nobody's work is disturbed."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import asyncpg
import pytest

from storage.errors import DatabaseInUse, StorageUnavailable
from storage.metadata.postgresql import Database, DatabaseLease, HeldDatabase, PostgresStore
from storage.metadata.postgresql.lease import LEASE_LOCK
from storage.metadata.sqlite import SoleStore, SqliteStore
from storage.metadata.store import Transaction
from tests.contract.rows import inserting, names

WAIT_S = 0.3


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder."""
    SqliteStore.migrate(tmp_path)
    return tmp_path


@asynccontextmanager
async def held(url: str, *, frozen: bool) -> AsyncIterator[HeldDatabase]:
    """The database of PostgreSQL, held."""
    database = await HeldDatabase.hold(Database(url), frozen=frozen, wait_s=WAIT_S)
    try:
        yield database
    finally:
        await database.close()


async def test_sqlite_waits_for_others(data: Path) -> None:
    """A file that somebody has open, and once read from, is in use until that one is closed."""
    other = SqliteStore(data)
    assert await names(other) == []
    with pytest.raises(DatabaseInUse):
        SoleStore(data, wait_s=WAIT_S)
    await other.close()
    await SoleStore(data).close()


async def test_sqlite_keeps_others_out(data: Path) -> None:
    """While a command has the file for itself, nobody reads or writes it, and later everybody has what was written."""
    sole = SoleStore(data)
    with pytest.raises(DatabaseInUse):
        SoleStore(data, wait_s=WAIT_S)
    with closing(sqlite3.connect(data / "metadata.db", timeout=0)) as other:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("SELECT name FROM repositories")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DELETE FROM repositories")
    await sole.transact(inserting("a"))
    with pytest.raises(RuntimeError, match="gone wrong"):
        await sole.transact(failing)
    await sole.transact(inserting("b"), durable=False)
    assert await names(sole) == ["a", "b"]
    await sole.close()
    store = SqliteStore(data)
    assert await names(store) == ["a", "b"]
    await store.close()


async def failing(tx: Transaction) -> None:
    """Work that ends in an error."""
    await inserting("never")(tx)
    message = "gone wrong"
    raise RuntimeError(message)


@pytest.mark.parametrize("frozen", [False, True])
async def test_postgres_waits_for_others(postgres_url: str, *, frozen: bool) -> None:
    """A database to which a daemon or a command is connected is in use until that one is gone."""
    other = PostgresStore(Database(postgres_url))
    assert await names(other) == []
    with pytest.raises(DatabaseInUse):
        await HeldDatabase.hold(Database(postgres_url), frozen=frozen, wait_s=WAIT_S)
    await other.close()
    async with held(postgres_url, frozen=frozen) as database:
        assert await names(database) == []


@pytest.mark.parametrize(
    "lock", [f"SELECT pg_advisory_xact_lock({LEASE_LOCK})", "LOCK TABLE schema_version IN ROW SHARE MODE"]
)
async def test_postgres_behind_a_pooler(postgres_url: str, lock: str) -> None:
    """Those who cannot be seen to be connected are noticed by their lease, or by a transaction under way."""
    other = await asyncpg.connect(postgres_url)
    async with other.transaction():
        await other.execute(lock)
        with pytest.raises(DatabaseInUse):
            await HeldDatabase.hold(Database(postgres_url), frozen=True, wait_s=WAIT_S)
    async with held(postgres_url, frozen=True):
        pass
    await other.close()


@pytest.mark.parametrize("frozen", [False, True])
async def test_postgres_keeps_others_from_writing(postgres_url: str, *, frozen: bool) -> None:
    """Who holds a frozen database sees the rows of one moment, and nobody writes; else only the lease is taken."""
    async with held(postgres_url, frozen=frozen) as database:
        store, lease = (
            PostgresStore(Database(postgres_url, statement_timeout_s=WAIT_S)),
            DatabaseLease(Database(postgres_url)),
        )
        assert not await lease.held()
        assert await database.schema_version() == await store.schema_version()
        if frozen:
            with pytest.raises(StorageUnavailable):
                await store.transact(inserting("a"))
        else:
            await store.transact(inserting("a"))
        assert await names(database) == await names(store) == ([] if frozen else ["a"])
    await store.transact(inserting("b"))
    assert await lease.held()
    await lease.close()
    await store.close()


async def test_postgres_that_is_lost(postgres_url: str) -> None:
    """Whoever holds a database that goes away is told so."""
    async with held(postgres_url, frozen=True) as database:
        other = await asyncpg.connect(postgres_url)
        await other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'berth' AND datname = current_database()"
        )
        await other.close()
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await names(database)
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await database.fetch_one("SELECT 1")
