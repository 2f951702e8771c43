"""Projects: the tenants, each with registries, members and robots of its own."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from auth.actor import Actor
from auth.principals import Kind
from auth.roles import Permission, Role
from registry.domain.attributes import expect_component, expect_description
from registry.domain.audit import Audit
from registry.domain.deciding import expect_permission, expect_project
from registry.domain.details import described, listed
from registry.domain.pages import Page
from registry.domain.registries import FORGET_BATCH, LOCAL, PRIVATE
from registry.errors import AttributeTaken, Conflict, NotFound
from storage.clock import Clock
from storage.metadata import access, members, projects, registries
from storage.metadata.licensing.forgetting import Owner, forget
from storage.metadata.projects import ProjectRow
from storage.metadata.registries import NewRegistry
from storage.metadata.store import MetadataStore, Queries, Transaction

FIRST_REGISTRY = "main"
_SLICE = 200
_ROLES = list(Role)


@dataclass(frozen=True, slots=True)
class Project:
    """`role` is that of whoever asks, its own or a group's; `created_at` is in milliseconds since the Unix epoch."""

    id: int
    name: str
    description: str
    created_at: int
    role: Role | None


class Projects:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(self, actor: Actor, name: str, description: str = "") -> Project:
        """Make a project with a private registry `main`, whose prefix is the project's name.

        A user who makes a project is its owner. Raises `Denied`, `AttributeInvalid`, `AttributeTaken`, and `Conflict`
        when repositories of another registry lie under the name already.
        """
        expect_permission(actor, Permission.PROJECTS_CREATE)
        expect_component("name", name)
        expect_description(description)

        async def create(tx: Transaction) -> Project:
            now = self._clock.now_ms()
            if await registries.prefix_is_taken(tx, name) or not await projects.insert(tx, name, description, now):
                raise AttributeTaken("name", name)
            if await registries.has_content(tx, name):
                raise Conflict(f"repositories of another registry lie under {name}/ already")
            project_id = (await _expect_row(tx, name)).id
            await registries.insert(tx, NewRegistry(project_id, FIRST_REGISTRY, name, LOCAL, PRIVATE, "", now))
            if actor.principal.kind is Kind.USER:
                await members.put_principal(tx, project_id, actor.principal.id, Role.OWNER, now)
            await self._changed(tx, actor, "project.create", name)
            return await _load(tx, actor, name)

        return await self._store.transact(create)

    async def get(self, actor: Actor, name: str) -> Project:
        """The project. Raises `NotFound`, also when it is not for the actor to know."""
        await expect_project(self._store, actor, name, Permission.PROJECT_READ)
        return await _load(self._store, actor, name)

    async def page(self, actor: Actor, after: str, size: int) -> Page[Project]:
        """At most `size` projects that the actor may know, with names after `after`."""
        roles = await _roles(self._store, actor)
        found: list[Project] = []
        while len(found) <= size:
            part = await projects.rows_after(self._store, after, _SLICE)
            visible = [row for row in part if actor.access.permits(Permission.PROJECT_READ, row.id).granted]
            found += [_project(row, roles) for row in visible]
            if len(part) < _SLICE:
                break
            after = part[-1].name
            await asyncio.sleep(0)
        return Page(found[:size], more=len(found) > size)

    async def update(self, actor: Actor, name: str, description: str | None) -> Project:
        """Change what is not None. Raises `NotFound`, `Denied` and `AttributeInvalid`."""
        if description is not None:
            expect_description(description)

        async def update(tx: Transaction) -> Project:
            project_id = await expect_project(tx, actor, name, Permission.PROJECT_UPDATE)
            before = await _expect_row(tx, name)
            if description is not None:
                await projects.set_description(tx, project_id, description)
            project = await _load(tx, actor, name)
            detail = listed(described(before.description, project.description))
            await self._changed(tx, actor, "project.update", name, detail)
            return project

        return await self._store.transact(update)

    async def delete(self, actor: Actor, name: str) -> None:
        """Delete the project with its registries, robots and members, its products, licenses and customers.

        What was deleted from its registries cannot be brought back any more.
        Raises `NotFound`, `Denied`, and `Conflict` while a repository of a registry of it has content.
        """

        async def delete(tx: Transaction) -> bool:
            project_id = await expect_project(tx, actor, name, Permission.PROJECT_DELETE)
            prefixes = await registries.prefixes_of_project(tx, project_id)
            for prefix in prefixes:
                if await registries.has_content(tx, prefix):
                    raise Conflict(f"the project {name} is not empty: delete what is in its repositories first")
            for prefix in prefixes:
                if await registries.forget(tx, prefix, FORGET_BATCH):
                    return False
            if await forget(tx, Owner.PROJECT, project_id, self._clock.now_ms(), FORGET_BATCH):
                return False
            await projects.delete(tx, project_id)
            await self._changed(tx, actor, "project.delete", name)
            return True

        while True:
            if await self._store.transact(delete):
                return
            await asyncio.sleep(0)

    async def _changed(self, tx: Transaction, actor: Actor, action: str, name: str, detail: str | None = None) -> None:
        await access.changed(tx)
        await self._audit.allowed(tx, actor, action, f"project:{name}", project=name, detail=detail)


async def _expect_row(queries: Queries, name: str) -> ProjectRow:
    row = await projects.find(queries, name)
    if row is None:
        raise NotFound("project", name)
    return row


async def _load(queries: Queries, actor: Actor, name: str) -> Project:
    return _project(await _expect_row(queries, name), await _roles(queries, actor))


async def _roles(queries: Queries, actor: Actor) -> dict[int, Role]:
    """The actor's most powerful role in each project that it is a member of."""
    roles = [(project_id, Role(text)) for project_id, text in await access.roles_of(queries, actor.principal.id)]
    # The most powerful one comes last, and stays.
    return dict(sorted(roles, key=lambda found: _ROLES.index(found[1]), reverse=True))


def _project(row: ProjectRow, roles: dict[int, Role]) -> Project:
    return Project(row.id, row.name, row.description, row.created_at, roles.get(row.id))
