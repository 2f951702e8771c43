"""The collector: removes what nothing needs any more, while the registry is in use.

In the order in which things keep one another: tags and manifests that the policies give up, then what cannot be brought
back any more, the links of blobs that no manifest needs, the blobs that no repository has, and their bytes at last.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from registry.domain.manifests import Manifests
from registry.domain.policies import Policies, Retention, read_policies
from registry.domain.retiring import Retiring
from registry.domain.tags import Tags
from storage.blobs.driver import BlobDriver
from storage.clock import Clock
from storage.garbage.collected import Collected
from storage.garbage.pace import Pace
from storage.garbage.sweep import Sweep
from storage.metadata import runs
from storage.metadata.store import MetadataStore, Transaction

KIND = "collect"
_RUNS_KEPT = 100
_NOTE_S = 5.0
# A run that was broken off is not waited for any longer than this.
_BROKEN_OFF_MS = 10 * 60 * 1000


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """Times in milliseconds.

    `retention` is for registries without policies of their own. What was deleted can be brought back for
    `keep_deleted_ms`, and where a tag pointed is known for `keep_history_ms` (0 is for ever). Bytes stay for
    `linger_ms` after their row, for clients that were told where they are.
    `share` is how much of the time the collector works, more than 0 and at most 1, and `stride` how many rows it takes
    at once.
    """

    retention: Retention
    keep_deleted_ms: int
    keep_history_ms: int
    linger_ms: int
    share: float
    stride: int


class Collector:
    def __init__(
        self,
        store: MetadataStore,
        driver: BlobDriver,
        clock: Clock,
        tagging: Tags,
        manifests: Manifests,
        settings: CollectorSettings,
    ) -> None:
        self._store, self._driver, self._clock = store, driver, clock
        self._tags, self._manifests, self._settings = tagging, manifests, settings

    async def run(self, *, dry_run: bool = False, report: Callable[[Collected], None] | None = None) -> Collected:
        """Collect once over everything; `report` is called with the counts whenever something was done.

        It may end at any point, and run beside pushes, deletes and other collections: whatever is protected stays.
        Raises `StorageUnavailable` and `StorageFull`; what was done until then is done, and the next run goes on.
        """
        counts = Collected()
        policies = await read_policies(self._store, self._settings.retention)
        pace = _Progress(self._settings, counts, report)
        retiring = Retiring(
            self._store, self._clock, self._tags, self._manifests, policies, pace, counts, dry_run=dry_run
        )
        sweep = Sweep(self._store, self._driver, self._clock, pace, counts, dry_run=dry_run)
        run = None if dry_run else await self._begin(counts)
        if run is not None:
            pace.note = lambda: self._note(run, counts)
        for counts.phase, work in self._phases(policies, retiring, sweep):
            await work()
        counts.phase = ""
        if run is not None:
            await self._note(run, counts, ended=True)
        return counts

    def _phases(
        self, policies: Policies, retiring: Retiring, sweep: Sweep
    ) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        settings = self._settings
        # The same for all phases: what can still be brought back at the beginning can be so until the end.
        deleted_before = self._clock.now_ms() - settings.keep_deleted_ms
        by_policy = (
            []
            if policies.keep_everything
            else [
                ("tags", retiring.attached_tags),
                ("manifests", retiring.manifests),
            ]
        )
        keep_history_ms = settings.keep_history_ms
        history_before = self._clock.now_ms() - keep_history_ms if keep_history_ms else 0
        return [
            *by_policy,
            ("history", lambda: sweep.history(history_before)),
            ("deleted manifests", lambda: sweep.deleted(deleted_before)),
            ("links", sweep.links),
            ("blobs", lambda: sweep.blobs(deleted_before, settings.linger_ms)),
            ("stray bytes", sweep.stray),
            ("bytes", sweep.unwanted),
        ]

    async def is_due(self, every_s: float) -> bool:
        """Whether the last run began so many seconds ago, or was broken off."""
        last = await runs.latest(self._store, KIND)
        if last is None:
            return True
        now = self._clock.now_ms()
        if last.ended_at is None and last.updated_at < now - _BROKEN_OFF_MS:
            return True
        return last.started_at + int(every_s * 1000) <= now

    async def _begin(self, counts: Collected) -> int:
        async def begin(tx: Transaction) -> int:
            await runs.forget(tx, KIND, _RUNS_KEPT)
            return await runs.begin(tx, KIND, self._clock.now_ms(), counts.as_dict())

        return await self._store.transact(begin, durable=False)

    async def _note(self, run: int, counts: Collected, *, ended: bool = False) -> None:
        async def note(tx: Transaction) -> None:
            await runs.update(tx, run, self._clock.now_ms(), counts.as_dict(), ended=ended)

        await self._store.transact(note, durable=False)


class _Progress(Pace):
    """Says and writes down how far the work has got, when it rests."""

    def __init__(
        self, settings: CollectorSettings, counts: Collected, report: Callable[[Collected], None] | None
    ) -> None:
        super().__init__(settings.share, settings.stride)
        self._counts, self._report = counts, report
        self._noted = time.monotonic()
        self.note: Callable[[], Awaitable[None]] | None = None

    async def rest(self) -> None:
        """As `Pace.rest`, after telling."""
        if self._report is not None:
            self._report(self._counts)
        if self.note is not None and time.monotonic() - self._noted > _NOTE_S:
            await self.note()
            self._noted = time.monotonic()
        await super().rest()
