"""Tags: the one place that decides every change of a tag, and the listing (spec, "Listing Tags", "Deleting tags")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from auth.actor import Actor
from registry.domain.audit import Audit
from registry.domain.details import moved
from registry.domain.immutability import is_immutable
from registry.domain.repositories import expect_repository
from registry.errors import ManifestUnknown, OperationDisabled, PreconditionFailed, TagImmutable
from storage.clock import Clock
from storage.digest import Digest
from storage.metadata import tags
from storage.metadata.store import MetadataStore, Transaction
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
        """Point the tag to the manifest (id and digest), as a part of the caller's transaction.

        Raises `PreconditionFailed`, and `TagImmutable` when the tag points to another one and has to stay.
        """
        current = await tags.target(tx, place.id, tag)
        if condition is not None:
            condition.check(tag, current)
        manifest_id, digest = manifest
        if current == digest:
            return
        if current is not None and await is_immutable(tx, place.name, tag):
            raise TagImmutable(tag, f"moved from {current}")
        await tags.put(tx, place.id, tag, manifest_id, self._clock.now_ms())
        await self._changed(tx, place, "tag.move" if current else "tag.create", tag, moved(current, digest))

    async def remove(self, tx: Transaction, place: Place, tag: Tag) -> None:
        """Take the tag away, as a part of the caller's transaction.

        Raises `OperationDisabled`, `ManifestUnknown` and `TagImmutable`.
        """
        self._expect_removable()
        current = await tags.target(tx, place.id, tag)
        if current is None:
            raise ManifestUnknown(tag)
        if await is_immutable(tx, place.name, tag):
            raise TagImmutable(tag, "deleted")
        await tags.delete(tx, place.id, tag)
        await self._changed(tx, place, "tag.delete", tag, str(current))

    async def _changed(self, tx: Transaction, place: Place, action: str, tag: Tag, detail: str) -> None:
        await self._audit.content(tx, place.actor, action, place.name, f":{tag}", detail=detail)

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
