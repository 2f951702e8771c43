"""The order in which a push reaches the disk: a power cut between any two steps must lose nothing acknowledged."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auth.actor import OPERATING
from registry.api.call import Services
from registry.app.services import build_services
from registry.app.storing import Storage
from registry.config import Config
from registry.domain.manifests import Push
from storage.blobs.filesystem import FilesystemDriver
from storage.digest import Digest, digest_of
from storage.metadata.sqlite import SqliteStore
from storage.names import RepositoryName, Tag
from tests.faults.client import IMAGE, image
from tests.faults.recording import Event, Journal, RecordingFiles, RecordingStore

REPOSITORY = RepositoryName("app")
SECONDS = 10.0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder as the daemon prepares it."""
    SqliteStore.migrate(tmp_path)
    FilesystemDriver.prepare(tmp_path)
    return tmp_path


@pytest.fixture
def journal(data: Path) -> Journal:
    """What `services` do."""
    return Journal(data)


@pytest.fixture
async def services(data: Path, journal: Journal) -> AsyncIterator[Services]:
    """The real use cases on real files and rows."""
    storage = Storage(RecordingStore(data, journal), FilesystemDriver(data, RecordingFiles(journal)), None)
    yield build_services(Config(), storage)
    await storage.close()


async def content(*pieces: bytes) -> AsyncIterator[bytes]:
    """A request's body."""
    for piece in pieces:
        yield piece


async def push(services: Services, blob: bytes) -> Digest:
    """Push a blob in one request."""
    digest = digest_of(blob)
    await services.uploads.push(OPERATING, REPOSITORY, digest, content(blob))
    return digest


async def test_bytes_are_durable_before_their_rows(services: Services, journal: Journal) -> None:
    """Data, then the name of the file, then the row, and only then the answer: each is on the disk before the next."""
    upload = await services.uploads.start(OPERATING, REPOSITORY)
    blob = random.Random(1).randbytes(3 << 20)
    await services.uploads.append(OPERATING, REPOSITORY, upload.id, content(blob[: 1 << 20], blob[1 << 20 :]))
    await services.uploads.finish(OPERATING, REPOSITORY, upload.id, digest_of(blob), content())

    arriving = f"uploads/{upload.id}"
    (stored,) = journal.names("rename to")
    folder = str(Path(stored).parent)
    order = [
        journal.last("write", arriving),
        journal.first("sync", arriving),
        journal.first("rename from", arriving),
        journal.first("sync folder", folder),
        journal.first("begin durable"),
        journal.last("commit durable"),
    ]
    assert order == sorted(order), journal.events
    assert {event.what for event in journal.events[order[-1] + 1 :]} <= {"unlink"}


async def test_new_folders_are_durable_before_the_row(data: Path, services: Services, journal: Journal) -> None:
    """Every folder that a push makes has its own name on the disk before a blob is put there."""
    before = set(data.glob("blobs/**/"))
    await push(services, b"a blob")
    made = set(data.glob("blobs/**/")) - before
    assert made
    for folder in made:
        synced = journal.first("sync folder", str(folder.parent.relative_to(data)))
        assert synced < journal.first("rename to", journal.names("rename to")[0])


async def test_starting_an_upload_costs_no_sync(services: Services, journal: Journal) -> None:
    """An upload that is lost in a power cut is begun again: its row alone is not worth an fsync."""
    await services.uploads.start(OPERATING, REPOSITORY)
    assert journal.events == [Event("begin"), Event("commit")]


async def test_changes_that_are_acknowledged_are_durable(services: Services, journal: Journal) -> None:
    """Manifests, tags, mounts and deletions are committed with synchronous=FULL."""
    config, layer = b"{}", b"layer"
    for blob in (config, layer):
        await push(services, blob)
    manifest, tag, other = image(config, layer), Tag("1"), RepositoryName("other")
    changes = [
        services.manifests.put(OPERATING, REPOSITORY, Push(manifest, IMAGE, None, [tag])),
        services.tags.delete(OPERATING, REPOSITORY, tag),
        services.manifests.delete(OPERATING, REPOSITORY, digest_of(manifest)),
        services.uploads.mount(other, digest_of(layer), REPOSITORY, lambda _: True),
        services.blobs.delete(OPERATING, REPOSITORY, digest_of(layer)),
    ]
    for change in changes:
        journal.events.clear()
        await change
        assert journal.events == [Event("begin durable"), Event("commit durable")]


async def test_cancelling_makes_room_first(services: Services, journal: Journal) -> None:
    """A cancelled upload's bytes go before its row: on a full disk the row's change needs the room that they took."""
    upload = await services.uploads.start(OPERATING, REPOSITORY)
    await services.uploads.append(OPERATING, REPOSITORY, upload.id, content(b"some"))
    journal.events.clear()
    await services.uploads.cancel(OPERATING, REPOSITORY, upload.id)
    assert journal.events == [Event("unlink", f"uploads/{upload.id}"), Event("begin"), Event("commit")]


class SlowFolders(RecordingFiles):
    """Files on a disk that takes its time for the first folder of a kind: it waits for `go_on`."""

    def __init__(self, journal: Journal) -> None:
        super().__init__(journal)
        self.waiting, self.go_on = threading.Event(), threading.Event()

    def sync_folder(self, folder: Path) -> None:
        if folder.name == "sha256" and not self.waiting.is_set():
            self.waiting.set()
            assert self.go_on.wait(SECONDS)
        super().sync_folder(folder)


async def test_nobody_relies_on_a_folder_that_is_not_durable(data: Path, journal: Journal) -> None:
    """A push into a folder that another push has just made waits until the folder's own name is on the disk."""
    files = SlowFolders(journal)
    storage = Storage(RecordingStore(data, journal), FilesystemDriver(data, files), None)
    services = build_services(Config(), storage)
    first, second = two_blobs_in_one_folder()
    async with asyncio.timeout(2 * SECONDS):
        slow = asyncio.create_task(push(services, first))
        assert await asyncio.to_thread(files.waiting.wait, SECONDS)
        fast = asyncio.create_task(push(services, second))
        await asyncio.wait([fast], timeout=1.0)
        relied = fast.done() and Event("sync folder", "blobs/sha256") not in journal.events
        files.go_on.set()
        await asyncio.gather(slow, fast)
    await storage.close()
    assert not relied


def two_blobs_in_one_folder() -> tuple[bytes, bytes]:
    """Two blobs whose digests begin with the same byte."""
    first = b"0"
    wanted = digest_of(first).hex[:2]
    return first, next(blob for n in range(1, 10_000) if digest_of(blob := b"%d" % n).hex[:2] == wanted)
