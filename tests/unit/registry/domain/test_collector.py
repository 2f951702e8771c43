"""The collector: what it removes, what it keeps, and for how long."""

import json

import pytest

from registry.domain.explaining import Keeper
from registry.errors import ReferencesUnknown
from storage.digest import digest_of
from storage.metadata import runs
from storage.metadata.store import MetadataStore
from tests.unit.registry.domain.shelf import APP, DAY, GRACE, HOUR, KEPT, ORPHANED, OTHER, REMEMBERED, Shelf


@pytest.fixture
def shelf(store: MetadataStore) -> Shelf:
    """An empty registry."""
    return Shelf(store)


async def test_what_a_tag_holds_stays(shelf: Shelf) -> None:
    """Years later a tagged image and a tagged index, with all that they need, are as they were."""
    image = await shelf.image(b"layer", tag="v1")
    index = await shelf.index(await shelf.image(b"one"), await shelf.image(b"two"), tag="latest")
    counts = await shelf.collect(3000 * DAY)
    assert (counts.manifests, counts.links, counts.blobs, counts.removed) == (0, 0, 0, 0)
    assert await shelf.has(image)
    assert await shelf.has(index)
    assert await shelf.stored() == 4


async def test_a_blob_without_a_manifest_goes_after_the_grace(shelf: Shelf) -> None:
    """A blob that no manifest needs stays for as long as a push may take, and no longer."""
    blob = await shelf.blob(b"nobody needs this")
    assert (await shelf.collect(GRACE)).links == 0
    assert await shelf.has_blob(blob)
    counts = await shelf.collect(1)
    assert (counts.links, counts.blobs, counts.bytes, counts.removed) == (1, 1, 17, 1)
    assert not await shelf.has_blob(blob)
    assert await shelf.stored() == 0


async def test_asking_for_a_blob_keeps_it(shelf: Shelf) -> None:
    """Whoever was told before a push that a blob is there finds it there when the manifest comes."""
    blob = await shelf.blob(b"layer")
    shelf.clock.advance(GRACE - 1)
    await shelf.blobs.keep(APP, blob, await shelf.blobs.find(APP, blob))
    await shelf.collect(GRACE)
    assert await shelf.has_blob(blob)


async def test_mounting_a_blob_keeps_it(shelf: Shelf) -> None:
    """A mounted blob stays for a grace period of its own, and the one that it was mounted from goes before it."""
    blob = await shelf.blob(b"layer")
    shelf.clock.advance(GRACE - 1)
    assert await shelf.uploads.mount(OTHER, blob, APP, lambda _: True)
    await shelf.collect(GRACE)
    assert await shelf.has_blob(blob, OTHER)
    assert not await shelf.has_blob(blob, APP)


async def test_pushing_a_blob_again_keeps_it(shelf: Shelf) -> None:
    """Who pushes what is stored already gets a grace period, too."""
    await shelf.blob(b"layer")
    shelf.clock.advance(GRACE - 1)
    blob = await shelf.blob(b"layer")
    await shelf.collect(GRACE)
    assert await shelf.has_blob(blob)


async def test_a_blob_that_went_is_unknown_to_a_manifest(shelf: Shelf) -> None:
    """A push that took longer than the grace period is refused, and comes through when it is done again."""
    await shelf.image(b"layer")
    layer, config = digest_of(b"layer"), digest_of(b"{}")
    await shelf.blob(b"another")
    await shelf.collect(GRACE + 1)
    assert await shelf.has_blob(layer)
    image = await shelf.manifests.get(APP, await shelf.image(b"layer"))
    with pytest.raises(ReferencesUnknown) as refused:
        await shelf.manifest(_with_layer(image.content, digest_of(b"another")), "late")
    assert refused.value.digests == [digest_of(b"another")]
    await shelf.blob(b"another")
    late = await shelf.manifest(_with_layer(image.content, digest_of(b"another")), "late")
    assert await shelf.has(late)
    assert await shelf.has_blob(config)


