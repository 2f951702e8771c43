"""Bringing back what was deleted: what there is, what comes with it, and what cannot be."""

import pytest

from auth.actor import OPERATING
from registry.domain.immutability import ImmutableTags
from registry.domain.restoring import RESTORED_MAX, DeletedManifest, DeletedTag, Restored
from registry.errors import Conflict, ManifestUnknown, NotFound, RequestInvalid, TagImmutable
from registry.oci import media_types
from storage.digest import Digest, digest_of, parse_digest
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName, Tag
from tests.unit.registry.domain.past import Past
from tests.unit.registry.domain.shelf import APP, DAY, GRACE, HOUR, KEPT, OTHER

# All that a restore may change.
TABLES = ("manifests", "manifest_references", "tags", "blob_links", "deleted_manifests", "deleted_references", "audit")

FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar"


@pytest.fixture
def past(store: MetadataStore) -> Past:
    """An empty registry."""
    return Past(store)


def back(digest: Digest, tags: list[str], manifests: list[Digest]) -> Restored:
    """What is said of a restore."""
    return Restored(digest, [Tag(tag) for tag in tags], manifests)


async def refused(past: Past, error: type[Exception], match: str, digest: Digest, *tags: str) -> None:
    """Bringing the manifest back ends in this error, and changes nothing."""
    before = await past.rows(*TABLES)
    with pytest.raises(error, match=match):
        await past.restore(digest, *tags)
    assert await past.rows(*TABLES) == before


async def test_what_can_be_brought_back(past: Past) -> None:
    """Deleted manifests and tags are listed, with who deleted them, when, and until when they can come back."""
    deleted_at = past.clock.now_ms()
    until = deleted_at + int(KEPT * 1000)
    image, other = await past.image(b"one", tag="v1"), await past.image(b"two", tag="v2")
    size = len((await past.manifests.get(APP, image)).content)
    await past.delete(image)
    await past.untag("v2")
    who = {"kind": "operator", "principal": "operator"}
    assert await past.deleted_manifests() == [
        DeletedManifest(1, str(image), media_types.OCI_MANIFEST, size, deleted_at, until, **who)
    ]
    assert await past.deleted_tags() == [
        DeletedTag("v1", str(image), deleted_at, until, **who),
        DeletedTag("v2", str(other), deleted_at, None, **who),
    ]


async def test_a_manifest_comes_back(past: Past) -> None:
    """A manifest comes back as it was, with its blobs, which a lease protects, and without its tags."""
    image = await past.image(b"layer", tag="v1")
    before = await past.manifests.get(APP, image)
    (created,) = await past.store.fetch_all("SELECT created_at FROM manifests")
    past.clock.advance(DAY)
    await past.delete(image)
    await past.collect(HOUR)
    assert not await past.has_blob(digest_of(b"layer"))
    assert await past.restore(image) == back(image, [], [image])
    found = await past.manifests.get(APP, image)
    assert (found.content, found.media_type) == (before.content, before.media_type)
    assert await past.store.fetch_all("SELECT created_at FROM manifests") == [created]
    assert await past.has_blob(digest_of(b"layer"))
    assert await past.rows("tags", "deleted_manifests", "deleted_references") == [[], [], []]
    lease = past.later(GRACE)
    assert await past.store.fetch_all("SELECT DISTINCT protected_until FROM blob_links") == [(lease,)]
    await past.collect(100 * DAY)
    assert await past.has_blob(digest_of(b"layer"))


async def test_a_manifest_comes_back_with_tags(past: Past) -> None:
    """Tags that are named point to the manifest when it is back, whatever they pointed to."""
    image = await past.image(b"one", tag="v1")
    await past.delete(image)
    await past.image(b"two", tag="latest")
    assert await past.restore(image, "v1", "latest") == back(image, ["v1", "latest"], [image])
    assert (await past.points("v1"), await past.points("latest")) == (str(image), str(image))


async def test_a_manifest_that_is_there(past: Past) -> None:
    """A manifest that is there only gets the tags: a restore can be repeated."""
    image = await past.image(b"one")
    assert await past.restore(image, "v1") == back(image, ["v1"], [])
    assert await past.restore(image, "v1") == back(image, ["v1"], [])
    assert await past.restore(image) == back(image, [], [])
    assert len(await past.moves()) == 1


async def test_what_never_was(past: Past) -> None:
    """What was not deleted from this repository cannot be brought back to it, nor what is gone for good."""
    image = await past.image(b"one", repository=OTHER)
    await past.image(b"two")
    await past.delete(image, OTHER)
    await refused(past, NotFound, r"^deleted manifest 'sha256:", image)
    with pytest.raises(NotFound, match=r"^repository 'none' is not known$"):
        await past.restore(image, repository=RepositoryName("none"))
    await past.collect(KEPT + 1)
    with pytest.raises(NotFound, match=r"^deleted manifest 'sha256:"):
        await past.restore(image, repository=OTHER)


