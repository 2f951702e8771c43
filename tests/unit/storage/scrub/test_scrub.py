"""What the scrub finds, what it believes, and what it leaves alone."""

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from storage.digest import digest_of
from storage.errors import BlobDamaged, StorageUnavailable
from storage.metadata.sqlite import MemoryStore
from storage.scrub.journal import Progress
from tests.unit.storage.scrub.worlds import World

MIB = 1 << 20

Damage = Callable[[bytes], bytes | None]


def flipped(content: bytes) -> bytes:
    """One bit in the middle is another."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """An empty installation. Nothing here depends on the engine."""
    store = MemoryStore()
    yield World(store)
    await store.close()


DAMAGES: dict[str, Damage] = {
    "flipped": flipped,
    "truncated": lambda content: content[:-1],
    "emptied": lambda _: b"",
    "lengthened": lambda content: content + b"x",
    "exchanged": lambda content: b"y" * len(content),
    "lost": lambda _: None,
}


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What was logged for somebody to act on."""
    return [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_sound_store(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing is wrong everything is read once, and nothing is complained of."""
    digests = await world.blobs(450)
    await world.blob(b"x" * (3 * MIB + 1))
    for number in range(250):
        await world.manifest(b"%d" % number)
    progress, finished = await world.scrub().run()
    assert finished
    assert (progress.blobs, progress.manifests) == (451, 250)
    assert progress.bytes == 3 * MIB + 1 + sum(len(b"content %d" % number) for number in range(450))
    assert len(await world.opened()) == len(digests) + 1
    assert (progress.damaged, progress.restored, progress.unreadable, progress.spoiled) == (0, 0, 0, [])
    assert (await world.damaged(), errors(caplog)) == ([], [])


@pytest.mark.parametrize("size", [100, 2 * MIB + 5])
@pytest.mark.parametrize("kind", DAMAGES)
async def test_damage_is_found(world: World, caplog: pytest.LogCaptureFixture, kind: str, size: int) -> None:
    """Bytes that are not what the digest says are quarantined, and the log says which, and who has them."""
    content = b"z" * size
    await world.blobs(3)
    digest = await world.blob(content, "other", "app")
    key, spoiled = await world.key(digest), DAMAGES[kind](content)
    if spoiled is None:
        del world.driver.stored[key]
    else:
        world.driver.stored[key] = spoiled
    progress, _ = await world.scrub().run()
    assert await world.damaged() == [digest]
    assert (progress.blobs, progress.damaged) == (4, 1)
    (record,) = errors(caplog)
    assert f"blob {digest} is damaged: it " in record.getMessage()
    assert (vars(record)["digest"], vars(record)["repositories"]) == (digest, ["app", "other"])


async def test_sha512(world: World) -> None:
    """Bytes are compared with a digest of whatever algorithm the blob was pushed with."""
    sound, spoiled = [await world.blob(content, algorithm="sha512") for content in (b"sound", b"content")]
    await world.spoil(spoiled)
    assert (await world.scrub().run())[0].blobs == 2
    assert await world.damaged() == [spoiled] != [sound]


async def test_known_damage_is_not_told_again(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A blob that is quarantined already is neither counted nor logged once more."""
    await world.blob(b"sound")
    await world.spoil(digest := await world.blob(b"spoiled"))
    await world.scrub().run()
    caplog.clear()
    progress, _ = await world.scrub().run()
    assert (progress.damaged, errors(caplog), await world.damaged()) == (0, [], [digest])


async def test_damage_has_to_be_seen_twice(world: World) -> None:
    """Bytes that come wrong once, and right a moment later, are no damage."""
    digest = await world.blob(b"sound")
    key = await world.key(digest)
    world.driver.errors[key] = [BlobDamaged(key)]
    progress, _ = await world.scrub().run()
    assert (progress.damaged, await world.damaged()) == (0, [])
    assert await world.opened() == [digest, digest]
    assert sum(world.time.sleeps) >= 1


async def test_blob_that_moves_meanwhile(world: World) -> None:
    """A blob that was pushed anew between the two looks has other bytes, about which nothing is known."""
    await world.spoil(digest := await world.blob(b"content"))
    world.time.meanwhile = lambda: world.push_again(digest, b"content")
    progress, _ = await world.scrub().run()
    assert (progress.damaged, await world.damaged()) == (0, [])


async def test_blob_that_goes_meanwhile(world: World) -> None:
    """A blob that was collected between the two looks is no damage."""
    await world.blob(b"other")
    digest = await world.blob(b"content")
    del world.driver.stored[await world.key(digest)]

    async def collect() -> None:
        await world.sql("DELETE FROM blob_links WHERE digest = ?", digest)
        await world.sql("DELETE FROM blobs WHERE digest = ?", digest)

    world.time.meanwhile = collect
    assert (await world.scrub().run())[0].damaged == 0


async def test_blob_that_moves_at_the_last_moment(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The quarantine is of the bytes that were read: those of a push that ends during the second look stay readable."""
    await world.spoil(digest := await world.blob(b"content"))
    key, looks = await world.key(digest), 0

    async def push() -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            await world.push_again(digest, b"content")

    world.driver.when_opened[key] = push
    progress, _ = await world.scrub().run()
    assert (looks, progress.damaged, await world.damaged(), errors(caplog)) == (2, 0, [], [])


async def test_bytes_that_are_right_again(world: World) -> None:
    """When the disk is back the next pass ends the quarantine."""
    content = b"content"
    await world.blob(b"other")
    digest = await world.blob(content)
    key = await world.key(digest)
    del world.driver.stored[key]
    await world.scrub().run()
    assert await world.damaged() == [digest]
    world.driver.stored[key] = content
    progress, _ = await world.scrub().run()
    assert (progress.restored, await world.damaged()) == (1, [])


async def test_storage_that_is_away(world: World) -> None:
    """An outage is no damage: the pass stops, and goes on from there later."""
    digests = await world.blobs(10)
    for digest in digests[4:]:
        world.driver.errors[await world.key(digest)] = [StorageUnavailable("timed out")]
    scrub = world.scrub()
    with pytest.raises(StorageUnavailable):
        await scrub.run()
    assert await world.opened() == digests[:7]
    for waiting in world.driver.errors.values():
        waiting.clear()
    progress, finished = await scrub.run()
    assert finished
    assert (progress.damaged, progress.unreadable, await world.damaged()) == (0, 0, [])
    assert set(digests[4:]) <= set(await world.opened())


@pytest.mark.parametrize("places", [[0], [5], [9], [0, 1, 8, 9], [3, 4]])
async def test_blobs_that_cannot_be_read(world: World, caplog: pytest.LogCaptureFixture, places: list[int]) -> None:
    """Blobs that the storage does not give while it gives others do not keep the pass from its end."""
    digests = await world.blobs(10)
    for place in places:
        world.driver.errors[await world.key(digests[place])] = [StorageUnavailable("access denied")]
    progress, finished = await world.scrub().run()
    assert finished
    assert (progress.unreadable, progress.blobs, progress.damaged) == (len(places), 10 - len(places), 0)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == len(places)
    assert all(digests[place] in " ".join(warnings) for place in places)


async def test_nothing_is_stored_at_all(world: World) -> None:
    """Where there is not a single blob, it is the wrong place, or a disk that is not mounted: that is no damage."""
    await world.blobs(5)
    stored, world.driver.stored = world.driver.stored, {}
    with pytest.raises(StorageUnavailable):
        await world.scrub().run()
    assert await world.damaged() == []
    world.driver.stored = stored
    assert (await world.scrub().run())[0].damaged == 0


async def test_row_that_makes_no_sense(world: World) -> None:
    """A row whose digest is none is damage like another one, and does not stop the pass."""
    digest = await world.blob(b"content")
    await world.blobs(3)
    await world.sql("DELETE FROM blob_links WHERE digest = ?", digest)
    await world.sql("UPDATE blobs SET digest = 'sha256:none' WHERE digest = ?", digest)
    progress, finished = await world.scrub().run()
    assert (finished, progress.blobs, await world.damaged()) == (True, 4, ["sha256:none"])


async def test_manifests_are_verified(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A manifest whose bytes are not what its digest says is told of; it stays readable, since it cannot be mended."""
    await world.manifest(b"sound")
    spoiled = await world.manifest(b"a" * 100_000, "other/name")
    await world.sql("UPDATE manifests SET content = ? WHERE id = ?", b"b" * 100_000, spoiled)
    progress, finished = await world.scrub().run()
    digest = digest_of(b"a" * 100_000)
    assert (finished, progress.manifests, progress.spoiled) == (True, 2, [f"other/name@{digest}"])
    (record,) = errors(caplog)
    assert "manifest" in record.getMessage()
    assert (vars(record)["digest"], vars(record)["repositories"]) == (str(digest), ["other/name"])


async def test_reading_takes_its_time(world: World) -> None:
    """No more bytes are read in a second than the rate allows."""
    for number in range(4):
        await world.blob(bytes([number]) * (2 * MIB))
    await world.scrub(rate=MIB).run()
    assert 8 <= world.time.seconds < 8.5


async def test_small_blobs_take_time_too(world: World) -> None:
    """A blob without any bytes costs the storage something, too."""
    await world.blobs(300)
    await world.scrub(rate=MIB).run()
    assert world.time.seconds >= 3


async def test_progress_is_reported(world: World) -> None:
    """Whoever wants to know hears of the beginning, and of every piece and every blob."""
    await world.blob(b"x" * (3 * MIB))
    await world.blob(b"small")
    heard: list[tuple[int, int]] = []

    def hear(progress: Progress) -> None:
        heard.append((progress.blobs, progress.bytes))

    await world.scrub(report=hear).run()
    assert heard[0] == (0, 0)
    assert heard[-1] == (2, 3 * MIB + 5)
    assert len(heard) >= 1 + 3 + 1 + 2
    assert heard == sorted(heard)
