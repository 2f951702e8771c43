"""Robots: who may make and change those of a project, and what they may become."""

import asyncio

import pytest

from auth.actor import OPERATING, Actor
from auth.roles import Action, Permission, Role
from registry.domain.access_tokens import NewToken
from registry.domain.robots import Robot, RobotChanges
from registry.errors import AttributeInvalid, AttributeTaken, Denied, NotFound
from storage.metadata import access, members
from storage.metadata.store import Transaction
from tests.unit.registry.domain.people import People, outsider

BELOW_OWNER = [Role.MAINTAINER, Role.DEVELOPER, Role.READER, Role.GUEST]
PULLING = NewToken("pulling", frozenset({Action.PULL}), ("**",))


async def actor_with(people: People, role: Role, project: str = "default") -> Actor:
    """A user who has this role in the project."""
    await people.add(role)
    await people.project(project, **{role: role})
    return await people.actor(role)


async def robot(people: People, role: Role = Role.DEVELOPER, name: str = "ci", project: str = "default") -> Robot:
    """A robot, made by the operator."""
    return await people.robots.create(OPERATING, project, name, role)


async def test_create(people: People) -> None:
    """A maintainer makes a robot, which is a member of the project with its role, and has no password."""
    actor = await actor_with(people, Role.MAINTAINER)
    async with people.noted(actor, "robot.create", "robot:default+ci", "default", "role developer"):
        made = await people.robots.create(actor, "default", "ci", Role.DEVELOPER, "Builds")
    assert (made.name, made.project, made.role) == ("default+ci", "default", Role.DEVELOPER)
    assert (made.description, made.disabled) == ("Builds", False)
    assert made.created_at == made.updated_at == people.clock.now_ms()
    assert made == await people.robots.get(actor, "default", "ci")
    itself = await people.actor("default+ci")
    project_id = await people.project("default")
    assert itself.access.permits(Permission.MEMBERS_READ, project_id).granted
    row = await access.principal_by_name(people.store, "default+ci")
    assert row is not None
    assert (row.kind, row.password_hash, row.system_role) == ("robot", None, None)


@pytest.mark.parametrize("name", ["a", "0", "a.b-c_d", "x" * 64])
async def test_good_names(people: People, name: str) -> None:
    """Short names are lower-case letters and digits, with single separators between them."""
    assert (await robot(people, name=name)).name == f"default+{name}"


@pytest.mark.parametrize("name", ["", "A", "a+b", "a@b", "a--b", "-a", "a/b", "x" * 65, "ci\n", "\ud800"], ids=ascii)
async def test_bad_names(people: People, name: str) -> None:
    """Any other is refused."""
    async with people.refused(AttributeInvalid, "name has to be 1 to 64"):
        await robot(people, name=name)


async def test_bad_description(people: People) -> None:
    """A description is short."""
    await robot(people)
    async with people.refused(AttributeInvalid, "description"):
        await people.robots.create(OPERATING, "default", "cd", Role.READER, "x" * 1001)
    async with people.refused(AttributeInvalid, "description"):
        await people.robots.update(OPERATING, "default", "ci", RobotChanges(Role.READER, "x" * 1001))


async def test_taken_name(people: People) -> None:
    """A project has one robot of a name; another project may have one, too."""
    await people.project("acme")
    await robot(people)
    async with people.refused(AttributeTaken, "name 'ci' is already taken"):
        await robot(people)
    assert (await robot(people, project="acme")).name == "acme+ci"


async def test_race_for_a_name(stored_people: People) -> None:
    """Of many who want the same name at the same time one gets it, and the others are told."""
    results = await asyncio.gather(*(robot(stored_people) for _ in range(8)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["AttributeTaken"] * 7 + ["Robot"]
    assert await stored_people.count("members") == 1


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.READER, Role.GUEST])
async def test_members_below_maintainers(people: People, role: Role) -> None:
    """They know the project, and are told that robots are not theirs to manage, also of those that are not there."""
    await robot(people)
    actor, robots = await actor_with(people, role), people.robots
    for name in ["ci", "none"]:
        for tried in [
            robots.create(actor, "default", name, Role.READER),
            robots.get(actor, "default", name),
            robots.page(actor, "default", "", 9),
            robots.update(actor, "default", name, RobotChanges()),
            robots.delete(actor, "default", name),
        ]:
            async with people.refused(Denied, "robots.manage is not given to the role"):
                await tried


