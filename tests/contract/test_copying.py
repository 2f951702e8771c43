"""Copies of all rows from one engine to the other: complete, exact, and refused where they would not be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storage.metadata.copying import Copied, Copier, CopyDiffers, CopyRefused, Progress
from storage.metadata.copying.tables import tables_of_schema
from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import Row, Transaction
from tests.contract.installation import (
    BEYOND_ASCII,
    EVERY_BYTE,
    LARGEST,
    change,
    from_postgres,
    from_sqlite,
    numbers_of,
    rows_of,
    to_postgres,
    to_sqlite,
)
from tests.contract.stopping import Stopped, StoppingStore, stop

INSERT = "INSERT INTO runs (kind, started_at, updated_at, state) VALUES ('scrub', 1, 1, '{}')"


@pytest.fixture
def data(installation: Path, tmp_path: Path) -> Path:
    """A data folder like that, for one test."""
    return Path(shutil.copytree(installation, tmp_path / "data"))


async def copy_out(place: Path, url: str, *, restart: bool = False) -> Copied:
    """Copy from SQLite to PostgreSQL."""
    async with from_sqlite(place) as source, to_postgres(url) as destination:
        return await Copier(source, destination).run(restart=restart)


async def copy_back(url: str, place: Path) -> Copied:
    """Copy from PostgreSQL to SQLite, a few rows at a time."""
    async with from_postgres(url) as source, to_sqlite(place) as destination:
        return await Copier(source, destination, rows_max=3).run()


async def begin_copy(place: Path, url: str, transactions: int) -> None:
    """Begin to copy to PostgreSQL, and stop after so many transactions."""
    async with from_sqlite(place) as source, to_postgres(url) as destination:
        store = StoppingStore(destination.store, transactions, stop, committed=True)
        with pytest.raises(Stopped):
            await Copier(source, type(destination)(store, destination.dialect, destination.version)).run()


def stored(rows: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows as PostgreSQL has them: without NUL, and without failed logins whose key has one."""
    kept = {name: [row for row in rows[name] if name != "login_failures" or "\0" not in row[0]] for name in rows}
    return {
        name: [tuple(value.replace("\0", "\1") if isinstance(value, str) else value for value in row) for row in found]
        for name, found in kept.items()
    }


async def test_there_and_back(installation: Path, postgres_url: str, tmp_path: Path) -> None:
    """All rows of all tables come back as they went, with their ids, and the numbers that were drawn."""
    before = rows_of(installation)
    out = await copy_out(installation, postgres_url)
    back = await copy_back(postgres_url, tmp_path / "back")
    assert rows_of(installation) == before
    assert rows_of(tmp_path / "back") == stored(before)
    assert out == back
    assert {name: found.rows for name, found in out.tables.items()} == {
        name: len(found) for name, found in stored(before).items() if name != "sqlite_sequence"
    }


