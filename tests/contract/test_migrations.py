"""SQLite migrations: from nothing and from every earlier version, by several processes, and when they fail."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.metadata.migrate import SchemaTooNew, migrate_sqlite, migrations, sqlite_version
from storage.metadata.sqlite import SqliteStore
from tests.contract.processes import all_elsewhere

FILE = "metadata.db"
NEWEST = len(migrations("sqlite"))


def connect(place: Path) -> sqlite3.Connection:
    """A connection as Berth makes them: it opens no transaction by itself."""
    return sqlite3.connect(place / FILE, isolation_level=None)


def schema_of(place: Path) -> list[tuple[str, str]]:
    """Name and definition of every table and index."""
    with closing(connect(place)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


def make(place: Path, version: int) -> None:
    """A database as the Berth that knew `version` left it."""
    with closing(connect(place)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        assert migrate_sqlite(connection, version) == version


def version_of(place: Path) -> int:
    """The version that the database says it has."""
    with closing(connect(place)) as connection:
        return sqlite_version(connection)


def test_numbers_have_no_gaps() -> None:
    """Migrations are numbered from 1, one by one."""
    assert [number for number, _ in migrations("sqlite")] == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("version", range(NEWEST + 1))
def test_from_every_version(tmp_path: Path, version: int) -> None:
    """From whichever version one comes, from 0 for an empty file to the newest, the schema becomes the same."""
    fresh, old = tmp_path / "fresh", tmp_path / "old"
    fresh.mkdir()
    old.mkdir()
    make(old, version)
    assert SqliteStore.migrate(old) == SqliteStore.migrate(fresh) == version_of(old) == NEWEST
    assert schema_of(old) == schema_of(fresh)


@pytest.mark.parametrize("version", range(1, NEWEST + 1))
def test_rows_stay(tmp_path: Path, version: int) -> None:
    """What was stored under an earlier version is there after the migration, and consistent."""
    make(tmp_path, version)
    with closing(connect(tmp_path)) as connection:
        connection.execute("INSERT INTO repositories (name, created_at) VALUES ('app', 1)")
        connection.execute("INSERT INTO blobs (digest, size, storage_key, created_at) VALUES ('sha256:x', 3, 'k', 1)")
        connection.execute("INSERT INTO blob_links (repository_id, digest, created_at) VALUES (1, 'sha256:x', 1)")
    SqliteStore.migrate(tmp_path)
    with closing(connect(tmp_path)) as connection:
        joined = "SELECT r.name, b.size FROM repositories r, blob_links l, blobs b WHERE l.repository_id = r.id"
        assert connection.execute(f"{joined} AND b.digest = l.digest").fetchall() == [("app", 3)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    """A database of the newest version is left alone."""
    SqliteStore.migrate(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    assert SqliteStore.migrate(tmp_path) == NEWEST
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("version", range(NEWEST + 1))
async def test_several_processes_at_once(tmp_path: Path, version: int) -> None:
    """Processes that start at the same time all find the newest schema, whoever made it."""
    for number in range(6):
        place = tmp_path / str(number)
        place.mkdir()
        make(place, version)
    folders = [tmp_path / str(number) for number in range(6)]
    assert await all_elsewhere(4, migrate_all, folders) == [[NEWEST] * 6] * 4
    assert all(schema_of(folder) == schema_of(folders[0]) for folder in folders)


async def test_several_processes_make_the_file(tmp_path: Path) -> None:
    """Where there is no file yet, any number of processes may make it at the same time."""
    folders = [tmp_path / str(number) for number in range(30)]
    for folder in folders:
        folder.mkdir()
    assert await all_elsewhere(4, migrate_all, folders) == [[NEWEST] * len(folders)] * 4


def migrate_all(folders: list[Path]) -> list[int]:
    """In another process: migrate the databases of all these folders."""
    return [SqliteStore.migrate(folder) for folder in folders]


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_newer_schema_is_left_alone(tmp_path: Path, journal: str) -> None:
    """A database of a newer Berth, or a backup of one, is refused with both versions, and not a byte of it changes."""
    make(tmp_path, NEWEST)
    with closing(connect(tmp_path)) as connection:
        connection.execute(f"PRAGMA user_version = {NEWEST + 5}")
        connection.execute(f"PRAGMA journal_mode = {journal}")
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(SchemaTooNew, match=rf"version {NEWEST + 5}\b.*up to {NEWEST}\b"):
        SqliteStore.migrate(tmp_path)
    assert (tmp_path / FILE).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("table", ["blob_links", "uploads"])
def test_failure_leaves_the_old_version(tmp_path: Path, table: str) -> None:
    """A migration that fails half-way changes nothing, and succeeds once its obstacle is gone."""
    with closing(connect(tmp_path)) as connection:
        connection.execute(f"CREATE TABLE {table} (obstacle TEXT)")
    before = schema_of(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match=table):
        SqliteStore.migrate(tmp_path)
    assert version_of(tmp_path) == 0
    assert schema_of(tmp_path) == before
    with closing(connect(tmp_path)) as connection:
        connection.execute(f"DROP TABLE {table}")
    assert SqliteStore.migrate(tmp_path) == NEWEST