async def test_nothing_is_kept(store: MetadataStore) -> None:
    """Where deleted manifests are not kept they are gone."""
    past = Past(store, kept=0)
    image = await past.image(b"one", tag="v1")
    await past.delete(image)
    assert (await past.deleted_manifests(), await past.deleted_tags()) == ([], [])
    await refused(past, NotFound, r"^deleted manifest", image)
    with pytest.raises(NotFound, match=r"^deleted manifest"):
        await past.restore_tag("v1")


async def test_an_index_brings_its_parts(past: Past) -> None:
    """With an index come the deleted manifests that it needs, at any depth; those that are there are held."""
    one, two, there = await past.image(b"one"), await past.image(b"two"), await past.image(b"there")
    inner = await past.index(one, two)
    outer = await past.index(inner, one, there, tag="v1")
    for digest in (outer, inner, one, two):
        await past.delete(digest)
    await past.collect(GRACE + 1)
    restored = await past.restore(outer, "v1")
    assert restored.manifests[0] == outer
    assert set(restored.manifests[1:]) == {inner, one, two}
    assert len(restored.manifests) == 4
    assert await past.has_blob(digest_of(b"two"))
    for digest in (outer, inner, one, two, there):
        assert await past.held(digest) == (0.0, False)


async def test_a_part_is_gone_for_good(past: Past) -> None:
    """An index does not come back without its parts; who asks is told which one is missing."""
    parts = [await past.image(b"one"), await past.image(b"two")]
    index = await past.index(*parts)
    for digest in (index, *parts):
        await past.delete(digest)
    await past.store.transact(lambda tx: tx.execute("DELETE FROM deleted_manifests WHERE digest = ?", str(parts[0])))
    await refused(past, Conflict, f"^{index} cannot be brought back: it needs {parts[0]}, gone for good$", index)
    await past.image(b"one")
    assert (await past.restore(index)).manifests == [index, parts[1]]


async def test_a_part_need_not_be_there(store: MetadataStore) -> None:
    """Where indexes may be without parts they come back without those that are gone for good."""
    past = Past(store, sparse_indexes=True)
    part = await past.image(b"one")
    index = await past.index(part)
    for digest in (index, part):
        await past.delete(digest)
    await store.transact(lambda tx: tx.execute("DELETE FROM deleted_manifests WHERE digest = ?", str(part)))
    restored = await past.restoring.restore_manifest(OPERATING, APP, index)
    assert restored.manifests == [index]


async def test_a_blob_is_gone_for_good(past: Past) -> None:
    """A manifest does not come back without its blobs; many that are missing are not all named."""
    image = await past.image(*[b"%d" % number for number in range(8)])
    await past.delete(image)
    await past.store.transact(lambda tx: tx.execute("DELETE FROM blob_links"))
    await past.store.transact(lambda tx: tx.execute("DELETE FROM blobs"))
    match = f"^{image} cannot be brought back: it needs (sha256:[0-9a-f]{{64}}(, )?){{5}} …, gone for good$"
    await refused(past, Conflict, match, image)


async def test_a_blob_that_was_never_readable(past: Past) -> None:
    """A layer that a manifest names without needing it is linked when it comes back only if it was before."""
    secret = await past.blob(b"of another tenant", OTHER)
    config = await past.blob(b"{}")
    layer = {"mediaType": FOREIGN, "digest": str(secret), "size": 17}
    named = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": str(config), "size": 2}
    document = {"schemaVersion": 2, "mediaType": media_types.OCI_MANIFEST, "config": named, "layers": [layer]}
    image = await past.manifest(document, "v1")
    await past.delete(image)
    await past.restore(image)
    assert not await past.has_blob(secret)
    await past.blob(b"of another tenant")
    await past.delete(image)
    await past.collect(GRACE + 1)
    await past.restore(image)
    assert await past.has_blob(secret)


async def test_too_many_parts() -> None:
    """One restore takes a bounded number of manifests; the parts can be brought back before the index."""
    past = Past(MemoryStore())
    parts = []
    for number in range(RESTORED_MAX):
        empty: dict[str, object] = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": []}
        parts.append(await past.manifest({**empty, "annotations": {"n": str(number)}}, None))
    index = await past.index(*parts)
    for digest in (index, *parts):
        await past.delete(digest)
    await refused(past, Conflict, f"more than {RESTORED_MAX} deleted manifests", index)
    await past.restoring.restore_manifest(OPERATING, APP, parts[0])
    assert len((await past.restore(index)).manifests) == RESTORED_MAX


async def test_pushed_again(past: Past) -> None:
    """What is pushed again is not deleted any more; when it is deleted once more, it can be brought back once more."""
    image = await past.image(b"one", tag="v1")
    for _ in range(2):
        await past.delete(image)
        assert [item.digest for item in await past.deleted_manifests()] == [str(image)]
        await past.image(b"one")
        assert await past.deleted_manifests() == []
        await past.delete(image)
        await past.restore(image, "v1")
        assert await past.deleted_manifests() == []
    assert await past.points("v1") == str(image)


