"""Uploads of the S3 driver that several processes go on with: one after another, or one too many."""

import asyncio
import contextlib
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storage.blobs.driver import StoredBytes
from storage.blobs.s3.driver import S3Driver
from storage.blobs.s3.locks import Lock
from storage.digest import digest_of
from storage.errors import RegistryError, StorageUnavailable, UploadUnknown
from tests import s3_store
from tests.contract.blobs import append, commit, content_of, gone, in_pieces, listed_blobs, new_id, noise, opened
from tests.contract.s3_proxy import Proxy, proxy_to

PART = s3_store.REAL_PART if s3_store.is_real() else 64 * 1024

lists_all = pytest.mark.skipif(
    s3_store.is_real(), reason="some stores list multipart uploads of one name only, and stamp them with the time"
)


class NoLock:
    """A lock of somebody who does not know that it is another one's by now."""

    held = True

    async def release(self) -> None:
        return


class NoLocks:
    """Locks that keep nobody from anything, as when clocks run wild."""

    exact = False
    poll_s = patience_s = 0.1

    async def take(self, name: str) -> Lock | None:
        return NoLock()

    async def sweep(self) -> None:
        return


@contextlib.asynccontextmanager
async def drivers(
    place: Path, count: int = 2, locks: NoLocks | None = None, **changes: Any
) -> AsyncIterator[list[S3Driver]]:
    """Drivers on one place, as several daemons have them."""
    options = s3_store.options(place, **{"part_size": PART, **changes})
    made = [S3Driver(options, locks) for _ in range(count)]
    try:
        yield made
    finally:
        for driver in made:
            await driver.close()


