"""Migrations on PostgreSQL: from nothing and from every earlier version, by several processes, and when they fail."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from storage.metadata.migrate import SchemaTooNew, migrations
from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.postgresql.migrating import migrate
from storage.metadata.sqlite import MemoryStore
from tests.contract.processes import all_elsewhere
from tests.postgres import PostgresServer

NEWEST = len(migrations("postgresql"))
SOCKET = ".s.PGSQL.5432"

_COLUMNS = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
_DEFINITIONS = (
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    " UNION ALL SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace"
    " UNION ALL SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default, collation_name)"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1"
)


async def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def run(url: str, sql: str) -> None:
    """Run statements."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def test_both_dialects_have_the_same_migrations() -> None:
    """Each migration exists for SQLite and for PostgreSQL."""
    ours, theirs = migrations("postgresql"), migrations("sqlite")
    assert [number for number, _ in ours] == [number for number, _ in theirs]


async def test_both_dialects_have_the_same_tables(postgres_url: str) -> None:
    """Each table and column of SQLite is on PostgreSQL too, with a type of the same meaning, and none besides."""
    memory = MemoryStore()
    found = await memory.fetch_all(
        'SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_master t, pragma_table_info(t.name) c'
        " WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2"
    )
    await memory.close()
    types = {"INTEGER": "bigint", "TEXT": "text", "BLOB": "bytea"}
    # SQLite does not say of a primary key that it is not null, PostgreSQL does.
    theirs = {(table, column, types[kind]): bool(required) for table, column, kind, required in found}
    ours = {
        (table, column, kind): nullable == "NO"
        for table, column, kind, nullable in await rows(
            postgres_url, _COLUMNS.replace("column_name FROM", "column_name, data_type, is_nullable FROM")
        )
        if table != "schema_version"
    }
    assert ours.keys() == theirs.keys()
    assert {key for key, required in theirs.items() if required} <= {key for key, required in ours.items() if required}
    assert {column for _, column, _ in {key for key in ours if ours[key] and not theirs[key]}} <= {"id", "digest"}


async def test_both_dialects_have_the_same_indexes(postgres_url: str) -> None:
    """Each index of SQLite is on PostgreSQL too, and none besides those that constraints make."""
    memory = MemoryStore()
    theirs = await memory.fetch_all("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    await memory.close()
    made = "SELECT conindid FROM pg_constraint"
    ours = await rows(
        postgres_url,
        "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        f" WHERE c.relnamespace = 'public'::regnamespace AND i.indexrelid NOT IN ({made})",
    )
    assert sorted(ours) == sorted(theirs)


async def test_all_text_compares_byte_by_byte(postgres_url: str) -> None:
    """Every column of text has the order of bytes, since that of the database can be any."""
    wrong = f"{_COLUMNS} AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"
    assert await rows(postgres_url, wrong) == []


@pytest.mark.parametrize("version", range(NEWEST + 1))
async def test_from_every_version(empty_postgres_url: str, postgres_url: str, version: int) -> None:
    """From whichever version one comes, from 0 for an empty database to the newest, the schema becomes the same."""
    database = Database(empty_postgres_url)
    assert await PostgresStore.exists(database) is False
    if version:
        assert await migrate(database, version) == version
        assert await PostgresStore.exists(database)
    assert await PostgresStore.migrate(database) == NEWEST
    assert await rows(empty_postgres_url, _DEFINITIONS) == await rows(postgres_url, _DEFINITIONS)
    assert await rows(empty_postgres_url, "SELECT version FROM schema_version") == [(NEWEST,)]


async def test_rows_stay(empty_postgres_url: str) -> None:
    """What was stored under an earlier version is there after the migration."""
    database = Database(empty_postgres_url)
    await migrate(database, 1)
    await run(empty_postgres_url, "INSERT INTO repositories (name, created_at) VALUES ('app', 1)")
    await PostgresStore.migrate(database)
    assert await rows(empty_postgres_url, "SELECT name FROM repositories") == [("app",)]


async def test_several_processes_at_once(empty_postgres_url: str) -> None:
    """Processes that start at the same time all find the newest schema, whoever made it."""
    assert await all_elsewhere(4, migrate_there, empty_postgres_url) == [NEWEST] * 4
    assert await rows(empty_postgres_url, "SELECT name FROM projects") == [("default",)]


def migrate_there(url: str) -> int:
    """In another process: migrate the database."""
    return asyncio.run(PostgresStore.migrate(Database(url)))


async def test_newer_schema_is_left_alone(postgres_url: str) -> None:
    """A database of a newer Berth is refused with both versions, and nothing of it changes."""
    await run(postgres_url, f"UPDATE schema_version SET version = {NEWEST + 5}")
    before = await rows(postgres_url, _DEFINITIONS)
    with pytest.raises(SchemaTooNew, match=rf"version {NEWEST + 5}\b.*up to {NEWEST}\b"):
        await PostgresStore.migrate(Database(postgres_url))
    assert await rows(postgres_url, _DEFINITIONS) == before


@pytest.mark.parametrize("table", ["blob_links", "audit"])
async def test_failure_leaves_the_old_version(empty_postgres_url: str, table: str) -> None:
    """A migration that fails half-way changes nothing, and succeeds once its obstacle is gone."""
    await run(empty_postgres_url, f"CREATE TABLE {table} (obstacle TEXT)")
    with pytest.raises(asyncpg.DuplicateTableError, match=table):
        await PostgresStore.migrate(Database(empty_postgres_url))
    assert await rows(empty_postgres_url, _COLUMNS) == [(table, "obstacle")]
    await run(empty_postgres_url, f"DROP TABLE {table}")
    assert await PostgresStore.migrate(Database(empty_postgres_url)) == NEWEST


async def test_server_that_starts_later(postgres: PostgresServer, postgres_url: str, tmp_path: Path) -> None:
    """Who starts together with the server waits for it."""
    database = Database(postgres_url.replace(quote(str(postgres.folder), safe=""), quote(str(tmp_path), safe="")))
    waiting = asyncio.ensure_future(PostgresStore.migrate(database))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    (tmp_path / SOCKET).symlink_to(postgres.folder / SOCKET)
    assert await waiting == NEWEST


async def test_server_that_never_starts(tmp_path: Path) -> None:
    """Nobody waits for ever."""
    with pytest.raises(FileNotFoundError):
        await PostgresStore.migrate(Database(f"postgresql:///x?host={tmp_path}", connect_timeout_s=0.2))