async def test_strangers(people: People) -> None:
    """For others it looks as if there were no such project."""
    await people.project("acme")
    await robot(people, project="acme")
    await people.add("bob")
    elsewhere = await actor_with(people, Role.OWNER)
    robots = people.robots
    for actor in [elsewhere, await people.actor("bob"), await people.nobody(), outsider("root")]:
        for project in ["acme", "nothing"]:
            for tried in [
                robots.create(actor, project, "ci", Role.READER),
                robots.get(actor, project, "ci"),
                robots.page(actor, project, "", 9),
                robots.update(actor, project, "ci", RobotChanges()),
                robots.delete(actor, project, "ci"),
            ]:
                async with people.refused(NotFound, f"project '{project}' is not known"):
                    await tried


async def test_robots_of_other_projects(people: People) -> None:
    """A robot is found in its own project only, however it is named."""
    owner = await actor_with(people, Role.OWNER)
    await people.project("acme")
    await robot(people, project="acme", name="cd")
    for name in ["cd", "acme+cd", "owner", "default+cd"]:
        async with people.refused(NotFound, "robot"):
            await people.robots.get(owner, "default", name)
        async with people.refused(NotFound, "robot"):
            await people.robots.update(owner, "default", name, RobotChanges(disabled=True))
        async with people.refused(NotFound, "robot"):
            await people.robots.delete(owner, "default", name)


@pytest.mark.parametrize("after", ["default+b", "b"])
async def test_pages(people: People, after: str) -> None:
    """Robots of a project come by name; a page begins after a name, which may be the short or the full one."""
    await people.project("acme")
    await people.project("default-2")
    for name in ["c", "a", "b"]:
        await robot(people, name=name)
    await robot(people, project="acme")
    await robot(people, project="default-2")
    first = await people.robots.page(OPERATING, "default", "", 2)
    assert ([one.name for one in first.items], first.more) == (["default+a", "default+b"], True)
    last = await people.robots.page(OPERATING, "default", after, 2)
    assert ([one.name for one in last.items], last.more) == (["default+c"], False)


@pytest.mark.parametrize("role", BELOW_OWNER)
async def test_maintainers_give_their_role_and_less(people: People, role: Role) -> None:
    """A maintainer makes robots of every role up to its own."""
    maintainer = await actor_with(people, Role.MAINTAINER)
    assert (await people.robots.create(maintainer, "default", "ci", role)).role is role
    assert (await people.robots.update(maintainer, "default", "ci", RobotChanges(Role.MAINTAINER))).role == "maintainer"


async def test_maintainers_do_not_make_owners(people: People) -> None:
    """Nobody gives a role above its own: not to a new robot, and not to one that is there."""
    await robot(people)
    maintainer = await actor_with(people, Role.MAINTAINER)
    async with people.refused(Denied, "only an owner"):
        await people.robots.create(maintainer, "default", "boss", Role.OWNER)
    async with people.refused(Denied, "only an owner"):
        await people.robots.update(maintainer, "default", "ci", RobotChanges(Role.OWNER))


async def test_maintainers_do_not_touch_owners(people: People) -> None:
    """A robot that is an owner is changed and deleted by owners alone."""
    await robot(people, Role.OWNER)
    maintainer = await actor_with(people, Role.MAINTAINER)
    for changes in [RobotChanges(Role.READER), RobotChanges(description="mine"), RobotChanges(disabled=True)]:
        async with people.refused(Denied, "only an owner"):
            await people.robots.update(maintainer, "default", "ci", changes)
    async with people.refused(Denied, "only an owner"):
        await people.robots.delete(maintainer, "default", "ci")
    assert (await people.robots.get(maintainer, "default", "ci")).role is Role.OWNER


