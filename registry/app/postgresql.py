"""PostgreSQL as configured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from registry.config.storage import StorageConfig
from registry.errors import StartError
from storage.lease import Lease
from storage.metadata.postgresql import Database, DatabaseLease, HeldDatabase, PostgresStore
from storage.metadata.store import MetadataStore


class PostgresEngine:
    """An `Engine`. The password in the URL is in none of its messages."""

    def __init__(self, storage: StorageConfig) -> None:
        self._storage = storage

    async def expect(self) -> None:
        async with _explained():
            found = await PostgresStore.exists(self._database())
        if not found:
            raise StartError("there is no Berth data in the database: see storage.database")

    async def migrate(self) -> int:
        async with _explained():
            return await PostgresStore.migrate(self._database())

    def open(self, *, patient: bool = False) -> MetadataStore:
        return PostgresStore(self._database(patient=patient))

    def lease(self) -> Lease:
        return DatabaseLease(self._database())

    async def hold(self, *, frozen: bool) -> HeldDatabase:
        """Keep daemons from the database, or, if it is `frozen`, everybody from writing.

        Raises `StartError`, and `DatabaseInUse` while anybody uses it.
        """
        async with _explained():
            wait_s = self._storage.connect_timeout
            return await HeldDatabase.hold(self._database(patient=True), frozen=frozen, wait_s=wait_s)

    def _database(self, *, patient: bool = False) -> Database:
        return Database(
            self._storage.database,
            pool_size=self._storage.pool_size,
            connect_timeout_s=self._storage.connect_timeout,
            statement_timeout_s=None if patient else self._storage.statement_timeout,
            prepared=self._storage.prepared_statements,
        )


@asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    """What keeps somebody from using the database, in words for whoever starts the daemon."""
    try:
        yield
    except ValueError:
        # The message has parts of the URL in it, and they can be of the password. So no cause is given either.
        raise StartError("the URL of the database cannot be understood: see storage.database") from None
    except TimeoutError as error:
        raise StartError("the database did not answer in time") from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise StartError(f"the database cannot be used: {error}") from error
