"""A vendor with one of everything: what each table of licensed distribution needs to have a row."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

from storage.digest import Digest, digest_of
from storage.metadata import blobs
from storage.metadata.blobs import BlobRow
from storage.metadata.licensing import constraints, contents, customers, downloads, entitlements, events, holding
from storage.metadata.licensing import repositories as licensed
from storage.metadata.licensing.artifacts import ARTIFACTS, ArtifactRow
from storage.metadata.licensing.codes import code_key
from storage.metadata.licensing.customers import CUSTOMERS, CustomerRow
from storage.metadata.licensing.downloads import Download
from storage.metadata.licensing.entitlements import ENTITLEMENTS, EntitlementRow, Holder
from storage.metadata.licensing.environments import ENVIRONMENTS, EnvironmentRow
from storage.metadata.licensing.events import EventRow
from storage.metadata.licensing.holding import Content
from storage.metadata.licensing.licenses import LICENSES, LicenseRow
from storage.metadata.licensing.packages import PACKAGES, PackageRow
from storage.metadata.licensing.policies import POLICIES, PolicyRow
from storage.metadata.licensing.products import PRODUCTS, ProductRow
from storage.metadata.licensing.releases import RELEASES, ReleaseRow, set_manifest
from storage.metadata.licensing.repositories import LicensedRepository
from storage.metadata.licensing.resources import ResourceRow, Resources
from storage.metadata.licensing.tokens import TOKENS, TokenRow
from storage.metadata.manifests import NewManifest, Reference, insert
from storage.metadata.repositories import ensure
from storage.metadata.store import Transaction
from storage.names import RepositoryName

REPOSITORY = RepositoryName("app")
R = TypeVar("R", bound=ResourceRow)


def new_uuid() -> str:
    """A uuid that no other row has."""
    return str(uuid.uuid4())


@dataclass
class Vendor:
    """Adds rows to a project. `now` is the time at which it does."""

    tx: Transaction
    project_id: int = 1
    now: int = 1000

    async def add(self, resources: Resources[R], row: type[R], **values: Any) -> int:
        """A row with these values; its id."""
        made = row(
            **{
                "uuid": new_uuid(),
                "project_id": self.project_id,
                "created_at": self.now,
                "updated_at": self.now,
                **values,
            }
        )
        row_id = await resources.insert(self.tx, made)
        assert row_id is not None, "something of it is taken"
        return row_id

    async def product(self, code: str | None = None, distribution: str = "LICENSED", **values: Any) -> int:
        """A product; its id."""
        key = None if code is None else code_key(code)
        return await self.add(
            PRODUCTS, ProductRow, name="App", code=code, code_key=key, distribution=distribution, **values
        )

    async def package(self, product_id: int, key: str, repository: str, **values: Any) -> int:
        """A package whose releases are in the repository; its id."""
        package_id = await self.add(PACKAGES, PackageRow, product_id=product_id, name=key, key=key, **values)
        await self.bind(repository, product_id, package_id)
        return package_id

    async def bind(self, repository: str, product_id: int, package_id: int | None) -> None:
        """Let the repository hold the releases of the package, or those in none."""
        row = LicensedRepository(repository, self.project_id, product_id, package_id, self.now)
        assert await licensed.bind(self.tx, row)

    async def release(self, product_id: int, package_id: int | None, version: str, **values: Any) -> int:
        """A published release, whose version compares as its text does; its id."""
        made = {"version_key": version, "channel": "stable", "status": "PUBLISHED", **values}
        return await self.add(
            RELEASES, ReleaseRow, product_id=product_id, package_id=package_id, version=version, **made
        )

    async def artifact(self, release_id: int, filename: str, **values: Any) -> int:
        """An artifact that waits for its file; its id."""
        release = await RELEASES.by_id(self.tx, release_id)
        assert release is not None
        made = {"status": "WAITING", "status_at": self.now, **values}
        return await self.add(
            ARTIFACTS,
            ArtifactRow,
            product_id=release.product_id,
            release_id=release_id,
            version_key=release.version_key,
            filename=filename,
            **made,
        )

    async def entitlement(self, code: str, **values: Any) -> int:
        """An entitlement; its id."""
        return await self.add(ENTITLEMENTS, EntitlementRow, name=code, code=code, code_key=code_key(code), **values)

    async def policy(self, product_id: int, **values: Any) -> int:
        """A policy; its id."""
        made = {
            "name": "Yearly",
            "expiration_strategy": "RESTRICT_ACCESS",
            "expiration_basis": "FROM_CREATION",
            "renewal_basis": "FROM_EXPIRY",
            "transfer_strategy": "KEEP_EXPIRY",
            "authentication_strategy": "MIXED",
            **values,
        }
        return await self.add(POLICIES, PolicyRow, product_id=product_id, **made)

    async def license(self, product_id: int, policy_id: int, key_hash: str, **values: Any) -> int:
        """A license; its id."""
        made = {"key_hint": "…V3", **values}
        return await self.add(
            LICENSES, LicenseRow, product_id=product_id, policy_id=policy_id, key_hash=key_hash, **made
        )

    async def customer(self, email: str, **values: Any) -> int:
        """A customer; its id."""
        return await self.add(CUSTOMERS, CustomerRow, email=email, role="user", **values)

    async def environment(self, code: str) -> int:
        """An environment; its id."""
        return await self.add(
            ENVIRONMENTS, EnvironmentRow, name=code, code=code, code_key=code_key(code), isolation="ISOLATED"
        )

    async def token(self, secret_hash: str, **values: Any) -> int:
        """A token; its id."""
        return await self.add(TOKENS, TokenRow, kind="activation-token", secret_hash=secret_hash, **values)


async def add_everything(
    tx: Transaction, project_id: int, repository: str, blob: Content, manifest_digest: str
) -> None:
    """A row in each table. The repository has the blob and the manifest."""
    vendor = Vendor(tx, project_id)
    environment = await vendor.environment("sandbox")
    product = await vendor.product("app", platforms='["linux"]', url="https://example.com", metadata='{"aB":1}')
    package = await vendor.package(product, "app-cli", repository, engine="oci", environment_id=environment)
    release = await vendor.release(product, package, "1.0.0", tag="latest", backdated=7, description="ключ")
    artifact = await vendor.artifact(release, "app.zip", filetype="zip", platform="linux", arch="amd64", checksum="x")
    assert await holding.upload(tx, artifact, blob, vendor.now)
    await vendor.artifact(release, "later.zip", upload="an upload")
    await set_manifest(tx, release, blob.repository_id, manifest_digest)
    await contents.add(tx, release, blob.repository_id, manifest_digest, vendor.now)
    entitlement = await vendor.entitlement("PRO")
    assert await constraints.insert(tx, new_uuid(), release, entitlement, vendor.now)
    policy = await vendor.policy(product, duration=86_400_000)
    owner = await vendor.customer("owner@example.com", banned=True)
    license_id = await vendor.license(product, policy, "hash of a key", owner_id=owner, expiry=9, suspended=True)
    assert await entitlements.attach(tx, Holder.POLICY, policy, entitlement, vendor.now)
    assert await entitlements.attach(tx, Holder.LICENSE, license_id, entitlement, vendor.now)
    assert await customers.attach(tx, license_id, await vendor.customer("user@example.com"), vendor.now)
    await vendor.token("hash of a token", license_id=license_id, permissions='["artifact.read"]', expires_at=5)
    await downloads.add(tx, [Download(project_id, release, 20_000, artifact, license_id)])
    await events.append(tx, EventRow(new_uuid(), project_id, vendor.now, "release.published", "a uuid", "{}"))


async def a_blob(tx: Transaction, repository_id: int, content: bytes) -> Digest:
    """A blob that the repository links, without a lease."""
    digest = digest_of(content)
    await blobs.insert(tx, digest, BlobRow(len(content), f"key of {digest}"), 0)
    await blobs.link(tx, repository_id, digest, 0, 0)
    return digest


async def a_manifest(
    tx: Transaction, repository_id: int, content: bytes, needs: dict[Digest, str], subject: Digest | None = None
) -> Digest:
    """A manifest that needs these, which are blobs or manifests."""
    digest = digest_of(content)
    row = NewManifest(digest, "type", None, subject, None if subject is None else "{}", content)
    await insert(tx, repository_id, row, [Reference(one, kind, required=True) for one, kind in needs.items()], 0)
    return digest


async def everything(tx: Transaction) -> Content:
    """A row in each table, of the project with the id 1; the content of the artifact."""
    repository_id = await ensure(tx, REPOSITORY, 0)
    blob = await a_blob(tx, repository_id, b"bytes")
    manifest = await a_manifest(tx, repository_id, b"manifest", {blob: "blob"})
    content = Content(repository_id, holding.BLOB, str(blob), 5)
    await add_everything(tx, 1, REPOSITORY, content, str(manifest))
    return content
