"""What decides about a request, on both engines, and what keeps the bytes that licenses are for."""

from __future__ import annotations

from storage.digest import Digest
from storage.metadata import blobs, garbage
from storage.metadata.copying.tables import tables_of_schema
from storage.metadata.garbage import LinkSeen
from storage.metadata.licensing import bearers, constraints, contents, downloads, entitlements, events, gate, holding
from storage.metadata.licensing.artifacts import ARTIFACTS
from storage.metadata.licensing.downloads import Download
from storage.metadata.licensing.entitlements import Holder
from storage.metadata.licensing.events import EventRow
from storage.metadata.licensing.forgetting import Owner, forget
from storage.metadata.licensing.holding import HELD_MS, Content
from storage.metadata.licensing.products import PRODUCTS
from storage.metadata.licensing.releases import set_manifest
from storage.metadata.licensing.resources import Page
from storage.metadata.repositories import ensure
from storage.metadata.store import MetadataStore, Queries, Transaction
from tests.unit.storage.metadata.licensing.vendor import (
    REPOSITORY,
    Vendor,
    a_blob,
    a_manifest,
    everything,
    new_uuid,
)

LIMIT = 9


async def items(queries: Queries, *digests: Digest, limit: int = LIMIT) -> set[tuple[str, int, int]]:
    """(digest, release, date) of all items of these digests, asked for a few at a time."""
    found: set[tuple[str, int, int]] = set()
    after = gate.END
    while True:
        licensed = await gate.find(queries, REPOSITORY, [str(digest) for digest in digests], after, limit)
        assert licensed is not None
        found |= {(item.digest, item.release_id, item.created_at) for item in licensed.items}
        if licensed.after is None:
            return found
        after = licensed.after


async def test_contents(either_store: MetadataStore) -> None:
    """To a release belong its manifest, parts, blobs and referrers, those too that come later, from the first on."""

    async def work(tx: Transaction) -> None:
        vendor, here = Vendor(tx), await ensure(tx, REPOSITORY, 0)
        product = await vendor.product()
        await vendor.bind(REPOSITORY, product, None)
        one, two = [await vendor.release(product, None, version) for version in ("1.0.0", "2.0.0")]
        shared, old, new = [await a_blob(tx, here, content) for content in (b"shared", b"old", b"new")]
        image = await a_manifest(tx, here, b"image", {shared: "blob", old: "blob"})
        index = await a_manifest(tx, here, b"index", {image: "manifest"})
        signature = await a_manifest(tx, here, b"signature", {}, image)
        second = await a_manifest(tx, here, b"second", {shared: "blob", new: "blob"})
        loose = await a_manifest(tx, here, b"loose", {new: "blob"})
        await contents.add(tx, one, here, str(index), 100)
        await contents.add(tx, two, here, str(second), 200)
        assert await items(tx, index, image, signature, old, limit=2) == {
            (str(digest), one, 100) for digest in (index, image, signature, old)
        }
        assert await items(tx, shared, limit=1) == {(str(shared), one, 100), (str(shared), two, 200)}
        assert await items(tx, new, loose) == {(str(new), two, 200)}
        assert await items(tx) == set()
        assert await contents.releases_of(tx, here, str(shared), 9) == [two, one]
        sbom = await a_blob(tx, here, b"sbom")
        note = await a_manifest(tx, here, b"note", {sbom: "blob"}, second)
        await contents.follow(tx, here, str(note), str(second))
        await contents.follow(tx, here, str(loose), str(loose))
        assert await items(tx, note, sbom) == {(str(note), two, 200), (str(sbom), two, 200)}
        # The next manifest of a release says anew what it is, but not from when on.
        await contents.add(tx, one, here, str(second), 300)
        assert await items(tx, shared, new) == {
            (str(shared), one, 100),
            (str(shared), two, 200),
            (str(new), one, 300),
            (str(new), two, 200),
        }
        # A release that refers to another one does not belong to that.
        third = await vendor.release(product, None, "3.0.0")
        successor = await a_manifest(tx, here, b"successor", {}, second)
        await set_manifest(tx, third, here, str(successor))
        await contents.add(tx, third, here, str(successor), 400)
        await contents.follow(tx, here, str(successor), str(second))
        await contents.add(tx, two, here, str(second), 200)
        assert await items(tx, successor) == {(str(successor), third, 400)}
        await contents.clear(tx, one)
        assert await items(tx, index, shared) == {(str(shared), two, 200)}
        assert await gate.find(tx, "elsewhere", [str(shared)]) is None

    await either_store.transact(work)


