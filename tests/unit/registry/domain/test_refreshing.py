"""Refresh tokens: what a client keeps in place of a password, and all the ways in which that ends."""

from collections.abc import Awaitable, Callable

import pytest

from auth.actor import OPERATING
from auth.principals import parse_subject
from auth.roles import Action
from auth.secrets import SecretKind, looks_like_secret, new_secret
from registry.domain.access_tokens import NewToken
from registry.domain.login import Origin
from registry.domain.sessions import Session
from registry.domain.users import UserChanges
from registry.errors import Unauthorized
from storage.errors import StorageFull, StorageUnavailable
from tests.unit.registry.domain.people import PASSWORD
from tests.unit.registry.domain.tenants import Tenants
from tests.unit.registry.domain.token_desk import TokenDesk, asked, claims, granted

PUSH = "repository:acme/app:pull,push"
DAY = 24 * 3600
UNKNOWN = "the refresh token is not known, or has expired: log in again"
USED = "the refresh token was used before: log in again"


@pytest.fixture
def desk(tenants: Tenants) -> TokenDesk:
    """Where developers, and others, get tokens."""
    return TokenDesk(tenants)


async def sessions(desk: TokenDesk, name: str = "developer") -> list[Session]:
    """The logins that a user sees."""
    return (await desk.tenants.sessions.page(OPERATING, name, "", 99)).items


async def test_docker_keeps_the_one_it_got(desk: TokenDesk) -> None:
    """A client that does not ask for another refresh token uses the one of its login for ever."""
    secret = await desk.begin()
    for _ in range(100):
        grant = await desk.refresh(secret, PUSH)
        assert grant.refresh_token is None
        assert granted(grant) == PUSH
        assert claims(grant)["sub"] == "developer"
        desk.clock.advance(DAY)
    assert await desk.tenants.count("refresh_tokens") == 1


async def test_rotation(desk: TokenDesk) -> None:
    """A client that asks for another one gets it, again and again; all are one session."""
    secret = first = await desk.begin()
    for _ in range(10):
        secret = await desk.rotate(secret, PUSH)
        desk.clock.advance(DAY)
    assert secret != first
    assert await desk.answer(secret) == "good"
    assert len(await sessions(desk)) == 1


async def test_replaced_token_within_the_grace(desk: TokenDesk) -> None:
    """A client that did not get the answer comes again with the old token: for a minute both are good."""
    first = await desk.begin()
    second = await desk.rotate(first)
    third = await desk.rotate(first)
    desk.clock.advance(60)
    assert [await desk.answer(secret) for secret in (first, second, third)] == ["good"] * 3


async def test_replaced_token_later(desk: TokenDesk) -> None:
    """A token that comes back after that was copied: all that followed from that login ends, and no other login."""
    other = await desk.begin()
    first = await desk.begin()
    second = await desk.rotate(first)
    third = await desk.rotate(second)
    desk.clock.advance(60.001)
    assert await desk.answer(third) == "good"
    assert await desk.answer(first) == USED
    assert [await desk.answer(secret) for secret in (first, second, third)] == [UNKNOWN] * 3
    assert await desk.answer(other) == "good"
    assert len(await sessions(desk)) == 1


async def test_grace_is_not_prolonged(desk: TokenDesk) -> None:
    """Using a replaced token once more gives it no more time."""
    first = await desk.begin()
    await desk.rotate(first)
    desk.clock.advance(40)
    await desk.rotate(first)
    desk.clock.advance(21)
    assert await desk.answer(first) == USED


Ending = Callable[[TokenDesk], Awaitable[object]]

ENDINGS: dict[str, Ending] = {
    "disabled": lambda desk: desk.tenants.users.update(OPERATING, "developer", UserChanges(disabled=True)),
    "deleted": lambda desk: desk.tenants.users.delete(OPERATING, "developer"),
    "another password": lambda desk: desk.tenants.users.set_password(OPERATING, "developer", "another password"),
    "the same password": lambda desk: desk.tenants.users.set_password(OPERATING, "developer", PASSWORD),
}


@pytest.mark.parametrize("ending", list(ENDINGS))
async def test_ended_by_a_change(desk: TokenDesk, ending: str) -> None:
    """Who is disabled or deleted, or whose password is changed, is logged out everywhere, at once and for good."""
    secrets = [await desk.begin(), await desk.rotate(await desk.begin())]
    other = await desk.begin("reader")
    await ENDINGS[ending](desk)
    assert [await desk.answer(secret) for secret in secrets] == [UNKNOWN] * 2
    assert await desk.answer(other) == "good"
    if ending == "disabled":
        await desk.tenants.users.update(OPERATING, "developer", UserChanges(disabled=False))
        assert [await desk.answer(secret) for secret in secrets] == [UNKNOWN] * 2


async def test_ended_by_hand(desk: TokenDesk) -> None:
    """Ending a session ends its tokens, and those of no other."""
    first = await desk.begin()
    (session,) = await sessions(desk)
    second = await desk.begin()
    await desk.tenants.sessions.revoke(OPERATING, "developer", session.family)
    assert (await desk.answer(first), await desk.answer(second)) == (UNKNOWN, "good")


