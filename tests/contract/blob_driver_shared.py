"""What a blob driver promises where several processes share its place."""

import asyncio
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from storage.blobs.driver import BlobDriver, StoredBytes
from storage.digest import digest_of
from storage.errors import BlobMissing, DigestMismatch, RegistryError, UploadBusy
from tests.contract.blob_driver_suite import ALGORITHMS, BlobDriverSuite
from tests.contract.blobs import MIB, append, commit, content_of, listed_blobs, new_id, noise, opened, remove_all, store
from tests.contract.processes import elsewhere, killed_process, stay

OpenDriver = Callable[[Path], Awaitable[BlobDriver]]


def append_there(open_driver: OpenDriver, place: Path, upload_id: str, data: bytes) -> int:
    """In another process: add to an upload."""

    async def run() -> int:
        driver = await open_driver(place)
        try:
            return await append(driver, upload_id, data)
        finally:
            await driver.close()

    return asyncio.run(run())


def store_there(open_driver: OpenDriver, place: Path, content: bytes) -> StoredBytes:
    """In another process: store a blob."""

    async def run() -> StoredBytes:
        driver = await open_driver(place)
        try:
            return await store(driver, content)
        finally:
            await driver.close()

    return asyncio.run(run())


def busy_there(open_driver: OpenDriver, place: Path, upload_id: str) -> int | None:
    """In another process: the offset that `UploadBusy` tells; None if the upload can be opened."""
    try:
        append_there(open_driver, place, upload_id, b"intruder")
    except UploadBusy as error:
        return error.offset
    return None


def write_until_killed(
    open_driver: OpenDriver, place: Path, upload_id: str, data: bytes, connection: Connection
) -> None:
    """In another process: write to an upload and never leave it."""

    async def run() -> None:
        driver = await open_driver(place)
        async with opened(driver, upload_id, "sha256") as writer:
            await writer.write(data)
            stay(connection)

    asyncio.run(run())


