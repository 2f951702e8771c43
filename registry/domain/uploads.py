"""Uploads: how bytes become a blob of a repository (spec, "Pushing blobs").

All ways in end in `_record`: bytes are durable before the first row speaks of them.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

from auth.actor import Actor
from registry.domain.leases import Leases
from registry.errors import LengthMismatch, OffsetMismatch, TooManyRequests
from storage.blobs.driver import BlobDriver, StoredBytes, UploadWriter
from storage.clock import Clock
from storage.digest import DEFAULT_ALGORITHM, Digest
from storage.errors import BlobTooLarge, DigestMismatch, RegistryError, StorageFull, UploadBusy, UploadUnknown
from storage.metadata import blobs, repositories, uploads
from storage.metadata.store import MetadataStore, Transaction
from storage.metadata.uploads import UploadRow
from storage.names import RepositoryName

Content = AsyncIterator[bytes]

_TOUCH_AFTER_S = 600.0
_EXPIRE_BATCH = 100
_MOUNT_CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class UploadState:
    """A session and how many bytes it holds."""

    id: str
    offset: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Which bytes of the blob a request brings: from `start` up to but without `stop`, where they are known."""

    start: int
    stop: int | None = None


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """`blob_size` in bytes, 0 for none; `receiving` bodies at the same time; idle sessions end after `idle_s`."""

    blob_size: int
    receiving: int
    idle_s: float