async def test_installation_has_everything(installation: Path, postgres_url: str) -> None:
    """There are rows in every table that either engine knows, and values that are easily broken are among them.

    Whoever adds a table adds rows of it to `tests.contract.installation`.
    """
    tables = {table.name for table in await tables_of_schema()}
    store = PostgresStore(Database(postgres_url))
    theirs = await store.fetch_all("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    await store.close()
    assert tables == {name for (name,) in theirs} - {"schema_version"}
    found = rows_of(installation)
    assert {name for name in tables if not found[name]} == set()
    values = {value for rows in found.values() for row in rows for value in row}
    assert {LARGEST, EVERY_BYTE, BEYOND_ASCII, "a\0b", None} <= values


async def test_large_tables_have_keys() -> None:
    """Whatever can have many rows has a key to read it by, and no value of a key is large."""
    tables = await tables_of_schema()
    assert [table.name for table in tables if not table.key] == ["access_generation"]
    assert [table.name for table in tables if set(table.key) & set(table.large)] == []


async def test_ids_go_on(data: Path, postgres_url: str, tmp_path: Path) -> None:
    """On both engines the next row gets an id that none had before, not even a row that is gone."""
    await copy_out(data, postgres_url)
    await copy_back(postgres_url, tmp_path / "back")
    last = numbers_of(data)["runs"]
    assert last == 7_000_000_000
    for store in (PostgresStore(Database(postgres_url)), SqliteStore(tmp_path / "back")):
        await store.transact(insert_run)
        assert await store.fetch_one("SELECT MAX(id) FROM runs") == (last + 1,)
        await store.close()


async def insert_run(tx: Transaction) -> None:
    """Add a row whose id the engine draws."""
    await tx.execute(INSERT)


async def test_progress(data: Path, postgres_url: str) -> None:
    """Whoever waits is told what is done to which table, and how far that is."""
    told: list[Progress] = []
    async with from_sqlite(data) as source, to_postgres(postgres_url) as destination:
        await Copier(source, destination, told.append, rows_max=2).run()
    audit = [progress for progress in told if progress.table == "audit"]
    rows = len(rows_of(data)["audit"])
    assert [(one.rows, one.of) for one in audit if one.doing == "copying"][:2] == [(2, rows), (4, rows)]
    assert [one.doing for one in audit] == ["reading", *["copying"] * -(-rows // 2), "verifying"]
    assert [one.rows for one in audit if one.doing != "copying"] == [rows, rows]


async def test_large_contents(data: Path, postgres_url: str) -> None:
    """Rows of megabytes are copied a few at a time."""
    change(data, "UPDATE manifests SET content = zeroblob(3000000)")
    told: list[int] = []
    async with from_sqlite(data) as source, to_postgres(postgres_url) as destination:
        await Copier(source, destination, lambda one: told.append(one.rows) if one.table == "manifests" else None).run()
    assert told == [2, 3, 2, 3, 2, 3]


async def test_again(data: Path, postgres_url: str) -> None:
    """What was copied is found to be there, and a destination with anything else is left alone."""
    first = await copy_out(data, postgres_url)
    assert await copy_out(data, postgres_url) == Copied(first.tables, was_there=True)
    store = PostgresStore(Database(postgres_url))
    await store.transact(insert_run)
    await store.close()
    for restart in (False, True):
        with pytest.raises(CopyRefused, match=r"not empty, it has .*2 rows of runs"):
            await copy_out(data, postgres_url, restart=restart)
    change(data, "UPDATE runs SET state = ''")
    with pytest.raises(CopyRefused, match="not empty"):
        await copy_out(data, postgres_url)


async def test_changed_source(data: Path, postgres_url: str) -> None:
    """A copy does not go on from another source than it began with; it can be begun again."""
    await begin_copy(data, postgres_url, 5)
    change(data, "UPDATE tags SET updated_at = updated_at + 1")
    with pytest.raises(CopyRefused, match="source was changed since it was begun: --restart"):
        await copy_out(data, postgres_url)
    copied = await copy_out(data, postgres_url, restart=True)
    assert not copied.was_there
    assert await copy_out(data, postgres_url) == Copied(copied.tables, was_there=True)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("DELETE FROM tags", "tags has 3 rows in the source and 0 in the copy"),
        ("UPDATE tags SET updated_at = 7", "tags has 3 rows in the source and 3 in the copy, or others"),
        ("INSERT INTO unwanted_bytes VALUES ('x', 1)", "unwanted_bytes has 1 rows in the source and 2 in the copy"),
    ],
)
async def test_difference(data: Path, postgres_url: str, sql: str, problem: str) -> None:
    """A copy in which anything is not as in the source is not given away."""
    await begin_copy(data, postgres_url, len(await tables_of_schema()) + 1)
    store = PostgresStore(Database(postgres_url))

    async def tamper(tx: Transaction) -> None:
        await tx.execute(sql)

    await store.transact(tamper)
    with pytest.raises(CopyDiffers) as caught:
        await copy_out(data, postgres_url)
    assert caught.value.problems == [problem]
    assert await store.schema_version() > 1_000_000
    await store.close()


async def test_unsound_source(data: Path, postgres_url: str) -> None:
    """Rows that an engine does not take are told, and no value of them."""
    change(data, "UPDATE tags SET manifest_id = 999")
    with pytest.raises(CopyRefused, match=r"rows of tags cannot be copied: .*foreign key") as caught:
        await copy_out(data, postgres_url)
    assert "999" not in str(caught.value)
    change(data, "UPDATE projects SET created_at = 'secret'")
    with pytest.raises(CopyRefused, match="rows of projects cannot be copied: a value is not of its") as caught:
        await copy_out(data, postgres_url, restart=True)
    assert "secret" not in str(caught.value)


async def test_copy_of_another_version(data: Path, postgres_url: str) -> None:
    """An unfinished copy of another schema is neither continued nor thrown away."""
    await begin_copy(data, postgres_url, 5)
    store = PostgresStore(Database(postgres_url))

    async def age(tx: Transaction) -> None:
        await tx.execute("UPDATE schema_version SET version = version - 1")

    await store.transact(age)
    await store.close()
    with pytest.raises(CopyRefused, match="of another version of Berth"):
        await copy_out(data, postgres_url, restart=True)
