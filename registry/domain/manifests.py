"""Manifests of a repository: reading, pushing, deleting (spec, "Pulling manifests" to "Deleting Manifests")."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from auth.actor import Actor
from registry.domain.audit import Audit
from registry.domain.repositories import expect_repository
from registry.domain.tags import Condition, Place, Tags
from registry.errors import ManifestUnknown, ReferencesUnknown, StillReferenced
from registry.oci.manifest import parse_manifest, referrers_entry
from storage.clock import Clock
from storage.digest import DEFAULT_ALGORITHM, Digest, digest_of
from storage.errors import DigestMismatch
from storage.metadata import manifests, repositories, tags
from storage.metadata.among import TABLES, present
from storage.metadata.manifests import NewManifest, Reference, StoredManifest
from storage.metadata.store import MetadataStore, Transaction
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
        self, store: MetadataStore, clock: Clock, tagging: Tags, audit: Audit, *, sparse_indexes: bool
    ) -> None:
        self._store, self._clock, self._tags, self._audit = store, clock, tagging, audit
        self._sparse_indexes = sparse_indexes

    async def get(self, repository: RepositoryName, reference: Digest | Tag) -> StoredManifest:
        """The manifest as it was pushed (end-3). Raises `ManifestUnknown` and `NameUnknown`."""
        if isinstance(reference, Digest):
            found = await manifests.by_digest(self._store, repository, reference)
        else:
            found = await manifests.by_tag(self._store, repository, reference)
        if found is None:
            await expect_repository(self._store, repository)
            raise ManifestUnknown(reference)
        return found

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
            await self._check_references(tx, repository_id, references)
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

        async def remove(tx: Transaction) -> None:
            repository_id = await expect_repository(tx, repository)
            manifest_id = await manifests.find_id(tx, repository_id, digest)
            if manifest_id is None:
                raise ManifestUnknown(digest)
            index = await manifests.requiring(tx, repository_id, digest)
            if index is not None:
                raise StillReferenced(digest, index)
            for tag in await tags.names_of(tx, manifest_id):
                await self._tags.remove(tx, Place(repository, repository_id, actor), tag)
            await manifests.delete(tx, manifest_id)
            await self._audit.content(tx, actor, "manifest.delete", repository, f"@{digest}")

        await self._store.transact(remove)

    async def _check_references(self, tx: Transaction, repository_id: int, references: list[Reference]) -> None:
        """What is needed as a blob has to be pullable as one, and what is needed as a manifest as that."""
        required = [reference for reference in references if reference.required and not self._may_miss(reference)]
        found = {
            kind: await present(tx, table, repository_id, [str(item.digest) for item in required if item.kind == kind])
            for kind, table in TABLES.items()
        }
        missing = [item.digest for item in required if str(item.digest) not in found[item.kind]]
        if missing:
            raise ReferencesUnknown(list(dict.fromkeys(missing)))

    def _may_miss(self, reference: Reference) -> bool:
        return self._sparse_indexes and reference.kind == "manifest"


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
