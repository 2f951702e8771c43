"""Members: who has which role in a project."""

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind, parse_subject
from auth.roles import Action, Role
from registry.errors import AttributeInvalid, NotFound
from storage.names import RepositoryName
from tests.unit.registry.domain.tenants import EVERYONE, Tenants

STRANGER, DEVS, ROBOT = parse_subject("user:stranger"), parse_subject("group:devs"), parse_subject("robot:acme+ci")
APP = RepositoryName("acme/app")


async def roles(tenants: Tenants) -> dict[str, Role]:
    """The members of the project."""
    page = await tenants.members.page(OPERATING, "acme", "", 100)
    return {str(member.subject): member.role for member in page.items}


async def may_push(tenants: Tenants, name: str) -> bool:
    """Whether the user, or the robot, may push to the project."""
    return (await tenants.actor(name)).access.decide(Action.PUSH, APP).granted


@pytest.mark.parametrize(("subject", "name"), [(STRANGER, "stranger"), (DEVS, "stranger"), (ROBOT, "acme+ci")])
async def test_put_and_remove(tenants: Tenants, subject: Subject, name: str) -> None:
    """A user, a group or a robot gets a role, and with it what the role gives, until it is removed."""
    owner = await tenants.actor("owner")
    await tenants.groups.add(OPERATING, "devs", "stranger")
    before = (await roles(tenants)).get(str(subject))
    for role, pushes in [(Role.MAINTAINER, True), (Role.READER, False), (Role.DEVELOPER, True)]:
        detail = role if before is None else f"{before} -> {role}"
        async with tenants.noted(owner, "member.put", str(subject), "acme", detail):
            member = await tenants.members.put(owner, "acme", subject, role)
        before = role
        assert (member.subject, member.role) == (subject, role)
        assert await tenants.members.get(owner, "acme", subject) == member
        assert await may_push(tenants, name) == pushes
    async with tenants.noted(owner, "member.remove", str(subject), "acme", "developer"):
        await tenants.members.remove(owner, "acme", subject)
    assert not await may_push(tenants, name)
    assert str(subject) not in await roles(tenants)


async def test_member_since(tenants: Tenants) -> None:
    """A member that changes its role is one since it first had any."""
    first = await tenants.members.put(OPERATING, "acme", STRANGER, Role.READER)
    assert first.created_at == tenants.clock.now_ms()
    tenants.clock.advance(60)
    again = await tenants.members.put(OPERATING, "acme", STRANGER, Role.OWNER)
    assert again.created_at == first.created_at
    assert (await roles(tenants))["user:stranger"] is Role.OWNER


async def test_page(tenants: Tenants) -> None:
    """Members are listed by their subjects, in pages: groups, robots, users."""
    await tenants.members.put(OPERATING, "acme", DEVS, Role.READER)
    expected = ["group:devs", "robot:acme+ci"]
    expected += ["user:developer", "user:guest", "user:maintainer", "user:owner", "user:reader"]
    assert list(await roles(tenants)) == expected
    after, found = "", []
    for more in [True, True, True, False]:
        page = await tenants.members.page(OPERATING, "acme", after, 2)
        assert page.more == more
        found += [str(member.subject) for member in page.items]
        after = found[-1]
    assert found == expected
    assert (await tenants.members.page(OPERATING, "acme", "user:reader", 2)).items == []


@pytest.mark.parametrize(
    "subject", ["user:nobody", "group:ops", "robot:acme+cd", "user:acme+ci", "robot:owner", "user:devs", "group:owner"]
)
async def test_unknown(tenants: Tenants, subject: str) -> None:
    """Only who is there, and is what the subject says, can be a member."""
    async with tenants.refused(AttributeInvalid, "^subject .* is not known$"):
        await tenants.members.put(OPERATING, "acme", parse_subject(subject), Role.READER)


async def test_robots_of_other_projects(tenants: Tenants) -> None:
    """A robot of another project cannot be a member, nor can anybody find out that there is one."""
    await tenants.robots.create(OPERATING, "zeta", "ci", Role.READER)
    texts = set()
    for name in ["zeta+ci", "zeta+cd", "gone+ci"]:
        with pytest.raises(AttributeInvalid) as refused:
            await tenants.members.put(OPERATING, "acme", Subject(SubjectKind.ROBOT, name), Role.READER)
        texts.add(str(refused.value).replace(name, "NAME"))
    assert len(texts) == 1


async def test_everyone(tenants: Tenants) -> None:
    """Everyone is no member: registries are made public for that."""
    async with tenants.refused(AttributeInvalid, "^subject has to be a user, a robot or a group"):
        await tenants.members.put(OPERATING, "acme", EVERYONE, Role.READER)
    async with tenants.refused(NotFound):
        await tenants.members.get(OPERATING, "acme", EVERYONE)
    async with tenants.refused(NotFound):
        await tenants.members.remove(OPERATING, "acme", EVERYONE)


@pytest.mark.parametrize("subject", ["user:stranger", "user:neighbour", "group:devs", "user:gone", "robot:zeta+ci"])
async def test_who_is_no_member(tenants: Tenants, subject: str) -> None:
    """Who has no role in this project has none to be told of, or to lose, whatever it is elsewhere."""
    async with tenants.refused(NotFound, f"^member '{subject}' is not known$".replace("+", r"\+")):
        await tenants.members.get(OPERATING, "acme", parse_subject(subject))
    async with tenants.refused(NotFound, f"^member '{subject}' is not known$".replace("+", r"\+")):
        await tenants.members.remove(OPERATING, "acme", parse_subject(subject))


async def test_last_owner(tenants: Tenants) -> None:
    """An owner may give up its role; administrators can still make another one."""
    owner = await tenants.actor("owner")
    await tenants.members.remove(owner, "acme", parse_subject("user:owner"))
    async with tenants.refused(NotFound):
        await tenants.members.page(await tenants.actor("owner"), "acme", "", 10)
    await tenants.members.put(await tenants.actor("root"), "acme", STRANGER, Role.OWNER)


async def test_deleted_subjects(tenants: Tenants) -> None:
    """Who is deleted is no member any more."""
    await tenants.members.put(OPERATING, "acme", DEVS, Role.READER)
    await tenants.users.delete(OPERATING, "reader")
    await tenants.groups.delete(OPERATING, "devs")
    await tenants.robots.delete(OPERATING, "acme", "ci")
    assert list(await roles(tenants)) == ["user:developer", "user:guest", "user:maintainer", "user:owner"]


async def test_in_a_file(stored_tenants: Tenants) -> None:
    """What is done in one transaction is there for the next read, or none of it is."""
    async with stored_tenants.noted(OPERATING, "member.put", "user:stranger", "acme", "reader"):
        await stored_tenants.members.put(OPERATING, "acme", STRANGER, Role.READER)
    assert (await roles(stored_tenants))["user:stranger"] is Role.READER
    async with stored_tenants.noted(OPERATING, "member.remove", "user:stranger", "acme", "reader"):
        await stored_tenants.members.remove(OPERATING, "acme", STRANGER)
    assert "user:stranger" not in await roles(stored_tenants)