def _with_layer(manifest: bytes, digest: object) -> dict[str, object]:
    document: dict[str, object] = json.loads(manifest)
    document["layers"] = [{"mediaType": "application/octet-stream", "digest": str(digest), "size": 7}]
    return document


async def test_a_deleted_manifest_frees_its_blobs_when_it_cannot_be_restored(shelf: Shelf) -> None:
    """The bytes of a deleted image stay for as long as it can be brought back, though nobody can read them."""
    image = await shelf.image(b"layer", tag="v1")
    await shelf.delete(image)
    assert (await shelf.collect(KEPT)).forgotten == 0
    assert not await shelf.has_blob(digest_of(b"layer"))
    assert await shelf.stored() == 2
    counts = await shelf.collect(1)
    assert (counts.forgotten, counts.blobs) == (1, 2)
    assert await shelf.stored() == 0


async def test_nothing_is_kept_of_what_is_deleted(store: MetadataStore) -> None:
    """Where nothing can be brought back the bytes go as soon as no lease protects them."""
    shelf = Shelf(store, kept=0)
    await shelf.delete(await shelf.image(b"layer", tag="v1"))
    await shelf.collect(GRACE + 1)
    assert await shelf.stored() == 0


async def test_shared_blobs_stay(shelf: Shelf) -> None:
    """What another image, or another repository, needs stays when one of them goes."""
    one = await shelf.image(b"base", b"one", tag="one")
    await shelf.image(b"base", b"two", tag="two")
    await shelf.image(b"base", tag="v1", repository=OTHER)
    await shelf.delete(one)
    await shelf.untag("two")
    await shelf.collect(KEPT + 1)
    assert await shelf.has_blob(digest_of(b"base"))
    assert await shelf.has_blob(digest_of(b"base"), OTHER)
    assert await shelf.has_blob(digest_of(b"two"))
    assert not await shelf.has_blob(digest_of(b"one"))


async def test_untagged_manifests_stay_by_default(shelf: Shelf) -> None:
    """A digest that its tag has left can be pulled for as long as no policy says otherwise."""
    old = await shelf.image(b"old", tag="latest")
    await shelf.image(b"new", tag="latest")
    await shelf.collect(3000 * DAY)
    assert await shelf.has(old)


async def test_untagged_manifests_go_by_policy(store: MetadataStore) -> None:
    """With a policy a manifest goes so long after its last tag has left it, not so long after its push."""
    shelf = Shelf(store, untagged=10 * DAY)
    old = await shelf.image(b"old", tag="latest")
    shelf.clock.advance(20 * DAY)
    await shelf.image(b"new", tag="latest")
    await shelf.collect(10 * DAY - 1)
    assert await shelf.has(old)
    counts = await shelf.collect(1)
    assert (counts.manifests, await shelf.has(old)) == (1, False)
    assert await shelf.has_blob(digest_of(b"new"))


async def test_pushing_again_keeps_an_untagged_manifest(store: MetadataStore) -> None:
    """Whoever pushes a manifest again by its digest has it for the whole time once more."""
    shelf = Shelf(store, untagged=10 * DAY)
    await shelf.image(b"layer")
    shelf.clock.advance(9 * DAY)
    image = await shelf.image(b"layer")
    await shelf.collect(9 * DAY)
    assert await shelf.has(image)


async def test_a_registry_has_a_policy_of_its_own(store: MetadataStore) -> None:
    """The policy of the registry with the longest prefix decides; what it leaves open is as configured."""
    shelf = Shelf(store, untagged=DAY)
    await store.transact(
        lambda tx: tx.execute(
            "INSERT INTO registries (project_id, name, prefix, kind, visibility, description, created_at,"
            " untagged_after) SELECT id, 'keep', 'other', 'local', 'private', '', 0, 0 FROM projects"
        )
    )
    app, other = await shelf.image(b"app"), await shelf.image(b"other", repository=OTHER)
    assert (await shelf.collect(2 * DAY)).manifests == 1
    assert (await shelf.has(app), await shelf.has(other, OTHER)) == (False, True)


