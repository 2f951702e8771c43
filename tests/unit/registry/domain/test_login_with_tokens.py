"""Logging in with access tokens."""

import pytest

from auth.actor import OPERATING
from auth.roles import Role
from auth.secrets import SecretKind, new_secret
from registry.domain.login import Origin
from registry.domain.users import UserChanges
from tests.unit.registry.domain.logging_in import ELSEWHERE, ORIGIN, Door, a_token
from tests.unit.registry.domain.people import People

UNKNOWN = "the access token is not known, or not one of this user"


@pytest.fixture
async def door(people: People) -> Door:
    """Where alice, bob and others log in."""
    await people.add("alice", "bob")
    return Door(people)


async def test_access_token(door: Door) -> None:
    """The secret of an access token does as a password of its owner, or alone, and of nobody else."""
    secret = await a_token(door.people)
    assert await door.show(secret) == await door.show(secret, "alice") == "alice with laptop"
    for name in ["bob", "", "Alice", "nobody"]:
        assert await door.show(secret, name) == UNKNOWN
    assert door.passwords.verified == 0


async def test_token_of_a_robot(door: Door) -> None:
    """Robots log in by their full names."""
    await door.people.project("acme")
    await door.people.robots.create(OPERATING, "acme", "ci", Role.DEVELOPER)
    secret = await a_token(door.people, "acme+ci")
    assert await door.show(secret, "acme+ci") == await door.show(secret) == "acme+ci with laptop"
    assert await door.show(secret, "ci") == UNKNOWN


@pytest.mark.parametrize("kind", list(SecretKind))
async def test_unknown_token(door: Door, kind: SecretKind) -> None:
    """A token that is not known is told from a wrong password, and costs neither work nor a try."""
    for _ in range(20):
        secret = new_secret(kind)
        assert await door.show(secret) == await door.show(secret, "alice") == UNKNOWN
    assert door.passwords.verified == 0
    assert await door.knock("alice") == "alice"


async def test_mistyped_token(door: Door) -> None:
    """A token of which a character was lost is a wrong password."""
    assert await door.knock("alice", (await a_token(door.people))[:-1]) == "no"


async def test_expired_token(door: Door) -> None:
    """An access token is good until it expires, and whoever has it is told its name then."""
    secret = await a_token(door.people, lifetime_ms=1000)
    door.people.clock.advance(0.999)
    assert await door.show(secret) == "alice with laptop"
    door.people.clock.advance(0.001)
    assert await door.show(secret) == await door.show(secret, "alice") == "the access token 'laptop' has expired"
    assert await door.show(secret, "bob") == UNKNOWN


async def test_revoked_token(door: Door) -> None:
    """A token is good for nothing from the moment it is revoked, and while its owner is disabled."""
    secret = await a_token(door.people)
    await door.people.users.update(OPERATING, "alice", UserChanges(disabled=True))
    assert await door.show(secret) == UNKNOWN
    await door.people.users.update(OPERATING, "alice", UserChanges(disabled=False))
    assert await door.show(secret) == "alice with laptop"
    (token,) = (await door.people.tokens.page(OPERATING, "alice", "", 9)).items
    await door.people.tokens.revoke(OPERATING, "alice", token.id)
    assert await door.show(secret) == UNKNOWN


async def test_last_use(door: Door) -> None:
    """A token tells when, from where and by which client it was used last, to about a minute."""
    people, secret = door.people, await a_token(door.people)

    async def used() -> tuple[int | None, str | None, str | None]:
        (token,) = (await people.tokens.page(OPERATING, "alice", "", 9)).items
        return token.last_used_at, token.last_used_from, token.last_used_client

    assert await used() == (None, None, None)
    first = people.clock.now_ms()
    assert await door.show(secret) == "alice with laptop"
    assert await used() == (first, ORIGIN.address, ORIGIN.client)
    people.clock.advance(60)
    await door.login.verify_token(secret, ELSEWHERE)
    assert await used() == (first, ORIGIN.address, ORIGIN.client)
    people.clock.advance(0.001)
    await door.login.verify_token(secret, Origin(ELSEWHERE.address, "x" * 10_000))
    assert await used() == (people.clock.now_ms(), ELSEWHERE.address, "x" * 256)
