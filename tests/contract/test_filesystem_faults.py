"""`FilesystemDriver` on a disk that fails: never a wrong blob, never one that a power cut would take away."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from errno import EDQUOT, EIO, ENOSPC
from pathlib import Path

import pytest

from storage.blobs.driver import StoredBytes
from storage.blobs.filesystem import FilesystemDriver
from storage.digest import digest_of
from storage.errors import BlobDamaged, DigestMismatch, RegistryError, StorageFull, StorageUnavailable
from tests.contract.blobs import (
    MIB,
    append,
    commit,
    content_of,
    gone,
    in_pieces,
    listed_blobs,
    new_id,
    noise,
    opened,
    store,
)
from tests.contract.faulty_files import Fault, FaultyFiles, WitnessedFiles
from tests.contract.open_files import open_files_below
from tests.contract.processes import elsewhere

# Enough for the driver to push bytes to the disk before the commit, more than once.
LARGE = 36 * MIB
SMALL = 3 * MIB + 5

# What a push goes through, from its first byte to the end of its commit.
OPERATIONS = ["write", "sync_data", "drop_cached", "sync", "make_folder", "rename", "sync_folder"]


@asynccontextmanager
async def driver_with(place: Path, files: WitnessedFiles) -> AsyncIterator[FilesystemDriver]:
    """A driver with these file operations, closed at the end. No file may stay open."""
    driver = FilesystemDriver(place, files)
    try:
        yield driver
    finally:
        await driver.close()
    assert open_files_below(place) == []


async def push(driver: FilesystemDriver, upload_id: str, content: bytes) -> StoredBytes:
    """What a client does: continue where the upload is, and finish it."""
    async with opened(driver, upload_id, "sha256") as writer:
        for piece in in_pieces(content[writer.offset :]):
            await writer.write(piece)
        return await writer.commit(digest_of(content))


async def expect_whole_blobs(driver: FilesystemDriver, content: bytes) -> None:
    """Whatever lies under a blob's name is `content`."""
    for stored in await listed_blobs(driver):
        assert await content_of(driver, stored.key) == content


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that the driver can work in."""
    FilesystemDriver.prepare(tmp_path)
    return tmp_path


async def calls_of_a_push(place: Path, operation: str, content: bytes) -> list[int]:
    """Which calls of an operation to fail, counted from 1: the first ones, one in the middle, and the last."""
    FilesystemDriver.prepare(place)
    files = FaultyFiles(place)
    async with driver_with(place, files) as driver:
        await push(driver, new_id(), content)
    count = files.calls[operation]
    assert count > 0, f"no push calls {operation}"
    return sorted({1, min(2, count), (count + 1) // 2, count})


def content_for(operation: str) -> bytes:
    """Content whose push goes through the operation."""
    return noise(LARGE if operation in {"sync_data", "drop_cached"} else SMALL)


@pytest.mark.parametrize("restarted", [False, True], ids=["", "restarted"])
@pytest.mark.parametrize("error", [ENOSPC, EIO], ids=["full", "broken"])
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_one_fault(tmp_path: Path, operation: str, error: int, *, restarted: bool) -> None:
    """After any failure the client can go on from where the upload is; what it is told is stored is there for good."""
    content = content_for(operation)
    for call in await calls_of_a_push(tmp_path / "rehearsal", operation, content):
        place = tmp_path / f"call-{call}"
        FilesystemDriver.prepare(place)
        upload_id, files = new_id(), FaultyFiles(place, Fault(operation, call, error))
        async with driver_with(place, files) as driver:
            with pytest.raises(StorageFull if error == ENOSPC else StorageUnavailable):
                await push(driver, upload_id, content)
            assert files.waiting_faults == []
            await expect_whole_blobs(driver, content)
            if operation in {"sync", "sync_data"}:
                assert await gone(driver, upload_id)
            stored = None if restarted else await push(driver, upload_id, content)
        if stored is None:
            async with driver_with(place, files) as driver:
                stored = await push(driver, upload_id, content)
        assert files.survives(place / "blobs" / stored.key), f"not after call {call}"
        assert (place / "blobs" / stored.key).read_bytes() == content
        assert files.misused == []


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_upload_stays_writable(place: Path, operation: str) -> None:
    """An upload that is still there after a failure can be continued by its owner, who need not be root."""
    upload_id, files = new_id(), FaultyFiles(place, Fault(operation, 1, EIO))
    async with driver_with(place, files) as driver:
        with pytest.raises(StorageUnavailable):
            await push(driver, upload_id, content_for(operation))
    for upload in (place / "uploads").iterdir():
        assert upload.stat().st_mode & 0o600 == 0o600


async def test_caller_that_ignores_a_failed_write(place: Path) -> None:
    """Bytes missing in the middle are noticed at commit, even when a caller went on writing behind them."""
    content, upload_id, files = noise(SMALL), new_id(), FaultyFiles(place, Fault("write", 3, ENOSPC))
    async with driver_with(place, files) as driver:
        async with opened(driver, upload_id, "sha256") as writer:
            for piece in in_pieces(content):
                try:
                    await writer.write(piece)
                except StorageFull:
                    continue
            with pytest.raises(DigestMismatch) as caught:
                await writer.commit(digest_of(content))
        assert files.waiting_faults == []
        # What counts is what is in the file, whatever was hashed on the way to it.
        assert caught.value.actual == digest_of((place / "uploads" / upload_id).read_bytes())
        assert await listed_blobs(driver) == []


@pytest.mark.parametrize("operation", ["sync", "sync_data"])
async def test_lost_bytes_that_cannot_be_removed(place: Path, operation: str) -> None:
    """When a sync fails and removing the bytes fails too, they still do not become a blob, and nothing stays open."""
    content, upload_id = noise(LARGE), new_id()
    files = FaultyFiles(place, Fault(operation, 1, EIO), Fault("unlink", 1, EIO))
    async with driver_with(place, files) as driver:
        with pytest.raises(StorageUnavailable):
            await push(driver, upload_id, content)
        assert files.waiting_faults == []
        assert open_files_below(place) == []
        # `rename` of the double fails the test if it is given these bytes.
        try:
            stored = await push(driver, upload_id, content)
        except RegistryError:
            assert await listed_blobs(driver) == []
        else:
            assert files.survives(place / "blobs" / stored.key)


@pytest.mark.parametrize("error", [ENOSPC, EDQUOT, EIO])
async def test_failed_removals(place: Path, error: int) -> None:
    """A delete or discard that fails says so, changes nothing, and can be repeated."""
    full = error in {ENOSPC, EDQUOT}
    files, upload_id = FaultyFiles(place, Fault("unlink", 1, error), Fault("unlink", 3, error)), new_id()
    async with driver_with(place, files) as driver:
        stored = await store(driver, b"bytes")
        await append(driver, upload_id, b"arriving")
        with pytest.raises(StorageFull if full else StorageUnavailable):
            await driver.delete(stored.key)
        assert await content_of(driver, stored.key) == b"bytes"
        await driver.delete(stored.key)
        with pytest.raises(StorageFull if full else StorageUnavailable):
            await driver.discard_upload(upload_id)
        assert await driver.upload_size(upload_id) == 8
        again = await commit(driver, upload_id, b"arriving")
        assert await content_of(driver, again.key) == b"arriving"


@pytest.mark.parametrize("size", [0, 1, SMALL, LARGE])
@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
async def test_commits_survive_a_power_cut(place: Path, algorithm: str, size: int) -> None:
    """On return from commit the bytes, the file's name and the names of all its folders are on the disk."""
    files = WitnessedFiles(place)
    async with driver_with(place, files) as driver:
        for content in (noise(size), noise(size)):
            stored = await store(driver, content, algorithm)
            assert files.survives(place / "blobs" / stored.key)
            assert (place / "blobs" / stored.key).stat().st_mode & 0o222 == 0


