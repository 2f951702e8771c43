"""`MemoryDriver`: bytes in this process, gone at its end. For tests and for trying Berth out."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import BinaryIO

from storage.blobs.driver import Span, StoredBytes, UploadWriter
from storage.blobs.layout import new_storage_key
from storage.digest import Digest, digest_of
from storage.errors import BlobDamaged, BlobMissing, DigestMismatch, UploadBusy, UploadUnknown

PIECE = 1 << 20


class MemoryReader:
    """A `BlobReader` over bytes in memory."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def file(self) -> BinaryIO | None:
        return None

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for begin in range(start, stop, PIECE):
            yield self._content[begin : min(begin + PIECE, stop)]

    async def close(self) -> None:
        return


class _MemoryWriter:
    def __init__(self, driver: MemoryDriver, upload_id: str) -> None:
        self._driver, self._upload_id = driver, upload_id
        self._content = driver.arriving[upload_id]

    @property
    def offset(self) -> int:
        return len(self._content)

    async def write(self, data: bytes) -> None:
        self._content += data

    async def commit(self, digest: Digest) -> StoredBytes:
        content = bytes(self._content)
        actual = digest_of(content, digest.algorithm)
        if actual != digest:
            raise DigestMismatch(digest, actual)
        key = new_storage_key(digest)
        self._driver.stored[key] = content
        self._driver.arriving.pop(self._upload_id, None)
        return StoredBytes(key, len(content))


class MemoryDriver:
    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.arriving: dict[str, bytearray] = {}
        self._open: set[str] = set()

    async def begin_upload(self, upload_id: str) -> None:
        self.arriving.setdefault(upload_id, bytearray())

    async def upload_size(self, upload_id: str) -> int:
        if upload_id not in self.arriving:
            raise UploadUnknown(upload_id)
        return len(self.arriving[upload_id])

    @contextlib.asynccontextmanager
    async def open_upload(self, upload_id: str, algorithm: str) -> AsyncIterator[UploadWriter]:
        size = await self.upload_size(upload_id)
        if upload_id in self._open:
            raise UploadBusy(upload_id, size)
        self._open.add(upload_id)
        try:
            yield _MemoryWriter(self, upload_id)
        finally:
            self._open.discard(upload_id)

    async def discard_upload(self, upload_id: str) -> None:
        self.arriving.pop(upload_id, None)

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> MemoryReader:
        content = self.stored.get(key)
        if content is None:
            raise BlobMissing(key)
        if size is not None and len(content) != size:
            raise BlobDamaged(key)
        return MemoryReader(content)

    async def is_whole(self, key: str, size: int) -> bool:
        return len(self.stored.get(key, b"")) == size and key in self.stored

    async def delete(self, key: str) -> None:
        self.stored.pop(key, None)

    async def blobs(self) -> AsyncIterator[StoredBytes]:
        for key, content in list(self.stored.items()):
            yield StoredBytes(key, len(content))

    async def uploads(self) -> AsyncIterator[str]:
        for upload_id in list(self.arriving):
            yield upload_id

    async def close(self) -> None:
        return
