"""Immutable tags: those that, once they are there, neither move nor go."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.patterns import pattern
from auth.policy import prefixes_of
from auth.roles import Permission
from registry.domain.attributes import expect_pattern, parse_after
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.pages import Page, page_of
from registry.domain.registries import expect_registry
from registry.errors import Conflict, NotFound
from registry.oci.attachments import subject_of
from storage.clock import Clock
from storage.metadata import access, immutable_tags
from storage.metadata.immutable_tags import ImmutableTagRow
from storage.metadata.store import MetadataStore, Queries, Transaction
from storage.names import RepositoryName, Tag

# All are looked at whenever a tag moves.
IMMUTABLE_TAGS_MAX = 100


@dataclass(frozen=True, slots=True)
class ImmutableTag:
    """Patterns of repositories, and of the tags in them, that are immutable. `created_at` is in milliseconds."""

    id: int
    registry: str
    repositories: str
    tags: str
    created_at: int


async def is_immutable(queries: Queries, repository: RepositoryName, tag: Tag) -> bool:
    """Whether the tag, if it is there, has to stay as it is."""
    if subject_of(tag) is not None:
        # What is kept there is added to.
        return False
    found = await immutable_tags.patterns_for(queries, prefixes_of(repository))
    return any(pattern(tags).matches(tag) and pattern(names).matches(repository) for names, tags in found)


class ImmutableTags:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(self, actor: Actor, project: str, registry: str, repositories: str, tags: str) -> ImmutableTag:
        """Make the tags immutable that the pattern `tags` matches, in those repositories of the registry.

        Raises `NotFound`, `Denied`, `AttributeInvalid`, and `Conflict` when that is so already, or too much is.
        """
        expect_pattern("repositories", repositories)
        expect_pattern("tags", tags)

        async def create(tx: Transaction) -> ImmutableTag:
            registry_id = await self._registry(tx, actor, project, registry, Permission.RULES_MANAGE)
            if await immutable_tags.find_by_patterns(tx, registry_id, repositories, tags) is not None:
                raise Conflict(f"tags {tags} of {repositories} are immutable already")
            if await immutable_tags.count(tx, registry_id) >= IMMUTABLE_TAGS_MAX:
                raise Conflict(f"the registry has {IMMUTABLE_TAGS_MAX} rules about immutable tags already")
            await immutable_tags.insert(tx, registry_id, repositories, tags, self._clock.now_ms())
            row = await immutable_tags.find_by_patterns(tx, registry_id, repositories, tags)
            if row is None:
                raise RuntimeError("a row that was just inserted cannot be found")
            await self._changed(tx, actor, "immutable-tag.create", project, registry, row)
            return _immutable_tag(registry, row)

        return await self._store.transact(create)

    async def get(self, actor: Actor, project: str, registry: str, immutable_tag_id: int) -> ImmutableTag:
        """One of them, for those who may see the members of the project. Raises `NotFound` and `Denied`."""
        registry_id = await self._registry(self._store, actor, project, registry, Permission.MEMBERS_READ)
        return _immutable_tag(registry, await _expect_row(self._store, registry_id, immutable_tag_id))

    async def page(self, actor: Actor, project: str, registry: str, after: str, size: int) -> Page[ImmutableTag]:
        """At most `size` of them with ids after `after`, for those who may see the members of the project.

        Raises `NotFound`, `Denied`, and `RequestInvalid` when `after` is no id.
        """
        last = parse_after(after)
        registry_id = await self._registry(self._store, actor, project, registry, Permission.MEMBERS_READ)
        rows = await immutable_tags.rows_after(self._store, registry_id, last, size + 1)
        return page_of([_immutable_tag(registry, row) for row in rows], size)

    async def delete(self, actor: Actor, project: str, registry: str, immutable_tag_id: int) -> None:
        """Let the tags move again. Raises `NotFound` and `Denied`."""

        async def delete(tx: Transaction) -> None:
            registry_id = await self._registry(tx, actor, project, registry, Permission.RULES_MANAGE)
            row = await _expect_row(tx, registry_id, immutable_tag_id)
            await immutable_tags.delete(tx, registry_id, row.id)
            await self._changed(tx, actor, "immutable-tag.delete", project, registry, row)

        await self._store.transact(delete)

    async def _registry(
        self, queries: Queries, actor: Actor, project: str, registry: str, permission: Permission
    ) -> int:
        project_id = await expect_project(queries, actor, project, permission)
        return (await expect_registry(queries, project_id, registry)).id

    async def _changed(
        self, tx: Transaction, actor: Actor, action: str, project: str, registry: str, row: ImmutableTagRow
    ) -> None:
        await access.changed(tx)
        target, detail = f"registry:{project}/{registry}", f"{row.repository_pattern}:{row.tag_pattern}"
        await self._audit.allowed(tx, actor, action, target, project=project, detail=detail)


async def _expect_row(queries: Queries, registry_id: int, immutable_tag_id: int) -> ImmutableTagRow:
    row = await immutable_tags.find(queries, registry_id, immutable_tag_id)
    if row is None:
        raise NotFound("immutable tag", immutable_tag_id)
    return row


def _immutable_tag(registry: str, row: ImmutableTagRow) -> ImmutableTag:
    return ImmutableTag(row.id, registry, row.repository_pattern, row.tag_pattern, row.created_at)
