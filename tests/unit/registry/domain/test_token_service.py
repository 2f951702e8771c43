"""The token service: who gets which token, and what is in it."""

import pytest

from auth.actor import OPERATING
from auth.principals import parse_subject
from auth.roles import Action, Role
from auth.tokens import TOKEN_LENGTH_MAX
from registry.domain.access_tokens import NewToken
from registry.domain.users import UserChanges
from registry.errors import Unauthorized
from storage.errors import StorageUnavailable
from tests.unit.registry.domain.tenants import Tenants
from tests.unit.registry.domain.token_desk import TokenDesk, asked, claims, granted

PULL, PUSH = "repository:acme/app:pull", "repository:acme/app:pull,push"
ALL = "repository:acme/app:delete,pull,push"


@pytest.fixture
async def desk(tenants: Tenants) -> TokenDesk:
    """Repositories below `acme/open` are for everyone to pull, those below `acme` for members."""
    await tenants.registries.create(OPERATING, "acme", "open", "acme/open", "public")
    return TokenDesk(tenants)


@pytest.mark.parametrize(
    ("name", "scope", "expected"),
    [
        ("owner", ALL, ALL),
        ("maintainer", ALL, ALL),
        ("developer", ALL, PUSH),
        ("reader", ALL, PULL),
        ("reader", "repository:acme/app:push", ""),
        ("guest", ALL, ""),
        ("stranger", ALL, ""),
        ("neighbour", ALL, ""),
        ("neighbour", "repository:zeta/app:pull", "repository:zeta/app:pull"),
        ("root", ALL, ALL),
        ("acme+ci", ALL, PUSH),
        (None, ALL, ""),
        (None, "repository:acme/open/app:pull,push", "repository:acme/open/app:pull"),
        ("stranger", "repository:acme/open/app:*", "repository:acme/open/app:pull"),
        # no more than was asked for
        ("owner", PULL, PULL),
        ("owner", "repository:acme/app:delete", "repository:acme/app:delete"),
        ("owner", "repository:acme/app:", ""),
        # everything
        ("owner", "repository:acme/app:*", ALL),
        ("developer", "repository:acme/app:*", PUSH),
        ("developer", "repository:acme/app:*,pull", PUSH),
        # what nobody knows
        ("owner", "repository:acme/app:pull,fly,manage,admin", PULL),
        ("owner", "repository(plugin):acme/app:pull", PULL),
        ("owner", "namespace:acme:pull repository:acme/app:pull", PULL),
        ("owner", "nonsense ::: repository:acme/app:pull", PULL),
        # what cannot be a name here
        ("owner", "repository:localhost:5000/acme/app:pull", ""),
        ("owner", "repository:ACME/app:pull repository:acme//app:pull repository:../acme/app:pull", ""),
        ("root", "repository:" + "a" * 300 + ":pull", ""),
        # several
        ("reader", f"{ALL} repository:acme/open/x:pull", f"{PULL} repository:acme/open/x:pull"),
        ("neighbour", f"{ALL} repository:zeta/app:push,pull", "repository:zeta/app:pull,push"),
        ("owner", "repository:acme/app:push repository:acme/app:pull", PUSH),
        # names of what is not there are as good as any
        ("developer", "repository:acme/never/pushed:pull,push", "repository:acme/never/pushed:pull,push"),
        # the catalog
        (None, "registry:catalog:*", "registry:catalog:*"),
        ("stranger", "registry:catalog:*", "registry:catalog:*"),
        ("root", "registry:catalog:pull registry:catalog:", ""),
        ("root", "registry:other:* repository:catalog:", ""),
        ("reader", f"registry:catalog:* {ALL}", f"registry:catalog:* {PULL}"),
    ],
)
async def test_intersection(desk: TokenDesk, name: str | None, scope: str, expected: str) -> None:
    """A token is for what was asked and is allowed; that it is less is no error, and nothing may be left of it."""
    assert granted(await desk.grant(name, scope)) == expected
    assert granted(await desk.grant(name, *scope.split(" "))) == expected


@pytest.mark.parametrize("name", ["owner", "stranger", "acme+ci", None])
async def test_nothing_asked(desk: TokenDesk, name: str | None) -> None:
    """A token for nothing is how a login is tried out: everybody gets one."""
    grant = await desk.grant(name)
    assert granted(grant) == ""
    assert claims(grant)["sub"] == (name or "")


