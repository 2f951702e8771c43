"""Why there is no copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg

from storage.errors import RegistryError


class CopyRefused(RegistryError):
    """The message says what is in the way. Nothing was changed in the destination, or it still is unfinished."""


class CopyDiffers(RegistryError):
    """`problems` say, each in a sentence, where the copy is not what it has to be. It stays unfinished."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"the copy is not as it has to be: {'; '.join(problems)}")
        self.problems = problems


@contextmanager
def refused(table: str) -> Iterator[None]:
    """What an engine has against rows of the table, as `CopyRefused`. Rows of a sound source have no such errors."""
    try:
        yield
    except (asyncpg.DataError, asyncpg.InterfaceError):
        # Their messages have the value in them, which can be secret, and so can the details of the others.
        raise CopyRefused(f"rows of {table} cannot be copied: a value is not of its column's type") from None
    except (sqlite3.Error, asyncpg.PostgresError) as error:
        raise CopyRefused(f"rows of {table} cannot be copied: {error.args[0]}") from error
