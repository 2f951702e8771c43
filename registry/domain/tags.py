"""Tags: the one place that decides every change of a tag, and the listing (spec, "Listing Tags", "Deleting tags")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from auth.actor import Actor
from registry.domain.audit import LENGTH_MAX, Audit
from registry.domain.details import moved
from registry.domain.immutability import is_immutable
from registry.domain.repositories import expect_repository
from registry.errors import ManifestUnknown, OperationDisabled, PreconditionFailed, TagImmutable
from storage.clock import Clock
from storage.digest import Digest
from storage.metadata import manifests, tag_history, tags
from storage.metadata.store import MetadataStore, Transaction
from storage.metadata.tag_history import NewTagChange
from storage.names import RepositoryName, Tag

# A page is read in slices, so that a large one does not hold up other requests.
SLICE = 1000


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold for a reference before it is written (RFC 9110, section 13).

    `holds` gets the digest that the reference names now, or None.
    """

    holds: Callable[[Digest | None], bool]

    def check(self, reference: str, current: Digest | None) -> None:
        if not self.holds(current):
            raise PreconditionFailed(reference, current)


@dataclass(frozen=True, slots=True)
class TagPage:
    tags: list[str]
    more: bool


@dataclass(frozen=True, slots=True)
class Place:
    """The repository in which a transaction is at work, and for whom."""

    name: RepositoryName
    id: int
    actor: Actor


class Tags:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit, *, removable: bool = True) -> None:
        """Without `removable` no tag is taken away, in whichever way."""
        self._store, self._clock, self._audit = store, clock, audit
        self._removable = removable

    async def move(
        self,
        tx: Transaction,
        place: Place,
        tag: Tag,
        manifest: tuple[int, Digest],
        condition: Condition | None = None,
    ) -> None:
        """Point the tag to the manifest (id and digest), as a part of the caller's transaction, which also holds it.

        Raises `PreconditionFailed`, and `TagImmutable` when the tag points to another one and has to stay.
        """
        left = await tags.target(tx, place.id, tag)
        current = None if left is None else left[1]
        if condition is not None:
            condition.check(tag, current)
        manifest_id, digest = manifest
        if current == digest:
            return
        if current is not None and await is_immutable(tx, place.name, tag):
            raise TagImmutable(tag, f"moved from {current}")
        await tags.put(tx, place.id, tag, manifest_id, self._clock.now_ms())
        await self._changed(tx, place, "tag.move" if current else "tag.create", tag, left, digest)

    async def remove(self, tx: Transaction, place: Place, tag: Tag) -> None:
        """Take the tag away, as a part of the caller's transaction.

        Raises `OperationDisabled`, `ManifestUnknown` and `TagImmutable`.
        """
        self._expect_removable()
        left = await tags.target(tx, place.id, tag)
        if left is None:
            raise ManifestUnknown(tag)
        if await is_immutable(tx, place.name, tag):
            raise TagImmutable(tag, "deleted")
        await tags.delete(tx, place.id, tag)
        await self._changed(tx, place, "tag.delete", tag, left, None)

    async def _changed(
        self, tx: Transaction, place: Place, action: str, tag: Tag, left: tuple[int, Digest] | None, new: Digest | None
    ) -> None:
        """Write down where the tag points now, who did it, and until when it held the manifest that it left."""
        now, old = self._clock.now_ms(), None
        if left is not None:
            await manifests.hold(tx, left[0], now)
            old = left[1]
        actor, name = place.actor, place.actor.principal.name[:LENGTH_MAX]
        change = NewTagChange(tag, now, _text(old), _text(new), actor.principal.kind, name, actor.token)
        await tag_history.append(tx, place.id, change)
        detail = str(old) if new is None else moved(old, new)
        await self._audit.content(tx, actor, action, place.name, f":{tag}", detail=detail)

    async def delete(self, actor: Actor, repository: RepositoryName, tag: Tag) -> None:
        """Take the tag away; the manifest stays (end-9).

        Raises `OperationDisabled`, `NameUnknown`, `ManifestUnknown` and `TagImmutable`.
        """
        self._expect_removable()

        async def remove(tx: Transaction) -> None:
            repository_id = await expect_repository(tx, repository)
            await self.remove(tx, Place(repository, repository_id, actor), tag)

        await self._store.transact(remove)

    def _expect_removable(self) -> None:
        if not self._removable:
            raise OperationDisabled("deleting tags")

    async def page(self, repository: RepositoryName, last: str, size: int) -> TagPage:
        """At most `size` tags after `last`, which need not exist, in ASCII order (end-8). Raises `NameUnknown`."""
        await expect_repository(self._store, repository)
        found: list[str] = []
        while len(found) <= size:
            wanted = min(SLICE, size + 1 - len(found))
            part = await tags.names_after(self._store, repository, found[-1] if found else last, wanted)
            found += part
            if len(part) < wanted:
                break
            await asyncio.sleep(0)
        return TagPage(found[:size], more=len(found) > size)


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