async def test_gate(either_store: MetadataStore) -> None:
    """One query says all that decides about a manifest: release, product, environment, and what is required."""

    async def work(tx: Transaction) -> None:
        vendor, here = Vendor(tx), await ensure(tx, REPOSITORY, 0)
        sandbox, product = await vendor.environment("sandbox"), await vendor.product(distribution="OPEN")
        package = await vendor.package(product, "cli", REPOSITORY)
        release = await vendor.release(
            product, package, "1.0.0", status="YANKED", backdated=50, channel="beta", environment_id=sandbox
        )
        manifest = await a_manifest(tx, here, b"manifest", {})
        await contents.add(tx, release, here, str(manifest), 100)
        for code in ("PRO", "EU"):
            await constraints.insert(tx, new_uuid(), release, await vendor.entitlement(code), 0)
        licensed = await gate.find(tx, REPOSITORY, [str(manifest)])
        assert licensed is not None
        assert (licensed.project, licensed.after) == ("default", None)
        (item,) = licensed.items
        row = await PRODUCTS.by_id(tx, product)
        assert row is not None
        assert item.product == row.uuid
        assert (item.version, item.created_at, item.backdated) == ("1.0.0", 100, 50)
        assert (item.distribution, item.status, item.channel) == ("OPEN", "YANKED", "beta")
        assert (item.product_id, item.package_id, item.required) == (product, package, frozenset({"PRO", "EU"}))
        assert item.environment is not None

    await either_store.transact(work)


async def test_bearers(either_store: MetadataStore) -> None:
    """All that decides about a license is found by key, token, uuid or customer."""

    async def work(tx: Transaction) -> None:
        vendor = Vendor(tx)
        product, other = await vendor.product(), await vendor.product()
        pro, eu, us = [await vendor.entitlement(code) for code in ("PRO", "EU", "US")]
        policy = await vendor.policy(product, duration=5, expiration_basis="FROM_FIRST_DOWNLOAD")
        banned, user = await vendor.customer("b@example.com", banned=True), await vendor.customer("u@example.com")
        one = await vendor.license(product, policy, "key", name="Ann", owner_id=banned, suspended=True, expiry=70)
        two = await vendor.license(product, await vendor.policy(other), "key two", owner_id=user)
        await vendor.token("token", license_id=one)
        for holder, holder_id, code in [
            (Holder.POLICY, policy, pro),
            (Holder.POLICY, policy, eu),
            (Holder.LICENSE, one, us),
            (Holder.LICENSE, one, pro),
        ]:
            assert await entitlements.attach(tx, holder, holder_id, code, 0)
        await tx.execute("INSERT INTO license_customers VALUES (?, ?, 0)", one, user)
        (facts,) = await bearers.by_key(tx, "key")
        assert (facts.id, facts.project, facts.name, facts.expiry) == (one, "default", "Ann", 70)
        assert (facts.suspended, facts.owner_banned, facts.entitlements) == (True, True, frozenset({"PRO", "EU", "US"}))
        assert (facts.duration, facts.expiration_basis) == (5, "FROM_FIRST_DOWNLOAD")
        assert (facts.expiration_strategy, facts.authentication_strategy) == ("RESTRICT_ACCESS", "MIXED")
        assert facts.environment is None
        assert await bearers.by_token(tx, "token") == facts
        assert await bearers.by_uuid(tx, facts.uuid) == facts
        assert await bearers.by_key(tx, "unknown") == []
        assert await bearers.by_token(tx, "unknown") is None
        first, second = await bearers.of_customer(tx, user, 0, 9)
        assert (first, second.id, second.entitlements) == (facts, two, frozenset())
        assert (second.suspended, second.owner_banned) == (False, False)
        assert await bearers.of_customer(tx, user, one, 9) == [second]
        assert await bearers.of_customer(tx, user, 0, 1) == [facts]

    await either_store.transact(work)


