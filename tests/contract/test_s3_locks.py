"""Locks of uploads: who gets them, and when those of the dead are free."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.blobs.s3.driver import S3Driver
from storage.blobs.s3.locks import FileLocks, ObjectLocks
from storage.blobs.s3.place import Place
from storage.errors import StorageUnavailable
from tests import s3_store
from tests.contract.blobs import append, commit, new_id, opened, remove_all
from tests.contract.s3_proxy import Proxy, proxy_to

LIFE_S = 0.8


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """What stands between the first holder and the store."""
    async with proxy_to(s3_store.endpoint()) as proxy:
        yield proxy


@pytest.fixture
async def places(proxy: Proxy, tmp_path: Path) -> AsyncIterator[list[Place]]:
    """Two processes on one bucket, the first one through the proxy."""
    made = [
        Place(s3_store.options(tmp_path, lock_lifetime_s=LIFE_S, timeout_s=0.3, endpoint=url), None)
        for url in (proxy.url, None)
    ]
    yield made
    for place in made:
        await place.close()
    assert s3_store.leftovers(tmp_path) == []


async def test_lock_is_renewed(places: list[Place]) -> None:
    """A lock lasts as long as its holder lives, and is free as soon as it is released."""
    lock = await places[0].locks.take("one")
    assert lock is not None
    for _ in range(12):
        await asyncio.sleep(LIFE_S / 4)
        assert await places[1].locks.take("one") is None
        assert lock.held
    other = await places[1].locks.take("another")
    assert other is not None
    await other.release()
    await lock.release()
    second = await places[1].locks.take("one")
    assert second is not None
    await second.release()


async def test_holder_that_is_cut_off(places: list[Place], proxy: Proxy) -> None:
    """Who cannot renew its lock knows that it has lost it before anybody else can have it."""
    lock = await places[0].locks.take("one")
    assert lock is not None
    proxy.fail("put-locks", "refused", 10_000)
    taken, was_held = None, True
    while taken is None:
        was_held = lock.held
        taken = await places[1].locks.take("one")
        await asyncio.sleep(LIFE_S / 20)
    assert not was_held
    assert not lock.held
    await lock.release()
    assert taken.held
    proxy.times = 0
    await taken.release()


async def test_writer_that_lost_its_lock(proxy: Proxy, tmp_path: Path) -> None:
    """A writer that was cut off for long writes nothing any more; what another one did in between stays."""
    options = s3_store.options(tmp_path, lock_lifetime_s=LIFE_S, timeout_s=0.3, endpoint=proxy.url)
    driver, other = S3Driver(options), S3Driver(s3_store.options(tmp_path, lock_lifetime_s=LIFE_S))
    upload_id = new_id()
    await append(driver, upload_id, b"first ")

    async def write_too_late() -> None:
        async with opened(driver, upload_id) as writer:
            await writer.write(b"lost")
            proxy.fail("put-locks", "refused", 10_000)
            await asyncio.sleep(LIFE_S)
            await append(other, upload_id, b"second")

    with pytest.raises(StorageUnavailable):
        await write_too_late()
    proxy.times = 0
    await commit(other, upload_id, b"first second")
    await remove_all(other)
    await driver.close()
    await other.close()
    assert s3_store.leftovers(tmp_path) == []


@pytest.mark.faults
async def test_lock_of_a_dead_process(tmp_path: Path) -> None:
    """A lock that nobody renews goes when it is so old that the clocks of all machines say so; others stay."""
    dying = Place(s3_store.options(tmp_path, lock_lifetime_s=0.01), None)
    living = Place(s3_store.options(tmp_path, lock_lifetime_s=LIFE_S), None)
    await dying.objects.put(dying.layout.lock("dead"), b"x", new=True)
    held = await living.locks.take("held")
    assert held is not None
    async with asyncio.timeout(20):
        while len(s3_store.leftovers(tmp_path)) > 1:
            await dying.locks.sweep()
            await asyncio.sleep(LIFE_S / 4)
    assert held.held
    await held.release()
    for place in (dying, living):
        await place.close()
    assert s3_store.leftovers(tmp_path) == []


async def test_file_locks(tmp_path: Path) -> None:
    """On one machine a lock is free when it is released, and what a dead process left goes."""
    locks = FileLocks(tmp_path / "locks")
    first = await locks.take("one")
    assert first is not None
    assert await locks.take("one") is None
    (tmp_path / "locks" / "two").touch()
    await locks.sweep()
    assert [path.name for path in (tmp_path / "locks").iterdir()] == ["one"]
    await first.release()
    second = await locks.take("one")
    assert second is not None
    await second.release()
    assert list((tmp_path / "locks").iterdir()) == []


async def test_locks_without_conditional_writes(tmp_path: Path) -> None:
    """A store that writes unconditionally cannot keep locks, so a driver without others is refused."""
    with pytest.raises(ValueError, match="conditional"):
        S3Driver(s3_store.options(tmp_path, conditional=False))
    assert not ObjectLocks.exact
