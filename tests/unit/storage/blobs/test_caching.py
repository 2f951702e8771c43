"""What the cache keeps, what it lets go, and that it never gives anything else than the driver behind it."""

from storage.blobs.caching import CachingDriver
from storage.blobs.driver import Span
from storage.blobs.memory import MemoryDriver, MemoryReader
from storage.digest import digest_of
from tests.contract.blobs import opened

KIB = 1024


class CountingDriver(MemoryDriver):
    """Counts how often blobs are opened, and how many of the readers are open."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.open_readers = 0

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> MemoryReader:
        reader = await super().open(key, size)
        self.opened += 1
        self.open_readers += 1
        return CountingReader(self, b"".join([piece async for piece in reader.read(0, reader.size)]))


class CountingReader(MemoryReader):
    """Says when it is closed."""

    def __init__(self, driver: CountingDriver, content: bytes) -> None:
        super().__init__(content)
        self._driver = driver

    async def close(self) -> None:
        self._driver.open_readers -= 1


async def stored(driver: CountingDriver, content: bytes, number: int = 0) -> str:
    """The key of a new blob."""
    async with opened(driver, f"{number:032x}", "sha256") as writer:
        await writer.write(content)
        return (await writer.commit(digest_of(content))).key


async def read(driver: CachingDriver, key: str) -> bytes:
    """A blob's bytes, through the cache."""
    reader = await driver.open(key)
    try:
        return b"".join([piece async for piece in reader.read(0, reader.size)])
    finally:
        await reader.close()


async def test_small_blobs_are_read_once() -> None:
    """A small blob that is asked for again comes from memory."""
    driver = CountingDriver()
    cache, key = CachingDriver(driver, 1024 * KIB), await stored(driver, b"small")
    assert [await read(cache, key) for _ in range(5)] == [b"small"] * 5
    assert (driver.opened, driver.open_readers) == (1, 0)


async def test_limit_of_a_blob() -> None:
    """64 KiB are small, one byte more is not."""
    driver = CountingDriver()
    cache = CachingDriver(driver, 1024 * KIB)
    small, large = await stored(driver, b"x" * 64 * KIB, 1), await stored(driver, b"x" * (64 * KIB + 1), 2)
    for _ in range(3):
        assert len(await read(cache, small)) == 64 * KIB
        assert len(await read(cache, large)) == 64 * KIB + 1
    assert (driver.opened, driver.open_readers) == (1 + 3, 0)


async def test_blobs_used_least_recently_go_first() -> None:
    """When there is no room for all, the blobs that nobody asked for the longest time are dropped."""
    driver = CountingDriver()
    cache = CachingDriver(driver, 40 * KIB)
    first, second, third, fourth = [await stored(driver, bytes([n]) * 12 * KIB, n) for n in range(4)]
    for key in (first, second, third, first, fourth):
        await read(cache, key)
    assert driver.opened == 4
    for key in (first, third, fourth):
        await read(cache, key)
    assert driver.opened == 4
    await read(cache, second)
    assert driver.opened == 5


async def test_deleted_blobs_make_room() -> None:
    """What is deleted is forgotten, and the room that it took is free again."""
    driver = CountingDriver()
    cache = CachingDriver(driver, 40 * KIB)
    kept = await stored(driver, b"k" * 12 * KIB)
    await read(cache, kept)
    for number in range(1, 20):
        key = await stored(driver, bytes([number]) * 12 * KIB, number)
        await read(cache, key)
        await cache.delete(key)
    before = driver.opened
    await read(cache, kept)
    assert driver.opened == before


async def test_many_tiny_blobs_are_bounded() -> None:
    """Empty blobs take room too: no number of them fills the memory."""
    driver = CountingDriver()
    cache = CachingDriver(driver, 10 * KIB)
    keys = [await stored(driver, b"", number) for number in range(100)]
    for key in keys:
        await read(cache, key)
    for key in reversed(keys):
        await read(cache, key)
    assert driver.opened > 150


async def test_cache_without_room() -> None:
    """A capacity of 0 keeps nothing, and everything can be read all the same."""
    driver = CountingDriver()
    cache, key = CachingDriver(driver, 0), await stored(driver, b"small")
    assert [await read(cache, key) for _ in range(3)] == [b"small"] * 3
    assert (driver.opened, driver.open_readers) == (3, 0)


async def test_what_is_kept_is_read_anew_after_a_while() -> None:
    """Bytes that came wrong from a disk, and are right there by now, are not sent for ever."""
    driver, now = CountingDriver(), 0.0
    cache, key = CachingDriver(driver, 1024 * KIB, lambda: now), await stored(driver, b"right")
    driver.stored[key] = b"wrong"
    assert await read(cache, key) == b"wrong"
    driver.stored[key] = b"right"
    now = 299.0
    assert await read(cache, key) == b"wrong"
    now = 300.0
    assert [await read(cache, key), await read(cache, key)] == [b"right", b"right"]
    assert driver.opened == 2
