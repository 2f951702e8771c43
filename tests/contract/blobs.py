"""How the suites store, read and remove bytes, whatever the driver."""

import contextlib
import os
import uuid
from collections.abc import AsyncIterator

from storage.blobs.driver import BlobDriver, StoredBytes, UploadWriter
from storage.digest import DEFAULT_ALGORITHM, digest_of
from storage.errors import UploadUnknown

MIB = 1 << 20


def new_id() -> str:
    """An id for an upload, as the registry makes them."""
    return uuid.uuid4().hex


def noise(size: int) -> bytes:
    """`size` bytes that are unlike any others."""
    return os.urandom(size)


def in_pieces(content: bytes, size: int = 64 * 1024) -> list[bytes]:
    """The content cut up as it would come from a socket."""
    return [content[begin : begin + size] for begin in range(0, len(content), size)]


@contextlib.asynccontextmanager
async def opened(driver: BlobDriver, upload_id: str, algorithm: str = DEFAULT_ALGORITHM) -> AsyncIterator[UploadWriter]:
    """An upload that is begun if it is not there, and open."""
    await driver.begin_upload(upload_id)
    async with driver.open_upload(upload_id, algorithm) as writer:
        yield writer


async def append(driver: BlobDriver, upload_id: str, data: bytes, algorithm: str = DEFAULT_ALGORITHM) -> int:
    """Add `data` to an upload in a context of its own, and return the offset reached. A new upload is begun first."""
    async with opened(driver, upload_id, algorithm) as writer:
        for piece in in_pieces(data):
            await writer.write(piece)
        return writer.offset


async def commit(driver: BlobDriver, upload_id: str, content: bytes, algorithm: str = DEFAULT_ALGORITHM) -> StoredBytes:
    """End an upload whose bytes should be `content`, in a context of its own."""
    async with opened(driver, upload_id, algorithm) as writer:
        return await writer.commit(digest_of(content, algorithm))


async def store(driver: BlobDriver, content: bytes, algorithm: str = DEFAULT_ALGORITHM) -> StoredBytes:
    """Store `content` as a blob."""
    upload_id = new_id()
    await append(driver, upload_id, content, algorithm)
    return await commit(driver, upload_id, content, algorithm)


async def gone(driver: BlobDriver, upload_id: str) -> bool:
    """Whether the driver knows nothing of the upload."""
    try:
        await driver.upload_size(upload_id)
    except UploadUnknown:
        return True
    return False


async def pieces_of(driver: BlobDriver, key: str, start: int = 0, stop: int | None = None) -> list[bytes]:
    """What a new reader gives for a range."""
    reader = await driver.open(key)
    try:
        return [piece async for piece in reader.read(start, reader.size if stop is None else stop)]
    finally:
        await reader.close()


async def content_of(driver: BlobDriver, key: str) -> bytes:
    """All bytes of a blob."""
    return b"".join(await pieces_of(driver, key))


async def listed_blobs(driver: BlobDriver) -> list[StoredBytes]:
    """All blobs, ordered by key."""
    return sorted([stored async for stored in driver.blobs()], key=lambda stored: stored.key)


async def listed_uploads(driver: BlobDriver) -> list[str]:
    """The ids of all uploads, in order."""
    return sorted([upload_id async for upload_id in driver.uploads()])


async def remove_all(driver: BlobDriver) -> None:
    """Delete every blob and every upload that the driver lists."""
    for stored in await listed_blobs(driver):
        await driver.delete(stored.key)
    for upload_id in await listed_uploads(driver):
        await driver.discard_upload(upload_id)
