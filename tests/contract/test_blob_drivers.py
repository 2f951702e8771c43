"""Every blob driver against the suites."""

from pathlib import Path

from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver
from storage.blobs.filesystem import FilesystemDriver
from storage.blobs.memory import MemoryDriver
from tests.contract.blob_driver import BlobDriverContract
from tests.contract.blob_driver_interrupted import InterruptedBlobDriverContract
from tests.contract.blob_driver_shared import SharedBlobDriverContract


class TestMemoryDriver(BlobDriverContract, InterruptedBlobDriverContract):
    """Bytes in this process: nobody can share them."""

    async def open_driver(self, place: Path) -> BlobDriver:
        return MemoryDriver()


class TestFilesystemDriver(BlobDriverContract, InterruptedBlobDriverContract, SharedBlobDriverContract):
    """Bytes in a folder."""

    async def open_driver(self, place: Path) -> BlobDriver:
        FilesystemDriver.prepare(place)
        return FilesystemDriver(place)


class TestCachingDriver(BlobDriverContract, InterruptedBlobDriverContract, SharedBlobDriverContract):
    """A cache with room for a few small blobs before bytes in a folder."""

    async def open_driver(self, place: Path) -> BlobDriver:
        FilesystemDriver.prepare(place)
        return CachingDriver(FilesystemDriver(place), capacity=256 * 1024)
