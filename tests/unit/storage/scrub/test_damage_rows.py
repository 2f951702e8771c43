"""Who is hit by damage: the repositories and tags of a blob."""

from storage.digest import digest_of
from storage.metadata import damage, manifests
from storage.metadata.manifests import NewManifest, Reference
from storage.metadata.store import Transaction
from tests.unit.storage.scrub.worlds import World


async def index_of(world: World, children: list[bytes], content: bytes) -> int:
    """An index of manifests in `app`; returns its id."""
    new = NewManifest(digest_of(content), "type", None, None, None, content)
    references = [Reference(digest_of(child), "manifest", required=True) for child in children]

    async def insert(tx: Transaction) -> int:
        return await manifests.insert(tx, 1, new, references, 0)

    return await world.store.transact(insert)


async def tag(world: World, name: str, manifest_id: int) -> None:
    """Point a tag to the manifest, in the repository of that."""
    await world.sql(
        "INSERT INTO tags SELECT repository_id, ?, id, 0 FROM manifests WHERE id = ?",
        name,
        manifest_id,
    )


async def test_tags_that_need_a_blob(world: World) -> None:
    """Every tag is named from which one comes to the blob, through any number of indexes, and no other one."""
    layer, other = await world.blob(b"layer", "app", "copy", "unused"), await world.blob(b"another")
    image = await world.manifest(b"image", "app", [layer])
    await tag(world, "image", image)
    await tag(world, "same", image)
    await tag(world, "inner", await index_of(world, [b"image"], b"index"))
    await tag(world, "outer", await index_of(world, [b"index"], b"index of the index"))
    await tag(world, "copied", await world.manifest(b"image", "copy", [layer]))
    await tag(world, "harmless", await world.manifest(b"no layer", "app", [other]))
    await world.manifest(b"untagged", "app", [layer])
    found = await damage.tags_needing(world.store, layer, 100)
    assert found == ["app:image", "app:inner", "app:outer", "app:same", "copy:copied"]
    assert await damage.tags_needing(world.store, layer, 2) == found[:2]
    assert await damage.repositories(world.store, layer, 100) == ["app", "copy", "unused"]
    assert await damage.tags_needing(world.store, str(digest_of(b"unknown")), 100) == []


async def test_damaged_among_others(world: World) -> None:
    """Of any number of digests those are found that are damaged."""
    digests = await world.blobs(1200)
    for digest in (digests[0], digests[700], digests[-1]):
        await world.spoil(digest)
    await world.scrub().run()
    assert await damage.among(world.store, digests) == {digests[0], digests[700], digests[-1]}
    assert await damage.among(world.store, digests[1:700]) == set()
    assert await damage.count(world.store) == 3
    assert [blob.digest for blob in await damage.damaged_after(world.store, digests[0], 1)] == [digests[700]]