async def test_parts_never_go_before_their_index(store: MetadataStore) -> None:
    """The parts of an index stay with it, and go so long after it as orphans may stay."""
    shelf = Shelf(store, untagged=DAY)
    part = await shelf.image(b"part")
    index = await shelf.index(part, tag="v1")
    await shelf.collect(100 * DAY)
    assert await shelf.has(part)
    await shelf.untag("v1")
    await shelf.collect(DAY)
    assert (await shelf.has(index), await shelf.has(part)) == (False, True)
    await shelf.collect(ORPHANED - 1)
    assert await shelf.has(part)
    await shelf.collect(1)
    assert not await shelf.has(part)


async def test_parts_of_a_deleted_index_go_without_a_policy_for_untagged(shelf: Shelf) -> None:
    """Deleting an index frees the space of its parts, but for those that a tag or another index holds."""
    parts = [await shelf.image(b"one"), await shelf.image(b"two"), await shelf.image(b"three", tag="three")]
    index = await shelf.index(*parts, tag="v1")
    await shelf.index(parts[1], tag="v2")
    await shelf.delete(index)
    assert (await shelf.collect(ORPHANED)).manifests == 1
    assert [await shelf.has(part) for part in parts] == [False, True, True]


async def test_an_orphan_that_gets_a_tag_is_none_any_more(shelf: Shelf) -> None:
    """What was tagged again since its index was deleted is untagged later, not orphaned."""
    part = await shelf.image(b"part")
    await shelf.delete(await shelf.index(part, tag="v1"))
    await shelf.image(b"part", tag="mine")
    await shelf.untag("mine")
    await shelf.collect(100 * DAY)
    assert await shelf.has(part)


async def test_referrers_follow_their_subject(shelf: Shelf) -> None:
    """A referrer stays with its subject, and so long after it as orphans may stay; so does what refers to it."""
    image = await shelf.image(b"layer", tag="v1")
    signature = await shelf.referrer(image)
    about = await shelf.referrer(signature)
    await shelf.collect(100 * DAY)
    assert await shelf.has(signature)
    await shelf.delete(image)
    await shelf.collect(ORPHANED - 1)
    assert await shelf.has(signature)
    await shelf.collect(1)
    assert (await shelf.has(signature), await shelf.has(about)) == (False, True)
    await shelf.collect(ORPHANED)
    assert not await shelf.has(about)


async def test_a_referrer_waits_for_its_subject(shelf: Shelf) -> None:
    """A referrer that was pushed before its subject stays, if that comes in time."""
    image = await shelf.image(b"layer", tag="v1", repository=OTHER)
    early, never = await shelf.referrer(image), await shelf.referrer(digest_of(b"never there"))
    shelf.clock.advance(ORPHANED - 1)
    await shelf.image(b"layer", tag="v1")
    await shelf.collect(1)
    assert (await shelf.has(early), await shelf.has(never)) == (True, False)


@pytest.mark.parametrize("ending", [".sig", ".att", ".sbom", ""])
async def test_tags_of_attachments_follow_their_subject(shelf: Shelf, ending: str) -> None:
    """A signature under a tag of its subject's digest goes with its tag when the subject is gone for long enough."""
    image = await shelf.image(b"layer", tag="v1")
    tag = str(image).replace(":", "-") + ending
    signature = await shelf.image(b"signature", tag=tag)
    await shelf.collect(100 * DAY)
    assert await shelf.has(signature)
    await shelf.delete(image)
    await shelf.collect(ORPHANED - 1)
    assert await shelf.has(signature)
    counts = await shelf.collect(1)
    assert (counts.tags, await shelf.has(signature)) == (1, False)


async def test_an_attachment_with_another_tag_keeps_that(shelf: Shelf) -> None:
    """Only the tag that belonged to the subject goes; what another tag holds stays."""
    image = await shelf.image(b"layer", tag="v1")
    signature = await shelf.image(b"signature", tag=f"sha256-{image.hex}.sig")
    await shelf.image(b"signature", tag="mine")
    await shelf.delete(image)
    assert (await shelf.collect(ORPHANED)).tags == 1
    assert await shelf.has(signature)


