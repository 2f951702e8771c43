"""Tags: the one place that decides every change of a tag, and the listing (spec, "Listing Tags", "Deleting tags")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from registry.domain.repositories import expect_repository
from registry.errors import ManifestUnknown, PreconditionFailed
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


class Tags:
    def __init__(self, store: MetadataStore, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def move(
        self, tx: Transaction, repository_id: int, tag: Tag, manifest_id: int, condition: Condition | None = None
    ) -> None:
        """Point the tag to the manifest, as a part of the caller's transaction. Raises `PreconditionFailed`."""
        if condition is not None:
            condition.check(tag, await tags.target(tx, repository_id, tag))
        await tags.put(tx, repository_id, tag, manifest_id, self._clock.now_ms())

    async def remove(self, tx: Transaction, repository_id: int, tag: Tag) -> None:
        """Take the tag away, as a part of the caller's transaction. Raises `ManifestUnknown`."""
        if not await tags.delete(tx, repository_id, tag):
            raise ManifestUnknown(tag)

    async def delete(self, repository: RepositoryName, tag: Tag) -> None:
        """Take the tag away; the manifest stays (end-9). Raises `NameUnknown` and `ManifestUnknown`."""

        async def remove(tx: Transaction) -> None:
            repository_id = await expect_repository(tx, repository)
            await self.remove(tx, repository_id, tag)

        await self._store.transact(remove)

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
