"""`CachingDriver`: keeps small blobs in memory.

Configs and small layers are read again and again; from memory they cost neither a thread hop nor system calls.
Keys are never reused and bytes never change, so an entry can be stale only in the sense that nobody asks for it; or it
came wrong from a disk that was repaired since, and therefore is read anew after a while.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from storage.blobs.driver import BlobDriver, BlobReader, Span, StoredBytes, UploadWriter
from storage.blobs.memory import MemoryReader
from storage.recent import Recent

_BLOB_MAX = 64 * 1024
_READ_ANEW_S = 300.0


class CachingDriver:
    """A `BlobDriver` before another one. `capacity` bounds the memory that it takes, in bytes."""

    def __init__(self, driver: BlobDriver, capacity: int, now: Callable[[], float] = time.monotonic) -> None:
        self._driver, self._now = driver, now
        # With the time, in seconds, at which each was read.
        self._contents: Recent[tuple[bytes, float]] = Recent(capacity)

    @property
    def behind(self) -> BlobDriver:
        """The driver that has the bytes themselves."""
        return self._driver

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> BlobReader:
        content, read_at = self._contents.find(key) or (None, 0.0)
        if content is not None and size in {None, len(content)} and self._now() - read_at < _READ_ANEW_S:
            return MemoryReader(content)
        if size is not None and size > _BLOB_MAX:
            return await self._driver.open(key, size, span)
        reader = await self._driver.open(key, size)
        if reader.size > _BLOB_MAX:
            return reader
        try:
            content = b"".join([piece async for piece in reader.read(0, reader.size)])
        finally:
            await reader.close()
        self._contents.keep(key, (content, self._now()), len(content))
        return MemoryReader(content)

    async def is_whole(self, key: str, size: int) -> bool:
        return await self._driver.is_whole(key, size)

    async def delete(self, key: str) -> None:
        self._contents.drop(key)
        await self._driver.delete(key)

    async def begin_upload(self, upload_id: str) -> None:
        await self._driver.begin_upload(upload_id)

    async def upload_size(self, upload_id: str) -> int:
        return await self._driver.upload_size(upload_id)

    def open_upload(self, upload_id: str, algorithm: str) -> AbstractAsyncContextManager[UploadWriter]:
        return self._driver.open_upload(upload_id, algorithm)

    async def discard_upload(self, upload_id: str) -> None:
        await self._driver.discard_upload(upload_id)

    def blobs(self) -> AsyncIterator[StoredBytes]:
        return self._driver.blobs()

    def uploads(self) -> AsyncIterator[str]:
        return self._driver.uploads()

    async def close(self) -> None:
        await self._driver.close()