@pytest.mark.parametrize(
    ("chunk", "checksum"),
    [(PART // 3, "md5"), (PART, "md5"), (PART * 2 + 1, "md5"), (PART, "crc32"), (PART, "signature")],
)
async def test_two_daemons_alternately(tmp_path: Path, chunk: int, checksum: str) -> None:
    """Chunks that go to one daemon and the other in turn make one blob, at every size of the chunks."""
    content, upload_id = noise(7 * PART + 11), new_id()
    async with drivers(tmp_path, checksum=checksum) as both:
        for number, piece in enumerate(in_pieces(content, chunk)):
            expected = min(len(content), (number + 1) * chunk)
            assert await append(both[number % 2], upload_id, piece) == expected
            assert await both[(number + 1) % 2].upload_size(upload_id) == expected
        stored = await commit(both[1], upload_id, content)
        assert await content_of(both[0], stored.key) == content
        assert s3_store.leftovers(tmp_path) == [s3_store.options(tmp_path).prefix + "blobs/" + stored.key]


async def test_one_put_for_a_small_blob(tmp_path: Path) -> None:
    """A blob that comes in one piece costs one put of its bytes, and none of a part."""
    async with proxy_to(s3_store.endpoint()) as proxy, drivers(tmp_path, 1, endpoint=proxy.url) as (driver,):
        async with opened(driver, new_id()) as writer:
            await writer.write(b"small")
            await writer.commit(digest_of(b"small"))
        assert proxy.calls["put-blobs"] == 1
        assert not proxy.calls.keys() & {"create", "part", "complete"}


async def test_no_byte_is_copied(tmp_path: Path) -> None:
    """Each byte of a large blob goes to the store once, and none is read or copied at commit."""
    content = noise(6 * PART)
    async with proxy_to(s3_store.endpoint()) as proxy, drivers(tmp_path, 1, endpoint=proxy.url) as (driver,):
        async with opened(driver, new_id()) as writer:
            for piece in in_pieces(content):
                await writer.write(piece)
            await writer.commit(digest_of(content))
        assert (proxy.calls["part"], proxy.calls["complete"], proxy.calls["get-blobs"]) == (6, 1, 0)


@pytest.mark.parametrize("size", [1000, 3 * PART + 1])
@pytest.mark.parametrize("same", [True, False])
async def test_two_writers_and_one_blob(tmp_path: Path, size: int, *, same: bool) -> None:
    """Of two writers that both believe to be alone, at most one makes the blob, which holds what it wrote."""
    upload_id, content = new_id(), noise(size)
    contents = [content, content if same else noise(size)]

    async def write(driver: S3Driver, data: bytes) -> StoredBytes:
        async with opened(driver, upload_id) as writer:
            for piece in in_pieces(data):
                await writer.write(piece)
            await asyncio.sleep(0.1)
            return await writer.commit(digest_of(data))

    async with drivers(tmp_path, locks=NoLocks()) as both:
        ended = await asyncio.gather(*map(write, both, contents), return_exceptions=True)
        made = [number for number, one in enumerate(ended) if isinstance(one, StoredBytes)]
        # Where there are parts, each may have spoiled those of the other one.
        assert len(made) == 1 or (not made and size > PART), ended
        assert all(isinstance(one, StoredBytes | RegistryError) for one in ended)
        for number in made:
            stored = ended[number]
            assert isinstance(stored, StoredBytes)
            assert await content_of(both[0], stored.key) == contents[number]
            assert await gone(both[1], upload_id)
        if not made:
            await both[0].discard_upload(upload_id)


async def test_commit_that_broke_off(tmp_path: Path) -> None:
    """An object that was made, though its commit did not end, is the upload: it is committed once, by its bytes."""
    content, upload_id = noise(3 * PART + 1), new_id()
    async with proxy_to(s3_store.endpoint()) as proxy, drivers(tmp_path) as (other, third):
        async with drivers(tmp_path, 1, endpoint=proxy.url, attempts=1) as (driver,):
            await append(driver, upload_id, content)
            async with opened(driver, upload_id) as writer:
                proxy.fail("put-uploads", "failing", 100)
                with pytest.raises(StorageUnavailable):
                    await writer.commit(digest_of(content))
        assert await other.upload_size(upload_id) == len(content)
        assert await append(other, upload_id, b"more") == len(content) + 4
        stored = await commit(third, upload_id, content + b"more")
        assert await content_of(other, stored.key) == content + b"more"
        assert await listed_blobs(other) == [stored]


async def test_gaps_between_parts(tmp_path: Path) -> None:
    """Parts behind one that never came do not count, also when another writer fills the gap and stops there."""
    content, upload_id = noise(5 * PART), new_id()
    async with proxy_to(s3_store.endpoint()) as proxy, drivers(tmp_path) as (other, third):
        async with drivers(tmp_path, 1, endpoint=proxy.url, attempts=1) as (driver,):
            await append(driver, upload_id, content[: PART + 10])
            proxy.fail("part", "failing")
            with pytest.raises(StorageUnavailable):
                await append(driver, upload_id, content[PART + 10 :])
        assert proxy.calls["part"] > 2
        assert await other.upload_size(upload_id) == PART + 10
        different = noise(PART)
        assert await append(other, upload_id, different) == 2 * PART + 10
        assert await third.upload_size(upload_id) == 2 * PART + 10
        await append(third, upload_id, content[:PART])
        whole = content[: PART + 10] + different + content[:PART]
        stored = await commit(other, upload_id, whole)
        assert await content_of(third, stored.key) == whole


@lists_all
async def test_multipart_that_somebody_aborted(tmp_path: Path) -> None:
    """An upload whose parts a rule of the bucket has removed is not known any more."""
    upload_id = new_id()
    async with drivers(tmp_path) as (driver, other):
        await append(driver, upload_id, noise(2 * PART))
        store = s3_store.client(s3_store.endpoint())
        prefix = s3_store.prefix(tmp_path)
        for entry in store.list_multipart_uploads(Bucket=s3_store.bucket(), Prefix=prefix)["Uploads"]:
            store.abort_multipart_upload(Bucket=s3_store.bucket(), Key=entry["Key"], UploadId=entry["UploadId"])
        with pytest.raises(UploadUnknown):
            await other.upload_size(upload_id)
        await driver.discard_upload(upload_id)
        assert s3_store.leftovers(tmp_path) == []


@lists_all
async def test_reaping(tmp_path: Path) -> None:
    """Multipart uploads that no state names go; those of uploads that are known stay."""
    kept, lost = new_id(), new_id()
    async with drivers(tmp_path) as (driver, other):
        for upload_id in (kept, lost):
            await append(driver, upload_id, noise(2 * PART))
        store, prefix = s3_store.client(s3_store.endpoint()), s3_store.prefix(tmp_path)
        store.delete_object(Bucket=s3_store.bucket(), Key=f"{prefix}uploads/{lost}")
        assert await other.reap() == 1
        assert await other.reap() == 0
        assert await other.upload_size(kept) == 2 * PART
        await driver.discard_upload(kept)
        assert s3_store.leftovers(tmp_path) == []


async def test_memory(tmp_path: Path) -> None:
    """A large upload and its download take the memory of a few parts."""
    piece, count = noise(64 * 1024), 256
    content = digest_of(piece * count)
    part = max(PART, 256 * 1024)
    async with drivers(tmp_path, 1, part_size=part, parallel=2) as (driver,):
        await append(driver, new_id(), b"to have everything loaded")
        tracemalloc.start()
        async with opened(driver, new_id()) as writer:
            for _ in range(count):
                # What comes from a socket is new each time.
                await writer.write(bytes(bytearray(piece)))
            stored = await writer.commit(content)
        reader = await driver.open(stored.key)
        async for got in reader.read(0, reader.size):
            assert len(got) <= 1 << 20
        await reader.close()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        # Two on their way, one being filled, one or two being put together; and what is being received.
        assert peak < 6 * part + (4 << 20)


@lists_all
async def test_listing_pages(tmp_path: Path) -> None:
    """Listings go over all pages of the store, and leave out what is not ours."""
    store, prefix = s3_store.client(s3_store.endpoint()), s3_store.prefix(tmp_path)
    keys = [f"{number % 256:02x}/{number:032x}.{number:032x}" for number in range(11)]
    for key in [*keys, "foreign"]:
        store.put_object(Bucket=s3_store.bucket(), Key=f"{prefix}blobs/{key}", Body=b"x")
    upload_id, content = new_id(), noise(7 * PART)
    async with drivers(tmp_path, page=3) as (driver, other):
        assert sorted(stored.key for stored in await listed_blobs(driver)) == sorted(keys)
        await append(driver, upload_id, content)
        assert await other.upload_size(upload_id) == len(content)
        stored = await commit(other, upload_id, content)
        assert await content_of(driver, stored.key) == content
        # Multipart uploads are listed in pages, too.
        for _ in range(4):
            await append(driver, new_id(), noise(PART))
        states = [
            found["Key"]
            for found in store.list_objects_v2(Bucket=s3_store.bucket(), Prefix=f"{prefix}uploads/")["Contents"]
        ]
        for name in [f"{prefix}blobs/{key}" for key in [*keys, "foreign", stored.key]] + states:
            store.delete_object(Bucket=s3_store.bucket(), Key=name)
        assert await driver.reap() == 4
    assert s3_store.leftovers(tmp_path) == []


async def test_proxy_is_a_double_of_the_store(tmp_path: Path) -> None:
    """What goes through the proxy undisturbed is what the store says: the other tests mean something."""
    content = noise(3 * PART)
    async with proxy_to(s3_store.endpoint()) as proxy, drivers(tmp_path, 1, endpoint=proxy.url) as (driver,):
        upload_id = new_id()
        await append(driver, upload_id, content)
        stored = await commit(driver, upload_id, content)
        assert await content_of(driver, stored.key) == content
        assert isinstance(proxy, Proxy)
        assert proxy.injected == 0
