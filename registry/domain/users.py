"""Users: who there is, what they are in the whole installation, and their passwords."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from auth.actor import Actor
from auth.passwords import Passwords
from auth.roles import Permission, SystemRole
from registry.domain.accounts import end_logins, expect_name, expect_user, is_oneself
from registry.domain.attributes import expect_description
from registry.domain.audit import Audit
from registry.domain.deciding import expect_permission
from registry.domain.details import described, listed, role_moved, switched
from registry.domain.pages import Page, page_of
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied
from storage.clock import Clock
from storage.metadata import access, principals
from storage.metadata.principals import UserRow
from storage.metadata.store import MetadataStore, Transaction

PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX = 8, 256


@dataclass(frozen=True, slots=True)
class User:
    """A user, as others may see it. Times are in ms since the Unix epoch."""

    id: int
    name: str
    system_role: SystemRole | None
    description: str
    disabled: bool
    has_password: bool
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What is to be changed: not what is None. `clear_system_role` takes the system role away."""

    description: str | None = None
    disabled: bool | None = None
    system_role: SystemRole | None = None
    clear_system_role: bool = False


class Users:
    def __init__(self, store: MetadataStore, clock: Clock, audit: Audit, passwords: Passwords) -> None:
        self._store, self._clock, self._audit, self._passwords = store, clock, audit, passwords

    async def create(
        self,
        actor: Actor,
        name: str,
        password: str | None,
        system_role: SystemRole | None = None,
        description: str = "",
    ) -> User:
        """Add a user, who cannot log in by password if it is None.

        Raises `Denied`, `AttributeInvalid` and `AttributeTaken`.
        """
        expect_permission(actor, Permission.USERS_MANAGE)
        expect_name(name)
        expect_description(description)
        hashed = None if password is None else await self._hash(password)

        async def insert(tx: Transaction) -> User:
            if not await principals.insert_user(tx, name, system_role, description, hashed, self._clock.now_ms()):
                raise AttributeTaken("name", name)
            await access.changed(tx)
            detail = None if system_role is None else f"system role {system_role}"
            await self._audit.allowed(tx, actor, "user.create", f"user:{name}", detail=detail)
            return _user(await expect_user(tx, actor, name))

        return await self._store.transact(insert)

    async def get(self, actor: Actor, name: str) -> User:
        """One user. Raises `NotFound`, also for who is neither that user nor manages users."""
        return _user(await expect_user(self._store, actor, name))

    async def page(self, actor: Actor, after: str, size: int) -> Page[User]:
        """At most `size` users after that name, in ASCII order. Raises `Denied`."""
        expect_permission(actor, Permission.USERS_MANAGE)
        rows = await principals.users_after(self._store, after, size + 1)
        return page_of([_user(row) for row in rows], size)

    async def update(self, actor: Actor, name: str, changes: UserChanges) -> User:
        """Change a user. Who is disabled is logged out, and cannot log in with a password or an access token.

        Raises `NotFound`, `Denied`, `AttributeInvalid`, and `Conflict` if there would be no administrator any more.
        """

        async def update(tx: Transaction) -> User:
            user = await self._expect_managed(tx, actor, name)
            if changes.description is not None:
                expect_description(changes.description)
            role = None if changes.clear_system_role else changes.system_role or user.system_role
            disabled = user.disabled if changes.disabled is None else changes.disabled
            if disabled or role != SystemRole.ADMIN:
                await _expect_other_admin(tx, user)
            description = user.description if changes.description is None else changes.description
            now = self._clock.now_ms()
            await principals.update_user(tx, user.id, role, description, disabled=disabled, now_ms=now)
            if disabled and not user.disabled:
                await end_logins(tx, user.id, now)
            await access.changed(tx)
            changed = await expect_user(tx, actor, name)
            await self._audit.allowed(tx, actor, "user.update", f"user:{name}", detail=_changes(user, changed))
            return _user(changed)

        return await self._store.transact(update)

    async def set_password(self, actor: Actor, name: str, new: str, current: str | None = None) -> None:
        """Change a user's password, and log the user out everywhere; access tokens stay.

        Users have to give their `current` one; who manages users need not give that of somebody else.
        Raises `NotFound`, `Denied` when an access token was used, and `AttributeInvalid`.
        """
        user = await expect_user(self._store, actor, name)
        if actor.token is not None:
            raise Denied(f"the access token {actor.token!r} cannot be used to change a password")
        if is_oneself(actor, user):
            await self._expect_current(user, current)
        hashed = await self._hash(new)

        async def change(tx: Transaction) -> None:
            found = await expect_user(tx, actor, name)
            if is_oneself(actor, found) and found.password_hash != user.password_hash:
                # It was right a moment ago, and somebody else was faster to change it.
                raise AttributeInvalid("currentPassword", "is wrong")
            await principals.set_password_hash(tx, found.id, hashed)
            await end_logins(tx, found.id, self._clock.now_ms())
            await access.changed(tx)
            await self._audit.allowed(tx, actor, "user.password", f"user:{name}")

        await self._store.transact(change)

    async def delete(self, actor: Actor, name: str) -> None:
        """Take a user away, with its tokens, its memberships and the rules about it.

        Raises `NotFound`, `Denied`, and `Conflict` for the last administrator.
        """

        async def delete(tx: Transaction) -> None:
            user = await self._expect_managed(tx, actor, name)
            await _expect_other_admin(tx, user)
            await principals.delete(tx, user.id)
            await access.changed(tx)
            await self._audit.allowed(tx, actor, "user.delete", f"user:{name}")

        await self._store.transact(delete)

    async def _expect_managed(self, tx: Transaction, actor: Actor, name: str) -> UserRow:
        user = await expect_user(tx, actor, name)
        expect_permission(actor, Permission.USERS_MANAGE)
        return user

    async def _expect_current(self, user: UserRow, current: str | None) -> None:
        if current is None:
            raise AttributeInvalid("currentPassword", "has to be given")
        right = len(current) <= PASSWORD_LENGTH_MAX and await asyncio.to_thread(
            self._passwords.verify, user.password_hash, current
        )
        if not right:
            raise AttributeInvalid("currentPassword", "is wrong")

    async def _hash(self, password: str) -> str:
        if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
            raise AttributeInvalid(
                "password",
                f"has to have {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters, not {len(password)}",
            )
        return await asyncio.to_thread(self._passwords.hash, password)


async def _expect_other_admin(tx: Transaction, user: UserRow) -> None:
    if user.system_role == SystemRole.ADMIN and not await principals.other_admins(tx, user.id):
        raise Conflict(f"{user.name} is the last administrator: make another one first")


def _changes(before: UserRow, after: UserRow) -> str | None:
    return listed(
        role_moved("system role", before.system_role, after.system_role),
        switched(before, after),
        described(before.description, after.description),
    )


def _user(row: UserRow) -> User:
    return User(
        id=row.id,
        name=row.name,
        system_role=None if row.system_role is None else SystemRole(row.system_role),
        description=row.description,
        disabled=row.disabled,
        has_password=row.password_hash is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
