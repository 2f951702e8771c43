"""Who may do what to projects and all that is in them, and who is not even told that they are there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from auth.actor import OPERATING, Actor
from auth.principals import parse_subject
from auth.roles import Action, Role
from registry.domain.registries import Settings
from registry.errors import Denied, NotFound
from tests.unit.registry.domain.tenants import EVERYONE, Tenants

PULL = frozenset({Action.PULL})
NOTHING = frozenset[Action]()
NEVER = Settings(untagged_after=0)
STRANGER = parse_subject("user:stranger")
READER = parse_subject("user:reader")

Run = Callable[[Tenants, Actor, str], Awaitable[object]]

# Who may know of the project, from the least powerful to the most.
KNOWING = ["guest", "reader", "developer", "acme+ci", "maintainer", "owner", "root"]
# To whom it looks as if it was not there.
OUTSIDE = ["nobody", "stranger", "neighbour", "owner's token"]


@dataclass(frozen=True)
class Operation:
    """Something to do in a project, and the least powerful of those who may."""

    name: str
    least: str
    run: Run

    def allowed(self, who: str) -> bool:
        """Whether this one may do it."""
        return KNOWING.index(who) >= KNOWING.index(self.least)


OPERATIONS = [
    Operation("read the project", "guest", lambda t, a, p: t.projects.get(a, p)),
    Operation("change the project", "owner", lambda t, a, p: t.projects.update(a, p, "x")),
    Operation("delete the project", "owner", lambda t, a, p: t.projects.delete(a, p)),
    Operation("list registries", "guest", lambda t, a, p: t.registries.page(a, p, "", 10)),
    Operation("read a private registry", "reader", lambda t, a, p: t.registries.get(a, p, "main")),
    Operation("add a registry", "maintainer", lambda t, a, p: t.registries.create(a, p, "new")),
    Operation("change a registry", "maintainer", lambda t, a, p: t.registries.update(a, p, "main", None, "Ours")),
    Operation("set what stays", "maintainer", lambda t, a, p: t.registries.update(a, p, "main", settings=NEVER)),
    Operation("make a registry public", "owner", lambda t, a, p: t.registries.update(a, p, "main", "public")),
    Operation("add a public registry", "owner", lambda t, a, p: t.registries.create(a, p, "new", None, "public")),
    Operation("delete a registry", "maintainer", lambda t, a, p: t.registries.delete(a, p, "main")),
    Operation("list members", "reader", lambda t, a, p: t.members.page(a, p, "", 10)),
    Operation("read a member", "reader", lambda t, a, p: t.members.get(a, p, READER)),
    Operation("add a member", "owner", lambda t, a, p: t.members.put(a, p, STRANGER, Role.GUEST)),
    Operation("remove a member", "owner", lambda t, a, p: t.members.remove(a, p, READER)),
    Operation("list rules", "reader", lambda t, a, p: t.rules.page(a, p, "main", "", 10)),
    Operation("read a rule", "reader", lambda t, a, p: t.rules.get(a, p, "main", 1)),
    Operation("add a rule", "maintainer", lambda t, a, p: t.rules.create(a, p, "main", "acme/**", READER, PULL)),
    Operation("close to all", "maintainer", lambda t, a, p: t.rules.create(a, p, "main", "acme/**", EVERYONE, NOTHING)),
    Operation("open to all", "owner", lambda t, a, p: t.rules.create(a, p, "main", "acme/**", EVERYONE, PULL)),
    Operation("admit a stranger", "owner", lambda t, a, p: t.rules.create(a, p, "main", "acme/**", STRANGER, PULL)),
    Operation("delete a rule", "maintainer", lambda t, a, p: t.rules.delete(a, p, "main", 1)),
    Operation("list immutable tags", "reader", lambda t, a, p: t.immutable_tags.page(a, p, "main", "", 10)),
    Operation("read immutable tags", "reader", lambda t, a, p: t.immutable_tags.get(a, p, "main", 1)),
    Operation("add immutable tags", "maintainer", lambda t, a, p: t.immutable_tags.create(a, p, "main", "**", "v*")),
    Operation("delete immutable tags", "maintainer", lambda t, a, p: t.immutable_tags.delete(a, p, "main", 1)),
]


@pytest.fixture
async def acme(tenants: Tenants) -> Tenants:
    """The project `acme`, with something of everything to change."""
    await tenants.rules.create(OPERATING, "acme", "main", "acme/x", EVERYONE, PULL)
    await tenants.immutable_tags.create(OPERATING, "acme", "main", "acme/x", "v*")
    return tenants


async def outcome(run: Run, acme: Tenants, who: str, project: str) -> str:
    """`done`, or what the refusal says."""
    try:
        await run(acme, await acme.somebody(who), project)
    except (Denied, NotFound) as error:
        return f"{type(error).__name__}: {error}"
    return "done"


@pytest.mark.parametrize(
    ("operation", "who"),
    [
        pytest.param(operation, who, id=f"{operation.name}-{who}")
        for operation in OPERATIONS
        for who in KNOWING
        if operation.allowed(who)
    ],
)
async def test_members(acme: Tenants, operation: Operation, who: str) -> None:
    """A member may do what its role is for."""
    assert await outcome(operation.run, acme, who, "acme") == "done"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_members_with_less(acme: Tenants, operation: Operation) -> None:
    """A member is told what it lacks for what its role is not for."""
    for who in KNOWING[: KNOWING.index(operation.least)]:
        found = await outcome(operation.run, acme, who, "acme")
        if operation.name == "read a private registry":
            assert found == "NotFound: registry 'main' is not known", who
        else:
            role = "developer" if who == "acme+ci" else who
            assert found.startswith("Denied: "), who
            assert found.endswith(f" is not given to the role {role}"), who


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_outsiders(acme: Tenants, operation: Operation) -> None:
    """To who is no member a private project looks exactly like one that is not there."""
    for who in OUTSIDE:
        found = await outcome(operation.run, acme, who, "acme")
        assert found == "NotFound: project 'acme' is not known", who
        assert found == (await outcome(operation.run, acme, who, "gone")).replace("gone", "acme"), who


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_public(acme: Tenants, operation: Operation) -> None:
    """Who is no member may know of a project for what is public in it, and of nothing else there."""
    await acme.registries.create(OPERATING, "acme", "open", visibility="public")
    for who in ("nobody", "stranger", "neighbour"):
        found = await outcome(operation.run, acme, who, "acme")
        if operation.name == "read a private registry":
            assert found == "NotFound: registry 'main' is not known", who
        elif operation.allowed("guest"):
            assert found == "done", who
        else:
            assert found.startswith("Denied: "), who
            assert found.endswith(" is not given to who is not a member"), who


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_missing_projects(acme: Tenants, operation: Operation) -> None:
    """Even an administrator finds nothing in a project that is not there."""
    assert await outcome(operation.run, acme, "root", "gone") == "NotFound: project 'gone' is not known"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_refusals_change_nothing(acme: Tenants, operation: Operation) -> None:
    """What was refused did not happen, and nothing says that it did."""
    for who in ["nobody", "stranger", "guest"]:
        if who in OUTSIDE or not operation.allowed(who):
            async with acme.refused(Denied if who in KNOWING and "private" not in operation.name else NotFound):
                await operation.run(acme, await acme.somebody(who), "acme")
