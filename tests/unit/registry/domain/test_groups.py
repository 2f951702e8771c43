"""Groups: who may see and change them, and who is in them."""

import asyncio

import pytest

from auth.actor import OPERATING
from auth.roles import Role
from registry.errors import AttributeInvalid, AttributeTaken, Denied, NotFound
from storage.metadata import access
from tests.unit.registry.domain.people import People, outsider


async def test_create(people: People) -> None:
    """An administrator adds a group, which nobody is in."""
    root = await people.actor("root")
    async with people.noted(root, "group.create", "group:devs"):
        devs = await people.groups.create(root, "devs", "Who builds")
    assert (devs.name, devs.description, devs.members) == ("devs", "Who builds", 0)
    assert devs.created_at == people.clock.now_ms()
    assert devs == await people.groups.get(root, "devs")


@pytest.mark.parametrize("name", ["", "Devs", "a+b", "a" * 65, "everyone", "a b"])
async def test_bad_names(people: People, name: str) -> None:
    """A group is called as a user could be."""
    async with people.refused(AttributeInvalid, "name"):
        await people.groups.create(OPERATING, name)


async def test_bad_description(people: People) -> None:
    """A description is short."""
    async with people.refused(AttributeInvalid, "description"):
        await people.groups.create(OPERATING, "devs", "x" * 1001)


async def test_names_of_users_are_free(people: People) -> None:
    """A group may be called as a user is, but not as another group."""
    await people.groups.create(OPERATING, "root")
    async with people.refused(AttributeTaken, "name 'root' is already taken"):
        await people.groups.create(OPERATING, "root")


async def test_race_for_a_name(stored_people: People) -> None:
    """Of many who want the same name at the same time one gets it, and the others are told."""
    results = await asyncio.gather(
        *(stored_people.groups.create(OPERATING, "devs") for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["AttributeTaken"] * 7 + ["Group"]


async def test_only_administrators(people: People) -> None:
    """Nobody else sees groups or changes them, members and owners of projects neither."""
    await people.add("bob")
    await people.project("default", bob=Role.OWNER)
    await people.groups.create(OPERATING, "devs")
    await people.groups.add(OPERATING, "devs", "bob")
    groups = people.groups
    for actor in [await people.actor("bob"), await people.nobody(), outsider("root")]:
        for name in ["devs", "nothing"]:
            for tried in [
                groups.create(actor, name),
                groups.get(actor, name),
                groups.page(actor, "", 10),
                groups.delete(actor, name),
                groups.add(actor, name, "root"),
                groups.member(actor, name, "bob"),
                groups.remove(actor, name, "bob"),
                groups.members(actor, name, "", 10),
            ]:
                async with people.refused(Denied):
                    await tried


async def test_pages(people: People) -> None:
    """Groups come by name, a page after the other, each with the number of its members."""
    await people.add("alice", "bob")
    for name in ["c", "a", "b"]:
        await people.groups.create(OPERATING, name)
    for user in ["alice", "bob"]:
        await people.groups.add(OPERATING, "b", user)
    first = await people.groups.page(OPERATING, "", 2)
    assert ([(group.name, group.members) for group in first.items], first.more) == ([("a", 0), ("b", 2)], True)
    last = await people.groups.page(OPERATING, "b", 2)
    assert ([group.name for group in last.items], last.more) == (["c"], False)


async def test_members(people: People) -> None:
    """Users are put into a group and taken out; their names come a page after the other."""
    await people.add("alice", "bob", "carol")
    await people.groups.create(OPERATING, "devs")
    root = await people.actor("root")
    for name in ["carol", "alice", "bob"]:
        async with people.noted(root, "group.add", "group:devs", detail=f"user:{name}"):
            await people.groups.add(root, "devs", name)
    page = await people.groups.members(root, "devs", "", 2)
    assert (page.items, page.more) == (["alice", "bob"], True)
    page = await people.groups.members(root, "devs", "bob", 2)
    assert (page.items, page.more) == (["carol"], False)
    assert await people.groups.member(root, "devs", "bob") == "bob"
    async with people.noted(root, "group.remove", "group:devs", detail="user:bob"):
        await people.groups.remove(root, "devs", "bob")
    assert (await people.groups.members(root, "devs", "", 9)).items == ["alice", "carol"]
    assert (await people.groups.get(root, "devs")).members == 2


async def test_adding_again(people: People) -> None:
    """A user that is in the group stays in it, and nothing is noted."""
    await people.groups.create(OPERATING, "devs")
    await people.groups.add(OPERATING, "devs", "root")
    before = await people.count("audit")
    await people.groups.add(OPERATING, "devs", "root")
    assert await people.count("audit") == before
    assert (await people.groups.members(OPERATING, "devs", "", 9)).items == ["root"]


async def test_who_is_not_in_it(people: People) -> None:
    """A user that is not in the group is not found in it, and cannot be taken out of it."""
    await people.add("bob")
    await people.groups.create(OPERATING, "devs")
    await people.groups.create(OPERATING, "others")
    await people.groups.add(OPERATING, "others", "bob")
    async with people.refused(NotFound, "member 'bob' is not known"):
        await people.groups.member(OPERATING, "devs", "bob")
    async with people.refused(NotFound, "member 'bob' is not known"):
        await people.groups.remove(OPERATING, "devs", "bob")


async def test_unknown_names(people: People) -> None:
    """What is not there is said not to be there."""
    groups = people.groups
    for tried in [
        groups.get(OPERATING, "devs"),
        groups.delete(OPERATING, "devs"),
        groups.add(OPERATING, "devs", "root"),
        groups.member(OPERATING, "devs", "root"),
        groups.remove(OPERATING, "devs", "root"),
        groups.members(OPERATING, "devs", "", 9),
    ]:
        async with people.refused(NotFound, "group 'devs' is not known"):
            await tried
    await groups.create(OPERATING, "devs")
    for tried_user in [groups.member(OPERATING, "devs", "bob"), groups.remove(OPERATING, "devs", "bob")]:
        async with people.refused(NotFound, "user 'bob' is not known"):
            await tried_user
    async with people.refused(AttributeInvalid, "^name has to be that of a user: 'bob' is not known$"):
        await groups.add(OPERATING, "devs", "bob")


async def test_robots_are_in_no_group(people: People) -> None:
    """Groups are of users alone."""
    await people.groups.create(OPERATING, "devs")
    await people.robots.create(OPERATING, "default", "ci", Role.READER)
    async with people.refused(AttributeInvalid, "^name has to be that of a user: "):
        await people.groups.add(OPERATING, "devs", "default+ci")


async def test_delete(people: People) -> None:
    """With a group go its memberships, and nothing of other groups; its users stay."""
    await people.add("bob")
    for name in ["devs", "others"]:
        await people.groups.create(OPERATING, name)
        await people.groups.add(OPERATING, name, "bob")
    root = await people.actor("root")
    async with people.noted(root, "group.delete", "group:devs"):
        await people.groups.delete(root, "devs")
    assert [group.name for group in (await people.groups.page(root, "", 9)).items] == ["others"]
    bob = await people.actor("bob")
    assert len(await access.groups_of(people.store, bob.principal.id)) == 1
