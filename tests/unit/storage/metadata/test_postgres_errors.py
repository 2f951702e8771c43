"""PostgreSQL's errors in the words of the registry, and the statements that it is sent."""

import asyncpg
import pytest

from storage.errors import StorageDamaged, StorageFull, StorageUnavailable
from storage.metadata.postgresql import Database
from storage.metadata.postgresql.errors import is_certain, is_conflict, is_lost, translate
from storage.metadata.postgresql.store import numbered


def failed(sqlstate: str, severity: str = "ERROR") -> asyncpg.PostgresError:
    """An error as a server sends it."""
    error = asyncpg.PostgresError.new({"C": sqlstate, "M": "words of the server", "V": severity})
    assert isinstance(error, asyncpg.PostgresError)
    return error


@pytest.mark.parametrize(
    ("error", "expected", "words"),
    [
        (failed("53100"), StorageFull, "full"),
        (failed("40001"), StorageUnavailable, "busy"),
        (failed("40P01"), StorageUnavailable, "busy"),
        (failed("57014"), StorageUnavailable, "in time"),
        (failed("55P03"), StorageUnavailable, "in time"),
        (TimeoutError(), StorageUnavailable, "in time"),
        (failed("08006"), StorageUnavailable, "reached"),
        (failed("57P01", "FATAL"), StorageUnavailable, "reached"),
        (failed("57P03", "FATAL"), StorageUnavailable, "reached"),
        (failed("53300", "FATAL"), StorageUnavailable, "reached"),
        (failed("25006"), StorageUnavailable, "reached"),
        (ConnectionRefusedError(), StorageUnavailable, "reached"),
        (asyncpg.InterfaceError("connection is closed"), StorageUnavailable, "reached"),
        (asyncpg.InternalClientError("another operation (2) is in progress"), StorageUnavailable, "reached"),
        (asyncpg.TargetServerAttributeNotMatched("read-write"), StorageUnavailable, "reached"),
        (failed("28P01", "FATAL"), StorageUnavailable, "login"),
        (failed("3D000", "FATAL"), StorageUnavailable, "login"),
        (failed("53200"), StorageUnavailable, "read or written"),
        (failed("58030"), StorageUnavailable, "read or written"),
        (failed("XX001"), StorageDamaged, "damaged"),
    ],
)
def test_conditions_of_the_server(error: Exception, expected: type[Exception], words: str) -> None:
    """No room, no server, no answer and no login are what a client can be told."""
    translated = translate(error)
    assert type(translated) is expected
    assert words in str(translated)


@pytest.mark.parametrize(
    "error", [failed("23505"), failed("42P01"), asyncpg.InterfaceError("another one"), ValueError()]
)
def test_faults_of_the_program(error: Exception) -> None:
    """What is our own mistake comes through as it is, and nothing is tried again for it without end."""
    assert translate(error) is error
    assert not is_lost(error)


@pytest.mark.parametrize(
    ("error", "lost", "conflict", "certain"),
    [
        (failed("40001"), False, True, True),
        (failed("23505"), False, True, True),
        (failed("53100"), False, False, True),
        (failed("53100", "PANIC"), False, False, False),
        (failed("57P01", "FATAL"), True, False, False),
        (failed("57P02", "FATAL"), True, False, False),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle"), True, False, False),
        (ConnectionResetError(), True, False, False),
        (TimeoutError(), False, False, False),
    ],
)
def test_what_is_known_after_an_error(error: Exception, *, lost: bool, conflict: bool, certain: bool) -> None:
    """Only what the server itself refused, and lived on, was certainly not committed."""
    assert (is_lost(error), is_conflict(error), is_certain(error)) == (lost, conflict, certain)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT ? WHERE a = ? AND b IN (?, ?)", "SELECT $1 WHERE a = $2 AND b IN ($3, $4)"),
        ("SELECT '?', 'it''s ?', ?", "SELECT '?', 'it''s ?', $1"),
    ],
)
def test_marks_become_numbers(sql: str, expected: str) -> None:
    """A mark for a value becomes a number, unless it is a part of a text."""
    assert numbered(sql) == expected


def test_password_is_not_shown() -> None:
    """What is printed of a database does not give away its password."""
    assert "secret" not in repr(Database("postgresql://berth:secret@db/berth"))
