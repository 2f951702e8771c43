"""Access tokens: who makes, sees and revokes them, and what they can be."""

import asyncio
from dataclasses import replace

import pytest

from auth.actor import OPERATING
from auth.roles import Action, Role
from auth.secrets import looks_like_secret, secret_hash
from registry.domain.access_tokens import AccessToken, NewToken
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied, NotFound, RequestInvalid
from storage.metadata import access_tokens
from storage.metadata.store import Transaction
from tests.unit.registry.domain.people import People, outsider

PULLING = NewToken("pulling", frozenset({Action.PULL}), ("**",))
MANAGING = NewToken("managing", frozenset({Action.MANAGE}), ("**",))
FOREVER = 253_402_300_799_999


async def made(people: People, owner: str, name: str = "pulling") -> AccessToken:
    """A token, made by the operator."""
    return (await people.tokens.create(OPERATING, owner, replace(PULLING, name=name)))[0]


async def test_create(people: People) -> None:
    """A user makes a token, which is all that was asked for, and gets its secret."""
    await people.add("bob")
    bob = await people.actor("bob")
    expires_at = people.clock.now_ms() + 1
    new = NewToken("the laptop", frozenset({Action.PUSH, Action.PULL}), ("app/**", "base", "app/**"), expires_at)
    detail = "pull,push until 2023-11-14T22:13:20Z: app/** base"
    async with people.noted(bob, "token.create", "token:bob/the laptop", detail=detail):
        token, secret = await people.tokens.create(bob, "bob", new)
    assert (token.name, token.owner) == ("the laptop", "bob")
    assert token.actions == {Action.PULL, Action.PUSH}
    assert (token.patterns, token.expires_at) == (("app/**", "base"), expires_at)
    assert token.created_at == people.clock.now_ms()
    assert (token.last_used_at, token.last_used_from, token.last_used_client) == (None, None, None)
    assert token == await people.tokens.get(bob, "bob", token.id)
    assert secret.startswith("berth_pat_")
    assert looks_like_secret(secret)
    row = await access_tokens.find_by_hash(people.store, secret_hash(secret))
    assert row is not None
    assert (row.id, row.actions, row.patterns) == (token.id, "pull,push", "app/** base")


async def test_secrets_are_shown_once(people: People) -> None:
    """A secret is kept nowhere, and its hash is in nothing that anybody is shown."""
    root = await people.actor("root")
    token, secret = await people.tokens.create(root, "root", PULLING)
    kept = [await people.store.fetch_all(f"SELECT * FROM {table}") for table in ["access_tokens", "audit"]]
    assert secret not in repr(kept)
    assert secret.removeprefix("berth_pat_")[:43] not in repr(kept)
    shown = [token, await people.tokens.get(root, "root", token.id), await people.tokens.page(root, "root", "", 9)]
    assert secret not in repr(shown)
    assert secret_hash(secret) not in repr(shown)


async def test_tokens_of_robots(people: People) -> None:
    """A maintainer makes a token of a robot, whose secret says that it is one."""
    await people.add("bob")
    await people.project("default", bob=Role.MAINTAINER)
    await people.robots.create(OPERATING, "default", "ci", Role.DEVELOPER)
    bob = await people.actor("bob")
    async with people.noted(bob, "token.create", "token:default+ci/pulling", "default", "pull without expiry: **"):
        token, secret = await people.tokens.create(bob, "default+ci", PULLING)
    assert token.owner == "default+ci"
    assert secret.startswith("berth_robot_")
    async with people.noted(bob, "token.revoke", "token:default+ci/pulling", "default"):
        await people.tokens.revoke(bob, "default+ci", token.id)


@pytest.mark.parametrize("name", ["", "x" * 65, "a\nb", "a\0", " a", "a ", " ", "\x1b[2J", "\ud800"], ids=ascii)
async def test_bad_names(people: People, name: str) -> None:
    """A name is short, and can be printed."""
    async with people.refused(AttributeInvalid, "name has to be 1 to 64"):
        await people.tokens.create(OPERATING, "root", replace(PULLING, name=name))