async def test_times(desk: TokenDesk) -> None:
    """A token says when it was made and until when it is good, and so does what comes with it."""
    grant = await desk.grant("owner")
    said, now = claims(grant), desk.clock.now_ms() // 1000
    assert (grant.issued_s, grant.lifetime_s) == (now, 300)
    assert (said["iat"], said["exp"]) == (now, now + 300)
    assert said["nbf"] <= now


async def test_access_token_narrows(desk: TokenDesk) -> None:
    """Who logs in with an access token gets what that is for, of what its owner may do."""
    actions = frozenset({Action.PULL, Action.DELETE})
    await desk.tenants.tokens.create(OPERATING, "developer", NewToken("laptop", actions, ("acme/app",)))
    grant = await desk.grant("developer", f"{ALL} repository:acme/other:pull", token="laptop")
    assert granted(grant) == PULL


async def test_more_than_fits(desk: TokenDesk) -> None:
    """A token is never too long for a header: what comes first is in it, and the answer says what is."""
    names = [f"acme/{'x' * 90}/{number:03}" for number in range(60)]
    grant = await desk.grant("owner", *(f"repository:{name}:*" for name in names))
    assert 10 < len(grant.scopes) < len(names)
    assert [scope.name for scope in grant.scopes] == names[: len(grant.scopes)]
    assert granted(grant)
    assert len(grant.token) < TOKEN_LENGTH_MAX


async def test_what_is_not_allowed_takes_no_room(desk: TokenDesk) -> None:
    """What is not granted does not push out what is."""
    denied = [f"repository:zeta/{'x' * 100}/{number:02}:pull" for number in range(60)]
    assert granted(await desk.grant("reader", *denied, PULL)) == PULL


async def test_rights_of_this_moment(desk: TokenDesk) -> None:
    """A token is made by the rights of the moment, also where another process changed them."""
    reader = parse_subject("user:reader")
    assert granted(await desk.grant("reader", ALL)) == PULL
    await desk.tenants.members.put(OPERATING, "acme", reader, Role.OWNER)
    assert granted(await desk.grant("reader", ALL)) == ALL
    await desk.tenants.members.remove(OPERATING, "acme", reader)
    assert granted(await desk.grant("reader", ALL)) == ""


@pytest.mark.parametrize("offline", [False, True])
async def test_account_that_was_changed_meanwhile(desk: TokenDesk, offline: bool) -> None:  # noqa: FBT001 - a table
    """Between a login and its token the account may go, or get another password: then there is no token."""
    for name, change in [
        ("reader", desk.tenants.users.update(OPERATING, "reader", UserChanges(disabled=True))),
        ("guest", desk.tenants.users.set_password(OPERATING, "guest", "another password")),
        ("stranger", desk.tenants.users.delete(OPERATING, "stranger")),
    ]:
        identity = await desk.identity(name)
        await change
        with pytest.raises(Unauthorized):
            await desk.service.grant(identity, asked(PULL, offline=offline))
    assert await desk.tenants.count("refresh_tokens") == 0


@pytest.mark.parametrize("offline", [False, True])
async def test_access_token_that_was_revoked_meanwhile(desk: TokenDesk, offline: bool) -> None:  # noqa: FBT001 - a table
    """The same is true of the access token that was logged in with."""
    token, _ = await desk.tenants.tokens.create(OPERATING, "developer", NewToken("laptop", frozenset(Action), ("**",)))
    identity = await desk.identity("developer", "laptop")
    await desk.tenants.tokens.revoke(OPERATING, "developer", token.id)
    with pytest.raises(Unauthorized):
        await desk.service.grant(identity, asked(PULL, offline=offline))
    assert await desk.tenants.count("refresh_tokens") == 0


async def test_refresh_token_only_where_one_is_wanted(desk: TokenDesk) -> None:
    """A refresh token comes when it is asked for, and never to nobody in particular."""
    assert (await desk.grant("owner", PULL)).refresh_token is None
    assert (await desk.grant(None, PULL, offline=True)).refresh_token is None
    assert (await desk.grant("owner", PULL, offline=True)).refresh_token is not None
    assert (await desk.grant("acme+ci", offline=True)).refresh_token is not None
    assert await desk.tenants.count("refresh_tokens") == 2


async def test_nothing_can_be_read(desk: TokenDesk) -> None:
    """While the store does not answer there are no tokens, and none by what was known before."""
    await desk.grant("owner", PULL)
    identity = await desk.identity("owner")
    desk.store.read_error = StorageUnavailable("busy")
    for who in [identity, None]:
        with pytest.raises(StorageUnavailable):
            await desk.service.grant(who, asked(PULL))
