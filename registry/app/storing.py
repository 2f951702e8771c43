"""Storage as configured: made ready, opened, and checked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from registry.app.bytes import open_bytes, prepare_bytes
from registry.app.engines import engine_of
from registry.config.settings import Config
from registry.domain.manifests import read_manifest
from storage.blobs.driver import BlobDriver, ObjectStore
from storage.blobs.memory import MemoryDriver
from storage.check import Check, Report
from storage.lease import Lease
from storage.metadata.migrate import expect_known, newest_version
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore


@dataclass(frozen=True, slots=True)
class Storage:
    """What a process keeps open for as long as it serves.

    `lease` is absent where there is only one process, `objects` where clients cannot reach the bytes by themselves.
    """

    store: MetadataStore
    driver: BlobDriver
    lease: Lease | None
    objects: ObjectStore | None = None

    async def close(self) -> None:
        await self.store.close()
        await self.driver.close()
        if self.lease is not None:
            await self.lease.close()


def prepare_storage(config: Config) -> None:
    """Create the data folder, and the database or its newest schema. Raises `StartError`, `SchemaTooNew`.

    Blocks, and is not for a thread with a running loop.
    """

    async def prepare() -> None:
        # First, since the database may be in the folder that is made here.
        await prepare_bytes(config)
        await engine_of(config).migrate()

    asyncio.run(prepare())


def open_storage(config: Config) -> Storage:
    """Open what `prepare_storage` made ready. Raises `StartError`."""
    if config.storage.ephemeral:
        return Storage(MemoryStore(), MemoryDriver(), None)
    engine = engine_of(config)
    opened = open_bytes(config)
    return Storage(engine.open(), opened.driver, engine.lease(), opened.objects)


async def open_metadata(config: Config) -> MetadataStore:
    """The database, for a command that needs no blobs. Raises `StartError` if there is none."""
    engine = engine_of(config)
    await engine.expect()
    await engine.migrate()
    return engine.open()


@asynccontextmanager
async def open_beside(config: Config) -> AsyncIterator[Storage]:
    """What is stored, for a command beside a daemon or without one. Raises `StartError` if there is nothing."""
    engine = engine_of(config)
    await engine.expect()
    await engine.migrate()
    storage = Storage(engine.open(), open_bytes(config, cached=False).driver, None)
    try:
        yield storage
    finally:
        await storage.close()


async def run_check(config: Config, *, with_bytes: bool) -> Report:
    """Look for broken promises in what is stored (see `storage.check`).

    Raises `StartError` if there is nothing, `SchemaTooNew`, and `CopyUnfinished`.
    """
    engine = engine_of(config)
    await engine.expect()
    storage = Storage(engine.open(patient=True), open_bytes(config, cached=False).driver, None)
    try:
        expect_known(await storage.store.schema_version(), newest_version())
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


async def schema_version(config: Config) -> int:
    """The version of the database. Raises `StartError` if there is none."""
    engine = engine_of(config)
    await engine.expect()
    return await engine.migrate()
