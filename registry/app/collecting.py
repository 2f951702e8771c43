"""The collector, as configured: for the daemon, and for a command beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.api.call import Services
from registry.app.services import build_services
from registry.app.storing import Storage, open_beside
from registry.config.settings import Config
from registry.domain.collector import Collector, CollectorSettings
from registry.domain.explaining import Explaining
from registry.domain.policies import Retention
from storage.clock import Clock, SystemClock

# Of the time of a worker, which answers requests, too; and of that of a command, for whose transactions others wait.
_SHARE_OF_WORKER, _SHARE_OF_COMMAND = 0.2, 0.6
# SQLite is read where requests are answered: more rows would be a millisecond or two. PostgreSQL is far away.
_STRIDE_OF_SQLITE, _STRIDE_OF_POSTGRESQL = 25, 200


def build_collector(
    config: Config,
    storage: Storage,
    services: Services,
    share: float = _SHARE_OF_WORKER,
    clock: Clock | None = None,
) -> Collector:
    """The collector of a storage; it works for so much of the time, more than 0 and at most 1."""
    settings = CollectorSettings(
        retention=_retention(config),
        keep_deleted_ms=_keep_deleted_ms(config),
        keep_history_ms=int(config.collector.keep_history * 1000),
        linger_ms=_linger_ms(config),
        share=share,
        stride=_STRIDE_OF_POSTGRESQL if config.storage.database else _STRIDE_OF_SQLITE,
    )
    return Collector(storage.store, storage.driver, clock or SystemClock(), services.tags, services.manifests, settings)


@asynccontextmanager
async def open_collector(config: Config) -> AsyncIterator[Collector]:
    """The collector of what is stored, beside a daemon or without one. Raises `StartError` if there is nothing."""
    async with open_beside(config) as storage:
        yield build_collector(config, storage, build_services(config, storage), share=_SHARE_OF_COMMAND)


@asynccontextmanager
async def open_explaining(config: Config) -> AsyncIterator[Explaining]:
    """What says why something is still there. Raises `StartError` if there is nothing."""
    async with open_beside(config) as storage:
        yield Explaining(storage.store, SystemClock(), _retention(config), _keep_deleted_ms(config))


def _retention(config: Config) -> Retention:
    return Retention(
        untagged_ms=int(config.collector.untagged_after * 1000),
        orphaned_ms=int(config.collector.orphaned_after * 1000),
    )


def _keep_deleted_ms(config: Config) -> int:
    return int(config.collector.keep_deleted * 1000)


def _linger_ms(config: Config) -> int:
    # Whoever was sent to the bucket may come there this late.
    return int(config.s3.redirect_lifetime * 1000) if config.storage.blobs == "s3" else 0
