"""`CachingDriver`: keeps small blobs in memory.

Configs and small layers are read again and again; from memory they cost neither a thread hop nor system calls.
Keys are never reused and bytes never change, so an entry can be stale only in the sense that nobody asks for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from storage.blobs.driver import BlobDriver, BlobReader, Span, StoredBytes, UploadWriter
from storage.blobs.memory import MemoryReader

_BLOB_MAX = 64 * 1024
# What an entry costs beside its bytes: key, dict slot, objects.
_ENTRY_COST = 512


class CachingDriver:
    """A `BlobDriver` before another one. `capacity` bounds the memory that it takes, in bytes."""

    def __init__(self, driver: BlobDriver, capacity: int) -> None:
        self._driver = driver
        self._capacity = capacity
        self._used = 0
        self._contents: OrderedDict[str, bytes] = OrderedDict()

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> BlobReader:
        content = self._contents.get(key)
        if content is not None and size in {None, len(content)}:
            self._contents.move_to_end(key)
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
        self._keep(key, content)
        return MemoryReader(content)

    def _keep(self, key: str, content: bytes) -> None:
        if key in self._contents:
            return
        self._contents[key] = content
        self._used += len(content) + _ENTRY_COST
        while self._used > self._capacity:
            _, dropped = self._contents.popitem(last=False)
            self._used -= len(dropped) + _ENTRY_COST

    async def is_whole(self, key: str, size: int) -> bool:
        return await self._driver.is_whole(key, size)

    async def delete(self, key: str) -> None:
        dropped = self._contents.pop(key, None)
        if dropped is not None:
            self._used -= len(dropped) + _ENTRY_COST
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
