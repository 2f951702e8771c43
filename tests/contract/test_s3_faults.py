"""The S3 driver when its store fails, throttles, stalls, truncates, and loses answers."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.blobs.driver import StoredBytes
from storage.blobs.s3.driver import S3Driver
from storage.digest import digest_of
from storage.errors import DigestMismatch, RegistryError, StorageUnavailable
from tests import s3_store
from tests.contract.blobs import append, content_of, in_pieces, listed_blobs, new_id, noise, opened, remove_all
from tests.contract.s3_proxy import FAULTS, Proxy, proxy_to

PART = s3_store.REAL_PART if s3_store.is_real() else 64 * 1024
LARGE = 5 * PART + 7
# Each operation that a push needs, and how much has to be pushed so that it does.
OPERATIONS = {
    "put-uploads": LARGE,
    "get-uploads": LARGE,
    "put-locks": LARGE,
    "delete-locks": LARGE,
    "delete-uploads": LARGE,
    "create": LARGE,
    "part": LARGE,
    "list-parts": LARGE,
    "complete": LARGE,
    "put-blobs": 1000,
}


# Of each two faults the store has carried out the second one. All of them with each operation are for `make faults`.
_USUAL = [(operation, FAULTS[turn % 3 + after]) for turn, operation in enumerate(OPERATIONS) for after in (0, 3)]
EVERY_FAULT = pytest.mark.parametrize(
    ("operation", "fault"),
    [
        pytest.param(operation, fault, marks=() if (operation, fault) in _USUAL else pytest.mark.faults)
        for operation in OPERATIONS
        for fault in FAULTS
    ],
)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """What stands between the driver and the store."""
    async with proxy_to(s3_store.endpoint()) as proxy:
        yield proxy


@contextlib.asynccontextmanager
async def driver_through(proxy: Proxy, place: Path, attempts: int = 4) -> AsyncIterator[S3Driver]:
    """A driver whose requests go through the proxy."""
    options = s3_store.options(place, endpoint=proxy.url, part_size=PART, timeout_s=0.5, attempts=attempts)
    driver = S3Driver(options)
    try:
        yield driver
    finally:
        await driver.close()


@contextlib.asynccontextmanager
async def sound(place: Path) -> AsyncIterator[S3Driver]:
    """A driver that reaches the store without anything in between; at the end nothing is left of the place."""
    driver = S3Driver(s3_store.options(place, part_size=PART))
    try:
        yield driver
        await remove_all(driver)
    finally:
        await driver.close()


async def push(driver: S3Driver, upload_id: str, content: bytes) -> StoredBytes:
    """Go on with a push as a client would: in two requests."""
    await driver.begin_upload(upload_id)
    size = await driver.upload_size(upload_id)
    await append(driver, upload_id, content[size : max(size, len(content) // 2)])
    async with opened(driver, upload_id) as writer:
        for piece in in_pieces(content[writer.offset :]):
            await writer.write(piece)
        return await writer.commit(digest_of(content))


async def expect_whole_blobs(driver: S3Driver, content: bytes) -> None:
    """Whatever is stored under a key is the content, not a part of it."""
    for stored in await listed_blobs(driver):
        assert await content_of(driver, stored.key) == content


@EVERY_FAULT
async def test_one_fault(proxy: Proxy, tmp_path: Path, operation: str, fault: str) -> None:
    """A request that fails once is tried again, and the push does not notice."""
    content = noise(OPERATIONS[operation])
    async with driver_through(proxy, tmp_path) as driver, sound(tmp_path) as other:
        proxy.fail(operation, fault)
        stored = await push(driver, new_id(), content)
        assert proxy.injected == 1
        assert await content_of(other, stored.key) == content
        assert [upload_id async for upload_id in other.uploads()] == []


@EVERY_FAULT
async def test_outage(proxy: Proxy, tmp_path: Path, operation: str, fault: str) -> None:
    """A request that goes on failing is an error; when the store is back, another process finishes the upload."""
    content, upload_id = noise(OPERATIONS[operation]), new_id()
    async with sound(tmp_path) as other:
        async with driver_through(proxy, tmp_path, attempts=2) as driver:
            proxy.fail(operation, fault, 100)
            try:
                stored = await push(driver, upload_id, content)
            except StorageUnavailable:
                await expect_whole_blobs(other, content)
                stored = None
            else:
                # What comes after the end of a push may fail without anybody's notice; and an object that is there
                # was made, whatever the answer.
                carried_out = operation == "complete" and fault in {"lost", "stalled", "truncated"}
                assert carried_out or operation in {"delete-locks", "delete-uploads"}
            assert proxy.injected > 0
            proxy.times = 0
        if stored is None:
            stored = await push(other, upload_id, content)
        assert await content_of(other, stored.key) == content


async def test_complete_that_fails_after_its_status(proxy: Proxy, tmp_path: Path) -> None:
    """An error in the body of a 200 is an error."""
    content = noise(LARGE)
    async with driver_through(proxy, tmp_path) as driver, sound(tmp_path) as other:
        proxy.fail("complete", "accepted")
        stored = await push(driver, new_id(), content)
        assert proxy.injected == 1
        assert await content_of(other, stored.key) == content


@pytest.mark.parametrize("fault", ["lost", "stalled", "truncated"])
async def test_digest_is_wrong_and_the_answer_is_lost(proxy: Proxy, tmp_path: Path, fault: str) -> None:
    """Bytes that another process sent are read before they are a blob, whatever became of the answers."""
    content, upload_id = noise(LARGE), new_id()
    async with driver_through(proxy, tmp_path) as driver, sound(tmp_path) as other:
        await append(other, upload_id, content)
        proxy.fail("complete", fault)
        with pytest.raises(DigestMismatch):
            async with opened(driver, upload_id) as writer:
                await writer.commit(digest_of(b"something else"))
        # And the upload goes on as if nothing had happened.
        await append(driver, upload_id, b"more")
        stored = await push(other, upload_id, content + b"more")
        assert await content_of(driver, stored.key) == content + b"more"


@pytest.mark.parametrize("fault", FAULTS)
async def test_reading_through_a_fault(proxy: Proxy, tmp_path: Path, fault: str) -> None:
    """A body that breaks off is asked for again from where it did."""
    content = noise(LARGE)
    async with driver_through(proxy, tmp_path) as driver, sound(tmp_path) as other:
        stored = await push(other, new_id(), content)
        for times in (1, 3):
            proxy.fail("get-blobs", fault, times)
            assert await content_of(driver, stored.key) == content
            assert proxy.times == 0


@pytest.mark.parametrize("fault", FAULTS)
async def test_reading_what_never_comes(proxy: Proxy, tmp_path: Path, fault: str) -> None:
    """A reader that gets no further gives up; it never ends early without an error."""
    content = noise(1000)
    async with driver_through(proxy, tmp_path, attempts=2) as driver, sound(tmp_path) as other:
        stored = await push(other, new_id(), content)
        reader = None
        proxy.fail("get-blobs", fault, 10_000)
        received = b""
        with contextlib.suppress(StorageUnavailable):
            reader = await driver.open(stored.key)
            async for piece in reader.read(0, reader.size):
                received += piece
        assert content.startswith(received)
        # Halves of halves may make it in the end.
        assert received != content or fault == "truncated"
        if reader is not None:
            await reader.close()


async def test_missing_bucket_is_not_a_missing_blob(tmp_path: Path) -> None:
    """When the bucket is gone nothing can be said about blobs, so nothing is."""
    options = s3_store.options(tmp_path, bucket="berth-no-such-bucket")
    driver = S3Driver(options)
    key = f"ab/{'0' * 32}.{'0' * 32}"
    for question in (driver.open(key), driver.is_whole(key, 1), driver.expect_bucket()):
        with pytest.raises(StorageUnavailable):
            await question
    await driver.close()


async def test_store_that_cannot_be_reached(tmp_path: Path) -> None:
    """A store where nobody listens is unavailable, and the error names neither addresses nor keys."""
    driver = S3Driver(s3_store.options(tmp_path, endpoint="http://127.0.0.1:9", attempts=2))
    with pytest.raises(StorageUnavailable) as caught:
        await driver.begin_upload(new_id())
    assert "127.0.0.1" not in str(caught.value)
    with pytest.raises(RegistryError):
        await driver.expect_bucket()
    await driver.close()