def push_to_a_small_disk(place: Path, upload_id: str, content: bytes, room: int) -> str:
    """In another process: push where no file can grow beyond `room` bytes; return the name of the error's class."""

    async def run() -> str:
        driver = FilesystemDriver(place)
        try:
            await push(driver, upload_id, content)
        except RegistryError as error:
            return type(error).__name__
        finally:
            await driver.close()
        return "no error"

    resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
    return asyncio.run(run())


async def test_file_that_cannot_grow(place: Path) -> None:
    """Where the kernel takes a part of a write and then no more, that part stays, and the rest can follow later."""
    content, upload_id, room = noise(SMALL), new_id(), 1_500_001
    assert await elsewhere(push_to_a_small_disk, place, upload_id, content, room) == "StorageFull"
    async with driver_with(place, WitnessedFiles(place)) as driver:
        assert await driver.upload_size(upload_id) == room
        stored = await push(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content


async def test_blob_whose_file_was_cut(place: Path) -> None:
    """Reading beyond the end of a damaged file is an error, not an early end."""
    content = noise(SMALL)
    async with driver_with(place, WitnessedFiles(place)) as driver:
        stored = await store(driver, content)
        reader = await driver.open(stored.key)
        os.truncate(place / "blobs" / stored.key, 1000)
        with pytest.raises(StorageUnavailable):
            assert [piece async for piece in reader.read(0, SMALL)] == []
        await reader.close()


async def test_foreign_files_are_not_listed(place: Path) -> None:
    """What somebody else put into the folders is neither a blob nor an upload, and does not disturb the listings."""
    async with driver_with(place, WitnessedFiles(place)) as driver:
        stored = await store(driver, b"bytes")
        for path in ("uploads/notes", "blobs/notes", "blobs/sha256/notes", f"blobs/{stored.key[:10]}notes"):
            (place / path).write_bytes(b"foreign")
        assert await listed_blobs(driver) == [stored]
        assert [upload_id async for upload_id in driver.uploads()] == []


@pytest.mark.parametrize(
    "key", ["", "../../x", "sha256/ab/../../../metadata.db", "md5/aa/aa.bb", "sha256/aa/" + "a" * 64]
)
async def test_malformed_keys(place: Path, key: str) -> None:
    """A key that no driver can have given out is refused before it becomes a path."""
    async with driver_with(place, WitnessedFiles(place)) as driver:
        with pytest.raises(ValueError, match="storage key"):
            await driver.open(key)
        with pytest.raises(ValueError, match="storage key"):
            await driver.delete(key)


@pytest.mark.parametrize("upload_id", ["", "..", "../blobs", "A" * 32, "a" * 31, "a" * 33, "a" * 31 + "\n"])
async def test_malformed_upload_ids(place: Path, upload_id: str) -> None:
    """An id that is not 32 hex digits never becomes a path."""
    async with driver_with(place, WitnessedFiles(place)) as driver:
        with pytest.raises(ValueError, match="upload id"):
            await driver.upload_size(upload_id)
        with pytest.raises(ValueError, match="upload id"):
            await append(driver, upload_id, b"bytes")
        with pytest.raises(ValueError, match="upload id"):
            await driver.discard_upload(upload_id)


async def test_bytes_that_the_disk_cannot_read(tmp_path: Path) -> None:
    """A blob that lies where the disk has an error is damaged: trying again later would not help."""
    FilesystemDriver.prepare(tmp_path)
    async with driver_with(tmp_path, WitnessedFiles(tmp_path)) as driver:
        stored = await store(driver, b"bytes")
        path = tmp_path / "blobs" / stored.key
        path.unlink()
        # Nothing is mapped at the beginning of a process's memory, and reading it is an input/output error.
        path.symlink_to("/proc/self/mem")
        reader = await driver.open(stored.key)
        with pytest.raises(BlobDamaged):
            assert [piece async for piece in reader.read(0, 5)] == []
        await reader.close()
