"""Databases of PostgreSQL that are lent with a connection to each kept: a new one takes longer than most tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from registry.app.bytes import open_bytes
from registry.config.settings import Config
from registry.domain.manifests import read_manifest
from storage.check import Check, Report
from storage.metadata.postgresql import Database, PostgresStore
from tests.databases import NEW, Databases, restoring

T = TypeVar("T")

SECONDS = 60.0


class KeptDatabases:
    """Databases as new, with stores of the tests' own in a loop of their own, which outlives that of a test."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._stores: dict[str, PostgresStore] = {}
        self._free: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def lend(self) -> str:
        """The URL of a database that nobody else has."""
        if not self._free:
            name = self._databases.lend()
            self._stores[name] = PostgresStore(Database(self._databases.url(name)))
            self._free.append(name)
        return self._databases.url(self._free.pop())

    async def check(self, config: Config) -> Report:
        """What `berth check --bytes` would say of a registry on one of the databases."""
        return await asyncio.wrap_future(self._begin(self._check(config)))

    def take_back(self, url: str) -> None:
        """Make the database as new, for the next who wants one."""
        name, store = self._found(url)
        self._begin(store.transact(lambda tx: tx.execute(restoring(NEW)))).result(SECONDS)
        self._free.append(name)

    def close(self) -> None:
        """Give all databases back."""
        for store in self._stores.values():
            self._begin(store.close()).result(SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
        for name in self._stores:
            self._databases.take_back(name)

    async def _check(self, config: Config) -> Report:
        _, store = self._found(config.storage.database)
        driver = open_bytes(config, cached=False).driver
        try:
            sparse = config.manifests.sparse_indexes
            return await Check(store, driver, read_manifest, with_bytes=True, sparse_indexes=sparse).run()
        finally:
            await driver.close()

    def _found(self, url: str) -> tuple[str, PostgresStore]:
        return next((name, store) for name, store in self._stores.items() if self._databases.url(name) == url)

    def _begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)
