"""SQLite's errors in the words of the registry."""

import sqlite3

import pytest

from storage.errors import StorageFull, StorageUnavailable
from storage.metadata.writer import translate


def failed(kind: type[sqlite3.Error], code: int | None, text: str = "") -> sqlite3.Error:
    """An error as the sqlite3 module raises it."""
    error = kind(text)
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (sqlite3.SQLITE_FULL, "database or disk is full", StorageFull),
        (sqlite3.SQLITE_IOERR, "disk is full", StorageFull),
        (sqlite3.SQLITE_IOERR_WRITE, "disk I/O error", StorageUnavailable),
        (sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error", StorageUnavailable),
        (sqlite3.SQLITE_CANTOPEN, "unable to open database file", StorageUnavailable),
        (sqlite3.SQLITE_BUSY, "database is locked", StorageUnavailable),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "database is locked", StorageUnavailable),
        (sqlite3.SQLITE_LOCKED, "database table is locked", StorageUnavailable),
    ],
)
def test_conditions_of_the_machine(code: int, text: str, expected: type[Exception]) -> None:
    """No room, no disk and no lock are what a client can be told; extended codes count as their primary ones."""
    assert isinstance(translate(failed(sqlite3.OperationalError, code, text)), expected)


@pytest.mark.parametrize(
    "error",
    [
        failed(sqlite3.IntegrityError, sqlite3.SQLITE_CONSTRAINT_UNIQUE),
        failed(sqlite3.OperationalError, sqlite3.SQLITE_ERROR, "no such table: x"),
        failed(sqlite3.ProgrammingError, None, "Cannot operate on a closed database."),
    ],
    ids=repr,
)
def test_faults_of_the_program(error: sqlite3.Error) -> None:
    """Whatever else goes wrong is a fault of ours and stays what it is."""
    assert translate(error) is error
