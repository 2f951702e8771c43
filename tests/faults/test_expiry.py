"""Uploads that nobody touches, in a daemon that drops them after two seconds."""

import asyncio
import random
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from auth.actor import OPERATING
from registry.domain.leases import Leases
from registry.domain.uploads import UploadLimits, Uploads
from storage.blobs.filesystem import FilesystemDriver
from storage.clock import FakeClock
from storage.metadata.sqlite import SqliteStore
from storage.names import RepositoryName
from tests.daemon import Daemon
from tests.faults.client import Registry, digest_of
from tests.faults.hanging_up import End, connection, head, read_until
from tests.faults.mounts import tmpfs
from tests.faults.trapped import wait_until

REPOSITORY = "app"
IDLE_SECONDS = 2.0
ENVIRONMENT = {"BERTH_UPLOADS__IDLE_TIMEOUT": f"{IDLE_SECONDS}s"}
BLOB = random.Random(1).randbytes(4 << 20)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with a short `uploads.idle_timeout`; in the end its store is whole."""
    with Daemon(tmp_path / "data", "--workers", "2", environment=ENVIRONMENT) as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


def bytes_arriving(data: Path) -> int:
    """How many bytes of uploads are on the disk."""
    return sum(path.stat().st_size for path in (data / "uploads").iterdir())


def rows(data: Path) -> int:
    """How many uploads have a row."""
    with closing(sqlite3.connect(data / "metadata.db")) as database:
        (count,) = database.execute("SELECT COUNT(*) FROM uploads").fetchone()
    return int(count)


def test_idle_uploads_are_dropped(daemon: Daemon) -> None:
    """Bytes and row of an upload that nobody touches go, and whoever comes back hears that it is unknown."""
    registry = Registry(daemon.address)
    empty, started = registry.start(REPOSITORY), registry.start(REPOSITORY)
    started = registry.append(started, BLOB).expect(202).headers["Location"]
    assert bytes_arriving(daemon.data) == len(BLOB)
    wait_until(lambda: rows(daemon.data) == 0)
    wait_until(lambda: bytes_arriving(daemon.data) == 0)
    for location in (empty, started):
        assert registry.status(location).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
        assert registry.append(location, b"more").expect(404).code == "BLOB_UPLOAD_UNKNOWN"
        assert registry.finish(location, digest_of(BLOB)).expect(404).code == "BLOB_UPLOAD_UNKNOWN"
    registry.push(REPOSITORY, BLOB)
    assert bytes_arriving(daemon.data) == 0


def test_an_upload_with_chunks_coming_in_stays(daemon: Daemon) -> None:
    """An upload that gets a chunk now and then lives longer than the idle time."""
    registry = Registry(daemon.address)
    location = registry.start(REPOSITORY)
    size = len(BLOB) // 8
    for start in range(0, len(BLOB), size):
        time.sleep(IDLE_SECONDS / 4)
        location = registry.append(location, BLOB[start : start + size], start).expect(202).headers["Location"]
    registry.finish(location, digest_of(BLOB)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(BLOB)).expect(200).body == BLOB


def test_an_upload_with_a_long_body_stays(daemon: Daemon) -> None:
    """An upload that a slow client sends in one long request lives longer than the idle time."""
    registry = Registry(daemon.address)
    location = registry.start(REPOSITORY)
    size = len(BLOB) // 8
    with connection(daemon.address, End.CLOSE) as client:
        client.sendall(head("PATCH", location, f"Content-Length: {len(BLOB)}"))
        for start in range(0, len(BLOB), size):
            time.sleep(IDLE_SECONDS / 4)
            client.sendall(BLOB[start : start + size])
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 202 ")
    registry.finish(location, digest_of(BLOB)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(BLOB)).expect(200).body == BLOB


async def test_an_upload_that_was_busy_a_moment_ago_stays(tmp_path: Path) -> None:
    """An upload whose long body ends just when it is to be dropped is not idle."""
    SqliteStore.migrate(tmp_path)
    FilesystemDriver.prepare(tmp_path)
    store, driver, clock = SqliteStore(tmp_path), FilesystemDriver(tmp_path), FakeClock()
    limits = UploadLimits(blob_size=0, receiving=1, idle_s=60)
    uploads = Uploads(store, driver, clock, Leases(clock, 3600), limits)
    arriving, rest = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"begin"
        arriving.set()
        await rest.wait()
        yield b"end"

    async with asyncio.timeout(10):
        upload = await uploads.start(OPERATING, RepositoryName("app"))
        appending = asyncio.create_task(uploads.append(OPERATING, RepositoryName("app"), upload.id, body()))
        await arriving.wait()
        clock.advance(61)
        expiring = asyncio.create_task(uploads.expire_idle())
        await asyncio.sleep(0.2)
        rest.set()
        await appending
        assert await expiring == 0
        assert (await uploads.status(OPERATING, RepositoryName("app"), upload.id)).offset == len(b"beginend")
    await store.close()
    await driver.close()


def test_idle_uploads_make_room_on_a_full_disk(tmp_path: Path) -> None:
    """An abandoned upload that fills the disk, so that not even a row can be written, is dropped all the same."""
    with tmpfs(tmp_path / "disk", 8 << 20, files=200) as disk:
        daemon = Daemon(disk / "data", environment=ENVIRONMENT)
        daemon.log = tmp_path / "log"
        with daemon:
            registry = Registry(daemon.address)
            registry.append(registry.start(REPOSITORY), BLOB * 4).expect(507)
            wait_until(lambda: shutil.disk_usage(disk).free > len(BLOB) * 3 // 2)
            registry.push(REPOSITORY, BLOB)
        daemon.check()
