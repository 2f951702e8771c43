"""Robots: accounts of a project, for machines. They log in with access tokens alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from auth.actor import Actor
from auth.roles import Permission, Role
from registry.domain.accounts import end_logins
from registry.domain.attributes import NAME_LENGTH_MAX, expect_description
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.details import described, listed, role_moved, switched
from registry.domain.pages import Page, page_of
from registry.errors import AttributeInvalid, AttributeTaken, Denied, NotFound
from storage.clock import Clock
from storage.metadata import access, members, principals
from storage.metadata.principals import RobotRow
from storage.metadata.store import MetadataStore, Queries, Transaction

_SHORT_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Robot:
    """`name` is the full one, `<project>+<short name>`; `role` is None when the robot is no member any more.

    Times are in ms since the Unix epoch.
    """

    id: int
    name: str
    project: str
    role: Role | None
    description: str
    disabled: bool
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class RobotChanges:
    """What is to be changed: not what is None."""

    role: Role | None = None
    description: str | None = None
    disabled: bool | None = None


class Robots:
    """All of it needs `robots.manage` in the project.

    Raises `NotFound` when there is no such project, or the actor may not know of it; `Denied` without the permission.
    """

    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(self, actor: Actor, project: str, short_name: str, role: Role, description: str = "") -> Robot:
        """Add a robot, and make it a member of its project with this role.

        Raises `NotFound`, `AttributeInvalid`, `AttributeTaken`, and `Denied`, also for a role above the actor's own.
        """

        async def insert(tx: Transaction) -> Robot:
            project_id = await expect_project(tx, actor, project, Permission.ROBOTS_MANAGE)
            _expect_short_name(short_name)
            expect_description(description)
            expect_may_give(actor, project_id, role)
            name, now = full_name(project, short_name), self._clock.now_ms()
            if not await principals.insert_robot(tx, project_id, name, description, now):
                raise AttributeTaken("name", short_name)
            robot = await expect_robot(tx, project_id, name)
            await members.put_principal(tx, project_id, robot.id, role, now)
            await self._changed(tx, actor, "robot.create", robot, f"role {role}")
            return _robot(await expect_robot(tx, project_id, name))

        return await self._store.transact(insert)

    async def get(self, actor: Actor, project: str, short_name: str) -> Robot:
        """One robot. Raises `NotFound` and `Denied`."""
        project_id = await expect_project(self._store, actor, project, Permission.ROBOTS_MANAGE)
        return _robot(await expect_robot(self._store, project_id, full_name(project, short_name)))

    async def page(self, actor: Actor, project: str, after: str, size: int) -> Page[Robot]:
        """At most `size` robots after that name, short or full, in ASCII order. Raises `NotFound` and `Denied`."""
        project_id = await expect_project(self._store, actor, project, Permission.ROBOTS_MANAGE)
        last = full_name(project, after.removeprefix(full_name(project, "")))
        rows = await principals.robots_after(self._store, project_id, last, size + 1)
        return page_of([_robot(row) for row in rows], size)

    async def update(self, actor: Actor, project: str, short_name: str, changes: RobotChanges) -> Robot:
        """Change a robot. When it is disabled its tokens stop to work.

        Raises `NotFound`, `AttributeInvalid`, and `Denied`, also for a role, old or new, above the actor's own.
        """

        async def update(tx: Transaction) -> Robot:
            project_id, robot = await self._expect_managed(tx, actor, project, short_name)
            await self._apply(tx, actor, project_id, robot, changes)
            changed = await expect_robot(tx, project_id, robot.name)
            await self._changed(tx, actor, "robot.update", robot, _changes(robot, changed))
            return _robot(changed)

        return await self._store.transact(update)

    async def _apply(
        self, tx: Transaction, actor: Actor, project_id: int, robot: RobotRow, changes: RobotChanges
    ) -> None:
        now = self._clock.now_ms()
        if changes.role is not None:
            expect_may_give(actor, project_id, changes.role)
            await members.put_principal(tx, project_id, robot.id, changes.role, now)
        description = robot.description if changes.description is None else changes.description
        expect_description(description)
        disabled = robot.disabled if changes.disabled is None else changes.disabled
        await principals.update_robot(tx, robot.id, description, disabled=disabled, now_ms=now)
        if disabled and not robot.disabled:
            await end_logins(tx, robot.id, now)

    async def delete(self, actor: Actor, project: str, short_name: str) -> None:
        """Take a robot away, with its tokens, its memberships and the rules about it.

        Raises `NotFound`, and `Denied`, also when its role is above the actor's own.
        """

        async def delete(tx: Transaction) -> None:
            _, robot = await self._expect_managed(tx, actor, project, short_name)
            await principals.delete(tx, robot.id)
            await self._changed(tx, actor, "robot.delete", robot)

        await self._store.transact(delete)

    async def _expect_managed(
        self, tx: Transaction, actor: Actor, project: str, short_name: str
    ) -> tuple[int, RobotRow]:
        project_id = await expect_project(tx, actor, project, Permission.ROBOTS_MANAGE)
        robot = await expect_robot(tx, project_id, full_name(project, short_name))
        expect_may_give(actor, project_id, robot.role)
        return project_id, robot

    async def _changed(
        self, tx: Transaction, actor: Actor, action: str, robot: RobotRow, detail: str | None = None
    ) -> None:
        await access.changed(tx)
        await self._audit.allowed(tx, actor, action, f"robot:{robot.name}", project=robot.project, detail=detail)


def full_name(project: str, short_name: str) -> str:
    """What the robot is called everywhere but in its own project."""
    return f"{project}+{short_name}"


async def expect_robot(queries: Queries, project_id: int, name: str) -> RobotRow:
    """The robot of the project with this full name. Raises `NotFound`."""
    robot = await principals.find_robot(queries, project_id, name)
    if robot is None:
        raise NotFound("robot", name)
    return robot


def expect_may_give(actor: Actor, project_id: int, role: str | None) -> None:
    """Raises `Denied` when the role is above the actor's own, given that it may manage robots in the project.

    The same holds for what a robot with such a role can do: a token of it would be a way to get the role.
    """
    if role == Role.OWNER and not actor.access.permits(Permission.MEMBERS_MANAGE, project_id).granted:
        raise Denied("only an owner of the project may make robots owners, or change robots that are")


def _expect_short_name(name: str) -> None:
    if len(name) > NAME_LENGTH_MAX or not _SHORT_NAME.fullmatch(name):
        raise AttributeInvalid(
            "name",
            f"has to be 1 to {NAME_LENGTH_MAX} lower-case letters and digits, with single '.', '_' or '-' between",
        )


def _changes(before: RobotRow, after: RobotRow) -> str | None:
    return listed(
        role_moved("role", before.role, after.role),
        switched(before, after),
        described(before.description, after.description),
    )


def _robot(row: RobotRow) -> Robot:
    return Robot(
        id=row.id,
        name=row.name,
        project=row.project,
        role=None if row.role is None else Role(row.role),
        description=row.description,
        disabled=row.disabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
