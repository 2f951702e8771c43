"""What was deleted, and bringing it back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from auth.actor import Actor
from auth.roles import Action
from registry.domain.attributes import parse_after
from registry.domain.audit import Audit
from registry.domain.deciding import expect_action, expect_content, past_of
from registry.domain.history import END
from registry.domain.leases import Leases
from registry.domain.manifests import missing_references, read_manifest
from registry.domain.pages import Page, page_of
from registry.domain.tags import Place, Tags
from registry.errors import Conflict, NotFound
from storage.clock import Clock
from storage.digest import Digest, parse_digest
from storage.metadata import blobs, deleted, manifests, tag_history, tags
from storage.metadata.among import present
from storage.metadata.manifests import Reference
from storage.metadata.store import MetadataStore, Transaction
from storage.names import RepositoryName, Tag

# An index brings the manifests back that it needs; one transaction takes no more than so many.
RESTORED_MAX = 1000
# So many tags are looked at in one go, so that other requests are not held up.
SLICE = 200
# What is missing is named up to here.
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class DeletedManifest:
    """A manifest that can be brought back at least until `until_ms`. Times are in milliseconds since the Unix epoch.

    Kind and name say who deleted it.
    """

    id: int
    digest: str
    media_type: str
    size: int
    deleted_at: int
    until_ms: int
    kind: str
    principal: str


@dataclass(frozen=True, slots=True)
class DeletedTag:
    """A tag that was taken away, and what it pointed to: `until_ms` is that manifest's, None where that is there."""

    tag: str
    digest: str
    deleted_at: int
    until_ms: int | None
    kind: str
    principal: str


@dataclass(frozen=True, slots=True)
class Restored:
    """What was asked for: a manifest and tags of it; `manifests` are all that were brought back for that."""

    digest: Digest
    tags: list[Tag]
    manifests: list[Digest] = field(default_factory=list)