@pytest.mark.parametrize("name", ["owner", "root"])
async def test_who_makes_owners(people: People, name: str) -> None:
    """Owners and administrators make a robot an owner."""
    await actor_with(people, Role.OWNER)
    actor = await people.actor(name)
    assert (await people.robots.create(actor, "default", "ci", Role.OWNER)).role is Role.OWNER
    assert (await people.robots.update(actor, "default", "ci", RobotChanges(Role.GUEST))).role is Role.GUEST
    assert (await people.robots.update(actor, "default", "ci", RobotChanges(Role.OWNER))).role is Role.OWNER


async def test_robots_manage_with_a_token_for_it(people: People) -> None:
    """A robot that is a maintainer makes others with a token that manages, and not with another one."""
    await robot(people, Role.MAINTAINER)
    managing = NewToken("managing", frozenset({Action.MANAGE}), ("**",))
    tokens = [(await people.tokens.create(OPERATING, "default+ci", new))[0] for new in (managing, PULLING)]
    with_managing, with_pulling = [await people.actor("default+ci", token) for token in tokens]
    await people.robots.create(with_managing, "default", "made", Role.READER)
    async with people.refused(Denied, "only an owner"):
        await people.robots.create(with_managing, "default", "boss", Role.OWNER)
    # Such a token does not even tell which projects there are.
    async with people.refused(NotFound, "project"):
        await people.robots.create(with_pulling, "default", "other", Role.READER)


async def test_update(people: People) -> None:
    """What is given is changed, and nothing else."""
    await robot(people)
    actor = await actor_with(people, Role.MAINTAINER)
    people.clock.advance(60)
    async with people.noted(actor, "robot.update", "robot:default+ci", "default", "description"):
        changed = await people.robots.update(actor, "default", "ci", RobotChanges(description="Builds"))
    assert (changed.role, changed.description, changed.disabled) == (Role.DEVELOPER, "Builds", False)
    assert changed.updated_at == changed.created_at + 60_000
    changed = await people.robots.update(actor, "default", "ci", RobotChanges(role=Role.READER))
    assert (changed.role, changed.description) == (Role.READER, "Builds")
    assert changed == await people.robots.get(actor, "default", "ci")
    assert await people.epoch("default+ci") == 0


async def test_disabling(people: People) -> None:
    """A disabled robot is logged out everywhere; its access tokens stay for when it is enabled again."""
    await robot(people)
    await people.login("default+ci", "runner")
    await people.login("root", "laptop")
    await people.tokens.create(OPERATING, "default+ci", PULLING)
    assert (await people.robots.update(OPERATING, "default", "ci", RobotChanges(disabled=True))).disabled
    assert await people.epoch("default+ci") == 1
    assert (await people.count("refresh_tokens"), await people.count("access_tokens")) == (1, 1)
    enabled = await people.robots.update(OPERATING, "default", "ci", RobotChanges(disabled=False))
    assert not enabled.disabled
    assert await people.epoch("default+ci") == 1


async def test_robot_that_is_no_member(people: People) -> None:
    """A robot whose membership was taken away is still there, and can be given a role again."""
    made = await robot(people)
    project_id = await people.project("default")

    async def remove(tx: Transaction) -> None:
        await members.delete_principal(tx, project_id, made.id)

    await people.store.transact(remove)
    assert (await people.robots.get(OPERATING, "default", "ci")).role is None
    assert (await people.robots.update(OPERATING, "default", "ci", RobotChanges(description="x"))).role is None
    assert (await people.robots.update(OPERATING, "default", "ci", RobotChanges(Role.GUEST))).role is Role.GUEST


async def test_delete(people: People) -> None:
    """With a robot go its tokens, its membership and the rules about it, and nothing of others."""
    await robot(people)
    await robot(people, name="cd")
    for name in ["default+ci", "default+cd"]:
        await people.login(name, name)
        await people.tokens.create(OPERATING, name, PULLING)
        await people.rule(name)
    async with people.noted(OPERATING, "robot.delete", "robot:default+ci", "default"):
        await people.robots.delete(OPERATING, "default", "ci")
    tables = ["members", "access_tokens", "refresh_tokens", "rules"]
    assert [await people.count(table) for table in tables] == [1, 1, 1, 1]
    async with people.refused(NotFound, "robot 'default\\+ci' is not known"):
        await people.robots.get(OPERATING, "default", "ci")
