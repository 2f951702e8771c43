"""Registries: the named collections of repositories of a project, each with a prefix of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from auth.actor import Actor
from auth.roles import Permission
from registry.domain.attributes import expect_component, expect_description
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.details import described, length_moved, listed, moved
from registry.domain.pages import Page
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied, NotFound
from storage.clock import Clock
from storage.errors import NameInvalid
from storage.metadata import access, registries
from storage.metadata.registries import NewRegistry, RegistryRow
from storage.metadata.store import MetadataStore, Queries, Transaction
from storage.names import parse_repository_name

PUBLIC: Final = "public"
PRIVATE: Final = "private"
LOCAL: Final = "local"

REDIRECTS: Final = ("never", "always", "large")

REGISTRIES_MAX = 1000
# Room for a repository's own name.
PREFIX_LENGTH_MAX = 200
_SLICE = 200
# So many rows of what a registry remembers go in one transaction.
FORGET_BATCH = 1000
# A hundred years.
_LENGTH_MAX_MS = 100 * 365 * 86_400_000


class Settings(TypedDict, total=False):
    """Where a registry goes its own way; None is as configured for all.

    `untagged_after` and `orphaned_after` are in milliseconds, 0 is never (see [collector] of the configuration);
    `redirect` says for which blobs clients are sent to the store: `never`, `always` or `large` (see [s3]).
    """

    untagged_after: int | None
    orphaned_after: int | None
    redirect: str | None


_UNCHANGED: Final = Settings()


@dataclass(frozen=True, slots=True)
class Registry:
    """Has the repositories whose names have no longer registry's prefix than its own.

    `visibility` is `public` or `private`; `created_at` is in milliseconds since the Unix epoch. The last three are
    those of `Settings`.
    """

    id: int
    project: str
    name: str
    prefix: str
    kind: str
    visibility: str
    description: str
    created_at: int
    untagged_after: int | None = None
    orphaned_after: int | None = None
    redirect: str | None = None


class Registries:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(
        self,
        actor: Actor,
        project: str,
        name: str,
        prefix: str | None = None,
        visibility: str = PRIVATE,
        description: str = "",
    ) -> Registry:
        """Make a registry; without `prefix` it gets `<project>/<name>`.

        It takes what lies under its prefix from any registry with a shorter one, so nothing may be there yet. A prefix
        outside of the project's own name is for those who may create projects.
        Raises `NotFound`, `Denied`, `AttributeInvalid`, `AttributeTaken`, and `Conflict` when the prefix has content.
        """
        expect_component("name", name)
        prefix = f"{project}/{name}" if prefix is None else prefix
        _check(visibility, description)

        async def create(tx: Transaction) -> Registry:
            project_id = await expect_project(tx, actor, project, Permission.REGISTRIES_MANAGE)
            if visibility == PUBLIC:
                await expect_project(tx, actor, project, Permission.OUTSIDERS_ADMIT)
            _expect_prefix(actor, project, prefix)
            await _expect_room(tx, project_id, name, prefix)
            now = self._clock.now_ms()
            await registries.insert(
                tx, NewRegistry(project_id, name, prefix, LOCAL, visibility, description, created_at=now)
            )
            row = await expect_registry(tx, project_id, name)
            await self._changed(tx, actor, "registry.create", project, row, _facts(row))
            return _registry(project, row)

        return await self._store.transact(create)

    async def get(self, actor: Actor, project: str, name: str) -> Registry:
        """The registry. Raises `NotFound`, also when it is private and not for the actor to know."""
        project_id = await expect_project(self._store, actor, project, Permission.PROJECT_READ)
        row = await expect_registry(self._store, project_id, name)
        if not _visible(actor, project_id, row):
            raise NotFound("registry", name)
        return _registry(project, row)

    async def page(self, actor: Actor, project: str, after: str, size: int) -> Page[Registry]:
        """At most `size` registries that the actor may know, with names after `after`. Raises `NotFound`."""
        project_id = await expect_project(self._store, actor, project, Permission.PROJECT_READ)
        found: list[Registry] = []
        while len(found) <= size:
            part = await registries.rows_after(self._store, project_id, after, _SLICE)
            found += [_registry(project, row) for row in part if _visible(actor, project_id, row)]
            if len(part) < _SLICE:
                break
            after = part[-1].name
        return Page(found[:size], more=len(found) > size)

    async def update(
        self,
        actor: Actor,
        project: str,
        name: str,
        visibility: str | None = None,
        description: str | None = None,
        settings: Settings = _UNCHANGED,
    ) -> Registry:
        """Change what is not None, and those settings that are there. Raises `NotFound`, `Denied`, `AttributeInvalid`.

        Where clients are sent for blobs changes within a second or two.
        """
        _check(visibility, description)
        _check_settings(settings)

        async def update(tx: Transaction) -> Registry:
            project_id = await expect_project(tx, actor, project, Permission.REGISTRIES_MANAGE)
            row = await expect_registry(tx, project_id, name)
            seen_by = row.visibility if visibility is None else visibility
            if seen_by != row.visibility:
                await expect_project(tx, actor, project, Permission.OUTSIDERS_ADMIT)
            text = row.description if description is None else description
            changed = replace(row, visibility=seen_by, description=text, **settings)
            await registries.update(tx, changed)
            await self._changed(tx, actor, "registry.update", project, row, _changes(row, changed))
            return _registry(project, changed)

        return await self._store.transact(update)

    async def delete(self, actor: Actor, project: str, name: str) -> None:
        """Delete the registry with its rules; what was deleted from it cannot be brought back any more.

        Raises `NotFound`, `Denied`, and `Conflict` while a repository of it has tags, manifests or blobs.
        """

        async def delete(tx: Transaction) -> bool:
            project_id = await expect_project(tx, actor, project, Permission.REGISTRIES_MANAGE)
            row = await expect_registry(tx, project_id, name)
            if await registries.has_content(tx, row.prefix):
                raise Conflict(f"the registry {name} is not empty: delete what is in its repositories first")
            if await registries.forget(tx, row.prefix, FORGET_BATCH):
                return False
            await registries.delete(tx, row.id)
            await self._changed(tx, actor, "registry.delete", project, row, _facts(row))
            return True

        while True:
            if await self._store.transact(delete):
                return
            await asyncio.sleep(0)

    async def _changed(
        self, tx: Transaction, actor: Actor, action: str, project: str, row: RegistryRow, detail: str | None
    ) -> None:
        await access.changed(tx)
        await self._audit.allowed(tx, actor, action, f"registry:{project}/{row.name}", project=project, detail=detail)


async def expect_registry(queries: Queries, project_id: int, name: str) -> RegistryRow:
    """The registry of this project. Raises `NotFound`."""
    row = await registries.find(queries, project_id, name)
    if row is None:
        raise NotFound("registry", name)
    return row


def _registry(project: str, row: RegistryRow) -> Registry:
    return Registry(
        id=row.id,
        project=project,
        name=row.name,
        prefix=row.prefix,
        kind=row.kind,
        visibility=row.visibility,
        description=row.description,
        created_at=row.created_at,
        untagged_after=row.untagged_after,
        orphaned_after=row.orphaned_after,
        redirect=row.redirect,
    )


def _facts(row: RegistryRow) -> str:
    return f"{row.visibility}, prefix {row.prefix}" if row.prefix else f"{row.visibility}, without prefix"


def _changes(before: RegistryRow, after: RegistryRow) -> str | None:
    redirects = moved(before.redirect or "default", after.redirect or "default")
    return listed(
        moved(before.visibility, after.visibility),
        described(before.description, after.description),
        length_moved("untagged after", before.untagged_after, after.untagged_after),
        length_moved("orphaned after", before.orphaned_after, after.orphaned_after),
        redirects and f"redirect {redirects}",
    )


def _visible(actor: Actor, project_id: int, row: RegistryRow) -> bool:
    """Who has no part in a project, but may see it for what is public there, is not told what else there is."""
    return row.visibility == PUBLIC or actor.access.permits(Permission.MEMBERS_READ, project_id).granted


def _check(visibility: str | None, description: str | None) -> None:
    if visibility not in {None, PUBLIC, PRIVATE}:
        raise AttributeInvalid("visibility", f"has to be {PUBLIC} or {PRIVATE}")
    if description is not None:
        expect_description(description)


def _check_settings(settings: Settings) -> None:
    for attribute, length in (
        ("untaggedAfter", settings.get("untagged_after")),
        ("orphanedAfter", settings.get("orphaned_after")),
    ):
        if length is not None and not 0 <= length <= _LENGTH_MAX_MS:
            raise AttributeInvalid(attribute, "has to be 0, which is never, to a hundred years")
    redirect = settings.get("redirect")
    if redirect is not None and redirect not in REDIRECTS:
        raise AttributeInvalid("redirect", f"has to be one of {', '.join(REDIRECTS)}")


def _expect_prefix(actor: Actor, project: str, prefix: str) -> None:
    """Raises `AttributeInvalid`, and `Denied` when the prefix is not one that the project's own people may take."""
    if len(prefix) > PREFIX_LENGTH_MAX:
        raise AttributeInvalid("prefix", f"has to be at most {PREFIX_LENGTH_MAX} characters")
    if prefix:
        try:
            parse_repository_name(prefix)
        except NameInvalid as error:
            raise AttributeInvalid("prefix", f"cannot begin the name of a repository: {error}") from error
    if prefix == project or prefix.startswith(f"{project}/"):
        return
    decision = actor.access.permits(Permission.PROJECTS_CREATE)
    if not decision.granted:
        raise Denied(f"the prefix {prefix!r} is not below {project}/, and {decision.reason}")


async def _expect_room(queries: Queries, project_id: int, name: str, prefix: str) -> None:
    if await registries.count(queries, project_id) >= REGISTRIES_MAX:
        raise Conflict(f"the project has {REGISTRIES_MAX} registries already")
    if await registries.find(queries, project_id, name) is not None:
        raise AttributeTaken("name", name)
    if await registries.prefix_is_taken(queries, prefix):
        raise AttributeTaken("prefix", prefix)
    if await registries.has_content(queries, prefix):
        raise Conflict(f"repositories of another registry lie under the prefix {prefix!r} already")