class Uploads:
    def __init__(
        self, store: MetadataStore, driver: BlobDriver, clock: Clock, leases: Leases, limits: UploadLimits
    ) -> None:
        self._store, self._driver, self._clock = store, driver, clock
        self._leases, self._limits = leases, limits
        self.receiving = 0

    async def start(self, actor: Actor, repository: RepositoryName, algorithm: str = DEFAULT_ALGORITHM) -> UploadState:
        """Begin a session (end-4a). It is not durable: a session lost in a power cut is started again."""
        row = UploadRow(uuid.uuid4().hex, algorithm, self._clock.now_ms())

        async def insert(tx: Transaction) -> None:
            await uploads.insert(tx, row, repository, actor.principal.key)

        await self._store.transact(insert, durable=False)
        await self._driver.begin_upload(row.id)
        return UploadState(row.id, 0)

    async def status(self, actor: Actor, repository: RepositoryName, upload_id: str) -> UploadState:
        """How far a session got (end-13). Raises `UploadUnknown`, also when somebody else began it."""
        row = await self._find(actor, repository, upload_id)
        return UploadState(row.id, await self._driver.upload_size(row.id))

    async def append(
        self, actor: Actor, repository: RepositoryName, upload_id: str, content: Content, chunk: Chunk | None = None
    ) -> UploadState:
        """Add bytes to a session (end-5).

        When the content breaks off, or the storage is full, what came is kept and can be continued from there.
        Raises `UploadUnknown`, `UploadBusy`, `OffsetMismatch`, `LengthMismatch`, `BlobTooLarge`, `TooManyRequests`.
        """
        row = await self._find(actor, repository, upload_id)
        async with self._opened(row, chunk) as writer:
            await self._receive(writer, content, chunk)
            # While the upload is still ours: who drops idle ones looks at this as soon as it is not.
            await self._touch(row)
        return UploadState(row.id, writer.offset)

    async def finish(
        self,
        actor: Actor,
        repository: RepositoryName,
        upload_id: str,
        digest: Digest,
        content: Content,
        chunk: Chunk | None = None,
    ) -> None:
        """Add the last bytes, if any, and make the whole a blob of the repository (end-6).

        On return the blob is durable and linked. Content that is not what `digest` says ends the session with
        `DigestMismatch`. Otherwise raises what `append` does.
        """
        row = await self._find(actor, repository, upload_id)
        try:
            async with self._opened(row, chunk) as writer:
                await self._receive(writer, content, chunk)
                stored = await writer.commit(digest)
        except DigestMismatch:
            await self._drop(row.id)
            raise
        await self._record(repository, digest, stored, upload_id)

    async def push(self, actor: Actor, repository: RepositoryName, digest: Digest, content: Content) -> None:
        """Store a blob in one go (end-4b). Raises `DigestMismatch`, `BlobTooLarge`, `TooManyRequests`."""
        upload = await self.start(actor, repository, digest.algorithm)
        try:
            await self.finish(actor, repository, upload.id, digest, content)
        except Exception:
            # Nobody knows of this session, so nobody could continue it.
            with contextlib.suppress(RegistryError):
                await self._drop(upload.id)
            raise

    async def cancel(self, actor: Actor, repository: RepositoryName, upload_id: str) -> None:
        """End a session and drop its bytes (end-14). Raises `UploadUnknown`."""
        row = await self._find(actor, repository, upload_id)
        await self._drop(row.id)

    async def _drop(self, upload_id: str) -> None:
        async def delete(tx: Transaction) -> None:
            await uploads.delete(tx, upload_id)

        # Bytes first: on a full disk that is what makes room for the row's change.
        await self._driver.discard_upload(upload_id)
        await self._store.transact(delete, durable=False)

    async def mount(
        self,
        repository: RepositoryName,
        digest: Digest,
        source: RepositoryName | None,
        readable: Callable[[RepositoryName], bool],
    ) -> bool:
        """Link a blob that another repository has (end-11); false if that cannot be done, as with a damaged one.

        Only repositories for which `readable` is true are looked at: `source`, or else any that has the blob.
        """
        sources = await self._sources(digest, source)
        readable_sources = [name for name in sources if readable(name)]
        if not readable_sources:
            return False

        async def link(tx: Transaction) -> bool:
            for name in readable_sources:
                found = await blobs.linked(tx, name, digest)
                if found is not None and not found.damaged:
                    now = self._clock.now_ms()
                    repository_id = await repositories.ensure(tx, repository, now)
                    await blobs.link(tx, repository_id, digest, now, self._leases.until())
                    return True
            return False

        return await self._store.transact(link)

    async def _sources(self, digest: Digest, source: RepositoryName | None) -> list[RepositoryName]:
        if source is not None:
            return [source]
        return await blobs.repositories_linking(self._store, digest, _MOUNT_CANDIDATES)

    async def expire_idle(self) -> int:
        """Drop sessions that nobody has touched for the idle time, and bytes of none; return how many sessions."""
        before = self._clock.now_ms() - int(self._limits.idle_s * 1000)
        expired = await uploads.untouched_since(self._store, before, _EXPIRE_BATCH)

        dropped = sum([await self._drop_if_idle(row) for row in expired])
        async for upload_id in self._driver.uploads():
            if await uploads.touched_at(self._store, upload_id) is None:
                await self._driver.discard_upload(upload_id)
        return dropped

    async def _drop_if_idle(self, row: UploadRow) -> bool:
        try:
            # A body that is still arriving, however slowly, keeps its upload.
            async with self._driver.open_upload(row.id, row.algorithm):
                if await uploads.touched_at(self._store, row.id) != row.touched_at:
                    return False
                await self._drop(row.id)
        except UploadBusy:
            await self._touch(row)
            return False
        except UploadUnknown:
            await self._drop(row.id)
        return True

    async def _find(self, actor: Actor, repository: RepositoryName, upload_id: str) -> UploadRow:
        row = await uploads.find(self._store, upload_id, repository, actor.principal.key)
        if row is None:
            raise UploadUnknown(upload_id)
        return row

    @contextlib.asynccontextmanager
    async def _opened(self, row: UploadRow, chunk: Chunk | None) -> AsyncIterator[UploadWriter]:
        with self._one_more_body():
            async with self._driver.open_upload(row.id, row.algorithm) as writer:
                # The request before this one may have finished or cancelled the session meanwhile.
                if await uploads.touched_at(self._store, row.id) is None:
                    raise UploadUnknown(row.id)
                if chunk is not None and chunk.start != writer.offset:
                    raise OffsetMismatch(row.id, writer.offset, chunk.start)
                yield writer

    @contextlib.contextmanager
    def _one_more_body(self) -> Iterator[None]:
        if self.receiving >= self._limits.receiving:
            raise TooManyRequests(f"{self.receiving} uploads are being received already")
        self.receiving += 1
        try:
            yield
        finally:
            self.receiving -= 1

    async def _receive(self, writer: UploadWriter, content: Content, chunk: Chunk | None) -> None:
        limit = self._limits.blob_size
        stop = None if chunk is None else chunk.stop
        async for data in content:
            if stop is not None and writer.offset + len(data) > stop:
                raise LengthMismatch("the body is longer than Content-Range says")
            if limit and writer.offset + len(data) > limit:
                raise BlobTooLarge(limit)
            await writer.write(data)
        if stop is not None and writer.offset != stop:
            raise LengthMismatch("the body is shorter than Content-Range says")

    async def _touch(self, row: UploadRow) -> None:
        now = self._clock.now_ms()
        # Not at every chunk: what is written down has to be new enough only for the idle time.
        if now - row.touched_at < 1000 * min(_TOUCH_AFTER_S, self._limits.idle_s / 4):
            return

        async def touch(tx: Transaction) -> None:
            await uploads.touch(tx, row.id, now)

        await self._store.transact(touch, durable=False)

    async def _record(self, repository: RepositoryName, digest: Digest, stored: StoredBytes, upload_id: str) -> None:
        async def record(tx: Transaction) -> bool:
            if not await uploads.delete(tx, upload_id):
                raise UploadUnknown(upload_id)
            now = self._clock.now_ms()
            repository_id = await repositories.ensure(tx, repository, now)
            inserted = await blobs.insert(tx, digest, blobs.BlobRow(stored.size, stored.key), now)
            await blobs.link(tx, repository_id, digest, now, self._leases.until())
            return inserted

        try:
            needed = await self._store.transact(record)
        except (StorageFull, UploadUnknown):
            # Certainly rolled back, so no row will ever name these bytes.
            await self._driver.delete(stored.key)
            raise
        if not needed:
            await self._keep_one(digest, stored)

    async def _keep_one(self, digest: Digest, stored: StoredBytes) -> None:
        """Of two copies of a blob keep the one that its row names, unless that is lost or damaged: then this one."""
        old = await blobs.find(self._store, digest)
        if old is None or (not old.damaged and await self._driver.is_whole(old.storage_key, old.size)):
            await self._driver.delete(stored.key)
            return

        async def move(tx: Transaction) -> bool:
            return await blobs.move(tx, digest, old.storage_key, blobs.BlobRow(stored.size, stored.key))

        moved = await self._store.transact(move)
        await self._driver.delete(old.storage_key if moved else stored.key)
