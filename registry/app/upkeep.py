"""What a worker does besides answering requests."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

from registry.api.call import Services
from registry.app.access import Access
from registry.app.keys import key_folder
from registry.app.scrubbing import ScheduledScrub
from registry.app.storing import Storage
from registry.background import Background
from registry.config.settings import Config
from registry.domain.collector import Collector
from registry.metrics import Metrics
from storage.clock import Clock
from storage.errors import RegistryError
from storage.metadata import refresh_tokens
from storage.metadata.store import Transaction

logger = logging.getLogger(__name__)

_EXPIRE_EVERY_S = 60.0
_REAP_EVERY_S = 3600.0
_KEYS_EVERY_S = 5.0
_ACCESS_EVERY_S = 1.0
_COLLECT_EVERY_S = 60.0
_SCRUB_EVERY_S = 60.0
_BATCH = 1000
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Upkeep:
    config: Config
    storage: Storage
    clock: Clock
    services: Services
    access: Access
    metrics: Metrics
    collector: Collector

    def begin(self, background: Background) -> None:
        """Begin all tasks. What only one process of an installation should do is left to whoever has the lease."""
        every = background.every
        every(1.0, "uploads-in-flight", self.watch_uploads)
        every(_ACCESS_EVERY_S, "access", self.notice_changes)
        every(1.0, "audit", self.access.batch.flush)
        every(_KEYS_EVERY_S, "keys", self.access.keys.refresh)
        idle = self.config.uploads.idle_timeout
        every(min(_EXPIRE_EVERY_S, idle), "expire-uploads", self.expire_uploads)
        every(_REAP_EVERY_S, "reap-parts", self.reap_parts)
        every(_EXPIRE_EVERY_S, "expire-access", self.expire_access)
        every(_EXPIRE_EVERY_S, "rotate-keys", self.rotate_keys)
        if self.config.collector.every:
            every(min(_COLLECT_EVERY_S, self.config.collector.every), "collect", self.collect)
        if self.config.scrub.every:
            scrub = ScheduledScrub(self.config, self.storage, self.clock, self.metrics, self._is_ours)
            every(min(_SCRUB_EVERY_S, self.config.scrub.every), "scrub", scrub.run)

    async def watch_uploads(self) -> None:
        self.metrics.uploads_in_flight = self.services.uploads.receiving

    async def notice_changes(self) -> None:
        # Tried again at once: a task that fails is not, and what was taken away would go on being granted meanwhile.
        with suppress(RegistryError):
            await self.access.accesses.refresh()

    async def expire_uploads(self) -> None:
        if await self._is_ours():
            await self.services.uploads.expire_idle()

    async def reap_parts(self) -> None:
        """Remove what broken-off uploads left in the store, where no listing of uploads shows it."""
        if self.storage.objects is not None and await self._is_ours():
            await self.storage.objects.reap()

    async def collect(self) -> None:
        """Remove what nothing needs any more, when it is time."""
        if await self._is_ours() and await self.collector.is_due(self.config.collector.every):
            counts = await self.collector.run()
            logger.info(
                "collected %d bytes in %d blobs, %d manifests and %d tags deleted by policy",
                *(counts.bytes, counts.blobs, counts.manifests, counts.tags),
            )
            self.metrics.collected(counts.blobs, counts.bytes)

    async def expire_access(self) -> None:
        """Drop what has expired: failures, refresh tokens, and entries of the audit log."""
        if not await self._is_ours():
            return
        await self.access.throttle.expire()
        now = self.clock.now_ms()

        async def drop(tx: Transaction) -> None:
            await refresh_tokens.delete_expired(tx, now, _BATCH)

        await self.storage.store.transact(drop, durable=False)
        if self.config.audit.keep:
            await self.services.management.audit_log.expire(now - int(self.config.audit.keep * 1000))

    async def rotate_keys(self) -> None:
        """Replace the signing key when it is old, and remove those that nothing can be signed with any more."""
        folder, lifetime_ms = key_folder(self.config), int(self.config.auth.key_lifetime * 1000)
        if folder is None or self.config.auth.mode == "open" or not await self._is_ours():
            return
        now = self.clock.now_ms()
        newest = await asyncio.to_thread(folder.newest_ms)
        if lifetime_ms and newest is not None and now - newest > lifetime_ms:
            await asyncio.to_thread(folder.rotate, now)
        # Much longer than any token lives, so that clocks may differ.
        await asyncio.to_thread(folder.retire, now - max(_DAY_MS, int(self.config.auth.token_lifetime * 2000)))
        await self.access.keys.refresh()

    async def _is_ours(self) -> bool:
        return self.storage.lease is None or await self.storage.lease.held()
