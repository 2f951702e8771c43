"""Where rows are kept, as configured: SQLite in the data folder, or a database of PostgreSQL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from registry.config.settings import Config
from registry.errors import StartError
from storage.lease import FileLease, Lease
from storage.metadata.sqlite import SqliteStore
from storage.metadata.store import MetadataStore

_LEASE_NAME = "background.lock"


class Engine(Protocol):
    async def expect(self) -> None:
        """Raises `StartError` unless there is Berth's data."""
        ...

    async def migrate(self) -> int:
        """Make the tables, or bring them to the newest schema; return its version. Raises `StartError`, `SchemaTooNew`.

        May block.
        """
        ...

    def open(self, *, patient: bool = False) -> MetadataStore:
        """Open what `migrate` made; a patient one waits for each answer as long as it takes."""
        ...

    def lease(self) -> Lease:
        """What one of the processes that share the rows has at a time."""
        ...


def engine_of(config: Config) -> Engine:
    """The engine that the configuration names."""
    if not config.storage.database:
        return SqliteEngine(config.storage.data)
    # Not at the top: it loads another client of databases, which only this engine needs.
    from registry.app.postgresql import PostgresEngine  # noqa: PLC0415

    return PostgresEngine(config.storage)


class SqliteEngine:
    def __init__(self, data: Path) -> None:
        self._data = data

    async def expect(self) -> None:
        if not SqliteStore.exists(self._data):
            raise StartError(f"there is no Berth data in {self._data}: see --data and storage.data")

    async def migrate(self) -> int:
        try:
            return SqliteStore.migrate(self._data)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise StartError(f"the data folder {self._data} cannot be used: {reason}") from error

    def open(self, *, patient: bool = False) -> MetadataStore:
        return SqliteStore(self._data)

    def lease(self) -> Lease:
        return FileLease(self._data / _LEASE_NAME)
