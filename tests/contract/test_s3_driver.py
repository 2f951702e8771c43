"""The S3 driver against the suites: with locks in the store, and with those of one machine."""

from pathlib import Path

from storage.blobs.driver import BlobDriver
from storage.blobs.s3.driver import S3Driver
from storage.blobs.s3.locks import FileLocks
from tests import s3_store
from tests.contract.blob_driver import BlobDriverContract
from tests.contract.blob_driver_interrupted import InterruptedBlobDriverContract
from tests.contract.blob_driver_shared import SharedBlobDriverContract

# What other processes on a busy machine may cost: each step is a request to another program.
SLOW_S = 8.0
# How long one has to wait for a writer that died.
LOCK_S = 3.0


class TestS3Driver(BlobDriverContract, InterruptedBlobDriverContract, SharedBlobDriverContract):
    """Bytes in a bucket, for daemons on many machines."""

    crowd = 5
    much = 8 * s3_store.PART
    free_after_cancel_s = SLOW_S
    free_after_kill_s = LOCK_S + SLOW_S

    async def open_driver(self, place: Path) -> BlobDriver:
        return S3Driver(s3_store.options(place, lock_lifetime_s=LOCK_S))

    def leftovers(self, place: Path) -> list[str]:
        return s3_store.leftovers(place)


class TestS3DriverOfOneMachine(BlobDriverContract, InterruptedBlobDriverContract, SharedBlobDriverContract):
    """Bytes in a bucket, for processes on one machine, in a store that knows no conditional writes."""

    crowd = 5
    much = 8 * s3_store.PART
    free_after_cancel_s = free_after_kill_s = SLOW_S

    async def open_driver(self, place: Path) -> BlobDriver:
        return S3Driver(s3_store.options(place, conditional=False), FileLocks(place / "locks"))

    def leftovers(self, place: Path) -> list[str]:
        return [*s3_store.leftovers(place), *super().leftovers(place)]
