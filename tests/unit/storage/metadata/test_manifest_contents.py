"""Manifests from memory: their bytes come from there, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from storage.digest import Digest, digest_of
from storage.metadata import manifests, repositories, tags
from storage.metadata.manifest_contents import ManifestContents
from storage.metadata.manifests import NewManifest
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Row, Transaction, Value
from storage.names import RepositoryName, Tag

MIB = 1 << 20
APP, OTHER, LATEST = RepositoryName("app"), RepositoryName("other"), Tag("latest")
ONE, TWO = b'{"one":1}', b'{"two":2}'


class Watched(MemoryStore):
    """Counts the manifests whose bytes it was asked for."""

    sent = 0

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        row = await super().fetch_one(sql, *values)
        self.sent += row is not None and any(isinstance(value, bytes) for value in row)
        return row

    async def push(self, content: bytes, media_type: str = "type", repository: RepositoryName = APP) -> None:
        """Store a manifest, and point the tag to it."""
        digest = digest_of(content)

        async def work(tx: Transaction) -> None:
            place = await repositories.ensure(tx, repository, 0)
            new = NewManifest(digest, media_type, None, None, None, content)
            await tags.put(tx, place, LATEST, await manifests.insert(tx, place, new, [], 0), 0)

        await self.transact(work)

    async def delete(self, digest: Digest) -> None:
        """Remove a manifest that was pushed last, with its tag."""

        async def work(tx: Transaction) -> None:
            place = await repositories.ensure(tx, APP, 0)
            manifest_id = await manifests.find_id(tx, place, digest)
            assert manifest_id is not None
            await tags.delete(tx, place, LATEST)
            await manifests.delete(tx, manifest_id)

        await self.transact(work)


@pytest.fixture
async def store() -> AsyncIterator[Watched]:
    """A store with one manifest."""
    store = Watched()
    await store.push(ONE)
    yield store
    await store.close()


@pytest.fixture
def contents() -> ManifestContents:
    """Room enough."""
    return ManifestContents(MIB)


async def content(store: Watched, contents: ManifestContents, reference: Digest | Tag) -> bytes | None:
    """The bytes of a manifest of the repository."""
    found = await contents.read(store, APP, reference)
    assert found is None or found.digest == str(digest_of(found.content))
    return None if found is None else found.content


async def test_bytes_are_sent_once(store: Watched, contents: ManifestContents) -> None:
    """However often a manifest is read, by tag or by digest, its bytes come from the database once."""
    for reference in (LATEST, digest_of(ONE), LATEST, digest_of(ONE)):
        assert await content(store, contents, reference) == ONE
    assert store.sent == 1


async def test_tag_that_moves(store: Watched, contents: ManifestContents) -> None:
    """A tag leads to what it points to now, and back again, whatever it led to before."""
    for pushed in (TWO, ONE, TWO):
        assert await content(store, contents, LATEST) is not None
        await store.push(pushed)
        assert await content(store, contents, LATEST) == pushed
    sent = store.sent
    assert await content(store, contents, LATEST) == TWO
    assert store.sent == sent


async def test_deleted_manifest(store: Watched, contents: ManifestContents) -> None:
    """What was deleted is not there any more, though its bytes are still known."""
    for reference in (LATEST, digest_of(ONE)):
        assert await content(store, contents, reference) == ONE
    await store.delete(digest_of(ONE))
    for reference in (LATEST, digest_of(ONE)):
        assert await content(store, contents, reference) is None


async def test_other_repository(store: Watched, contents: ManifestContents) -> None:
    """A repository has what it links, and no other one's manifests."""
    await store.push(TWO, repository=OTHER)
    assert await content(store, contents, LATEST) == ONE
    assert (await contents.read(store, OTHER, LATEST)) != (await contents.read(store, APP, LATEST))
    assert await contents.read(store, OTHER, digest_of(ONE)) is None


async def test_type_that_changes(store: Watched, contents: ManifestContents) -> None:
    """The same bytes may come to be of another type."""
    assert await content(store, contents, LATEST) == ONE
    await store.push(ONE, "another")
    for reference in (LATEST, digest_of(ONE)):
        found = await contents.read(store, APP, reference)
        assert found is not None
        assert (found.media_type, found.content) == ("another", ONE)


@pytest.mark.parametrize(("capacity", "pushed"), [(0, ONE), (MIB, bytes(MIB // 4))], ids=["none", "too large"])
async def test_no_room(store: Watched, capacity: int, pushed: bytes) -> None:
    """Where there is no room, or not enough for one so large, the bytes come from the database each time."""
    contents = ManifestContents(capacity)
    await store.push(pushed)
    for _ in range(3):
        for reference in (LATEST, digest_of(pushed)):
            assert await content(store, contents, reference) == pushed
    assert store.sent == 6
