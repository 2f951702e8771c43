"""`S3Driver`: blobs in a bucket of an S3-compatible store, shared by any number of daemons.

What an upload is lies in the store itself, so any process can go on with it; only its running hash stays in the memory
of the process that had it last. Who goes on without it hashes the bytes again at commit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TypeVar

from storage.blobs.driver import Span, StoredBytes, UploadWriter
from storage.blobs.s3.client import Client
from storage.blobs.s3.locks import Lock, UploadLocks
from storage.blobs.s3.options import S3Options
from storage.blobs.s3.parts import Part
from storage.blobs.s3.place import Place
from storage.blobs.s3.reading import ObjectReader, open_object
from storage.blobs.s3.reaping import reap
from storage.blobs.s3.refusals import Refusal
from storage.blobs.s3.sending import Running, begin, new_running
from storage.blobs.s3.signing import Signer
from storage.blobs.s3.writing import ObjectUpload
from storage.errors import BlobDamaged, RegistryError, UploadBusy, UploadUnknown

T = TypeVar("T")

# Running hashes of uploads between two requests; past this number the oldest is computed anew at commit.
_HASHES_MAX = 1024


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The running hash of these parts, when the upload's state had this token."""

    token: str
    parts: list[Part]
    running: Running | None


class S3Driver:
    """A `BlobDriver`, and an `ObjectStore`.

    `locks` are those of one machine, where all processes are on it; without, the store keeps them.
    `client` is another one than `options` say.
    """

    def __init__(self, options: S3Options, locks: UploadLocks | None = None, client: Client | None = None) -> None:
        self._place = Place(options, locks, client)
        self._signer = Signer(options)
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        self._leaving: set[asyncio.Future[None]] = set()

    async def expect_bucket(self) -> None:
        """Raises `StorageUnavailable` unless the bucket is there, and may be used."""
        await self._place.objects.expect_bucket()

    async def begin_upload(self, upload_id: str) -> None:
        await self._place.states.begin(upload_id, self._place.options.part_size)

    async def upload_size(self, upload_id: str) -> int:
        loaded = await self._place.states.load(upload_id, with_tail=False)
        progress = await self._place.progress(upload_id, loaded)
        return progress.size(loaded.state.part_size)

    @contextlib.asynccontextmanager
    async def open_upload(self, upload_id: str, algorithm: str) -> AsyncIterator[UploadWriter]:
        lock = await self._lock(upload_id)
        upload = None
        try:
            upload = await self._resume(upload_id, algorithm, lock)
            yield upload
        finally:
            # Shielded: bytes that were taken are written down even when the request is being torn down.
            await asyncio.shield(self._in_background(self._leave(upload_id, upload, lock)))

    async def _lock(self, upload_id: str) -> Lock:
        deadline = asyncio.get_running_loop().time() + self._place.locks.patience_s
        state = (await self._place.states.load(upload_id, with_tail=False)).state
        while (lock := await self._try_lock(f"{upload_id}.{state.begun}")) is None:
            if asyncio.get_running_loop().time() >= deadline:
                raise UploadBusy(upload_id, await self.upload_size(upload_id))
            await asyncio.sleep(self._place.locks.poll_s)
        return lock

    async def _try_lock(self, name: str) -> Lock | None:
        """The lock if it is free. If nobody waits for it any more when it is there, it is released again."""
        taking = begin(self._place.locks.take(name))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            self._in_background(_release_when_taken(taking))
            raise

    def _in_background(self, work: Awaitable[None]) -> asyncio.Future[None]:
        future = begin(work)
        self._leaving.add(future)
        future.add_done_callback(self._leaving.discard)
        return future

    async def _resume(self, upload_id: str, algorithm: str, lock: Lock) -> ObjectUpload:
        loaded = await self._place.states.load(upload_id, with_tail=True)
        remembered = self._remembered.pop(upload_id, None)
        if remembered is not None and remembered.token != loaded.state.token:
            remembered = None
        known = [] if remembered is None else remembered.parts
        progress = await self._place.progress(upload_id, loaded, known)
        running = None if remembered is None or len(progress.parts) != len(known) else remembered.running
        if not progress.parts:
            running = new_running(algorithm)
        return ObjectUpload(self._place, upload_id, lock, loaded, progress, running)

    async def _leave(self, upload_id: str, upload: ObjectUpload | None, lock: Lock) -> None:
        try:
            if upload is not None:
                await upload.settle()
                self._remember(upload_id, upload)
        except RegistryError:
            if upload is not None and not upload.failed:
                raise
        finally:
            # One that cannot be released is taken over in a while.
            with contextlib.suppress(RegistryError):
                await lock.release()

    def _remember(self, upload_id: str, upload: ObjectUpload) -> None:
        # Where something failed, the store may have other parts than it seems from here.
        if upload.committed or upload.failed or upload.running is None:
            return
        self._remembered[upload_id] = _Remembered(upload.loaded.state.token, upload.sender.parts, upload.running)
        while len(self._remembered) > _HASHES_MAX:
            self._remembered.popitem(last=False)

    async def discard_upload(self, upload_id: str) -> None:
        self._remembered.pop(upload_id, None)
        try:
            state = (await self._place.states.load(upload_id, with_tail=False)).state
        except UploadUnknown:
            # Or it was committed, and its state could not be removed then.
            await self._place.states.remove(upload_id)
            return
        if state.multipart is not None:
            try:
                await self._place.multiparts.abort(self._place.layout.blob(state.key), state.multipart)
            except Refusal as refusal:
                if not refusal.missing:
                    raise
        await self._place.states.remove(upload_id)

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> ObjectReader:
        reader = await open_object(self._place, key, span)
        if size is not None and reader.size != size:
            await reader.close()
            raise BlobDamaged(key)
        return reader

    async def is_whole(self, key: str, size: int) -> bool:
        found = await self._place.objects.look(self._place.layout.blob(key))
        return found is not None and found[0] == size

    async def delete(self, key: str) -> None:
        await self._place.objects.delete(self._place.layout.blob(key))

    async def blobs(self) -> AsyncIterator[StoredBytes]:
        async for found in self._place.objects.list(self._place.layout.blobs):
            key = self._place.layout.key_of(found.name)
            if key is not None:
                yield StoredBytes(key, found.size)

    async def uploads(self) -> AsyncIterator[str]:
        async for found in self._place.objects.list(self._place.layout.uploads):
            upload_id = self._place.layout.upload_id_of(found.name)
            if upload_id is not None:
                yield upload_id

    async def signed_url(self, key: str, lifetime_s: int) -> str:
        return await self._signer.url(self._place.layout.blob(key), lifetime_s)

    async def reap(self) -> int:
        return await reap(self._place)

    async def close(self) -> None:
        while self._leaving:
            await asyncio.wait(self._leaving)
        await self._signer.close()
        await self._place.close()


async def _release_when_taken(taking: asyncio.Future[Lock | None]) -> None:
    with contextlib.suppress(RegistryError):
        lock = await taking
        if lock is not None:
            await lock.release()