async def test_behind_an_access_token(desk: TokenDesk) -> None:
    """A login with an access token is as narrow as that, and ends with it; others of its owner do not."""
    new = NewToken("laptop", frozenset({Action.PULL}), ("**",))
    token, _ = await desk.tenants.tokens.create(OPERATING, "developer", new)
    secret, other = await desk.begin(token="laptop"), await desk.begin()
    secret = await desk.rotate(secret)
    assert granted(await desk.refresh(secret, PUSH)) == "repository:acme/app:pull"
    await desk.tenants.tokens.revoke(OPERATING, "developer", token.id)
    assert await desk.answer(secret) == UNKNOWN
    assert await desk.answer(other) == "good"


async def test_behind_an_access_token_that_expires(desk: TokenDesk) -> None:
    """A login with an access token ends when that expires, however often it was used."""
    expires = desk.clock.now_ms() + DAY * 1000
    new = NewToken("laptop", frozenset({Action.PULL}), ("**",), expires)
    await desk.tenants.tokens.create(OPERATING, "developer", new)
    secret = await desk.begin(token="laptop")
    desk.clock.advance(DAY - 0.001)
    assert await desk.answer(secret) == "good"
    desk.clock.advance(0.001)
    assert await desk.answer(secret) == "the access token behind this login has expired or was revoked"


async def test_another_password_leaves_access_tokens(desk: TokenDesk) -> None:
    """An access token outlives the password; the logins that came from it do not, and can be begun again."""
    new = NewToken("laptop", frozenset({Action.PULL}), ("**",))
    await desk.tenants.tokens.create(OPERATING, "developer", new)
    secret = await desk.begin(token="laptop")
    await desk.tenants.users.set_password(OPERATING, "developer", "another password")
    assert await desk.answer(secret) == UNKNOWN
    assert await desk.answer(await desk.begin(token="laptop")) == "good"


async def test_idle(desk: TokenDesk) -> None:
    """A login that nobody uses for 90 days ends; each use begins the time anew."""
    used, idle = await desk.begin(), await desk.begin()
    desk.clock.advance(89 * DAY)
    assert await desk.answer(used) == "good"
    desk.clock.advance(DAY)
    assert await desk.answer(used) == "good"
    assert await desk.answer(idle) == UNKNOWN
    desk.clock.advance(90 * DAY)
    assert await desk.answer(used) == UNKNOWN


async def test_rights_of_this_moment(desk: TokenDesk) -> None:
    """What a login was once good for says nothing about what it is good for now."""
    secret = await desk.begin()
    assert granted(await desk.refresh(secret, PUSH)) == PUSH
    await desk.tenants.members.remove(OPERATING, "acme", parse_subject("user:developer"))
    assert granted(await desk.refresh(secret, PUSH)) == ""


async def test_what_a_session_tells(desk: TokenDesk) -> None:
    """A user sees where a login is used, and by which client, to about an hour."""
    begun = desk.clock.now_ms()
    secret = await desk.begin()
    elsewhere = Origin("198.51.100.1", "podman/5" + "x" * 1000)
    desk.clock.advance(3600)
    await desk.refresh(secret, origin=elsewhere)
    (session,) = await sessions(desk)
    assert (session.created_at, session.used_at) == (begun, begun + 3_600_000)
    assert (session.address, session.client) == (elsewhere.address, ("podman/5" + "x" * 1000)[:256])
    desk.clock.advance(3599)
    await desk.refresh(secret)
    (session,) = await sessions(desk)
    assert session.used_at == begun + 3_600_000


@pytest.mark.parametrize(
    "secret",
    ["", "nonsense", "x" * 16_000, "berth_refresh_", "ü", new_secret(SecretKind.REFRESH), new_secret(SecretKind.PAT)],
    ids=["nothing", "a word", "too long", "a prefix", "not ASCII", "another one", "an access token"],
)
async def test_unknown(desk: TokenDesk, secret: str) -> None:
    """What is no refresh token of ours opens nothing."""
    assert await desk.answer(secret) == UNKNOWN


async def test_only_hashes_are_kept(desk: TokenDesk) -> None:
    """Who reads the database cannot log in with what it holds."""
    secret = await desk.begin()
    assert looks_like_secret(secret)
    assert secret.startswith("berth_refresh_")
    (row,) = await desk.tenants.store.fetch_all("SELECT * FROM refresh_tokens")
    assert all(secret not in str(value) for value in row)
    for value in row:
        assert await desk.answer(str(value)) == UNKNOWN


@pytest.mark.parametrize("error", [StorageFull(), StorageUnavailable("busy")])
async def test_nothing_can_be_written(desk: TokenDesk, error: Exception) -> None:
    """On a full disk clients get tokens as ever; only a new refresh token, which has to be kept, they do not get."""
    secret = await desk.begin()
    desk.clock.advance(DAY)
    desk.store.write_error = error
    assert granted(await desk.refresh(secret, PUSH)) == PUSH
    with pytest.raises(type(error)):
        await desk.service.refresh(secret, asked(offline=True))
    desk.store.write_error = None
    assert await desk.answer(secret) == "good"


async def test_two_at_the_same_time(desk: TokenDesk) -> None:
    """Of a session that is ended while a client asks for another token, nothing is left."""
    secret = await desk.begin()
    (session,) = await sessions(desk)
    await desk.tenants.sessions.revoke(OPERATING, "developer", session.family)
    with pytest.raises(Unauthorized):
        await desk.rotate(secret)
    assert await sessions(desk) == []
