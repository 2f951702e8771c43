"""What a worker serves, and what it does besides."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from auth.passwords import Passwords
from registry.api.call import Settings
from registry.api.forwarded import Origins
from registry.api.ops import Operations
from registry.api.pipeline import Pipeline
from registry.api.pulls import with_audited_pulls
from registry.api.redirects import Redirects
from registry.api.rest.routes import ROUTES as REST_ROUTES
from registry.api.routing import Route
from registry.api.v2.routes import ROUTES as V2_ROUTES
from registry.app.access import Access, build_access
from registry.app.collecting import build_collector
from registry.app.first_start import ensure_admin
from registry.app.services import build_services
from registry.app.storing import Storage, open_storage
from registry.app.upkeep import Upkeep
from registry.background import Background
from registry.config.settings import Config
from registry.metrics import Metrics
from registry.state import WorkerState
from storage.clock import SystemClock

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def open_application(config: Config, metrics: Metrics, state: WorkerState) -> AsyncIterator[Handler]:
    """Everything that a worker serves, for as long as the context is open."""
    async with serving(config, open_storage(config), metrics, state) as handler:
        yield handler


@asynccontextmanager
async def serving(
    config: Config, storage: Storage, metrics: Metrics, state: WorkerState, passwords: Passwords | None = None
) -> AsyncIterator[Handler]:
    """As `open_application`, over storage that the caller opened; it is closed at the end."""
    clock = SystemClock()
    hasher = passwords or Passwords()
    access = build_access(config, storage.store, clock, hasher)
    services = build_services(config, storage, hasher)
    operations = Operations(state, metrics, storage.store, {"metadata": storage.store.schema_version})
    pipeline = Pipeline(
        routes_of(config, access, operations),
        services,
        access.gate,
        _settings(config, access),
        _origins(config),
        state.request_log,
        metrics,
    )
    collector = build_collector(config, storage, services)
    upkeep = Upkeep(config, storage, clock, services, access, metrics, collector)
    try:
        if config.storage.ephemeral and config.auth.mode != "open":
            await ensure_admin(storage.store, hasher)
        async with Background(metrics.task_failed) as background:
            upkeep.begin(background)
            yield pipeline
    finally:
        # What was refused in the last second is written, unless the store does not answer any more.
        try:
            async with asyncio.timeout(5):
                await access.batch.close()
        finally:
            await storage.close()


def routes_of(config: Config, access: Access, operations: Operations) -> list[Route]:
    """All rows of the route table."""
    registry = V2_ROUTES if config.server.role == "all" else []
    if config.audit.pulls:
        registry = with_audited_pulls(registry, access.log)
    tokens = access.endpoint.routes() if config.auth.mode == "builtin" else []
    metrics = operations.metrics_routes(public=config.metrics.public) if config.metrics.enabled else []
    return [*registry, *tokens, *REST_ROUTES, *operations.routes(), *metrics]


def _settings(config: Config, access: Access) -> Settings:
    return Settings(
        manifest_size=config.limits.manifest_size,
        blob_size=config.limits.blob_size,
        page_size=config.limits.page_size,
        max_page_size=config.limits.max_page_size,
        ranges=config.limits.ranges,
        tags_per_push=config.limits.tags_per_push,
        stall_timeout=config.limits.stall_timeout,
        delete_manifests=config.delete.manifests,
        delete_blobs=config.delete.blobs,
        redirects=_redirects(config, access),
    )


def _redirects(config: Config, access: Access) -> Redirects | None:
    s3 = config.s3
    if config.storage.blobs != "s3":
        return None
    return Redirects(s3.redirect, s3.redirect_size, s3.redirect_networks, int(s3.redirect_lifetime), access.accesses)


def _origins(config: Config) -> Origins:
    return Origins(
        absolute=config.server.locations == "absolute",
        public_url=config.server.public_url,
        trusted=config.server.trusted_proxies,
        secure=config.server.tls_certificate is not None,
    )
