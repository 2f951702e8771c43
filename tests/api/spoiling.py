"""Bytes that go wrong where a registry keeps them, and the scrub that finds them."""

from __future__ import annotations

from pathlib import Path

from registry.app.scrubbing import uncached
from storage.blobs.memory import MemoryDriver
from storage.clock import SystemClock
from storage.digest import parse_digest
from storage.metadata import blobs
from storage.scrub.journal import Progress
from storage.scrub.rate import Rate
from storage.scrub.scrubbing import Scrub
from tests import s3_store
from tests.api.server import Registry


async def spoil(registry: Registry, digest: str, content: bytes) -> None:
    """Let a stored blob have other bytes, behind the registry's back."""
    row = await blobs.find(registry.storage.store, parse_digest(digest))
    assert row is not None
    config = registry.config
    if isinstance(registry.storage.driver, MemoryDriver):
        registry.storage.driver.stored[row.storage_key] = content
    elif config.storage.blobs == "s3":
        store = s3_store.client(config.s3.endpoint)
        store.put_object(Bucket=config.s3.bucket, Key=f"{config.s3.prefix}blobs/{row.storage_key}", Body=content)
    else:
        _overwrite(config.storage.data / "blobs" / row.storage_key, content)


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(content)


async def scrubbed(registry: Registry) -> Progress:
    """Let the scrub look at everything, without any wait."""

    async def at_once(_: float) -> None:
        return

    storage = registry.storage
    scrub = Scrub(storage.store, uncached(storage), SystemClock(), Rate(0), sleep=at_once)
    progress, finished = await scrub.run(anew=True)
    assert finished
    return progress
