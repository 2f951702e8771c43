"""What the suites for blob drivers have in common: how they get a driver, and that nothing may be left of it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.blobs.driver import BlobDriver
from tests.contract.blobs import listed_blobs, listed_uploads, remove_all
from tests.contract.open_files import open_files_below

ALGORITHMS = ["sha256", "sha512"]


class BlobDriverSuite:
    """How a suite gets its driver. A subclass for a driver says how to open one.

    class TestSomeDriver(BlobDriverContract):
        async def open_driver(self, place: Path) -> BlobDriver:
            return SomeDriver(place)

    `place` is a new folder for each test. Two drivers opened on one place are what two processes would have.
    """

    async def open_driver(self, place: Path) -> BlobDriver:
        """A driver that keeps its bytes at `place`, which is prepared if that is needed."""
        raise NotImplementedError

    # How soon an upload can be gone on with whose writer was cancelled, and whose process was killed, in seconds.
    free_after_cancel_s = 2.0
    free_after_kill_s = 2.0
    # How many uploads are a crowd.
    crowd = 200
    # So many bytes that writing them takes a while.
    much = 16 << 20

    def leftovers(self, place: Path) -> list[str]:
        """What lies at `place` although no blob and no upload is left."""
        return [str(path) for path in place.rglob("*") if not path.is_dir()]

    @pytest.fixture
    async def driver(self, tmp_path: Path) -> AsyncIterator[BlobDriver]:
        """A driver on an empty place. After the test nothing may be left that the driver does not list."""
        driver = await self.open_driver(tmp_path)
        yield driver
        await remove_all(driver)
        assert await listed_blobs(driver) == []
        assert await listed_uploads(driver) == []
        await driver.close()
        assert self.leftovers(tmp_path) == []
        assert open_files_below(tmp_path) == []
        assert asyncio.all_tasks() == {asyncio.current_task()}
