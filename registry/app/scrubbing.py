"""The scrub, as configured: for the daemon, and for a command beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from registry.app.storing import Storage, open_beside
from registry.config.settings import Config
from registry.metrics import Metrics
from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver
from storage.clock import Clock, SystemClock
from storage.metadata import damage
from storage.metadata.damage import StoredBlob
from storage.metadata.store import Queries
from storage.scrub.journal import Progress
from storage.scrub.rate import Rate
from storage.scrub.scrubbing import Scrub

_PAGE = 100
# Of what needs a damaged blob no more is listed.
_LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class DamagedBlob:
    """A blob that has to be pushed again, where it is, and some of the tags that cannot be pulled without it."""

    blob: StoredBlob
    repositories: list[str]
    tags: list[str]


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A pass, whether it came to its end, and everything that is damaged now, whoever found it."""

    progress: Progress
    finished: bool
    damaged: list[DamagedBlob]


class ScheduledScrub:
    """The scrub of a daemon. `is_ours` says whether this process does the work of one."""

    def __init__(
        self, config: Config, storage: Storage, clock: Clock, metrics: Metrics, is_ours: Callable[[], Awaitable[bool]]
    ) -> None:
        self._every_ms, self._is_ours, self._metrics = int(config.scrub.every * 1000), is_ours, metrics
        self._scrub = Scrub(storage.store, uncached(storage), clock, Rate(config.scrub.rate), self._count)
        self._counted = Progress()
        self._blobs = self._bytes = 0

    async def run(self) -> None:
        """Make a pass when it is time for one. Raises `StorageUnavailable` and `StorageFull`."""
        if await self._is_ours():
            await self._scrub.run_when_due(self._every_ms, self._is_ours)

    def _count(self, progress: Progress) -> None:
        # A pass that was broken off begins with what was counted before.
        if progress is self._counted:
            self._metrics.scrubbed(progress.blobs - self._blobs, progress.bytes - self._bytes)
        self._counted, self._blobs, self._bytes = progress, progress.blobs, progress.bytes


async def run_scrub(config: Config, rate: int, report: Callable[[Progress], None], *, anew: bool) -> Scrubbed:
    """Make a pass over what is stored, beside a daemon or without one, and list what is damaged.

    `rate` is in bytes per second, 0 for as fast as it goes. Raises `StartError` if there is nothing.
    """
    async with open_beside(config) as storage:
        scrub = Scrub(storage.store, storage.driver, SystemClock(), Rate(rate), report)
        progress, finished = await scrub.run(anew=anew)
        return Scrubbed(progress, finished, await _all_damaged(storage.store))


async def _all_damaged(queries: Queries) -> list[DamagedBlob]:
    found: list[DamagedBlob] = []
    while page := await damage.damaged_after(queries, found[-1].blob.digest if found else "", _PAGE):
        found += [await _described(queries, blob) for blob in page]
    return found


async def _described(queries: Queries, blob: StoredBlob) -> DamagedBlob:
    repositories = await damage.repositories(queries, blob.digest, _LISTED_MAX)
    return DamagedBlob(blob, repositories, await damage.tags_needing(queries, blob.digest, _LISTED_MAX))


def uncached(storage: Storage) -> BlobDriver:
    """What reads from where the bytes are kept."""
    return storage.driver.behind if isinstance(storage.driver, CachingDriver) else storage.driver
