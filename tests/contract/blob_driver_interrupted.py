"""What a blob driver promises to a task that is cancelled: a request may end at any moment."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest

from storage.blobs.driver import BlobDriver
from storage.digest import digest_of
from tests.contract.blob_driver_suite import BlobDriverSuite
from tests.contract.blobs import (
    MIB,
    append,
    commit,
    content_of,
    in_pieces,
    listed_blobs,
    listed_uploads,
    new_id,
    noise,
    opened,
    store,
)

# A step is one turn of the event loop: some microseconds for the first ones, many milliseconds for the last.
STEPS = [0, 1, 2, 3, 5, 8, 13, 30, 100, 400, 1500]


async def cancel_after(steps: int, work: Coroutine[Any, Any, object]) -> None:
    """Cancel `work` after so many turns of the event loop, and return when it has ended."""
    task = asyncio.ensure_future(work)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


class InterruptedBlobDriverContract(BlobDriverSuite):
    """Cancellation in the middle of everything."""

    @pytest.mark.parametrize("steps", STEPS)
    async def test_cancelled_while_opening(self, driver: BlobDriver, steps: int) -> None:
        """An attempt to open an upload that was given up leaves the upload free for the next one."""
        upload_id = new_id()
        await append(driver, upload_id, b"12345")
        for _ in range(4):
            await cancel_after(steps % 20, append(driver, upload_id, b""))
        async with asyncio.timeout(self.free_after_cancel_s):
            assert await append(driver, upload_id, b"6789") == 9

    @pytest.mark.parametrize("steps", STEPS)
    async def test_cancelled_while_writing(self, driver: BlobDriver, steps: int) -> None:
        """What stays is the beginning of what was sent, all that was taken, and can be continued at once."""
        upload_id, content = new_id(), noise(self.much)
        await driver.begin_upload(upload_id)
        taken = 0

        async def write() -> None:
            nonlocal taken
            async with opened(driver, upload_id, "sha256") as writer:
                for piece in in_pieces(content):
                    await writer.write(piece)
                    taken = writer.offset
                    await asyncio.sleep(0)

        await cancel_after(steps, write())
        async with asyncio.timeout(self.free_after_cancel_s):
            # Opening waits for whatever is still being written down.
            size = await append(driver, upload_id, b"")
            # The piece that was being taken may be there or not.
            assert size in {taken, taken + 64 * 1024}
            assert await driver.upload_size(upload_id) == size
            await append(driver, upload_id, content[size:])
            stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    @pytest.mark.parametrize("steps", STEPS)
    async def test_cancelled_while_committing(self, driver: BlobDriver, steps: int) -> None:
        """The upload is a whole blob afterwards, or can be continued at once; nothing in between."""
        upload_id, content = new_id(), noise(3 * MIB + 5)

        async def finish() -> None:
            async with opened(driver, upload_id, "sha256") as writer:
                await writer.write(content[2 * MIB :])
                await writer.commit(digest_of(content))

        await append(driver, upload_id, content[: 2 * MIB])
        await cancel_after(steps, finish())
        async with asyncio.timeout(self.free_after_cancel_s):
            if blobs := await listed_blobs(driver):
                assert [await content_of(driver, stored.key) for stored in blobs] == [content]
                assert await listed_uploads(driver) == []
                return
            size = await driver.upload_size(upload_id)
            assert size in {2 * MIB, len(content)}
            await append(driver, upload_id, content[size:])
            stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content

    @pytest.mark.parametrize("steps", STEPS)
    async def test_cancelled_while_opening_a_blob(self, driver: BlobDriver, steps: int) -> None:
        """A reader that nobody receives any more is closed."""
        stored = await store(driver, b"bytes")

        async def read() -> None:
            reader = await driver.open(stored.key)
            await reader.close()

        for _ in range(4):
            await cancel_after(steps % 20, read())
        assert await content_of(driver, stored.key) == b"bytes"

    async def test_cancelled_twice(self, driver: BlobDriver) -> None:
        """Impatience does not help: bytes that were taken are kept, and the upload is free again soon."""
        upload_id, content = new_id(), noise(self.much // 2)

        async def write() -> None:
            async with opened(driver, upload_id, "sha256") as writer:
                for piece in in_pieces(content):
                    await writer.write(piece)
                await asyncio.Event().wait()

        task = asyncio.ensure_future(write())
        while not task.done():
            await asyncio.sleep(0.001)
            task.cancel()
        async with asyncio.timeout(self.free_after_cancel_s):
            # Opening waits for whatever is still being written down.
            async with opened(driver, upload_id, "sha256") as writer:
                size = writer.offset
            await append(driver, upload_id, content[size:])
            stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content
