"""A registry in memory that is full of what a collection removes, of every kind, and of what it has to keep."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storage.digest import Digest, digest_of
from tests.faults.world import Document, Hands, World, image, index

SETTINGS = {
    "collector.grace": "1h",
    "collector.untagged_after": "2h",
    "collector.orphaned_after": "2h",
    "collector.keep_deleted": "3h",
}
HOUR = 3600.0
HERE, THERE = "here", "there"

LAYERS = [b"layer %d" % number for number in range(8)]
LOOSE = b"a blob that no manifest needs"
TAGGED = image("tagged", LAYERS[0], LAYERS[1])
UNTAGGED = image("untagged", LAYERS[1], LAYERS[2])
REFERRER = image("referrer", LAYERS[3], subject=UNTAGGED)
PART = image("part of an index", LAYERS[4])
INDEX = index("index without a tag", PART)
SIGNATURE = image("signature", LAYERS[7])
DELETED = image("deleted", LAYERS[5], LAYERS[0])
FORGOTTEN = image("deleted long ago", LAYERS[6])
FRESH = image("fresh", LOOSE, LAYERS[2])
LATER = index("index of what has no tag", UNTAGGED)

BLOBS = {digest_of(content): content for content in [*LAYERS, LOOSE]}
PARTS = {item.digest: item for item in (PART, UNTAGGED)}
PUSHED = (UNTAGGED, REFERRER, PART, INDEX, DELETED, FORGOTTEN)


@asynccontextmanager
async def due_world() -> AsyncIterator[World]:
    """The registry."""
    world = World(SETTINGS)
    try:
        do = world.hands
        for content in BLOBS.values():
            await do.push(HERE, content)
        await do.put(HERE, TAGGED, "v1")
        for document in PUSHED:
            await do.put(HERE, document)
        await do.put(HERE, SIGNATURE, f"sha256-{FORGOTTEN.digest.hex}.sig")
        await do.delete(HERE, FORGOTTEN.digest)
        world.clock.advance(10 * HOUR)
        await do.delete(HERE, DELETED.digest)
        world.clock.advance(1.5 * HOUR)
        # As a push leaves them that broke off before its record.
        world.driver.stored["stray"] = b"stray"
        yield world
    finally:
        await world.close()


async def expect_pulled(world: World, repository: str, reference: str | Digest, document: Document) -> None:
    """Pull a manifest with all that it needs; AssertionError if anything is missing."""
    assert await world.hands.pull(repository, reference) == document.content, document
    for digest in document.blobs:
        assert await world.hands.read(repository, digest) == BLOBS[digest], document
    for child in document.children:
        await expect_pulled(world, repository, child, PARTS[child])


async def expect_settled(world: World) -> None:
    """AssertionError unless, when all times are over, a few collections leave all that is needed, and only that."""
    assert await world.problems() == []
    for _ in range(3):
        world.clock.advance(30 * HOUR)
        await world.hands.collect()
    assert await world.garbage() == set()
    assert await world.problems() == []
    await expect_pulled(world, HERE, "v1", TAGGED)


# What clients do ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Requests:
    """Two things that a client does. The second relies on the first, and after it `document` has the tag `new`.

    Each asserts that what it is answered is what it may expect.
    """

    first: Callable[[Hands], Awaitable[None]]
    second: Callable[[Hands], Awaitable[None]]
    document: Document
    repository: str = HERE


async def _look_or_push(do: Hands, document: Document) -> None:
    for digest in document.blobs:
        if not await do.look(HERE, digest):
            await do.push(HERE, BLOBS[digest])


async def _mount_or_push(do: Hands) -> None:
    for digest in FRESH.blobs:
        if not await do.mount(THERE, digest, HERE):
            await do.push(THERE, BLOBS[digest])


async def _push(do: Hands) -> None:
    for digest in FRESH.blobs:
        await do.push(HERE, BLOBS[digest])


async def _delete_and_push(do: Hands) -> None:
    await do.delete_blob(HERE, digest_of(LOOSE))
    await _push(do)


async def _put(do: Hands, document: Document, repository: str = HERE) -> None:
    assert await do.put(repository, document, "new"), f"{document} was refused"


async def _put_or_push(do: Hands) -> None:
    """Put without a look at what is there, which may be what is just about to go."""
    if not await do.put(HERE, FRESH):
        await _push(do)
        assert await do.put(HERE, FRESH)


async def _put_and_delete_all(do: Hands) -> None:
    await _push(do)
    assert await do.put(HERE, FRESH)
    assert await do.delete(HERE, FRESH.digest)
    assert await do.delete_blob(HERE, digest_of(LOOSE))


async def _restore_fresh(do: Hands) -> None:
    assert await do.restore(HERE, FRESH.digest, "new") is not None, "it was not brought back"


async def _look_or_put(do: Hands, part: Document) -> None:
    if not await do.look_for_manifest(HERE, part.digest):
        await _look_or_push(do, part)
        assert await do.put(HERE, part)


async def _restore(do: Hands) -> None:
    assert await do.restore(HERE, DELETED.digest), "it was not brought back"


async def _tag(do: Hands) -> None:
    assert await do.restore(HERE, DELETED.digest, "new") == [], "it went again"


async def _delete(do: Hands) -> None:
    assert await do.delete(HERE, TAGGED.digest)


async def _restore_tagged(do: Hands) -> None:
    assert await do.restore(HERE, TAGGED.digest, "v1", "new")


async def _move(do: Hands) -> None:
    await _look_or_push(do, FRESH)
    assert await do.put(HERE, FRESH, "v1")


async def _move_back(do: Hands) -> None:
    assert await do.put(HERE, TAGGED, "v1", "new")


REQUESTS = {
    "look and put": Requests(lambda do: _look_or_push(do, FRESH), lambda do: _put(do, FRESH), FRESH),
    "mount and put": Requests(_mount_or_push, lambda do: _put(do, FRESH, THERE), FRESH, THERE),
    "push and put": Requests(_push, lambda do: _put(do, FRESH), FRESH),
    "put without a look": Requests(_put_or_push, lambda do: _put(do, FRESH), FRESH),
    "put, delete all and restore": Requests(_put_and_delete_all, _restore_fresh, FRESH),
    "delete, push and put": Requests(_delete_and_push, lambda do: _put(do, FRESH), FRESH),
    "put a manifest again": Requests(lambda do: _look_or_push(do, UNTAGGED), lambda do: _put(do, UNTAGGED), UNTAGGED),
    "put a referrer again": Requests(lambda do: _look_or_push(do, REFERRER), lambda do: _put(do, REFERRER), REFERRER),
    "put a part and its index again": Requests(lambda do: _look_or_put(do, PART), lambda do: _put(do, INDEX), INDEX),
    "put an index of a manifest": Requests(lambda do: _look_or_put(do, UNTAGGED), lambda do: _put(do, LATER), LATER),
    "restore and tag": Requests(_restore, _tag, DELETED),
    "delete and restore": Requests(_delete, _restore_tagged, TAGGED),
    "move a tag away and back": Requests(_move, _move_back, TAGGED),
}