async def test_a_tag_comes_back(past: Past) -> None:
    """A tag that was taken away points again to where it pointed last."""
    await past.image(b"one", tag="v1")
    two = await past.image(b"two", tag="v1")
    await past.untag("v1")
    assert await past.restore_tag("v1") == back(two, ["v1"], [])
    assert await past.points("v1") == str(two)
    assert await past.deleted_tags() == []


async def test_a_tag_comes_back_with_its_manifest(past: Past) -> None:
    """A tag brings back the manifest that it pointed to, if that was deleted, too."""
    image = await past.image(b"one", tag="v1")
    await past.image(b"one", tag="v2")
    await past.delete(image)
    assert await past.restore_tag("v1") == back(image, ["v1"], [image])
    assert [item.tag for item in await past.deleted_tags()] == ["v2"]
    assert await past.restore_tag("v2") == back(image, ["v2"], [])


async def test_a_tag_that_is_there(past: Past) -> None:
    """A tag that is there stays where it is, unless a digest is named."""
    one, two = await past.image(b"one", tag="v1"), await past.image(b"two", tag="v1")
    with pytest.raises(Conflict, match=f"^tag v1 points to {two}: say which digest it is to point to$"):
        await past.restore_tag("v1")
    await past.restore(one, "v1")
    assert await past.points("v1") == str(one)


async def test_a_tag_that_never_was(past: Past) -> None:
    """A tag without history is not known, whether there is something in the repository or not."""
    await past.image(b"one", tag="v1")
    await past.image(b"one", tag="v2", repository=OTHER)
    await past.untag("v2", OTHER)
    with pytest.raises(NotFound, match=r"^tag 'v2' is not known$"):
        await past.restore_tag("v2")


async def test_a_tag_without_its_manifest(past: Past) -> None:
    """A tag whose manifest is gone for good is not listed, and does not come back."""
    image = await past.image(b"one", tag="v1")
    await past.delete(image)
    await past.collect(KEPT + 1)
    assert await past.deleted_tags() == []
    with pytest.raises(NotFound, match=f"^deleted manifest '{image}' is not known$"):
        await past.restore_tag("v1")


async def test_immutable_tags(past: Past) -> None:
    """An immutable tag can come back, and then does not move, whoever names a digest."""
    await ImmutableTags(past.store, past.clock, past.audit).create(OPERATING, "default", "root", "**", "v*")
    one, two = await past.image(b"one"), await past.image(b"two")
    await past.restore(one, "v1")
    await refused(past, TagImmutable, r"^tag v1 is immutable here", two, "v1")


async def test_pages(past: Past) -> None:
    """Deleted manifests come in pages, the last that was deleted first, deleted tags by their names."""
    images = [await past.image(b"%d" % number, tag=f"v{number}") for number in range(5)]
    for image in images:
        await past.delete(image)
    page = await past.restoring.manifests(OPERATING, APP, "", 3)
    assert ([parse_digest(item.digest) for item in page.items], page.more) == (images[:1:-1], True)
    page = await past.restoring.manifests(OPERATING, APP, str(page.items[-1].id), 3)
    assert ([parse_digest(item.digest) for item in page.items], page.more) == (images[1::-1], False)
    tags = await past.restoring.tags(OPERATING, APP, "", 3)
    assert ([item.tag for item in tags.items], tags.more) == (["v0", "v1", "v2"], True)
    tags = await past.restoring.tags(OPERATING, APP, "v2", 3)
    assert ([item.tag for item in tags.items], tags.more) == (["v3", "v4"], False)
    with pytest.raises(RequestInvalid):
        await past.restoring.manifests(OPERATING, APP, "x", 3)


async def test_nothing_was_deleted(past: Past) -> None:
    """Where no tag ever was, and nothing was deleted, the lists are empty."""
    await past.image(b"one")
    assert (await past.deleted_tags(), await past.deleted_manifests()) == ([], [])


async def test_a_long_history() -> None:
    """Deleted tags are found among many changes, wherever a slice of them ends."""
    past = Past(MemoryStore())
    images = [await past.image(b"one"), await past.image(b"two")]
    for number in range(270):
        for image in images:
            await past.restoring.restore_manifest(OPERATING, APP, image, [Tag(f"{number:03}")])
        if number % 3 == 0:
            await past.untag(f"{number:03}")
    found = (await past.restoring.tags(OPERATING, APP, "", 1000)).items
    assert [item.tag for item in found] == [f"{number:03}" for number in range(0, 270, 3)]
    page = await past.restoring.tags(OPERATING, APP, "012", 2)
    assert ([item.tag for item in page.items], page.more) == (["015", "018"], True)


async def test_what_was_deleted_is_not_there(past: Past) -> None:
    """Until it is brought back, nobody can read what was deleted."""
    image = await past.image(b"one", tag="v1")
    await past.delete(image)
    with pytest.raises(ManifestUnknown):
        await past.manifests.get(APP, image)