async def test_what_the_collector_deletes_can_be_seen(store: MetadataStore) -> None:
    """Each manifest that a policy deletes is in the audit log, as deleted by the collector."""
    shelf = Shelf(store, untagged=DAY)
    image = await shelf.image(b"layer")
    await shelf.collect(DAY)
    rows = await store.fetch_all("SELECT principal_kind, principal, action, target FROM audit ORDER BY id DESC LIMIT 1")
    assert rows == [("system", "collector", "manifest.delete", f"app@{image}")]


async def test_old_changes_of_tags_are_forgotten(shelf: Shelf) -> None:
    """Only the way to where a tag points, or pointed last, is forgotten, and only when it is old."""
    for content in (b"one", b"two"):
        await shelf.image(content, tag="moved")
        await shelf.image(content, tag="deleted")
    await shelf.untag("deleted")
    await shelf.image(b"one", tag="stays")
    assert (await shelf.collect(REMEMBERED)).history == 0
    await shelf.image(b"three", tag="moved")
    assert (await shelf.collect(1, dry_run=True)).history == 4
    assert (await shelf.collect()).history == 4
    kept = await shelf.store.fetch_all("SELECT tag, new_digest IS NULL FROM tag_history ORDER BY id")
    assert [(tag, bool(gone)) for tag, gone in kept] == [("deleted", True), ("stays", False), ("moved", False)]
    assert (await shelf.collect()).history == 0


async def test_dry_run(store: MetadataStore) -> None:
    """A dry run says what would go now, and changes nothing."""
    shelf = Shelf(store, untagged=DAY)
    await shelf.image(b"layer")
    blob = await shelf.blob(b"nobody needs this")
    await shelf.delete(await shelf.image(b"deleted", tag="v1"))
    shelf.clock.advance(KEPT + 1)
    dry = await shelf.collect(dry_run=True)
    assert (dry.manifests, dry.forgotten, dry.links, dry.blobs, dry.bytes) == (1, 1, 2, 2, 24)
    assert await shelf.has_blob(blob)
    assert await runs.latest(store, "collect") is None
    wet = await shelf.collect()
    assert (wet.manifests, wet.forgotten, wet.blobs, wet.bytes) == (1, 1, 2, 24)


async def test_bytes_without_a_row_go_a_day_later(shelf: Shelf) -> None:
    """What a crash left between bytes and rows is found, and removed when it is certain that no push goes on."""
    await shelf.blob(b"kept")
    await shelf.store.transact(lambda tx: tx.execute("DELETE FROM blob_links"))
    await shelf.store.transact(lambda tx: tx.execute("DELETE FROM blobs"))
    counts = await shelf.collect()
    assert (counts.stray, counts.stray_bytes, counts.removed) == (1, 4, 0)
    assert (await shelf.collect(DAY - 1)).removed == 0
    counts = await shelf.collect(1)
    assert (counts.stray, counts.removed, await shelf.stored()) == (0, 1, 0)


async def test_bytes_that_get_a_row_in_time_stay(shelf: Shelf) -> None:
    """Bytes that were found without a row, of a push that ended later, stay."""
    blob = await shelf.blob(b"kept")
    links = await shelf.store.fetch_all("SELECT repository_id, digest, created_at, protected_until FROM blob_links")
    rows = await shelf.store.fetch_all("SELECT digest, size, storage_key, created_at FROM blobs")
    await shelf.store.transact(lambda tx: tx.execute("DELETE FROM blob_links"))
    await shelf.store.transact(lambda tx: tx.execute("DELETE FROM blobs"))
    assert (await shelf.collect()).stray == 1
    insert = "INSERT INTO blobs (digest, size, storage_key, created_at) VALUES (?, ?, ?, ?)"
    await shelf.store.transact(lambda tx: tx.execute(insert, *rows[0]))
    insert = "INSERT INTO blob_links (repository_id, digest, created_at, protected_until) VALUES (?, ?, ?, ?)"
    await shelf.store.transact(lambda tx: tx.execute(insert, *links[0][:3], shelf.later(3 * DAY)))
    assert (await shelf.collect(2 * DAY)).removed == 0
    assert await shelf.has_blob(blob)


