"""Groups of users, which can be members of projects and have rules about them as users can."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.roles import Permission
from registry.domain.accounts import expect_name
from registry.domain.attributes import expect_description
from registry.domain.audit import Audit
from registry.domain.deciding import expect_permission
from registry.domain.pages import Page, page_of
from registry.errors import AttributeInvalid, AttributeTaken, NotFound
from storage.clock import Clock
from storage.metadata import access, groups, principals
from storage.metadata.groups import GroupRow
from storage.metadata.principals import UserRow
from storage.metadata.store import MetadataStore, Queries, Transaction


@dataclass(frozen=True, slots=True)
class Group:
    """`members` is how many users are in it, `created_at` in ms since the Unix epoch."""

    id: int
    name: str
    description: str
    created_at: int
    members: int


class Groups:
    """All of it is for who manages users: anybody else is `Denied`."""

    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit) -> None:
        self._store, self._clock, self._audit = store, clock, audit

    async def create(self, actor: Actor, name: str, description: str = "") -> Group:
        """Add a group without members. Raises `Denied`, `AttributeInvalid` and `AttributeTaken`."""
        expect_permission(actor, Permission.USERS_MANAGE)
        expect_name(name)
        expect_description(description)

        async def insert(tx: Transaction) -> Group:
            if not await groups.insert(tx, name, description, self._clock.now_ms()):
                raise AttributeTaken("name", name)
            await self._changed(tx, actor, "group.create", name)
            return _group(await _expect_group(tx, name))

        return await self._store.transact(insert)

    async def get(self, actor: Actor, name: str) -> Group:
        """One group. Raises `Denied` and `NotFound`."""
        expect_permission(actor, Permission.USERS_MANAGE)
        return _group(await _expect_group(self._store, name))

    async def page(self, actor: Actor, after: str, size: int) -> Page[Group]:
        """At most `size` groups after that name, in ASCII order. Raises `Denied`."""
        expect_permission(actor, Permission.USERS_MANAGE)
        rows = await groups.rows_after(self._store, after, size + 1)
        return page_of([_group(row) for row in rows], size)

    async def delete(self, actor: Actor, name: str) -> None:
        """Take a group away, with its memberships and the rules about it. Raises `Denied` and `NotFound`."""
        expect_permission(actor, Permission.USERS_MANAGE)

        async def delete(tx: Transaction) -> None:
            await groups.delete(tx, (await _expect_group(tx, name)).id)
            await self._changed(tx, actor, "group.delete", name)

        await self._store.transact(delete)

    async def add(self, actor: Actor, group: str, user_name: str) -> None:
        """Put a user into a group, if it is not in it already.

        Raises `Denied`, `NotFound` for the group, and `AttributeInvalid` when there is no such user.
        """
        expect_permission(actor, Permission.USERS_MANAGE)

        async def add(tx: Transaction) -> None:
            found = await _expect_group(tx, group)
            user = await principals.find_user(tx, user_name)
            if user is None:
                raise AttributeInvalid("name", f"has to be that of a user: {user_name[:300]!r} is not known")
            if await groups.add(tx, found.id, user.id):
                await self._changed(tx, actor, "group.add", group, f"user:{user_name}")

        await self._store.transact(add)

    async def remove(self, actor: Actor, group: str, user_name: str) -> None:
        """Take a user out of a group. Raises `Denied`, and `NotFound`, also when the user is not in the group."""
        expect_permission(actor, Permission.USERS_MANAGE)

        async def remove(tx: Transaction) -> None:
            found = await _expect_group(tx, group)
            if not await groups.remove(tx, found.id, (await _expect_user(tx, user_name)).id):
                raise NotFound("member", user_name)
            await self._changed(tx, actor, "group.remove", group, f"user:{user_name}")

        await self._store.transact(remove)

    async def member(self, actor: Actor, group: str, user_name: str) -> str:
        """The user's name. Raises `Denied`, and `NotFound`, also when the user is not in the group."""
        expect_permission(actor, Permission.USERS_MANAGE)
        found, user = await _expect_group(self._store, group), await _expect_user(self._store, user_name)
        if found.id not in await access.groups_of(self._store, user.id):
            raise NotFound("member", user_name)
        return user.name

    async def members(self, actor: Actor, group: str, after: str, size: int) -> Page[str]:
        """At most `size` names of users in the group after that name, in ASCII order. Raises `Denied`, `NotFound`."""
        expect_permission(actor, Permission.USERS_MANAGE)
        found = await _expect_group(self._store, group)
        return page_of(await groups.members_after(self._store, found.id, after, size + 1), size)

    async def _changed(self, tx: Transaction, actor: Actor, action: str, name: str, detail: str | None = None) -> None:
        await access.changed(tx)
        await self._audit.allowed(tx, actor, action, f"group:{name}", detail=detail)


async def _expect_group(queries: Queries, name: str) -> GroupRow:
    row = await groups.find(queries, name)
    if row is None:
        raise NotFound("group", name)
    return row


async def _expect_user(queries: Queries, name: str) -> UserRow:
    row = await principals.find_user(queries, name)
    if row is None:
        raise NotFound("user", name)
    return row


def _group(row: GroupRow) -> Group:
    return Group(row.id, row.name, row.description, row.created_at, row.members)
