"""Manifests of a repository: reading, pushing, deleting (spec, "Pulling manifests" to "Deleting Manifests")."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

from auth.actor import Actor
from registry.domain.audit import LENGTH_MAX, Audit
from registry.domain.leases import Leases
from registry.domain.repositories import expect_repository
from registry.domain.tags import Condition, Place, Tags
from registry.errors import ManifestUnknown, ReferencesUnknown, StillReferenced
from registry.oci.manifest import parse_manifest, referrers_entry
from storage.clock import Clock
from storage.digest import DEFAULT_ALGORITHM, Digest, digest_of
from storage.errors import DigestMismatch, StorageFull
from storage.metadata import damage, deleted, manifests, repositories, tags
from storage.metadata.among import TABLES, present
from storage.metadata.manifest_contents import ManifestContents
from storage.metadata.manifests import NewManifest, Reference, StoredManifest
from storage.metadata.store import MetadataStore, Queries, Transaction
from storage.names import RepositoryName, Tag

# Above this, parsing and hashing take long enough to be worth a thread.
_PARSE_INLINE_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class Push:
    """A manifest as a client sends it. `digest` is there if it was pushed by digest."""

    content: bytes
    content_type: str | None
    digest: Digest | None
    tags: list[Tag] = field(default_factory=list)
    condition: Condition | None = None


class Manifests:
    def __init__(
        self,
        store: MetadataStore,
        clock: Clock,
        tagging: Tags,
        leases: Leases,
        audit: Audit,
        *,
        sparse_indexes: bool,
        keep_deleted: bool,
        contents: ManifestContents | None = None,
    ) -> None:
        """With `keep_deleted` what is deleted can be brought back, see `registry.domain.restoring`.

        `contents` remembers what was read, where reading again costs more.
        """
        self._store, self._clock, self._tags, self._leases, self._audit = store, clock, tagging, leases, audit
        self._sparse_indexes, self._keep_deleted = sparse_indexes, keep_deleted
        self._contents = contents or ManifestContents(0)

    async def get(self, repository: RepositoryName, reference: Digest | Tag) -> StoredManifest:
        """The manifest as it was pushed (end-3). Raises `ManifestUnknown` and `NameUnknown`."""
        found = await self._contents.read(self._store, repository, reference)
        if found is None:
            await expect_repository(self._store, repository)
            raise ManifestUnknown(reference)
        return found

    async def keep(self, repository: RepositoryName, digest: Digest, manifest: StoredManifest) -> None:
        """Protect a manifest that `get` gave, so that a push which relies on it is not let down by the collector.

        Raises `ManifestUnknown` when it has gone in between.
        """
        if not self._leases.is_old(manifest.held_at):
            return

        async def renew(tx: Transaction) -> bool:
            return await manifests.renew(tx, repository, digest, self._clock.now_ms())

        # Without room to write it down nothing can be pushed either.
        with suppress(StorageFull):
            if not await self._store.transact(renew, durable=False):
                raise ManifestUnknown(digest)

    async def put(self, actor: Actor, repository: RepositoryName, push: Push) -> NewManifest:
        """Store a manifest and point its tags to it, all together (end-7).

        On return manifest and tags are durable. Pushing the same again changes nothing and succeeds.
        Raises `ManifestInvalid`, `ManifestTypeUnsupported`, `DigestMismatch`, `ReferencesUnknown`, `TagImmutable`
        and `PreconditionFailed`; then nothing was stored.
        """
        if len(push.content) > _PARSE_INLINE_MAX:
            new, references = await asyncio.to_thread(_read, push)
        else:
            new, references = _read(push)

        async def store(tx: Transaction) -> None:
            now = self._clock.now_ms()
            repository_id = await repositories.ensure(tx, repository, now)
            if push.digest is not None and push.condition is not None:
                known = await manifests.find_id(tx, repository_id, push.digest)
                push.condition.check(str(push.digest), None if known is None else push.digest)
            missing = await missing_references(tx, repository_id, references, sparse_indexes=self._sparse_indexes)
            if missing:
                raise ReferencesUnknown(missing)
            manifest_id = await manifests.insert(tx, repository_id, new, references, now)
            await self._audit.content(tx, actor, "manifest.push", repository, f"@{new.digest}", detail=new.media_type)
            place = Place(repository, repository_id, actor)
            for tag in push.tags:
                condition = push.condition if push.digest is None else None
                await self._tags.move(tx, place, tag, (manifest_id, new.digest), condition)

        await self._store.transact(store)
        return new

    async def delete(self, actor: Actor, repository: RepositoryName, digest: Digest) -> None:
        """Remove the manifest and every tag that points to it (end-9).

        Raises `NameUnknown`, `ManifestUnknown`, `StillReferenced` while an index of the repository needs it, and, while
        a tag points to it that may not go, `OperationDisabled` or `TagImmutable`.
        """

        async def delete(tx: Transaction) -> None:
            repository_id = await expect_repository(tx, repository)
            manifest_id = await manifests.find_id(tx, repository_id, digest)
            if manifest_id is None:
                raise ManifestUnknown(digest)
            index = await manifests.requiring(tx, repository_id, digest)
            if index is not None:
                raise StillReferenced(digest, index)
            place = Place(repository, repository_id, actor)
            for tag in await tags.names_of(tx, manifest_id):
                await self._tags.remove(tx, place, tag)
            await self.remove(tx, place, manifest_id, digest)

        await self._store.transact(delete)

    async def remove(self, tx: Transaction, place: Place, manifest_id: int, digest: Digest) -> None:
        """Take a manifest away to which no tag points any more, as a part of the caller's transaction.

        That no index needs it is for the caller to know.
        """
        now, principal = self._clock.now_ms(), place.actor.principal
        if self._keep_deleted:
            await deleted.keep(tx, manifest_id, now, principal.kind, principal.name[:LENGTH_MAX])
        await manifests.let_go(tx, place.id, manifest_id, digest, now)
        await manifests.delete(tx, manifest_id)
        await self._audit.content(tx, place.actor, "manifest.delete", place.name, f"@{digest}")


async def missing_references(
    queries: Queries, repository_id: int, references: list[Reference], *, sparse_indexes: bool
) -> list[Digest]:
    """What a manifest needs that its repository has not.

    What is needed as a blob has to be pullable as one, and what is needed as a manifest as that.
    """
    required = [item for item in references if item.required and not (sparse_indexes and item.kind == "manifest")]
    found = {
        kind: await present(queries, table, repository_id, [str(item.digest) for item in required if item.kind == kind])
        for kind, table in TABLES.items()
    }
    # As if they had not been pushed: a push that needs them brings them again.
    found["blob"] -= await damage.among(queries, sorted(found["blob"]))
    missing = [item.digest for item in required if str(item.digest) not in found[item.kind]]
    return list(dict.fromkeys(missing))


def read_manifest(content: bytes, media_type: str | None, digest: Digest) -> tuple[NewManifest, list[Reference]]:
    """What is kept of a manifest, by its bytes. Raises `ManifestInvalid` and `ManifestTypeUnsupported`."""
    manifest = parse_manifest(content, media_type)
    entry = None if manifest.subject is None else referrers_entry(manifest, digest, len(content))
    new = NewManifest(digest, manifest.media_type, manifest.artifact_type, manifest.subject, entry, content)
    return new, manifest.references


def _read(push: Push) -> tuple[NewManifest, list[Reference]]:
    algorithm = DEFAULT_ALGORITHM if push.digest is None else push.digest.algorithm
    digest = digest_of(push.content, algorithm)
    if push.digest is not None and push.digest != digest:
        raise DigestMismatch(push.digest, digest)
    return read_manifest(push.content, push.content_type, digest)
