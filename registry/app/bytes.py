"""Where bytes are kept, as configured: in the data folder, or in a bucket."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from registry.config.settings import Config
from registry.errors import StartError
from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver, ObjectStore
from storage.blobs.files import Files
from storage.blobs.filesystem import FilesystemDriver
from storage.blobs.folders import Folders, nearest_existing
from storage.errors import StorageUnavailable

_LOCKS = "upload-locks"


@dataclass(frozen=True, slots=True)
class Bytes:
    """A driver, and the store behind it where clients can reach that, too."""

    driver: BlobDriver
    objects: ObjectStore | None = None


async def prepare_bytes(config: Config) -> None:
    """Make the data folder, and look whether the bucket is there. Raises `StartError`. May block."""
    data = config.storage.data
    try:
        if config.storage.blobs == "filesystem":
            # This makes the data folder itself, and makes its name durable.
            FilesystemDriver.prepare(data)
        else:
            Folders(nearest_existing(data), Files()).make(data / _LOCKS)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used: {os.strerror(error.errno or 0)}") from error
    if config.storage.blobs == "s3":
        await _expect_bucket(config)


async def _expect_bucket(config: Config) -> None:
    from registry.app.bucket import open_bucket  # noqa: PLC0415 - see below

    bucket = open_bucket(config, _lock_folder(config))
    try:
        await bucket.expect_bucket()
    except StorageUnavailable as error:
        raise StartError(f"the bucket {config.s3.bucket} cannot be used: {error}") from error
    finally:
        await bucket.close()


def open_bytes(config: Config, *, cached: bool = True) -> Bytes:
    """Open what `prepare_bytes` made ready."""
    driver, objects = _opened(config)
    return Bytes(CachingDriver(driver, config.storage.memory_cache) if cached else driver, objects)


def _opened(config: Config) -> tuple[BlobDriver, ObjectStore | None]:
    if config.storage.blobs == "filesystem":
        return FilesystemDriver(config.storage.data), None
    # Not at the top: it loads a client of the store, which takes half a second and much memory.
    from registry.app.bucket import open_bucket  # noqa: PLC0415

    bucket = open_bucket(config, _lock_folder(config))
    return bucket, bucket


def _lock_folder(config: Config) -> Path | None:
    """Where uploads are locked if all processes are on this machine: those on one SQLite are."""
    return None if config.storage.database and config.s3.conditional_writes else config.storage.data / _LOCKS
