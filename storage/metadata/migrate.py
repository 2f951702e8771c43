"""Forward-only migrations: numbered files, each run once, under the database's own write lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import resources

from storage.errors import RegistryError

# Added to the version of a database that is being copied to: not even an earlier Berth starts on it.
UNFINISHED = 1_000_000


class SchemaTooNew(RegistryError):
    """The data was written by a newer Berth. Nothing was changed."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the metadata has schema version {found}, but this Berth knows versions up to {known}: "
            "start the newer Berth again, or restore the backup taken before the upgrade"
        )


class CopyUnfinished(RegistryError):
    """Rows are still being copied into the database. Nothing was changed."""

    def __init__(self) -> None:
        super().__init__(
            "a copy into this database was begun and is not finished: run the same `berth migrate copy` again, or give"
            " an empty database"
        )


def migrations(dialect: str) -> list[tuple[int, str]]:
    """(number, SQL) of every migration of the dialect, in order, numbered from 1 without gaps."""
    folder = resources.files("storage.metadata").joinpath("migrations", dialect)
    files = sorted((item for item in folder.iterdir() if item.name.endswith(".sql")), key=lambda item: item.name)
    return [(int(item.name.split("_", 1)[0]), item.read_text(encoding="utf-8")) for item in files]


def sqlite_version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate_sqlite(connection: sqlite3.Connection, upto: int | None = None) -> int:
    """Bring the database to the newest version (or to `upto`), all or nothing, and return the version.

    Two processes may do this at once: the second waits and finds nothing left to do. Raises `SchemaTooNew`.
    """
    known = migrations("sqlite")
    target = known[-1][0] if upto is None else upto
    if sqlite_version(connection) == target:
        return target
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = sqlite_version(connection)
        expect_known(version, target)
        for number, sql in known:
            if version < number <= target:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return target


def refuse_newer(connection: sqlite3.Connection) -> None:
    """Raise `SchemaTooNew` if a newer Berth made the database, `CopyUnfinished` if it is half a copy; touch nothing."""
    expect_known(sqlite_version(connection), newest_version())


def newest_version() -> int:
    """The version of the schema that this Berth knows; all dialects have the same."""
    return migrations("sqlite")[-1][0]


def expect_known(version: int, known: int) -> None:
    """Raise `SchemaTooNew` or `CopyUnfinished` unless the version of a database is at most the one that is known."""
    if version > UNFINISHED:
        raise CopyUnfinished
    if version > known:
        raise SchemaTooNew(version, known)


def _statements(sql: str) -> Iterator[str]:
    # Not `executescript`, which commits the open transaction first.
    buffer = ""
    for line in sql.splitlines(keepends=True):
        buffer += line
        if sqlite3.complete_statement(buffer):
            yield buffer
            buffer = ""