class SharedBlobDriverContract(BlobDriverSuite):
    """Two drivers, and two processes, on one place."""

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    @pytest.mark.parametrize("size", [1, MIB + 1])
    async def test_continued_by_another(self, driver: BlobDriver, tmp_path: Path, algorithm: str, size: int) -> None:
        """A driver finishes what another one began, though it never saw the first bytes."""
        upload_id, content = new_id(), noise(2 * size)
        other = await self.open_driver(tmp_path)
        await append(other, upload_id, content[:size], algorithm)
        await other.close()
        assert await driver.upload_size(upload_id) == size
        await append(driver, upload_id, content[size:], algorithm)
        stored = await commit(driver, upload_id, content, algorithm)
        assert await content_of(driver, stored.key) == content

    async def test_continued_by_another_process(self, driver: BlobDriver, tmp_path: Path) -> None:
        """A process continues what another process wrote, in both directions."""
        upload_id, content = new_id(), noise(3 * MIB)
        await append(driver, upload_id, content[:MIB])
        there = await elsewhere(append_there, self.open_driver, tmp_path, upload_id, content[MIB : 2 * MIB])
        assert there == 2 * MIB
        await append(driver, upload_id, content[2 * MIB :])
        stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    async def test_what_a_driver_remembers_may_be_old(self, driver: BlobDriver, tmp_path: Path) -> None:
        """An upload that another driver began anew is judged by its bytes, not by what this one remembers."""
        upload_id, other = new_id(), await self.open_driver(tmp_path)
        await append(driver, upload_id, b"old bytes")
        await other.discard_upload(upload_id)
        await append(other, upload_id, b"new bytes")
        await other.close()
        with pytest.raises(DigestMismatch):
            await commit(driver, upload_id, b"old bytes")
        stored = await commit(driver, upload_id, b"new bytes")
        assert await content_of(driver, stored.key) == b"new bytes"

    async def test_what_a_driver_remembers_may_be_short(self, driver: BlobDriver, tmp_path: Path) -> None:
        """Bytes that another driver added in between count."""
        upload_id, other = new_id(), await self.open_driver(tmp_path)
        await append(driver, upload_id, b"one ")
        await append(other, upload_id, b"two ")
        await append(driver, upload_id, b"three")
        await other.close()
        stored = await commit(driver, upload_id, b"one two three")
        assert await content_of(driver, stored.key) == b"one two three"

    async def test_upload_is_open_once_among_all(self, driver: BlobDriver, tmp_path: Path) -> None:
        """While a writer has the upload, other drivers and other processes are refused, and told how far it is."""
        upload_id, other = new_id(), await self.open_driver(tmp_path)
        await append(driver, upload_id, b"12345")
        async with opened(driver, upload_id, "sha256"):
            there = asyncio.ensure_future(elsewhere(busy_there, self.open_driver, tmp_path, upload_id))
            with pytest.raises(UploadBusy) as caught:
                await append(other, upload_id, b"intruder")
            assert caught.value.offset == 5
            assert await there == 5
        assert await append(other, upload_id, b"6789") == 9
        await other.close()

    async def test_next_writer_waits_a_little(self, driver: BlobDriver, tmp_path: Path) -> None:
        """A client that comes back before its old connection was seen to break gets in as soon as that happens."""
        upload_id, other = new_id(), await self.open_driver(tmp_path)
        async with opened(driver, upload_id, "sha256") as writer:
            await writer.write(b"first ")
            waiting = asyncio.ensure_future(append(other, upload_id, b"second"))
            await asyncio.sleep(0.2)
            assert not waiting.done()
        assert await waiting == 12
        stored = await commit(other, upload_id, b"first second")
        assert await content_of(driver, stored.key) == b"first second"
        await other.close()

    async def test_writer_whose_process_dies(self, driver: BlobDriver, tmp_path: Path) -> None:
        """The upload of a killed process is free at once, and holds a beginning of what was sent."""
        upload_id, content = new_id(), noise(5 * MIB)
        with killed_process(write_until_killed, self.open_driver, tmp_path, upload_id, content) as kill:
            kill()
            async with asyncio.timeout(self.free_after_kill_s):
                size = await driver.upload_size(upload_id)
                await append(driver, upload_id, content[size:])
        stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    async def test_blobs_are_seen_by_all(self, driver: BlobDriver, tmp_path: Path) -> None:
        """A blob of one process is readable and listed in another, and gone for both once it is deleted."""
        stored = await elsewhere(store_there, self.open_driver, tmp_path, b"bytes")
        other = await self.open_driver(tmp_path)
        assert await content_of(driver, stored.key) == b"bytes"
        assert await listed_blobs(driver) == await listed_blobs(other) == [stored]
        await driver.delete(stored.key)
        with pytest.raises(BlobMissing):
            await other.open(stored.key)
        assert await listed_blobs(other) == []
        await other.close()

    async def test_discard_and_begin_anew_under_a_writer(self, driver: BlobDriver, tmp_path: Path) -> None:
        """A writer whose upload was discarded, and begun anew by another, never commits the other one's bytes."""
        upload_id, content, other = new_id(), noise(MIB + 1), await self.open_driver(tmp_path)
        digest = digest_of(content)
        async with opened(driver, upload_id, "sha256") as writer:
            await writer.write(content)
            await driver.discard_upload(upload_id)
            await append(other, upload_id, b"other bytes")
            try:
                stored = await writer.commit(digest)
            except RegistryError:
                pass  # what counts is what is stored
            else:
                assert await content_of(driver, stored.key) == content
        for blob in await listed_blobs(other):
            assert await content_of(other, blob.key) == content
        await other.close()

    async def test_listing_while_things_come_and_go(self, driver: BlobDriver, tmp_path: Path) -> None:
        """A listing goes on when what it is about to list disappears."""
        other = await self.open_driver(tmp_path)
        for _ in range(5):
            ids = [new_id() for _ in range(self.crowd)]
            for upload_id in ids:
                await append(driver, upload_id, b"arriving")
            removing = asyncio.ensure_future(remove_all(other))
            while not removing.done():
                seen = [upload_id async for upload_id in driver.uploads()]
                assert set(seen) <= set(ids)
            await removing
        await other.close()
