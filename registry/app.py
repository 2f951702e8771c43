"""The composition root: the only place that names concrete engines and drivers, and hands them to the use cases."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from auth.policy import OpenPolicy
from registry.api.call import Services, Settings
from registry.api.forwarded import Origins
from registry.api.ops import Operations
from registry.api.pipeline import Pipeline
from registry.api.v2.routes import ROUTES
from registry.background import Background
from registry.config.settings import Config
from registry.domain.blobs import Blobs
from registry.domain.catalog import Catalog
from registry.domain.manifests import Manifests, read_manifest
from registry.domain.referrers import Referrers
from registry.domain.tags import Tags
from registry.domain.uploads import UploadLimits, Uploads
from registry.errors import StartError
from registry.metrics import Metrics
from registry.state import WorkerState
from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver
from storage.blobs.filesystem import FilesystemDriver
from storage.blobs.memory import MemoryDriver
from storage.check import Check, Report
from storage.clock import SystemClock
from storage.lease import FileLease
from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_EXPIRE_EVERY_S = 60.0
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


def prepare(config: Config) -> None:
    """Create the data folder and bring its database to the newest schema. Raises `StartError`, `SchemaTooNew`.

    Meant for the process that starts the workers: blocks, and leaves nothing open.
    """
    if config.storage.ephemeral:
        return
    data = config.storage.data
    try:
        # First, since it makes the data folder itself, and makes its name durable.
        FilesystemDriver.prepare(data)
        SqliteStore.migrate(data)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used: {os.strerror(error.errno or 0)}") from error


def open_storage(config: Config) -> Storage:
    """Open what `prepare` prepared. Raises `StartError`."""
    if config.storage.ephemeral:
        return Storage(MemoryStore(), MemoryDriver(), None)
    data = config.storage.data
    driver = CachingDriver(FilesystemDriver(data), config.storage.memory_cache)
    return Storage(SqliteStore(data), driver, FileLease(data / _LEASE_NAME))


@asynccontextmanager
async def open_application(config: Config, metrics: Metrics, state: WorkerState) -> AsyncIterator[Handler]:
    """Everything that a worker serves, for as long as the context is open."""
    async with serving(config, open_storage(config), metrics, state) as handler:
        yield handler


@asynccontextmanager
async def serving(config: Config, storage: Storage, metrics: Metrics, state: WorkerState) -> AsyncIterator[Handler]:
    """As `open_application`, over storage that the caller opened; it is closed at the end."""
    services = build_services(config, storage)
    operations = Operations(state, metrics, storage.store, {"metadata": storage.store.schema_version})
    pipeline = Pipeline(
        [*ROUTES, *operations.routes(with_metrics=config.metrics.enabled)],
        services,
        _settings(config),
        _origins(config),
        state.request_log,
        metrics,
    )

    async def watch_uploads() -> None:
        metrics.uploads_in_flight = services.uploads.receiving

    async def expire_uploads() -> None:
        if storage.lease is None or storage.lease.held():
            await services.uploads.expire_idle()

    try:
        async with Background(metrics.task_failed) as background:
            background.every(1.0, "uploads-in-flight", watch_uploads)
            background.every(min(_EXPIRE_EVERY_S, config.uploads.idle_timeout), "expire-uploads", expire_uploads)
            yield pipeline
    finally:
        await storage.close()


def build_services(config: Config, storage: Storage) -> Services:
    clock = SystemClock()
    limits = UploadLimits(
        blob_size=config.limits.blob_size,
        receiving=config.uploads.max_concurrent,
        idle_s=config.uploads.idle_timeout,
    )
    tags = Tags(storage.store, clock)
    return Services(
        blobs=Blobs(storage.store, storage.driver),
        uploads=Uploads(storage.store, storage.driver, clock, limits),
        manifests=Manifests(storage.store, clock, tags, sparse_indexes=config.manifests.sparse_indexes),
        tags=tags,
        referrers=Referrers(storage.store),
        catalog=Catalog(storage.store),
        policy=OpenPolicy(),
    )


async def run_check(config: Config, *, with_bytes: bool) -> Report:
    """Look for broken promises in the data folder (see `storage.check`). Raises `StartError` if there is none."""
    _expect_data(config.storage.data)
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
    _expect_data(config.storage.data)
    return SqliteStore.migrate(config.storage.data)


def _expect_data(data: Path) -> None:
    if not SqliteStore.exists(data):
        raise StartError(f"there is no Berth data in {data}: see --data and storage.data")


def _settings(config: Config) -> Settings:
    return Settings(
        manifest_size=config.limits.manifest_size,
        blob_size=config.limits.blob_size,
        page_size=config.limits.page_size,
        max_page_size=config.limits.max_page_size,
        ranges=config.limits.ranges,
        tags_per_push=config.limits.tags_per_push,
        stall_timeout=config.limits.stall_timeout,
        delete_tags=config.delete.tags,
        delete_manifests=config.delete.manifests,
        delete_blobs=config.delete.blobs,
    )


def _origins(config: Config) -> Origins:
    return Origins(
        absolute=config.server.locations == "absolute",
        public_url=config.server.public_url,
        trusted=config.server.trusted_proxies,
        secure=config.server.tls_certificate is not None,
    )
