"""Members: which users, robots and groups have which role in a project."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.principals import Subject, SubjectKind, parse_subject
from auth.roles import Permission, Role
from registry.domain.audit import Audit
from registry.domain.deciding import expect_project
from registry.domain.details import moved
from registry.domain.pages import Page, page_of
from registry.errors import AttributeInvalid, NotFound
from storage.clock import Clock
from storage.metadata import access, members
from storage.metadata.members import MemberRow
from storage.metadata.store import MetadataStore, Queries, Transaction


@dataclass(frozen=True, slots=True)
class Member:
    """`created_at` is in milliseconds since the Unix epoch."""

    subject: Subject
    role: Role
    created_at: int


class Members:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def page(self, actor: Actor, project: str, after: str, size: int) -> Page[Member]:
        """At most `size` members with subjects after `after`, such as `user:alice`. Raises `NotFound` and `Denied`."""
        project_id = await expect_project(self._store, actor, project, Permission.MEMBERS_READ)
        rows = await members.rows_after(self._store, project_id, after, size + 1)
        return page_of([_member(row) for row in rows], size)

    async def get(self, actor: Actor, project: str, subject: Subject) -> Member:
        """The member that the subject is. Raises `NotFound` and `Denied`."""
        project_id = await expect_project(self._store, actor, project, Permission.MEMBERS_READ)
        return _member(await _expect_member(self._store, project_id, subject))

    async def put(self, actor: Actor, project: str, subject: Subject, role: Role) -> Member:
        """Give the user, the group, or the robot of this project the role, in place of the one it had.

        Raises `NotFound`, `Denied` and `AttributeInvalid`.
        """
        if subject.kind is SubjectKind.EVERYONE:
            raise AttributeInvalid(
                "subject", "has to be a user, a robot or a group: make a registry public for everyone"
            )

        async def put(tx: Transaction) -> Member:
            project_id = await expect_project(tx, actor, project, Permission.MEMBERS_MANAGE)
            principal_id, group_id = await expect_subject(tx, project_id, subject)
            before = await members.find(tx, project_id, str(subject))
            now = self._clock.now_ms()
            if principal_id is not None:
                await members.put_principal(tx, project_id, principal_id, role, now)
            elif group_id is not None:
                await members.put_group(tx, project_id, group_id, role, now)
            detail = moved(None if before is None else before.role, role)
            await self._changed(tx, actor, "member.put", project, subject, detail or None)
            return _member(await _expect_member(tx, project_id, subject))

        return await self._store.transact(put)

    async def remove(self, actor: Actor, project: str, subject: Subject) -> None:
        """Take its role from the subject. Raises `NotFound` and `Denied`."""

        async def remove(tx: Transaction) -> None:
            project_id = await expect_project(tx, actor, project, Permission.MEMBERS_MANAGE)
            member = await _expect_member(tx, project_id, subject)
            principal_id, group_id = await expect_subject(tx, project_id, subject)
            if principal_id is not None:
                await members.delete_principal(tx, project_id, principal_id)
            elif group_id is not None:
                await members.delete_group(tx, project_id, group_id)
            await self._changed(tx, actor, "member.remove", project, subject, member.role)

        await self._store.transact(remove)

    async def _changed(
        self, tx: Transaction, actor: Actor, action: str, project: str, subject: Subject, detail: str | None
    ) -> None:
        await access.changed(tx)
        await self._audit.allowed(tx, actor, action, str(subject), project=project, detail=detail)


async def expect_subject(queries: Queries, project_id: int, subject: Subject) -> tuple[int | None, int | None]:
    """The ids of the principal and of the group that is meant: one of them, or none for everyone.

    Robots of other projects are not known here: whether there is one would say whether there is such a project.
    Raises `AttributeInvalid`.
    """
    if subject.kind is SubjectKind.EVERYONE:
        return None, None
    if subject.kind is SubjectKind.GROUP:
        principal_id, group_id = None, await members.group_of(queries, subject.name)
    else:
        principal_id, group_id = await members.principal_of(queries, project_id, subject.kind, subject.name), None
    if principal_id is None and group_id is None:
        raise AttributeInvalid("subject", f"{str(subject)[:300]!r} is not known")
    return principal_id, group_id


async def _expect_member(queries: Queries, project_id: int, subject: Subject) -> MemberRow:
    row = await members.find(queries, project_id, str(subject))
    if row is None:
        raise NotFound("member", subject)
    return row


def _member(row: MemberRow) -> Member:
    return Member(parse_subject(row.subject), Role(row.role), row.created_at)