@pytest.mark.parametrize("name", ["x" * 64, "Bob’s laptop", "ci/main: deploy (prod)", "деплой"])
async def test_good_names(people: People, name: str) -> None:
    """Whatever people call their tokens is fine."""
    assert (await made(people, "root", name)).name == name


@pytest.mark.parametrize("patterns", [(), ("a",) * 17, ("",), ("a b",), ("***",), ("x" * 256,), ("**", "a:b")])
async def test_bad_patterns(people: People, patterns: tuple[str, ...]) -> None:
    """There are 1 to 16 patterns, each of them one of repositories."""
    async with people.refused(AttributeInvalid, "patterns"):
        await people.tokens.create(OPERATING, "root", replace(PULLING, patterns=patterns))


async def test_many_patterns(people: People) -> None:
    """Sixteen long patterns come back as they were given."""
    patterns = tuple(f"{number:02}{'x' * 253}" for number in range(16))
    token, _ = await people.tokens.create(OPERATING, "root", replace(PULLING, patterns=patterns))
    assert token.patterns == patterns


async def test_no_actions(people: People) -> None:
    """A token is for something."""
    async with people.refused(AttributeInvalid, "actions has to name at least one of pull, push, delete, manage"):
        await people.tokens.create(OPERATING, "root", replace(PULLING, actions=frozenset()))


@pytest.mark.parametrize("patterns", [("app/**",), ("*",), ("**", "app"), ("**", "**")])
@pytest.mark.parametrize("actions", [{Action.MANAGE}, set(Action)], ids=["alone", "all"])
async def test_managing_is_not_limited(people: People, actions: set[Action], patterns: tuple[str, ...]) -> None:
    """A token that manages says honestly that it is for everything."""
    new = NewToken("managing", frozenset(actions), patterns)
    async with people.refused(AttributeInvalid, "patterns has to be '\\*\\*' alone"):
        await people.tokens.create(OPERATING, "root", new)
    token, _ = await people.tokens.create(OPERATING, "root", replace(new, patterns=("**",)))
    assert token.actions == actions


@pytest.mark.parametrize("after_ms", [-1, 0, -(10**15), FOREVER, 10**30])
async def test_bad_expiry(people: People, after_ms: int) -> None:
    """A token expires in the future, at a time that can be written."""
    new = replace(PULLING, expires_at=people.clock.now_ms() + after_ms)
    async with people.refused(AttributeInvalid, "expiresAt has to be in the future"):
        await people.tokens.create(OPERATING, "root", new)


async def test_latest_expiry(people: People) -> None:
    """The end of the year 9999 is the last time that can be."""
    token, _ = await people.tokens.create(OPERATING, "root", replace(PULLING, expires_at=FOREVER))
    assert token.expires_at == FOREVER


async def test_taken_name(people: People) -> None:
    """An owner has one token of a name; another owner may have one, too, and so may the same one later."""
    await people.add("bob")
    token = await made(people, "root")
    async with people.refused(AttributeTaken, "name 'pulling' is already taken"):
        await made(people, "root")
    await made(people, "bob")
    await people.tokens.revoke(OPERATING, "root", token.id)
    assert (await made(people, "root")).id != token.id


