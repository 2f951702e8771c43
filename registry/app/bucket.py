"""The S3 driver, as configured. Imported only where it is."""

from __future__ import annotations

from pathlib import Path

from registry.config.settings import Config
from storage.blobs.s3.driver import S3Driver
from storage.blobs.s3.locks import FileLocks
from storage.blobs.s3.options import S3Options

_ALL_PER_UPLOAD = 4


def open_bucket(config: Config, locks: Path | None) -> S3Driver:
    """The driver; it connects at its first request. `locks` is the folder of the machine's own, if these will do."""
    return S3Driver(bucket_options(config), None if locks is None else FileLocks(locks))


def bucket_options(config: Config) -> S3Options:
    """How the configured store is spoken to."""
    s3 = config.s3
    return S3Options(
        bucket=s3.bucket,
        endpoint=s3.endpoint,
        public_endpoint=s3.public_endpoint,
        region=s3.region,
        prefix=s3.prefix,
        path_style=s3.path_style,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        part_size=s3.part_size,
        parallel=s3.parallel_parts,
        parallel_all=s3.parallel_parts * _ALL_PER_UPLOAD,
        checksum=s3.checksum,
        conditional=s3.conditional_writes,
        timeout_s=s3.timeout,
        attempts=s3.attempts,
    )
