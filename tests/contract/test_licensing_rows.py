"""Rows of licensed distribution on both engines: found, listed, unique, and changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.metadata import projects
from storage.metadata.licensing import (
    artifacts,
    codes,
    constraints,
    customers,
    entitlements,
    environments,
    licenses,
    packages,
    products,
    releases,
    tokens,
)
from storage.metadata.licensing import repositories as licensed
from storage.metadata.licensing.artifacts import ARTIFACTS
from storage.metadata.licensing.customers import CUSTOMERS
from storage.metadata.licensing.entitlements import ENTITLEMENTS, Holder
from storage.metadata.licensing.environments import ENVIRONMENTS
from storage.metadata.licensing.licenses import LICENSES
from storage.metadata.licensing.packages import PACKAGES
from storage.metadata.licensing.policies import POLICIES
from storage.metadata.licensing.products import PRODUCTS
from storage.metadata.licensing.releases import RELEASES, Series
from storage.metadata.licensing.resources import Condition, Page, among, equal, visible
from storage.metadata.licensing.tokens import TOKENS
from storage.metadata.store import MetadataStore, Transaction
from tests.unit.storage.metadata.licensing.vendor import Vendor, everything, new_uuid


async def test_resources(either_store: MetadataStore) -> None:
    """A resource is found by its uuid in its own project alone, changed, and removed; no two have the same alias."""

    async def work(tx: Transaction) -> None:
        assert await projects.insert(tx, "other", "", 0)
        other = await projects.find(tx, "other")
        assert other is not None
        vendor, elsewhere = Vendor(tx), Vendor(tx, other.id)
        number = await vendor.product("Straße", metadata='{"fooBar": {"foo_bar": 1}}')
        row = await PRODUCTS.by_id(tx, number)
        assert row is not None
        assert (row.id, row.code, row.metadata) == (number, "Straße", '{"fooBar": {"foo_bar": 1}}')
        assert await PRODUCTS.find(tx, 1, row.uuid) == row
        assert await PRODUCTS.find(tx, other.id, row.uuid) is None
        # The case makes no difference, for those who ask nor for those who insert.
        assert await codes.by_code(PRODUCTS, tx, 1, "STRASSE") == row
        assert await codes.code_is_taken(PRODUCTS, tx, 1, "strasse")
        assert not await codes.code_is_taken(PRODUCTS, tx, 1, "strasse", except_id=number)
        twin = products.ProductRow(
            uuid=new_uuid(),
            project_id=1,
            created_at=1,
            updated_at=1,
            name="Twin",
            code="STRASSE",
            code_key=codes.code_key("STRASSE"),
            distribution="OPEN",
        )
        assert await PRODUCTS.insert(tx, twin) is None
        await elsewhere.product("Straße")
        await vendor.product(None)
        await vendor.product(None)
        assert await PRODUCTS.update(tx, number, 77, name="New", url="https://example.com", code=None, code_key=None)
        changed = await PRODUCTS.by_id(tx, number)
        assert changed is not None
        assert (changed.name, changed.url, changed.code, changed.updated_at) == ("New", "https://example.com", None, 77)
        assert await PRODUCTS.insert(tx, twin) is not None
        with pytest.raises(ValueError, match="platfrom"):
            await PRODUCTS.update(tx, number, 78, platfrom="linux")
        assert await PRODUCTS.delete(tx, number)
        assert not await PRODUCTS.delete(tx, number)
        assert not await PRODUCTS.update(tx, number, 79, name="Gone")

    await either_store.transact(work)


async def test_lists(either_store: MetadataStore) -> None:
    """Lists come newest or oldest first, after a row or after so many, filtered and counted, by environment too."""

    async def work(tx: Transaction) -> None:
        vendor = Vendor(tx)
        sandbox = await vendor.environment("sandbox")
        made = [await vendor.product(str(n), "OPEN" if n % 2 else "CLOSED") for n in range(6)]
        within = await vendor.product("within", environment_id=sandbox)

        async def ids(page: Page, *conditions: Condition) -> list[int]:
            return [row.id for row in await PRODUCTS.page(tx, 1, page, visible(None, shared=False), *conditions)]

        assert await ids(Page(10)) == made[::-1]
        assert await ids(Page(2)) == made[:3:-1]
        assert await ids(Page(2, after=made[4])) == [made[3], made[2]]
        assert await ids(Page(2, after=made[4], oldest_first=True)) == [made[5]]
        assert await ids(Page(2, offset=1, oldest_first=True)) == made[1:3]
        open_ones = equal("distribution", "OPEN")
        assert [row.id for row in await PRODUCTS.page(tx, 1, Page(9), open_ones)] == made[5::-2]
        assert await PRODUCTS.count(tx, 1, open_ones) == 3
        assert await PRODUCTS.count(tx, 1, among("code", ["1", "2"])) == 2
        assert await PRODUCTS.count(tx, 1, among("code", [])) == 0
        assert await PRODUCTS.count(tx, 2) == 0
        (alone,) = await PRODUCTS.page(tx, 1, Page(9), visible(sandbox, shared=False))
        row = await ENVIRONMENTS.by_id(tx, sandbox)
        assert row is not None
        assert (alone.id, alone.environment) == (within, row.uuid)
        assert await PRODUCTS.count(tx, 1, visible(sandbox, shared=True)) == 7
        assert await environments.in_use(tx, sandbox)
        await PRODUCTS.delete(tx, within)
        assert not await environments.in_use(tx, sandbox)

    await either_store.transact(work)


async def test_everything(either_store: MetadataStore) -> None:
    """Each row says by uuids what it belongs to, and is found by its alias."""
    store = either_store
    content = await store.transact(everything)
    (product,) = await PRODUCTS.page(store, 1, Page(9))
    (package,) = await PACKAGES.page(store, 1, Page(9))
    (release,) = await RELEASES.page(store, 1, Page(9))
    (environment,) = await ENVIRONMENTS.page(store, 1, Page(9))
    later, artifact = await ARTIFACTS.page(store, 1, Page(9))
    (entitlement,) = await ENTITLEMENTS.page(store, 1, Page(9))
    (policy,) = await POLICIES.page(store, 1, Page(9))
    user, owner = await CUSTOMERS.page(store, 1, Page(9))
    (license_,) = await LICENSES.page(store, 1, Page(9))
    (token,) = await TOKENS.page(store, 1, Page(9))
    assert (package.product, package.environment, package.repository) == (product.uuid, environment.uuid, "app")
    assert await packages.by_key(store, 1, "app-cli") == package
    assert (release.product, release.package, release.distribution) == (product.uuid, package.uuid, "LICENSED")
    assert (artifact.release, artifact.version, artifact.release_status) == (release.uuid, "1.0.0", "PUBLISHED")
    assert (artifact.status, artifact.digest, artifact.size, artifact.backdated) == ("UPLOADED", content.digest, 5, 7)
    assert (later.status, later.digest, later.upload) == ("WAITING", None, "an upload")
    assert await codes.by_code(ENTITLEMENTS, store, 1, "pro") == entitlement
    assert (license_.product, license_.policy, license_.owner) == (product.uuid, policy.uuid, owner.uuid)
    assert (license_.suspended, license_.owner_banned, owner.banned, user.banned) == (True, 1, True, False)
    assert await customers.by_email(store, 1, "user@example.com") == user
    assert await customers.email_is_taken(store, 1, "user@example.com")
    assert await customers.of_license(store, 1, license_.id, Page(9)) == [user, owner]
    assert await LICENSES.count(store, 1, licenses.of_customer(user.id)) == 1
    assert await LICENSES.count(store, 1, licenses.of_customer(owner.id)) == 1
    assert token.bearer == license_.uuid
    assert await tokens.by_hash(store, "hash of a token") == token
    assert "hash" not in repr(license_) + repr(token)
    assert await entitlements.of_license(store, 1, license_.id, Page(9)) == [entitlement]
    assert await entitlements.attached(store, 1, Holder.POLICY, policy.id, Page(9)) == [entitlement]
    (constraint,) = await constraints.of_release(store, release.id)
    assert (constraint.entitlement, constraint.code) == (entitlement.uuid, "PRO")
    assert await constraints.find(store, release.id, constraint.uuid) == constraint
    assert await constraints.required(store, [release.id, 99]) == {release.id: frozenset({"PRO"})}
    assert await constraints.required(store, []) == {}
    found = await licensed.find(store, "app")
    assert found is not None
    assert await licensed.of_package(store, product.id, package.id) == found
    assert await licensed.of_package(store, product.id, None) is None
    assert await licensed.find(store, "other") is None


async def test_what_is_attached(either_store: MetadataStore) -> None:
    """Attaching twice, and detaching what is not attached, is noticed; a license lasts from its first use."""

    async def work(tx: Transaction) -> None:
        vendor = Vendor(tx)
        product, pro = await vendor.product(), await vendor.entitlement("PRO")
        policy, release = await vendor.policy(product), await vendor.release(product, None, "1.0.0")
        license_id, user = await vendor.license(product, policy, "key"), await vendor.customer("a@example.com")
        assert await licenses.key_is_taken(tx, 1, "key")
        assert not await licenses.key_is_taken(tx, 2, "key")
        for times, expected in enumerate([True, False]):
            assert await entitlements.attach(tx, Holder.LICENSE, license_id, pro, times) is expected
            assert await customers.attach(tx, license_id, user, times) is expected
            assert await constraints.insert(tx, new_uuid(), release, pro, times) is expected
            assert await licenses.begin(tx, license_id, 500 + times, 9) is expected
        (constraint,) = await constraints.of_release(tx, release)
        for known, number in [(["pro", "EU"], 1), (["EU"], 0), ([], 0)]:
            assert await RELEASES.count(tx, 1, releases.asking_no_more_than(known)) == number
        for expected in [True, False]:
            assert await entitlements.detach(tx, Holder.LICENSE, license_id, pro) is expected
            assert await customers.detach(tx, license_id, user) is expected
            assert await constraints.delete(tx, release, constraint.uuid) is expected
        await licenses.downloaded(tx, license_id, 70)
        await licenses.downloaded(tx, license_id, 60)
        row = await LICENSES.by_id(tx, license_id)
        assert row is not None
        assert (row.expiry, row.used_at) == (500, 70)
        token = await vendor.token("token", customer_id=user)
        await tokens.used(tx, token, 5)
        assert (await TOKENS.page(tx, 1, Page(1)))[0].used_at == 5
        assert await tokens.delete_of_customer(tx, user) == 1

    await either_store.transact(work)


async def test_newest_releases(either_store: MetadataStore) -> None:
    """A version and a tag are in a package once; the highest versions of channels come first, between two keys."""

    async def work(tx: Transaction) -> None:
        vendor = Vendor(tx)
        product, sibling = await vendor.product(), await vendor.product(distribution="OPEN")
        package = await vendor.package(product, "p", "p", engine="oci")
        for series in [Series(product), Series(product, package), Series(sibling)]:
            first = await vendor.release(series.product_id, series.package_id, "1.0", tag="latest")
            assert await releases.version_is_taken(tx, series, "1.0")
            assert not await releases.version_is_taken(tx, series, "1.0", first)
            assert await releases.tag_is_taken(tx, series, "latest")
            assert not await releases.tag_is_taken(tx, series, "1.0")
            found = await releases.in_series(tx, series, "1.0")
            assert found is not None
            assert found.id == first
            assert await RELEASES.insert(tx, found_again(found)) is None
        series = Series(product)
        for version, channel, status in [
            ("1.5", "beta", "PUBLISHED"),
            ("1.2", "stable", "PUBLISHED"),
            ("2.0", "beta", "PUBLISHED"),
            ("3.0", "stable", "DRAFT"),
            ("2.5", "dev", "PUBLISHED"),
        ]:
            await vendor.release(product, None, version, channel=channel, status=status)

        async def newest(*channels: str, limit: int = 9, above: str = "", below: str = "~") -> list[str]:
            found = await releases.newest(tx, series, channels, limit, above=above, below=below)
            return [row.version for row in found]

        assert await newest("stable") == ["1.2", "1.0"]
        assert await newest("stable", "beta") == ["2.0", "1.5", "1.2", "1.0"]
        assert await newest("stable", "beta", limit=1) == ["2.0"]
        assert await newest("stable", "beta", above="1.2", below="2.0") == ["1.5"]
        assert await newest("dev") == ["2.5"]
        for ids, number in [([], 1), ([product], 8), ([sibling], 1)]:
            assert await RELEASES.count(tx, 1, products.offered(ids)) == number
        called = await releases.called(tx, 1, "latest", 0, 9)
        assert [row.product_id for row in called] == [product, product, sibling]
        assert [row.id for row in await releases.called(tx, 1, "1.0", called[0].id, 1)] == [called[1].id]
        assert await RELEASES.count(tx, 1, releases.of_engine(None)) == 7
        assert await RELEASES.count(tx, 1, releases.of_engine("oci")) == 1

    await either_store.transact(work)


def found_again(row: releases.ReleaseRow) -> releases.ReleaseRow:
    """The same release as if somebody else made it at the same time."""
    return replace(row, uuid=new_uuid())


async def test_artifacts_by_filename(either_store: MetadataStore) -> None:
    """Of artifacts of a name the one of the highest version comes first, and of equal versions the newest."""

    async def work(tx: Transaction) -> None:
        vendor = Vendor(tx)
        product = await vendor.product()
        package = await vendor.package(product, "p", "p", engine="oci")
        found = {}
        for package_id, version, channel in [(None, "1", "stable"), (package, "3", "beta"), (None, "3", "stable")]:
            release = await vendor.release(product, package_id, version, channel=channel)
            found[release] = await vendor.artifact(release, "dir/App.zip", platform=f"os{version}", arch="amd64")
            await vendor.artifact(release, "dir/app.zip")
            assert await artifacts.filename_is_taken(tx, release, "dir/app.zip")
            assert not await artifacts.filename_is_taken(tx, release, "app.zip")
        one, beta, three = found.values()

        async def called(before: artifacts.Position, limit: int, *channels: str) -> list[int]:
            where = [artifacts.of_releases("channel", channels)] if channels else []
            return [row.id for row in await artifacts.called(tx, 1, "dir/App.zip", before, limit, *where)]

        assert await called(artifacts.END, 9) == [three, beta, one]
        assert await called(("3", three), 1) == [beta]
        assert await called(artifacts.END, 9, "beta", "rc") == [beta]
        assert await ARTIFACTS.count(tx, 1, artifacts.of_releases("package_id", [None])) == 4
        assert await ARTIFACTS.count(tx, 1, artifacts.of_releases("package_id", [None, package])) == 6
        assert await ARTIFACTS.count(tx, 1, artifacts.of_releases("package_id", [])) == 0
        assert await ARTIFACTS.count(tx, 1, artifacts.of_engine("oci")) == 2
        assert await ARTIFACTS.count(tx, 1, artifacts.of_engine(None)) == 4
        assert await artifacts.words_after(tx, 1, "platform", "", 9) == ["os1", "os3"]
        assert await artifacts.words_after(tx, 1, "platform", "os1", 1) == ["os3"]
        await artifacts.set_status(tx, one, "FAILED", 2000)
        waiting = await artifacts.overdue(tx, "WAITING", 1001, 9)
        assert one not in {row.id for row in waiting}
        assert len(waiting) == 5
        assert [row.id for row in await artifacts.overdue(tx, "FAILED", 2001, 9)] == [one]
        assert await artifacts.overdue(tx, "FAILED", 2000, 9) == []

    await either_store.transact(work)
