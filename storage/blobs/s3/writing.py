"""`ObjectUpload`: how bytes come into the store, and become a blob there.

Parts are sent as soon as they are full. When a writer leaves, the rest is put beside the upload's state, and whoever
goes on begins with it. At commit the rest is sent as the last part, and the store makes one object of all: no byte is
copied. What has less than a part is put as an object at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import replace

from storage.blobs.driver import StoredBytes
from storage.blobs.s3.assembling import assemble, digest_of_object, take_apart
from storage.blobs.s3.layout import new_storage_key
from storage.blobs.s3.locks import Lock
from storage.blobs.s3.parts import PARTS_MAX, part_size, part_start
from storage.blobs.s3.place import Place, Progress
from storage.blobs.s3.sending import PartSender, Running, begin
from storage.blobs.s3.state import Loaded, State
from storage.digest import Digest
from storage.errors import BlobTooLarge, DigestMismatch, RegistryError, StorageUnavailable


class ObjectUpload:
    """The `UploadWriter` of the S3 driver, from what `loaded` and `progress` say.

    `sender.running` is the hash of the parts; `loaded` is the state that was written last.
    """

    def __init__(
        self, place: Place, upload_id: str, lock: Lock, loaded: Loaded, progress: Progress, running: Running | None
    ) -> None:
        self._place, self._upload_id, self._lock = place, upload_id, lock
        self.loaded, self._ignored, self._assembled = loaded, progress.ignored, progress.assembled
        self.sender = PartSender(place, progress.parts, running)
        self._rest = [loaded.tail] if progress.tail_size and loaded.tail else []
        self._rest_size = progress.tail_size
        self._offset = self._saved = progress.size(loaded.state.part_size)
        self._preparing: asyncio.Future[None] | None = None
        self._committing: asyncio.Future[StoredBytes] | None = None
        self.committed = False
        # Whether the caller knows already that not all is well.
        self.failed = False

    @property
    def offset(self) -> int:
        return self._offset

    @property
    def _part_size(self) -> int:
        return part_size(self.sender.next_number, self.loaded.state.part_size)

    async def write(self, data: bytes) -> None:
        # First of all, so that a cancellation leaves all of it or nothing.
        self._rest.append(data)
        self._rest_size += len(data)
        self._offset += len(data)
        with self._failing():
            await self._send_full_parts()

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except DigestMismatch:
            raise
        except RegistryError:
            self.failed = True
            raise

    async def _send_full_parts(self) -> None:
        while self._rest_size >= self._part_size:
            await self._prepare()
            await self.sender.room()
            multipart = self.loaded.state.multipart
            if multipart is None:
                raise RuntimeError("there is no multipart upload")
            self.sender.send(self._name, multipart, self._cut(self._part_size))

    @property
    def running(self) -> Running | None:
        """The hash of what was sent, if a later writer can go on with it."""
        return None if self._assembled is not None else self.sender.running

    @property
    def _name(self) -> str:
        return self._place.layout.blob(self.loaded.state.key)

    def _cut(self, size: int) -> list[bytes]:
        """Take the first `size` bytes of the rest."""
        taken: list[bytes] = []
        self._rest_size -= size
        while size:
            piece = self._rest.pop(0)
            if len(piece) > size:
                self._rest.insert(0, piece[size:])
                piece = piece[:size]
            taken.append(piece)
            size -= len(piece)
        return taken

    async def _prepare(self) -> None:
        """Make sure that there is a multipart upload, and that the store knows whose it is."""
        if self.sender.next_number > PARTS_MAX:
            raise BlobTooLarge(part_start(PARTS_MAX + 1, self.loaded.state.part_size))
        if self.loaded.state.multipart is not None and self._assembled is None:
            return
        if self._preparing is None or self._preparing.done():
            self._preparing = begin(self._begin_multipart() if self._assembled is None else self._take_apart())
        await asyncio.shield(self._preparing)

    async def _begin_multipart(self) -> None:
        # A key for each: two writers that know nothing of one another never make the same object.
        key = new_storage_key(self._upload_id)
        name = self._place.layout.blob(key)
        multipart = await self._place.multiparts.create(name)
        try:
            await self._save(replace(self.loaded.state, key=key, multipart=multipart), self.loaded.tail or b"")
        except RegistryError:
            with contextlib.suppress(RegistryError):
                await self._place.multiparts.abort(name, multipart)
            raise

    async def _save(self, state: State, tail: bytes) -> None:
        """Write down how far the upload is: all parts that were sent, and `tail` behind them."""
        self._expect_lock()
        count = len(self.sender.parts)
        ignored = {number: etag for number, etag in self._ignored.items() if int(number) > count}
        state = replace(state, parts=count, ignored=ignored)
        self.loaded = await self._place.states.save(self._upload_id, self.loaded, state, tail)

    def _expect_lock(self) -> None:
        if not self._lock.held:
            raise StorageUnavailable("another process goes on with this upload")

    async def _take_apart(self) -> None:
        """Go on behind an object that a commit made, although it did not come to its end."""
        self._expect_lock()
        self.loaded = await take_apart(self._place, self._upload_id, self.loaded, self._assembled or 0)
        progress = await self._place.progress(self._upload_id, self.loaded)
        self.sender = PartSender(self._place, progress.parts, None)
        self._rest[:0] = [self.loaded.tail or b""]
        self._rest_size += self.loaded.tail_size
        self._assembled, self._saved = None, progress.size(self.loaded.state.part_size)

    async def settle(self) -> None:
        """Write down everything that was taken, and leave no request on its way."""
        unfinished = [future for future in (self._preparing, self._committing) if future is not None]
        if unfinished:
            await asyncio.wait(unfinished)
        if self.committed:
            return
        try:
            await self._send_full_parts()
            if self._assembled is not None and self._rest:
                await self._prepare()
        finally:
            await self.sender.settle()
        if self._offset != self._saved:
            await self._save(self.loaded.state, b"".join(self._rest))
            self._saved = self._offset

    async def commit(self, digest: Digest) -> StoredBytes:
        self._committing = begin(self._commit(digest))
        with self._failing():
            return await asyncio.shield(self._committing)

    async def _commit(self, digest: Digest) -> StoredBytes:
        if self._assembled is not None and self._rest:
            await self._prepare()
        await self._send_full_parts()
        await self.sender.settle()
        self._expect_lock()
        if self._assembled is None:
            actual = await self.sender.digest(digest.algorithm, self._rest)
            if actual is not None:
                _expect(digest, actual)
            if self.loaded.state.multipart is None:
                return await self._put()
            certain = await self._assemble()
            if certain and actual is not None:
                return await self._end(self.loaded.state.key)
        read, self._offset = await digest_of_object(self._place, self.loaded.state.key, digest.algorithm)
        _expect(digest, read)
        return await self._end(self.loaded.state.key)

    async def _put(self) -> StoredBytes:
        """Store what is less than a part; under a new key each time, for an earlier try may still be on its way."""
        key = new_storage_key(self._upload_id)
        name = self._place.layout.blob(key)
        try:
            await self._place.objects.put(name, b"".join(self._rest))
            return await self._end(key)
        except RegistryError:
            with contextlib.suppress(RegistryError):
                await self._place.objects.delete(name)
            raise

    async def _assemble(self) -> bool:
        """Make the object of all parts; false if it is not sure that it is made of these."""
        size, certain = await assemble(self._place, self.loaded.state, self.sender.parts, self._rest, self._upload_id)
        self._assembled = self._offset = self._saved = size
        self._rest, self._rest_size = [], 0
        return certain

    async def _end(self, key: str) -> StoredBytes:
        """End the upload: from here on nobody else can make a blob of it."""
        states, size = self._place.states, self._offset
        if self._place.locks.exact:
            await states.remove(self._upload_id)
            self.committed = True
            return StoredBytes(key, size)
        self.loaded = await states.save(self._upload_id, self.loaded, replace(self.loaded.state, committed=True), b"")
        self.committed = True
        # What stays is taken for gone, and removed with other uploads that nobody knows.
        with contextlib.suppress(RegistryError):
            await states.remove(self._upload_id)
        return StoredBytes(key, size)


def _expect(digest: Digest, actual: Digest) -> None:
    if actual != digest:
        raise DigestMismatch(digest, actual)
