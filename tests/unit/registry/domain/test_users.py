"""Users: who may see and change them, and what is left of one that is disabled or gone."""

import asyncio

import pytest

from auth.actor import OPERATING
from auth.roles import Action, Role, SystemRole
from registry.domain.access_tokens import NewToken
from registry.domain.users import UserChanges
from registry.errors import AttributeInvalid, AttributeTaken, Conflict, Denied, NotFound
from storage.metadata import principals
from tests.unit.registry.domain.people import PASSWORD, PASSWORDS, People, outsider

MANAGING = NewToken("managing", frozenset({Action.MANAGE}), ("**",))
PULLING = NewToken("pulling", frozenset({Action.PULL}), ("**",))


async def kept(people: People, name: str) -> str | None:
    """The hash of the user's password."""
    row = await principals.find_user(people.store, name)
    assert row is not None
    return row.password_hash


async def test_create(people: People) -> None:
    """An administrator adds a user, who can be found then, and whose password is kept as a hash."""
    root = await people.actor("root")
    async with people.noted(root, "user.create", "user:bob"):
        bob = await people.users.create(root, "bob", "some password", description="Bob\nof accounting")
    assert (bob.name, bob.system_role, bob.description, bob.disabled) == ("bob", None, "Bob\nof accounting", False)
    assert bob.has_password
    assert bob.created_at == bob.updated_at == people.clock.now_ms()
    assert bob == await people.users.get(root, "bob")
    assert PASSWORDS.verify(await kept(people, "bob"), "some password")


async def test_create_without_password(people: People) -> None:
    """A user without password is one that cannot log in by password."""
    carol = await people.users.create(OPERATING, "carol", None, SystemRole.MONITOR)
    assert (carol.has_password, carol.system_role) == (False, SystemRole.MONITOR)
    assert await kept(people, "carol") is None


@pytest.mark.parametrize("name", ["a", "0", "alice.b_c-d@e", "a" * 64, "root2", "admin"])
async def test_good_names(people: People, name: str) -> None:
    """Names are lower-case letters and digits, with single separators between them."""
    assert (await people.users.create(OPERATING, name, None)).name == name


@pytest.mark.parametrize(
    "name",
    ["", "A", "a b", "a+b", "a--b", ".a", "a.", "a/b", "a:b", "é", "a" * 65, "a\n", "\ud800", "a\0"],
    ids=ascii,
)
async def test_bad_names(people: People, name: str) -> None:
    """Any other name is refused: none can be taken for that of a robot, or lead a log astray."""
    async with people.refused(AttributeInvalid, "name has to be 1 to 64"):
        await people.users.create(OPERATING, name, None)


@pytest.mark.parametrize("name", ["anonymous", "everyone", "license", "token", "operator"])
async def test_reserved_names(people: People, name: str) -> None:
    """Nobody is called what means somebody else."""
    async with people.refused(AttributeInvalid, f"name cannot be '{name}'"):
        await people.users.create(OPERATING, name, None)


@pytest.mark.parametrize("password", ["", "seven77", "x" * 257, "🔑" * 257])
async def test_bad_passwords(people: People, password: str) -> None:
    """A password has 8 to 256 characters; the refusal does not repeat it."""
    async with people.refused(AttributeInvalid, "password has to have 8 to 256") as caught:
        await people.users.create(OPERATING, "bob", password)
    assert not password or password not in str(caught.value)


@pytest.mark.parametrize("password", ["eight888", "x" * 256, "🔑" * 256, "with space and :"])
async def test_good_passwords(people: People, password: str) -> None:
    """Every text of that length is a password."""
    await people.users.create(OPERATING, "bob", password)
    assert PASSWORDS.verify(await kept(people, "bob"), password)


@pytest.mark.parametrize("description", ["x" * 1001, "a\0b", "\x1b[2J", "\ud800"], ids=ascii)
async def test_bad_descriptions(people: People, description: str) -> None:
    """A description is short, and text."""
    async with people.refused(AttributeInvalid, "description"):
        await people.users.create(OPERATING, "bob", None, description=description)
    async with people.refused(AttributeInvalid, "description"):
        await people.users.update(OPERATING, "root", UserChanges(description=description))


async def test_taken_name(people: People) -> None:
    """A name belongs to one user."""
    await people.add("bob")
    async with people.refused(AttributeTaken, "name 'bob' is already taken"):
        await people.users.create(OPERATING, "bob", None)


