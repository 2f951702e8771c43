"""`FilesystemDriver` when a task is cancelled while a thread is at work for it."""

import asyncio
import contextlib
from errno import EIO
from pathlib import Path

import pytest

from storage.blobs.filesystem import FilesystemDriver
from storage.errors import RegistryError
from tests.contract.blobs import MIB, content_of, gone, listed_blobs, new_id, noise
from tests.contract.faulty_files import Fault, FaultyFiles
from tests.contract.open_files import open_files_below
from tests.contract.test_filesystem_faults import LARGE, OPERATIONS, content_for, driver_with, expect_whole_blobs, push

# Where a push can be when it is cancelled. While bytes are pushed to the disk early, a small upload has come to its
# commit already, and a large one waits to push the next ones.
MOMENTS = [(operation, len(content_for(operation))) for operation in OPERATIONS]
MOMENTS += [("sync_data", 20 * MIB), ("drop_cached", 20 * MIB)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that the driver can work in."""
    FilesystemDriver.prepare(tmp_path)
    return tmp_path


async def cancel_in_the_middle(driver: FilesystemDriver, files: FaultyFiles, upload_id: str, content: bytes) -> None:
    """Cancel a push while a thread is inside the operation at which `files` stop."""
    task = asyncio.ensure_future(push(driver, upload_id, content))
    try:
        assert await asyncio.to_thread(files.arrived.wait, 10)
        # Until the push has to wait for the thread.
        await asyncio.sleep(0.15)
        task.cancel()
        await asyncio.wait([task], timeout=0.1)
        assert not task.done(), "the push ended while a thread was using its file"
    finally:
        files.go.set()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until_nothing_is_open(place: Path) -> None:
    """Return when this process has no file of the folder open any more."""
    while open_files_below(place):  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(("operation", "size"), MOMENTS)
async def test_thread_is_waited_for(place: Path, operation: str, size: int) -> None:
    """A cancelled push ends when its thread has ended; then nothing is open, and the upload can go on or is a blob."""
    upload_id, content, files = new_id(), noise(size), FaultyFiles(place, stop_at=operation)
    async with driver_with(place, files) as driver:
        await cancel_in_the_middle(driver, files, upload_id, content)
        assert files.misused == []
        assert open_files_below(place) == []
        if not await listed_blobs(driver):
            await push(driver, upload_id, content)
        (stored,) = await listed_blobs(driver)
        assert await content_of(driver, stored.key) == content
        assert files.survives(place / "blobs" / stored.key)


@pytest.mark.parametrize(("operation", "size"), MOMENTS)
async def test_thread_fails_after_the_cancellation(place: Path, operation: str, size: int) -> None:
    """An error that comes when nobody listens any more still counts: lost bytes never become a blob."""
    upload_id, content = new_id(), noise(size)
    files = FaultyFiles(place, Fault(operation, 1, EIO), stop_at=operation)
    async with driver_with(place, files) as driver:
        with contextlib.suppress(RegistryError):
            await cancel_in_the_middle(driver, files, upload_id, content)
        assert files.waiting_faults == []
        assert files.misused == []
        assert open_files_below(place) == []
        await expect_whole_blobs(driver, content)
        if operation in {"sync", "sync_data"}:
            assert await gone(driver, upload_id)
        stored = await push(driver, upload_id, content)
        assert files.survives(place / "blobs" / stored.key)


async def test_closing_in_the_middle(place: Path) -> None:
    """Closing the driver while a cancelled push still writes waits for its thread."""
    upload_id, content, files = new_id(), noise(LARGE), FaultyFiles(place, stop_at="write")
    driver = FilesystemDriver(place, files)
    task = asyncio.ensure_future(push(driver, upload_id, content))
    assert await asyncio.to_thread(files.arrived.wait, 10)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.01)
    closing = asyncio.ensure_future(driver.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    files.go.set()
    async with asyncio.timeout(10):
        await closing
        await until_nothing_is_open(place)
    assert files.misused == []


async def test_folder_that_another_commit_is_making(place: Path) -> None:
    """A commit into a folder that another one has made, but not yet synced, survives a power cut all the same."""
    first, second, files = noise(1000), noise(1000), FaultyFiles(place, stop_at="sync_folder")
    async with driver_with(place, files) as driver, driver_with(place, files) as other:
        task = asyncio.ensure_future(push(driver, new_id(), first))
        await asyncio.to_thread(files.arrived.wait, 10)
        finishing = asyncio.ensure_future(push(other, new_id(), second))
        # The second one may finish now, or wait for the first one.
        await asyncio.wait([finishing], timeout=0.5)
        survived = not finishing.done() or files.survives(place / "blobs" / (await finishing).key)
        files.go.set()
        await task
        assert survived
        assert files.survives(place / "blobs" / (await finishing).key)
