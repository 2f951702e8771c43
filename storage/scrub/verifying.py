"""Reading a blob's bytes to see whether they are what the digest says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from storage.blobs.driver import BlobDriver, BlobReader
from storage.blobs.files import Files
from storage.digest import Digest, Hasher, digest_of, new_hasher, parse_digest
from storage.errors import BlobDamaged, BlobMissing, DigestInvalid
from storage.metadata.damage import StoredBlob

# Above this, hashing takes long enough to be worth a thread.
_INLINE_MAX = 64 * 1024


class Verifier:
    """`read` is called after each piece with its size, and returns when the next one may be read."""

    def __init__(self, driver: BlobDriver, read: Callable[[int], Awaitable[None]]) -> None:
        self._driver, self._read, self._files = driver, read, Files()

    async def fault(self, blob: StoredBlob) -> str | None:
        """What is wrong with the blob's bytes, to complete the sentence "the blob …"; None if they are right.

        Raises `StorageUnavailable` where that cannot be said.
        """
        try:
            digest = parse_digest(blob.digest)
            reader = await self._driver.open(blob.storage_key, blob.size)
            try:
                actual = await self._digest(reader, digest.algorithm)
            finally:
                await reader.close()
        except DigestInvalid as error:
            return f"has a row that makes no sense: {error}"
        except BlobDamaged:
            return f"cannot be read, or has not the {blob.size} bytes that it should have"
        # A key that no driver gave out is no key of any bytes.
        except (BlobMissing, ValueError):
            return "has lost its bytes"
        return None if actual == digest else f"has bytes that hash to {actual}"

    async def _digest(self, reader: BlobReader, algorithm: str) -> Digest:
        hasher = new_hasher(algorithm)
        await self._drop_cached(reader)
        async for piece in reader.read(0, reader.size):
            await _update(hasher, piece)
            await self._read(len(piece))
        await self._drop_cached(reader)
        return Digest(algorithm, hasher.hexdigest())

    async def _drop_cached(self, reader: BlobReader) -> None:
        """Read from the disk itself, and leave the kernel's memory to what is read often."""
        file = reader.file()
        if file is not None:
            await asyncio.to_thread(self._files.drop_cached, file.fileno(), 0, reader.size)


async def digest_aside(content: bytes, algorithm: str) -> Digest:
    """The digest of bytes in memory, without keeping others waiting for long."""
    if len(content) <= _INLINE_MAX:
        return digest_of(content, algorithm)
    return await asyncio.to_thread(digest_of, content, algorithm)


async def _update(hasher: Hasher, piece: bytes) -> None:
    if len(piece) <= _INLINE_MAX:
        hasher.update(piece)
    else:
        await asyncio.to_thread(hasher.update, piece)
