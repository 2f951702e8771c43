"""Sweeping: links that no manifest needs, blobs that no repository has, and bytes that no row names.

Each step finds candidates a slice at a time, without a lock, and removes them in a transaction that asks everything
again: what was pushed, mounted or asked for in between stays. Bytes go last, when it is durable that no row names them,
under a key that no later push can have. So a sweep may run beside pushes and other sweeps, and may end at any point.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from storage.blobs.driver import BlobDriver, StoredBytes
from storage.clock import Clock
from storage.errors import RegistryError
from storage.garbage.collected import Collected
from storage.garbage.pace import Pace
from storage.metadata import garbage, tag_history
from storage.metadata.garbage import BlobSeen, LinkSeen, Unwanted
from storage.metadata.store import MetadataStore, Transaction

_REMOVING_AT_ONCE = 16
# Bytes lie without a row from the end of their upload to its record, which is a matter of seconds.
STRAY_MS: Final = 24 * 3600 * 1000

logger = logging.getLogger(__name__)


class Sweep:
    """One sweep over a store; `counts` goes up as it gets on. With `dry_run` it only counts."""

    def __init__(
        self,
        store: MetadataStore,
        driver: BlobDriver,
        clock: Clock,
        pace: Pace,
        counts: Collected,
        *,
        dry_run: bool,
    ) -> None:
        self._store, self._driver, self._clock, self._pace = store, driver, clock, pace
        self._counts, self._dry_run = counts, dry_run

    async def history(self, before_ms: int) -> None:
        """Forget which way tags went before then, but never where one points, or pointed last."""
        last = 0
        while seen := await tag_history.after(self._store, last, before_ms, self._pace.stride):
            self._counts.examined += len(seen)
            past = [change.id for change in seen if change.is_old and change.is_superseded]
            self._counts.history += len(past) if self._dry_run else await self._forget_history(past)
            if not seen[-1].is_old:
                break
            last = seen[-1].id
            await self._pace.rest()

    async def _forget_history(self, past: list[int]) -> int:
        async def forget(tx: Transaction) -> int:
            return await tag_history.forget(tx, past)

        return await self._store.transact(forget, durable=False) if past else 0

    async def deleted(self, before_ms: int) -> None:
        """Forget manifests that were deleted before then: from now on they cannot be brought back."""
        if self._dry_run:
            self._counts.forgotten = await garbage.forgettable(self._store, before_ms)
            return

        async def forget(tx: Transaction) -> int:
            return await garbage.forget(tx, before_ms, self._pace.stride)

        while forgotten := await self._store.transact(forget, durable=False):
            self._counts.forgotten += forgotten
            await self._pace.rest()

    async def links(self) -> None:
        """Unlink blobs from repositories in which no manifest needs them, and no lease protects them."""
        last = (0, "")
        while seen := await garbage.links_after(self._store, last, self._clock.now_ms(), self._pace.stride):
            self._counts.examined += len(seen)
            needless = [link for link in seen if link.needless]
            self._counts.links += len(needless) if self._dry_run else await self._unlink(needless)
            last = (seen[-1].repository_id, seen[-1].digest)
            await self._pace.rest()

    async def _unlink(self, needless: list[LinkSeen]) -> int:
        async def unlink(tx: Transaction) -> int:
            now = self._clock.now_ms()
            return sum([await garbage.unlink(tx, link, now) for link in needless])

        return await self._store.transact(unlink, durable=False) if needless else 0

    async def blobs(self, deleted_before_ms: int, linger_ms: int) -> None:
        """Remove the rows of blobs that no repository has. Their bytes are due after `linger_ms`."""
        last = ""
        while seen := await self._blobs_after(last, deleted_before_ms):
            self._counts.examined += len(seen)
            needless = [blob for blob in seen if blob.needless]
            gone = needless if self._dry_run else await self._delete(needless, linger_ms)
            self._counts.blobs += len(gone)
            self._counts.bytes += sum(blob.size for blob in gone)
            last = seen[-1].digest
            await self._pace.rest()

    async def _blobs_after(self, last: str, deleted_before_ms: int) -> list[BlobSeen]:
        now = self._clock.now_ms()
        return await garbage.blobs_after(self._store, last, now, deleted_before_ms, self._pace.stride)

    async def _delete(self, needless: list[BlobSeen], linger_ms: int) -> list[BlobSeen]:
        async def delete(tx: Transaction) -> list[BlobSeen]:
            due = self._clock.now_ms() + linger_ms
            return [blob for blob in needless if await garbage.delete_blob(tx, blob, due)]

        return await self._store.transact(delete) if needless else []

    async def stray(self) -> None:
        """Mark bytes that no row names, as a crash leaves them behind. They go when nothing names them a day later."""
        batch: list[StoredBytes] = []
        async for stored in self._driver.blobs():
            batch.append(stored)
            if len(batch) == self._pace.stride:
                await self._mark_stray(batch)
                batch = []
                await self._pace.rest()
        if batch:
            await self._mark_stray(batch)

    async def _mark_stray(self, batch: list[StoredBytes]) -> None:
        self._counts.examined += len(batch)
        keys = [stored.key for stored in batch]
        known = await garbage.named(self._store, keys) | await garbage.marked(self._store, keys)
        found = [stored for stored in batch if stored.key not in known]
        self._counts.stray += len(found)
        self._counts.stray_bytes += sum(stored.size for stored in found)

        async def mark(tx: Transaction) -> None:
            due = self._clock.now_ms() + STRAY_MS
            for stored in found:
                await garbage.mark(tx, stored.key, due)

        if found and not self._dry_run:
            await self._store.transact(mark, durable=False)

    async def unwanted(self) -> None:
        """Remove the bytes that are marked, and due. What the store does not remove now is tried again next time."""
        if self._dry_run:
            return
        last = Unwanted(0, "")
        while due := await garbage.due_after(self._store, last, self._clock.now_ms(), self._pace.stride):
            keys = [mark.storage_key for mark in due]
            wanted = await garbage.named(self._store, keys)
            removed = await self._remove(key for key in keys if key not in wanted)
            self._counts.removed += len(removed)
            await self._unmark([*wanted, *removed])
            last = due[-1]
            await self._pace.rest()

    async def _remove(self, keys: Iterable[str]) -> list[str]:
        turns = asyncio.Semaphore(_REMOVING_AT_ONCE)

        async def remove(key: str) -> str | None:
            async with turns:
                try:
                    await self._driver.delete(key)
                except (RegistryError, OSError, ValueError) as error:
                    self._counts.failed += 1
                    logger.warning("the bytes %s could not be removed: %s", key, error)
                    return None
                return key

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(remove(key)) for key in keys]
        return [key for task in tasks if (key := task.result()) is not None]

    async def _unmark(self, keys: list[str]) -> None:
        async def unmark(tx: Transaction) -> None:
            for key in keys:
                await garbage.unmark(tx, key)

        if keys:
            await self._store.transact(unmark, durable=False)