async def test_race_for_a_name(stored_people: People) -> None:
    """Of many who want the same name at the same time one gets it, and the others are told."""
    results = await asyncio.gather(
        *(stored_people.users.create(OPERATING, "bob", PASSWORD) for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["AttributeTaken"] * 7 + ["User"]
    assert await stored_people.count("principals") == 2


async def test_only_administrators_create_and_list(people: People) -> None:
    """Users, robots, monitors and strangers are refused."""
    await people.add("bob")
    await people.users.create(OPERATING, "monitor", None, SystemRole.MONITOR)
    await people.project("default", bob=Role.OWNER)
    await people.robots.create(OPERATING, "default", "ci", Role.OWNER)
    names = ["bob", "monitor", "default+ci"]
    for actor in [*[await people.actor(name) for name in names], await people.nobody(), outsider("root")]:
        async with people.refused(Denied):
            await people.users.create(actor, "eve", PASSWORD)
        async with people.refused(Denied):
            await people.users.page(actor, "", 10)


async def test_pages(people: People) -> None:
    """Users come by name, a page after the other; robots are not among them."""
    await people.add("c", "a", "b")
    await people.robots.create(OPERATING, "default", "b", Role.READER)
    root = await people.actor("root")
    first = await people.users.page(root, "", 3)
    assert ([user.name for user in first.items], first.more) == (["a", "b", "c"], True)
    last = await people.users.page(root, "c", 3)
    assert ([user.name for user in last.items], last.more) == (["root"], False)
    assert [user.name for user in (await people.users.page(root, "b@", 1)).items] == ["c"]


async def test_who_sees_a_user(people: People) -> None:
    """Users see themselves; for others it looks as if there were no such user."""
    await people.add("alice", "bob")
    bob = await people.actor("bob")
    assert (await people.users.get(bob, "bob")).name == "bob"
    for actor in [bob, outsider("alice"), await people.nobody()]:
        async with people.refused(NotFound, "user 'alice' is not known"):
            await people.users.get(actor, "alice")
    async with people.refused(NotFound, "user 'nobody' is not known"):
        await people.users.get(bob, "nobody")


async def test_a_later_user_of_the_name_is_another(people: People) -> None:
    """Who was logged in as a user that is gone does not see the new one of that name."""
    await people.add("bob")
    before = await people.actor("bob")
    await people.users.delete(OPERATING, "bob")
    await people.add("bob")
    async with people.refused(NotFound):
        await people.users.get(before, "bob")
    async with people.refused(NotFound):
        await people.users.set_password(before, "bob", "another password", PASSWORD)


async def test_robots_are_no_users(people: People) -> None:
    """A robot cannot be had, changed or deleted as a user, by whatever name."""
    await people.robots.create(OPERATING, "default", "ci", Role.READER)
    for name in ["default+ci", "ci"]:
        async with people.refused(NotFound):
            await people.users.get(OPERATING, name)
        async with people.refused(NotFound):
            await people.users.set_password(OPERATING, name, PASSWORD)
        async with people.refused(NotFound):
            await people.users.update(OPERATING, name, UserChanges(system_role=SystemRole.ADMIN))
        async with people.refused(NotFound):
            await people.users.delete(OPERATING, name)


async def test_update(people: People) -> None:
    """What is given is changed, and nothing else."""
    await people.add("bob")
    root = await people.actor("root")
    people.clock.advance(60)
    async with people.noted(root, "user.update", "user:bob", detail="description"):
        bob = await people.users.update(root, "bob", UserChanges(description="Bob"))
    assert (bob.description, bob.disabled, bob.system_role, bob.has_password) == ("Bob", False, None, True)
    assert bob.updated_at == bob.created_at + 60_000
    assert (await people.users.update(root, "bob", UserChanges(system_role=SystemRole.MONITOR))).description == "Bob"
    bob = await people.users.update(root, "bob", UserChanges(disabled=False, description=""))
    assert (bob.description, bob.system_role) == ("", SystemRole.MONITOR)
    bob = await people.users.update(root, "bob", UserChanges(clear_system_role=True))
    assert bob == await people.users.get(root, "bob")
    assert bob.system_role is None
    assert await people.epoch("bob") == 0


async def test_only_administrators_change_and_delete(people: People) -> None:
    """Users do not change themselves, and do not learn of others."""
    await people.add("alice", "bob")
    bob = await people.actor("bob")
    for changes in [UserChanges(system_role=SystemRole.ADMIN), UserChanges(disabled=False), UserChanges()]:
        async with people.refused(Denied):
            await people.users.update(bob, "bob", changes)
        async with people.refused(NotFound):
            await people.users.update(bob, "alice", changes)
    async with people.refused(Denied):
        await people.users.delete(bob, "bob")
    for name in ["alice", "nobody"]:
        async with people.refused(NotFound):
            await people.users.delete(bob, name)


async def test_tokens_that_manage(people: People) -> None:
    """An administrator's token manages users if it is for that, and otherwise does not."""
    root = await people.actor("root")
    (managing, _), (pulling, _) = [await people.tokens.create(root, "root", new) for new in (MANAGING, PULLING)]
    with_managing, with_pulling = await people.actor("root", managing), await people.actor("root", pulling)
    await people.users.create(with_managing, "bob", PASSWORD)
    async with people.refused(Denied, "the access token 'pulling' cannot be used to manage"):
        await people.users.create(with_pulling, "eve", PASSWORD)
    async with people.refused(NotFound):
        await people.users.get(with_pulling, "bob")


async def test_disabling(people: People) -> None:
    """Who is disabled is logged out everywhere; access tokens stay for when it is enabled again."""
    await people.add("alice", "bob")
    for name in ["alice", "bob"]:
        await people.login(name, f"of-{name}")
        await people.tokens.create(await people.actor(name), name, PULLING)
    bob = await people.users.update(OPERATING, "bob", UserChanges(disabled=True))
    assert bob.disabled
    assert await people.epoch("bob") == 1
    assert await people.epoch("alice") == 0
    assert [row[0] for row in await people.store.fetch_all("SELECT family FROM refresh_tokens")] == ["of-alice"]
    assert await people.count("access_tokens") == 2
    await people.users.update(OPERATING, "bob", UserChanges(disabled=True))
    bob = await people.users.update(OPERATING, "bob", UserChanges(disabled=False))
    assert not bob.disabled
    assert await people.epoch("bob") == 1


@pytest.mark.parametrize(
    "changes",
    [UserChanges(disabled=True), UserChanges(clear_system_role=True), UserChanges(system_role=SystemRole.MONITOR)],
    ids=str,
)
async def test_last_administrator(people: People, changes: UserChanges) -> None:
    """There is always an administrator who can log in."""
    await people.add("bob")
    await people.users.create(OPERATING, "off", None, SystemRole.ADMIN)
    await people.users.update(OPERATING, "off", UserChanges(disabled=True))
    for actor in [OPERATING, await people.actor("root")]:
        async with people.refused(Conflict, "root is the last administrator"):
            await people.users.update(actor, "root", changes)
        async with people.refused(Conflict, "root is the last administrator"):
            await people.users.delete(actor, "root")
    await people.users.update(OPERATING, "root", UserChanges(description="the only one", disabled=False))
    await people.users.update(OPERATING, "off", changes)
    await people.users.update(OPERATING, "bob", UserChanges(system_role=SystemRole.ADMIN))
    await people.users.update(await people.actor("root"), "root", changes)
    async with people.refused(Conflict, "bob is the last administrator"):
        await people.users.delete(OPERATING, "bob")


async def test_race_of_the_last_administrators(stored_people: People) -> None:
    """When all administrators are taken away at the same time, one stays."""
    names = ["root", *"abcd"]
    for name in names[1:]:
        await stored_people.users.create(OPERATING, name, None, SystemRole.ADMIN)
    delete, update = stored_people.users.delete, stored_people.users.update
    results = await asyncio.gather(
        *(delete(OPERATING, name) for name in names[:3]),
        *(update(OPERATING, name, UserChanges(disabled=True)) for name in names[3:]),
        return_exceptions=True,
    )
    assert [type(result) for result in results].count(Conflict) == 1
    row = await stored_people.store.fetch_one(
        "SELECT COUNT(*) FROM principals WHERE system_role = 'admin' AND disabled = 0"
    )
    assert row == (1,)


async def test_own_password(people: People) -> None:
    """Users change their password with the current one, and have to log in again everywhere."""
    await people.add("bob")
    await people.login("bob", "laptop")
    bob = await people.actor("bob")
    await people.tokens.create(bob, "bob", PULLING)
    people.clock.advance(1)
    async with people.noted(bob, "user.password", "user:bob"):
        await people.users.set_password(bob, "bob", "another password", PASSWORD)
    assert PASSWORDS.verify(await kept(people, "bob"), "another password")
    assert await people.epoch("bob") == 1
    assert await people.count("refresh_tokens") == 0
    assert await people.count("access_tokens") == 1
    assert (await people.users.get(OPERATING, "bob")).updated_at == people.clock.now_ms()


@pytest.mark.parametrize("current", [None, "", "wrong password", "x" * 257, f"{PASSWORD} "])
async def test_wrong_current_password(people: People, current: str | None) -> None:
    """Without the current password nobody changes their own, administrators neither."""
    await people.add("bob")
    for name in ["bob", "root"]:
        async with people.refused(AttributeInvalid, "currentPassword"):
            await people.users.set_password(await people.actor(name), name, "another password", current)


async def test_user_without_password_has_none_to_give(people: People) -> None:
    """Who never had a password does not give one to oneself: an administrator does."""
    await people.users.create(OPERATING, "bob", None)
    bob = await people.actor("bob")
    for current in [None, "", PASSWORD]:
        async with people.refused(AttributeInvalid, "currentPassword"):
            await people.users.set_password(bob, "bob", "another password", current)
    await people.users.set_password(await people.actor("root"), "bob", "another password")
    assert (await people.users.get(bob, "bob")).has_password


async def test_password_of_another(people: People) -> None:
    """An administrator, or the operator, sets the password of others; for the rest these are not there."""
    await people.add("alice", "bob")
    root = await people.actor("root")
    async with people.noted(root, "user.password", "user:bob"):
        await people.users.set_password(root, "bob", "another password")
    await people.users.set_password(OPERATING, "root", "another password")
    for name in ["alice", "nobody"]:
        async with people.refused(NotFound):
            await people.users.set_password(await people.actor("bob"), name, "a third password", PASSWORD)


@pytest.mark.parametrize("password", ["seven77", "x" * 257])
async def test_bad_new_password(people: People, password: str) -> None:
    """A new password has to be as one of a new user."""
    async with people.refused(AttributeInvalid, "password has to have 8 to 256"):
        await people.users.set_password(OPERATING, "root", password)


@pytest.mark.parametrize("new", [MANAGING, PULLING])
async def test_no_password_by_token(people: People, new: NewToken) -> None:
    """Whoever has an access token does not get the account with it, whatever it is for."""
    await people.add("bob")
    for name in ["root", "bob"]:
        token, _ = await people.tokens.create(await people.actor(name), name, new)
        async with people.refused(Denied, f"'{new.name}' cannot be used to change a password"):
            await people.users.set_password(await people.actor(name, token), name, "another password", PASSWORD)


async def test_password_that_changed_meanwhile(stored_people: People) -> None:
    """A current password counts only if it is still that when the new one is written."""
    await stored_people.add("bob")
    bob = await stored_people.actor("bob")
    results = await asyncio.gather(
        *(stored_people.users.set_password(bob, "bob", f"new password {n}", PASSWORD) for n in range(4)),
        return_exceptions=True,
    )
    assert sorted(map(repr, results)) == ["AttributeInvalid('currentPassword is wrong')"] * 3 + ["None"]
    winner = results.index(None)
    assert PASSWORDS.verify(await kept(stored_people, "bob"), f"new password {winner}")


async def test_delete(people: People) -> None:
    """With a user go its tokens, logins, memberships and the rules about it, and nothing of others."""
    await people.add("alice", "bob")
    await people.project("acme", alice=Role.OWNER, bob=Role.OWNER)
    await people.groups.create(OPERATING, "devs")
    for name in ["alice", "bob"]:
        await people.groups.add(OPERATING, "devs", name)
        await people.tokens.create(await people.actor(name), name, PULLING)
        await people.login(name, f"of-{name}")
    await people.rule("bob")
    root = await people.actor("root")
    async with people.noted(root, "user.delete", "user:bob"):
        await people.users.delete(root, "bob")
    tables = ["members", "group_members", "access_tokens", "refresh_tokens", "rules"]
    assert [await people.count(table) for table in tables] == [1, 1, 1, 1, 0]
    async with people.refused(NotFound):
        await people.users.get(OPERATING, "bob")
    async with people.refused(NotFound):
        await people.users.delete(OPERATING, "bob")


async def test_no_secret_in_what_is_returned(people: People) -> None:
    """Neither a user nor its row shows the hash of the password when it is printed."""
    user = await people.users.get(OPERATING, "root")
    row = await principals.find_user(people.store, "root")
    assert "argon2" not in repr(user) + repr(row)