async def test_holding(either_store: MetadataStore) -> None:
    """The bytes of an artifact stay linked until the last artifact that has them in the repository is gone."""

    async def work(tx: Transaction) -> None:
        vendor, here = Vendor(tx), await ensure(tx, REPOSITORY, 0)
        release = await vendor.release(await vendor.product(), None, "1.0.0")
        first, second, third = [await vendor.artifact(release, name) for name in ("a", "b", "c")]
        digest = await a_blob(tx, here, b"bytes")
        content, link = Content(here, holding.BLOB, str(digest), 5), LinkSeen(here, str(digest), needless=True)
        assert not await holding.upload(tx, first, Content(here, holding.MANIFEST, str(digest), 5), 9)
        assert not await holding.upload(tx, first, Content(here, holding.BLOB, "sha256:00", 5), 9)
        assert await holding.upload(tx, first, content, 9)
        assert await holding.upload(tx, second, content, 9)
        # Whoever asks for a short lease takes nothing away.
        assert await blobs.protect(tx, REPOSITORY, digest, 1000)
        assert not await garbage.unlink(tx, link, HELD_MS)
        assert await holding.delete(tx, first, 500)
        assert not await holding.delete(tx, first, 500)
        assert await holding.needed_by(tx, here, str(digest)) is not None
        assert not await garbage.unlink(tx, link, HELD_MS)
        assert await holding.delete(tx, second, 500)
        assert await holding.needed_by(tx, here, str(digest)) is None
        assert not await garbage.unlink(tx, link, 500)
        assert await garbage.unlink(tx, link, 501)
        manifest = await a_manifest(tx, here, b"manifest", {})
        assert await holding.upload(tx, third, Content(here, holding.MANIFEST, str(manifest), 8), 9)
        row = await ARTIFACTS.by_id(tx, third)
        assert row is not None
        assert (row.status, row.kind, row.size) == ("UPLOADED", "manifest", 8)

    await either_store.transact(work)


async def test_records(either_store: MetadataStore) -> None:
    """Downloads add up by release, artifact and license; events come in order until they are delivered."""

    async def work(tx: Transaction) -> None:
        files, pulls = Download(1, 10, 100, 7, 70), Download(1, 10, 101)
        await downloads.add(tx, [files, files, pulls, Download(1, 11, 100, 8, 70)])
        await downloads.add(tx, [files, *(Download(1, 12, 102, number) for number in range(1, 300))])
        assert await downloads.by_day(tx, "release_id", 10, 0, 9) == [(100, 3), (101, 1)]
        assert await downloads.by_day(tx, "release_id", 10, 101, 9) == [(101, 1)]
        assert await downloads.by_day(tx, "artifact_id", 7, 0, 9) == [(100, 3), (102, 1)]
        assert await downloads.by_day(tx, "license_id", 70, 0, 9) == [(100, 4)]
        assert await downloads.by_day(tx, "license_id", 0, 0, 9) == []
        assert await downloads.by_day(tx, "project_id", 1, 0, 2) == [(100, 4), (101, 1)]
        for number in range(3):
            await events.append(tx, EventRow(new_uuid(), 1, number, "release.published", "uuid", "{}"))
        first, *others = await events.oldest(tx, 9)
        assert (first.at, first.event) == (0, "release.published")
        assert await events.oldest(tx, 9, first.id) == others
        await events.delivered(tx, [one.id for one in others])
        await events.delivered(tx, [])
        assert await events.oldest(tx, 9) == [first]

    await either_store.transact(work)


async def test_forgetting(either_store: MetadataStore) -> None:
    """A product's rows, and a project's, go batch by batch, and leave nothing behind; their bytes can go then, too."""
    store = either_store
    empty = await filled(store)
    content = await store.transact(everything)
    (product,) = await PRODUCTS.page(store, 1, Page(9))
    assert await batches(store, Owner.PRODUCT, product.id) == 6
    assert await store.transact(lambda tx: PRODUCTS.delete(tx, product.id))
    assert {"customers", "entitlements", "environments", "downloads", "events"} <= await filled(store)
    assert await batches(store, Owner.PROJECT, 1) == 6
    assert await filled(store) == empty | _CONTENT
    lease = "SELECT protected_until FROM blob_links WHERE repository_id = ? AND digest = ?"
    assert await store.fetch_one(lease, content.repository_id, content.digest) == (500,)


_CONTENT = {"repositories", "blobs", "blob_links", "manifests", "manifest_references"}


async def batches(store: MetadataStore, owner: Owner, owner_id: int) -> int:
    """Forget what belongs to it, one row at a time; how many batches that were."""
    number = 0
    while await store.transact(lambda tx: forget(tx, owner, owner_id, 500, 1)):
        number += 1
    return number


async def filled(store: MetadataStore) -> set[str]:
    """The tables with rows."""
    asked = " UNION ALL ".join(
        f"SELECT '{table.name}' WHERE EXISTS (SELECT 1 FROM {table.name})" for table in await tables_of_schema()
    )
    return {name for (name,) in await store.fetch_all(asked)}
