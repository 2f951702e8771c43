"""What the use cases about users, groups and robots have in common."""

from __future__ import annotations

import re

from auth.actor import Actor
from auth.principals import Kind
from auth.roles import Permission
from registry.domain.attributes import NAME_LENGTH_MAX
from registry.errors import AttributeInvalid, Denied, NotFound
from storage.metadata import principals, refresh_tokens
from storage.metadata.principals import UserRow
from storage.metadata.store import Queries, Transaction

_NAME = re.compile(r"[a-z0-9]+(?:[._@-][a-z0-9]+)*")
# These mean something else, or look as if they did, where a client sends a user name or a reason names who asked.
_RESERVED = {"anonymous", "everyone", "license", "operator", "token"}


def expect_name(name: str) -> None:
    """Raises `AttributeInvalid` unless a user or a group can have the name."""
    if len(name) > NAME_LENGTH_MAX or not _NAME.fullmatch(name):
        raise AttributeInvalid(
            "name",
            f"has to be 1 to {NAME_LENGTH_MAX} lower-case letters and digits, with single '.', '_', '-' or '@' between",
        )
    if name in _RESERVED:
        raise AttributeInvalid("name", f"cannot be {name!r}: that word has a meaning of its own")


def is_oneself(actor: Actor, user: UserRow) -> bool:
    """Whether the actor is this user: not one of another issuer, nor an earlier one, who has the same name."""
    return actor.principal.kind is Kind.USER and actor.principal.id == user.id


async def expect_user(queries: Queries, actor: Actor, name: str) -> UserRow:
    """The user, for itself and for who manages users. Raises `NotFound` for others, and when there is none."""
    user = await principals.find_user(queries, name)
    if user is None or not (is_oneself(actor, user) or actor.access.permits(Permission.USERS_MANAGE).granted):
        raise NotFound("user", name)
    return user


async def expect_keys_of_user(queries: Queries, actor: Actor, name: str) -> UserRow:
    """As `expect_user`, where it is about what the user logs in with.

    Raises `Denied` for a user that is logged in with an access token: whoever finds one could otherwise end, or see,
    every other login.
    """
    user = await expect_user(queries, actor, name)
    if actor.token is not None and not actor.access.permits(Permission.USERS_MANAGE).granted:
        raise Denied(f"the access token {actor.token!r} cannot be used to manage the logins of its owner")
    return user


async def end_logins(tx: Transaction, principal_id: int, now_ms: int) -> None:
    """Whoever is logged in with the principal's password or refresh tokens has to log in again."""
    await principals.begin_epoch(tx, principal_id, now_ms)
    await refresh_tokens.delete_of_principal(tx, principal_id)