async def test_bytes_linger(store: MetadataStore) -> None:
    """Where clients were told where the bytes are, these stay for a while after their row."""
    shelf = Shelf(store, linger=HOUR)
    await shelf.blob(b"layer")
    counts = await shelf.collect(GRACE + 1)
    assert (counts.blobs, counts.removed, await shelf.stored()) == (1, 0, 1)
    assert (await shelf.collect(HOUR)).removed == 1


async def test_the_same_digest_again_has_other_bytes(store: MetadataStore) -> None:
    """Bytes that are still to be removed do not belong to a later push of the same digest."""
    shelf = Shelf(store, linger=HOUR)
    await shelf.blob(b"layer")
    await shelf.collect(GRACE + 1)
    blob = await shelf.blob(b"layer")
    await shelf.collect(HOUR)
    assert await shelf.has_blob(blob)
    assert await shelf.stored() == 1


async def test_runs_are_written_down(shelf: Shelf) -> None:
    """What the last run did, and when, can be read by all; it is due again so long after its begin."""
    await shelf.blob(b"layer")
    assert await shelf.collector.is_due(HOUR)
    await shelf.collect(GRACE + 1)
    last = await runs.latest(shelf.store, "collect")
    assert last is not None
    assert (last.ended_at, last.state["blobs"]) == (shelf.clock.now_ms(), 1)
    shelf.clock.advance(HOUR - 1)
    assert not await shelf.collector.is_due(HOUR)
    shelf.clock.advance(1)
    assert await shelf.collector.is_due(HOUR)


async def test_what_keeps_a_manifest(shelf: Shelf) -> None:
    """Each tag, index and subject that keeps a manifest is told; without one, when its policy deletes it."""
    part = await shelf.image(b"part")
    index = await shelf.index(part, tag="v1")
    signature = await shelf.referrer(index)
    assert await shelf.why(index) == [Keeper(APP, "tag", "v1")]
    assert await shelf.why(part) == [Keeper(APP, "index", str(index), tags=["v1"])]
    assert await shelf.why(signature) == [Keeper(APP, "subject", str(index))]
    await shelf.delete(index)
    assert await shelf.why(part) == [Keeper(APP, "policy", until=shelf.later(ORPHANED))]
    assert await shelf.why(index) == [Keeper(APP, "deleted", until=shelf.later(KEPT))]
    assert await shelf.why(await shelf.image(b"alone")) == [Keeper(APP, "policy")]


async def test_what_keeps_a_blob(shelf: Shelf) -> None:
    """Each manifest, lease and deleted manifest that keeps a blob is told, and nothing of one that goes next."""
    image = await shelf.image(b"layer", tag="v1")
    blob = digest_of(b"layer")
    lease = Keeper(APP, "lease", until=shelf.later(GRACE))
    assert await shelf.why(blob) == [Keeper(APP, "manifest", str(image), tags=["v1"]), lease]
    await shelf.delete(image)
    assert await shelf.why(blob) == [lease, Keeper(APP, "deleted", str(image), until=shelf.later(KEPT))]
    shelf.clock.advance(KEPT + 1)
    explanation = await shelf.explaining.explain(blob)
    assert (explanation.blob_size, explanation.keepers[1:]) == (5, [])


async def test_attachments_have_their_time_though_nothing_is_kept(store: MetadataStore) -> None:
    """Where nothing can be brought back a signature stays as long after its subject as anywhere else."""
    shelf = Shelf(store, kept=0)
    image = await shelf.image(b"layer", tag="v1")
    signature = await shelf.image(b"signature", tag=f"sha256-{image.hex}.sig")
    shelf.clock.advance(100 * DAY)
    await shelf.delete(image)
    await shelf.collect(ORPHANED - 1)
    assert await shelf.has(signature)
    await shelf.collect(1)
    assert not await shelf.has(signature)
