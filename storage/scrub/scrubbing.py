"""`Scrub`: one pass after another over everything that is stored.

Damage is believed only when it is seen twice, with a moment in between, under a key that the blob's row still has. Then
the row says so, and nobody gets these bytes any more: until a later pass finds them right again (the disk came back),
or the same content is pushed once more, and the row gets the new bytes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from storage.blobs.driver import BlobDriver
from storage.clock import Clock
from storage.digest import parse_digest
from storage.errors import DigestInvalid, StorageUnavailable
from storage.metadata import damage
from storage.metadata.damage import NamedManifest, StoredBlob
from storage.metadata.store import MetadataStore, Transaction
from storage.scrub.journal import Journal, Progress
from storage.scrub.rate import Rate
from storage.scrub.verifying import Verifier, digest_aside

# Few enough that nobody notices the wait for one query.
_SLICE = 200
# To open something counts as much as to read this many bytes, so that small blobs do not become a storm of requests.
_OPENING = 16 * 1024
_MOMENT_S = 2.0
# A blob that cannot be read is passed over; when so many in a row cannot, it is the storage that is away.
_UNREADABLE_IN_A_ROW = 3
_REPOSITORIES_NAMED = 20
_SPOILED_MAX = 1000

MayGoOn = Callable[[], Awaitable[bool]]

logger = logging.getLogger(__name__)


class _Interrupted(Exception):
    """Another process makes this pass now, or nobody may."""


async def _always() -> bool:
    return True


def _unseen(progress: Progress) -> None:
    """Nobody looks."""


class Scrub:
    """`driver` has to be one that reads from where the bytes are kept, not from a cache."""

    def __init__(
        self,
        store: MetadataStore,
        driver: BlobDriver,
        clock: Clock,
        rate: Rate,
        report: Callable[[Progress], None] = _unseen,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`report` is called at the beginning of a pass, and after everything that was read."""
        self._store, self._driver, self._clock = store, driver, clock
        self._rate, self._report, self._sleep = rate, report, sleep
        self._journal, self._verifier = Journal(store, clock), Verifier(driver, self._read)
        self._progress = Progress()
        self._may_go_on: MayGoOn = _always

    async def run_when_due(self, every_ms: int, may_go_on: MayGoOn) -> None:
        """Make a pass if the last one began that long ago, or the rest of one that was broken off.

        `may_go_on` is asked every few seconds, for instance whether this is still the process that scrubs.
        Raises what `run` does.
        """
        if await self._journal.is_due(every_ms):
            await self.run(may_go_on=may_go_on)

    async def run(self, *, anew: bool = False, may_go_on: MayGoOn = _always) -> tuple[Progress, bool]:
        """Make the rest of the pass that has not ended, or, if there is none or with `anew`, a whole one.

        Returns what the pass found, and whether it is at its end: it is not where another process took it over, or it
        may not go on. Raises `StorageUnavailable` and `StorageFull`; the next run begins about where this one ended.
        """
        self._may_go_on = may_go_on
        self._progress = await self._journal.take(anew=anew)
        self._report(self._progress)
        try:
            await self._blobs()
            await self._manifests()
        except _Interrupted:
            return self._progress, False
        return self._progress, await self._journal.write(self._progress, ended=True)

    async def _blobs(self) -> None:
        last, unreadable = self._progress.blob, list[StoredBlob]()
        while slice_ := await damage.blobs_after(self._store, last, _SLICE):
            for blob in slice_:
                last = blob.digest
                try:
                    fault = await self._verifier.fault(blob)
                except StorageUnavailable:
                    unreadable.append(blob)
                    if len(unreadable) == _UNREADABLE_IN_A_ROW:
                        raise
                    continue
                self._give_up(unreadable)
                await self._judge(blob, fault)
                self._progress.blob = last
                self._progress.blobs += 1
                await self._spend(_OPENING)
        if unreadable:
            await self._expect_bytes()
            self._give_up(unreadable)

    def _give_up(self, unreadable: list[StoredBlob]) -> None:
        """The storage answers, so something is the matter with these blobs alone."""
        for blob in unreadable:
            logger.warning("the storage does not let blob %s be read", blob.digest)
        self._progress.unreadable += len(unreadable)
        unreadable.clear()

    async def _judge(self, blob: StoredBlob, fault: str | None) -> None:
        if blob.damaged_at is not None:
            if fault is None and await self._mark(blob, None):
                self._progress.restored += 1
                logger.info("blob %s is whole again", blob.digest)
            return
        if fault is None:
            return
        fault = await self._fault_after_a_moment(blob)
        if fault is not None and await self._mark(blob, self._clock.now_ms()):
            self._progress.damaged += 1
            await self._complain(blob, fault)

    async def _fault_after_a_moment(self, blob: StoredBlob) -> str | None:
        await self._sleep(_MOMENT_S)
        now = await damage.find(self._store, blob.digest)
        if now is None or now.storage_key != blob.storage_key:
            return None
        await self._expect_bytes()
        return await self._verifier.fault(blob)

    async def _expect_bytes(self) -> None:
        """Raises `StorageUnavailable` if nothing is stored at all: that is not damage, it is the wrong place."""
        async for _ in self._driver.blobs():
            return
        raise StorageUnavailable("no blob at all is stored where the blobs should be")

    async def _mark(self, blob: StoredBlob, damaged_at: int | None) -> bool:
        async def mark(tx: Transaction) -> bool:
            return await damage.mark(tx, blob, damaged_at)

        return await self._store.transact(mark)

    async def _complain(self, blob: StoredBlob, fault: str) -> None:
        names = await damage.repositories(self._store, blob.digest, _REPOSITORIES_NAMED)
        extra = {"digest": blob.digest, "repositories": names}
        logger.error("blob %s is damaged: it %s; push it again to mend it", blob.digest, fault, extra=extra)

    async def _manifests(self) -> None:
        progress = self._progress
        while slice_ := await damage.manifests_after(self._store, progress.manifest, _SLICE):
            for manifest in slice_:
                content = await damage.content(self._store, manifest.id)
                if content is not None and not await _is_right(manifest, content):
                    self._complain_of(manifest)
                progress.manifest = manifest.id
                progress.manifests += 1
                await self._spend(_OPENING + len(content or b""))

    def _complain_of(self, manifest: NamedManifest) -> None:
        if len(self._progress.spoiled) < _SPOILED_MAX:
            self._progress.spoiled.append(f"{manifest.repository}@{manifest.digest}")
        extra = {"digest": manifest.digest, "repositories": [manifest.repository]}
        logger.error("manifest %s is damaged: its bytes are not what its digest says", manifest.digest, extra=extra)

    async def _read(self, size: int) -> None:
        self._progress.bytes += size
        await self._spend(size)

    async def _spend(self, size: int) -> None:
        await self._rate.spend(size)
        self._report(self._progress)
        if self._journal.is_stale and not await self._goes_on():
            raise _Interrupted

    async def _goes_on(self) -> bool:
        try:
            return await self._may_go_on() and await self._journal.write(self._progress)
        except StorageUnavailable:
            # Nothing is wrong with the blob that is being read. If the rows stay away, whoever asks for more will see.
            return True


async def _is_right(manifest: NamedManifest, content: bytes) -> bool:
    try:
        digest = parse_digest(manifest.digest)
    except DigestInvalid:
        return False
    return await digest_aside(content, digest.algorithm) == digest