class Restoring:
    def __init__(
        self,
        store: MetadataStore,
        clock: Clock,
        tagging: Tags,
        leases: Leases,
        audit: Audit,
        *,
        keep_s: float,
        sparse_indexes: bool,
    ) -> None:
        """`keep_s` is for how long deleted manifests are kept, in seconds."""
        self._store, self._clock, self._tags, self._leases, self._audit = store, clock, tagging, leases, audit
        self._keep_ms, self._sparse_indexes = int(keep_s * 1000), sparse_indexes

    async def manifests(self, actor: Actor, repository: RepositoryName, after: str, size: int) -> Page[DeletedManifest]:
        """At most `size` deleted manifests, the last that was deleted first, from after the one with the id `after`.

        For those who may push. Raises `NotFound`, `Denied`, and `RequestInvalid` when `after` is no id.
        """
        before = parse_after(after) or END
        repository_id = await expect_content(self._store, actor, Action.PUSH, repository)
        past = await past_of(self._store, actor, repository)
        rows = await deleted.newest(self._store, repository_id, before, size + 1)
        return page_of([self._deleted(row) for row in rows if row.deleted_at >= past.since_ms], size)

    async def tags(self, actor: Actor, repository: RepositoryName, after: str, size: int) -> Page[DeletedTag]:
        """At most `size` tags that were taken away and can be put back, with names after `after`, in ASCII order.

        For those who may push. Raises `NotFound` and `Denied`.
        """
        repository_id = await expect_content(self._store, actor, Action.PUSH, repository)
        past = await past_of(self._store, actor, repository)
        found: list[DeletedTag] = []
        while len(found) <= size:
            part = await tag_history.last_by_tag(self._store, repository_id, after, SLICE)
            found += await self._restorable(repository_id, [item for item in part if item.at >= past.since_ms])
            if len(part) < SLICE:
                break
            after = part[-1].tag
            await asyncio.sleep(0)
        return page_of(found, size)

    async def restore_manifest(
        self, actor: Actor, repository: RepositoryName, digest: Digest, names: Sequence[Tag] = ()
    ) -> Restored:
        """Bring a deleted manifest back, with what of it an index needs, and point tags to it, all together.

        A manifest that is there already only gets the tags. For those who may push; who brings something back that was
        deleted has to be allowed to delete, too. Raises `NotFound`, `Denied`, `TagImmutable`, and `Conflict` when
        something that the manifest needs is gone for good; its message says what.
        """

        async def restore(tx: Transaction) -> Restored:
            place = Place(repository, await expect_content(tx, actor, Action.PUSH, repository), actor)
            return await self._restore(tx, place, digest, names)

        return await self._store.transact(restore)

    async def restore_tag(self, actor: Actor, repository: RepositoryName, tag: Tag) -> Restored:
        """Point a tag that was taken away to where it pointed last, and bring that manifest back if it was deleted.

        Raises what `restore_manifest` does, and `Conflict` when there is the tag.
        """

        async def restore(tx: Transaction) -> Restored:
            place = Place(repository, await expect_content(tx, actor, Action.PUSH, repository), actor)
            current = await tags.target(tx, place.id, tag)
            if current is not None:
                raise Conflict(f"tag {tag} points to {current[1]}: say which digest it is to point to")
            last = next(iter(await tag_history.newest(tx, place.id, tag, END, 1)), None)
            past = await past_of(tx, actor, repository)
            if last is None or last.at < past.since_ms or last.old_digest is None:
                raise NotFound("tag", tag)
            return await self._restore(tx, place, parse_digest(last.old_digest), [tag])

        return await self._store.transact(restore)

    async def _restorable(self, repository_id: int, changes: list[tag_history.TagChange]) -> list[DeletedTag]:
        """Those of the changes that took a tag away which can be put back."""
        gone = [(change, change.old_digest) for change in changes if change.new_digest is None]
        digests = [digest for _, digest in gone if digest is not None]
        there = await present(self._store, "manifests", repository_id, digests)
        times = await deleted.times(self._store, repository_id, digests)
        return [
            DeletedTag(
                tag=change.tag,
                digest=digest,
                deleted_at=change.at,
                until_ms=None if digest in there else times[digest] + self._keep_ms,
                kind=change.principal_kind,
                principal=change.principal,
            )
            for change, digest in gone
            if digest is not None and (digest in there or digest in times)
        ]

    def _deleted(self, row: deleted.DeletedRow) -> DeletedManifest:
        return DeletedManifest(
            id=row.id,
            digest=row.digest,
            media_type=row.media_type,
            size=row.size,
            deleted_at=row.deleted_at,
            until_ms=row.deleted_at + self._keep_ms,
            kind=row.principal_kind,
            principal=row.principal,
        )

    async def _restore(self, tx: Transaction, place: Place, digest: Digest, names: Sequence[Tag]) -> Restored:
        brought: list[Digest] = []
        manifest_id = await manifests.find_id(tx, place.id, digest)
        if manifest_id is None:
            brought = await self._bring_back(tx, place, digest)
            manifest_id = await manifests.find_id(tx, place.id, digest)
        if manifest_id is None:
            raise RuntimeError("a manifest that was just brought back cannot be found")
        await manifests.hold(tx, manifest_id, self._clock.now_ms())
        for tag in names:
            await self._tags.move(tx, place, tag, (manifest_id, digest))
        return Restored(digest, list(names), brought)

    async def _bring_back(self, tx: Transaction, place: Place, digest: Digest) -> list[Digest]:
        """Bring the manifest back, and the deleted ones that it needs; return all of them, the wanted one first."""
        past = await past_of(tx, place.actor, place.name)
        wanted = [digest]
        brought: list[Digest] = []
        needs: list[Reference] = []
        while wanted:
            current = wanted.pop()
            if len(brought) == RESTORED_MAX:
                raise Conflict(f"{digest} needs more than {RESTORED_MAX} deleted manifests: bring some back before it")
            references = await self._bring_one_back(tx, place, current, past.since_ms)
            if references is None:
                continue
            brought.append(current)
            needs += references
            parts = [str(item.digest) for item in references if item.kind == "manifest"]
            there = await present(tx, "manifests", place.id, parts)
            wanted += [parse_digest(part) for part in dict.fromkeys(parts) if part not in there]
        if not brought:
            raise NotFound("deleted manifest", digest)
        missing = await missing_references(tx, place.id, needs, sparse_indexes=self._sparse_indexes)
        if missing:
            named = ", ".join(map(str, missing[:_NAMED_MAX])) + (" …" if len(missing) > _NAMED_MAX else "")
            raise Conflict(f"{digest} cannot be brought back: it needs {named}, gone for good")
        return brought

    async def _bring_one_back(
        self, tx: Transaction, place: Place, digest: Digest, since_ms: int
    ) -> list[Reference] | None:
        """Bring that manifest back if it was deleted since then, and return what it references."""
        found = await deleted.find(tx, place.id, digest)
        if found is None or found[0].deleted_at < since_ms:
            return None
        # What was taken away by those who may delete does not come back through others.
        expect_action(place.actor, Action.DELETE, place.name)
        row, content = found
        now, until = self._clock.now_ms(), self._leases.until()
        for blob in await deleted.blobs_of(tx, row.id):
            if await blobs.find(tx, blob) is not None:
                await blobs.link(tx, place.id, blob, now, until)
        new, references = read_manifest(content, row.media_type, digest)
        await manifests.insert(tx, place.id, new, references, now, row.created_at)
        await self._audit.content(tx, place.actor, "manifest.restore", place.name, f"@{digest}", detail=row.media_type)
        return references
