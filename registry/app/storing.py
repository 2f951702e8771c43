"""Storage as configured: made ready, opened, and checked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from registry.config.settings import Config
from registry.domain.manifests import read_manifest
from registry.errors import StartError
from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver
from storage.blobs.filesystem import FilesystemDriver
from storage.blobs.memory import MemoryDriver
from storage.check import Check, Report
from storage.lease import FileLease
from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore

_LEASE_NAME = "background.lock"


@dataclass(frozen=True, slots=True)
class Storage:
    """What a process keeps open for as long as it serves. `lease` is absent where there is only one process."""

    store: MetadataStore
    driver: BlobDriver
    lease: FileLease | None

    async def close(self) -> None:
        await self.store.close()
        await self.driver.close()
        if self.lease is not None:
            self.lease.close()


def prepare_storage(config: Config) -> None:
    """Create the data folder and bring its database to the newest schema. Raises `StartError`, `SchemaTooNew`."""
    data = config.storage.data
    try:
        # First, since it makes the data folder itself, and makes its name durable.
        FilesystemDriver.prepare(data)
        SqliteStore.migrate(data)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used: {os.strerror(error.errno or 0)}") from error


def open_storage(config: Config) -> Storage:
    """Open what `prepare_storage` made ready. Raises `StartError`."""
    if config.storage.ephemeral:
        return Storage(MemoryStore(), MemoryDriver(), None)
    data = config.storage.data
    driver = CachingDriver(FilesystemDriver(data), config.storage.memory_cache)
    return Storage(SqliteStore(data), driver, FileLease(data / _LEASE_NAME))


def open_metadata(config: Config) -> MetadataStore:
    """The database of the data folder, for a command that needs no blobs. Raises `StartError` if there is none."""
    expect_data(config.storage.data)
    SqliteStore.migrate(config.storage.data)
    return SqliteStore(config.storage.data)


async def run_check(config: Config, *, with_bytes: bool) -> Report:
    """Look for broken promises in the data folder (see `storage.check`). Raises `StartError` if there is none."""
    expect_data(config.storage.data)
    storage = Storage(SqliteStore(config.storage.data), FilesystemDriver(config.storage.data), None)
    try:
        check = Check(
            storage.store,
            storage.driver,
            read_manifest,
            with_bytes=with_bytes,
            sparse_indexes=config.manifests.sparse_indexes,
        )
        return await check.run()
    finally:
        await storage.close()


def schema_version(config: Config) -> int:
    """The version of the database in the data folder. Raises `StartError` if there is none."""
    expect_data(config.storage.data)
    return SqliteStore.migrate(config.storage.data)


def expect_data(data: Path) -> None:
    """Raises `StartError` unless there is a database in the folder."""
    if not SqliteStore.exists(data):
        raise StartError(f"there is no Berth data in {data}: see --data and storage.data")