async def test_race_for_a_name(stored_people: People) -> None:
    """Of many who want the same name at the same time one gets it, and the others are told."""
    results = await asyncio.gather(*(made(stored_people, "root") for _ in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AccessToken"] + ["AttributeTaken"] * 7


async def test_too_many(people: People) -> None:
    """An owner has at most a hundred tokens."""
    await people.add("bob")
    tokens = [await made(people, "root", f"token {number}") for number in range(100)]
    async with people.refused(Conflict, "root has 100 access tokens"):
        await made(people, "root", "one more")
    await made(people, "bob")
    await people.tokens.revoke(OPERATING, "root", tokens[50].id)
    await made(people, "root", "one more")


async def test_race_for_the_last_place(stored_people: People) -> None:
    """The limit holds when many are made at the same time."""
    results = await asyncio.gather(
        *(made(stored_people, "root", f"token {number}") for number in range(105)), return_exceptions=True
    )
    assert [type(result) for result in results].count(Conflict) == 5
    assert await stored_people.count("access_tokens") == 100


async def test_only_the_user_makes_its_tokens(people: People) -> None:
    """An administrator does not make a token that acts as somebody else."""
    await people.add("bob")
    async with people.refused(Denied, "only bob can make access tokens of bob"):
        await people.tokens.create(await people.actor("root"), "bob", PULLING)


@pytest.mark.parametrize("new", [PULLING, MANAGING])
async def test_no_tokens_by_tokens(people: People, new: NewToken) -> None:
    """A token does not make another one, which could outlive it or do more."""
    await people.add("bob")
    for name in ["bob", "root"]:
        token, _ = await people.tokens.create(await people.actor(name), name, new)
        actor = await people.actor(name, token)
        async with people.refused(Denied, f"the access token '{new.name}' cannot be used to"):
            await people.tokens.create(actor, name, replace(PULLING, name="another"))


@pytest.mark.parametrize("new", [PULLING, MANAGING])
async def test_users_with_tokens(people: People, new: NewToken) -> None:
    """Whoever has an access token of a user does not see the others, and cannot revoke them."""
    await people.add("bob")
    token, _ = await people.tokens.create(await people.actor("bob"), "bob", new)
    actor = await people.actor("bob", token)
    for tried in [
        people.tokens.get(actor, "bob", token.id),
        people.tokens.page(actor, "bob", "", 9),
        people.tokens.revoke(actor, "bob", token.id),
    ]:
        async with people.refused(Denied, f"the access token '{new.name}' cannot be used to manage the logins"):
            await tried


async def test_administrators(people: People) -> None:
    """Administrators list and revoke the tokens of others, with a token that manages as well."""
    await people.add("bob")
    first, second = await made(people, "bob", "a"), await made(people, "bob", "b")
    root = await people.actor("root")
    assert (await people.tokens.page(root, "bob", "", 9)).items == [first, second]
    async with people.noted(root, "token.revoke", "token:bob/a"):
        await people.tokens.revoke(root, "bob", first.id)
    managing, _ = await people.tokens.create(root, "root", MANAGING)
    await people.tokens.revoke(await people.actor("root", managing), "bob", second.id)
    assert (await people.tokens.page(root, "bob", "", 9)).items == []


async def test_others(people: People) -> None:
    """For anybody else there is no such user."""
    await people.add("alice", "bob")
    token, tokens = await made(people, "alice"), people.tokens
    for actor in [await people.actor("bob"), await people.nobody(), outsider("alice")]:
        for name in ["alice", "nobody"]:
            for tried in [
                tokens.create(actor, name, PULLING),
                tokens.get(actor, name, token.id),
                tokens.page(actor, name, "", 9),
                tokens.revoke(actor, name, token.id),
            ]:
                async with people.refused(NotFound, f"user '{name}' is not known"):
                    await tried


async def test_others_and_robots(people: People) -> None:
    """Who does not manage the robots of a project learns of none; who does not know the project, of no project."""
    await people.add("alice", "bob")
    await people.project("acme", alice=Role.DEVELOPER)
    await people.project("default", bob=Role.OWNER)
    await people.robots.create(OPERATING, "acme", "ci", Role.GUEST)
    token, tokens = await made(people, "acme+ci"), people.tokens
    alice, bob = await people.actor("alice"), await people.actor("bob")
    for name in ["acme+ci", "acme+none"]:
        for actor, error in [(alice, Denied), (bob, NotFound), (await people.nobody(), NotFound)]:
            for tried in [
                tokens.create(actor, name, PULLING),
                tokens.get(actor, name, token.id),
                tokens.page(actor, name, "", 9),
                tokens.revoke(actor, name, token.id),
            ]:
                async with people.refused(error, "robots.manage" if error is Denied else "project 'acme'"):
                    await tried


async def test_robots_that_are_owners(people: People) -> None:
    """A maintainer does not become an owner by a token of a robot that is one, but may revoke it."""
    await people.add("alice", "bob")
    await people.project("default", alice=Role.OWNER, bob=Role.MAINTAINER)
    await people.robots.create(OPERATING, "default", "boss", Role.OWNER)
    async with people.refused(Denied, "only an owner"):
        await people.tokens.create(await people.actor("bob"), "default+boss", PULLING)
    token, _ = await people.tokens.create(await people.actor("alice"), "default+boss", PULLING)
    await people.tokens.revoke(await people.actor("bob"), "default+boss", token.id)


@pytest.mark.parametrize("owner", ["", "+", "+ci", "default+", "default+none", "default+ci+", "none+ci", "nobody"])
async def test_unknown_owners(people: People, owner: str) -> None:
    """An owner that is not there is said not to be there."""
    await people.robots.create(OPERATING, "default", "ci", Role.GUEST)
    async with people.refused(NotFound):
        await people.tokens.create(OPERATING, owner, PULLING)
    async with people.refused(NotFound):
        await people.tokens.page(OPERATING, owner, "", 9)


async def test_tokens_of_another(people: People) -> None:
    """A token is found by its own owner only: an id alone opens nothing."""
    await people.add("bob")
    await people.robots.create(OPERATING, "default", "ci", Role.GUEST)
    token, bob = await made(people, "root"), await people.actor("bob")
    for actor, owner in [(bob, "bob"), (OPERATING, "bob"), (OPERATING, "default+ci")]:
        async with people.refused(NotFound, f"access token '{token.id}' is not known"):
            await people.tokens.get(actor, owner, token.id)
        async with people.refused(NotFound, f"access token '{token.id}' is not known"):
            await people.tokens.revoke(actor, owner, token.id)


@pytest.mark.parametrize("token_id", [-1, 0, 2, 2**63, 10**30])
async def test_unknown_tokens(people: People, token_id: int) -> None:
    """A number that no token has is said to be unknown, however large it is."""
    await made(people, "root")
    async with people.refused(NotFound, "access token"):
        await people.tokens.get(OPERATING, "root", token_id)
    async with people.refused(NotFound, "access token"):
        await people.tokens.revoke(OPERATING, "root", token_id)


async def test_pages(people: People) -> None:
    """Tokens come from the oldest to the newest, a page after the other; those of others are not among them."""
    await people.add("bob")
    first = await made(people, "root", "c")
    await made(people, "bob")
    second, third = await made(people, "root", "a"), await made(people, "root", "b")
    page = await people.tokens.page(OPERATING, "root", "", 2)
    assert (page.items, page.more) == ([first, second], True)
    page = await people.tokens.page(OPERATING, "root", str(second.id), 2)
    assert (page.items, page.more) == ([third], False)


@pytest.mark.parametrize("after", ["x", "-1", "1.5", " 1", "9" * 30])
async def test_bad_page(people: People, after: str) -> None:
    """A page begins after an id."""
    async with people.refused(RequestInvalid):
        await people.tokens.page(OPERATING, "root", after, 2)


async def test_revoke(people: People) -> None:
    """With a token go the logins that were made with it, and no others."""
    await people.add("bob")
    token, other = await made(people, "bob", "a"), await made(people, "bob", "b")
    for family, used in [("by-a", token.id), ("by-b", other.id), ("by-password", None)]:
        await people.login("bob", family, access_token=used)
    bob = await people.actor("bob")
    async with people.noted(bob, "token.revoke", "token:bob/a"):
        await people.tokens.revoke(bob, "bob", token.id)
    families = await people.store.fetch_all("SELECT family FROM refresh_tokens ORDER BY family")
    assert families == [("by-b",), ("by-password",)]
    async with people.refused(NotFound, "access token"):
        await people.tokens.revoke(bob, "bob", token.id)


async def test_last_use(people: People) -> None:
    """What is noted of a token's use is shown with it."""
    token = await made(people, "root")
    now = people.clock.now_ms() + 5

    async def touch(tx: Transaction) -> None:
        await access_tokens.touch(tx, token.id, now, "192.0.2.7", "docker/28")

    await people.store.transact(touch)
    used = await people.tokens.get(OPERATING, "root", token.id)
    assert used == replace(token, last_used_at=now, last_used_from="192.0.2.7", last_used_client="docker/28")
