"""What everybody may do, as each process knows it, and how it hears of changes."""

from collections.abc import Awaitable, Callable

import pytest

from auth.actor import OPERATING
from auth.principals import ANONYMOUS, Kind, Principal, Subject, SubjectKind, parse_subject
from auth.roles import Action, Permission, Role, SystemRole
from auth.tokens import Holder
from registry.domain.access import Standing
from registry.domain.access_tokens import NewToken
from registry.domain.users import UserChanges
from tests.unit.auth.rights import allowed
from tests.unit.registry.domain.knowing import APP, Process
from tests.unit.registry.domain.people import PASSWORD
from tests.unit.registry.domain.tenants import Tenants

Change = Callable[[Tenants], Awaitable[object]]


@pytest.fixture
def process(tenants: Tenants) -> Process:
    """A process that knows nothing yet."""
    return Process(tenants)


def member(name: str, role: Role | None) -> Change:
    """Give somebody a role in the project, or take it away."""
    subject = parse_subject(name)
    if role is None:
        return lambda all_: all_.members.remove(OPERATING, "acme", subject)
    return lambda all_: all_.members.put(OPERATING, "acme", subject, role)


def visible(visibility: str) -> Change:
    """Make the registry of the project public or private."""
    return lambda all_: all_.registries.update(OPERATING, "acme", "main", visibility=visibility)


def rule(pattern: str, subject: str, *actions: Action) -> Change:
    """Add a rule to the registry of the project."""
    whom = Subject(SubjectKind.EVERYONE) if subject == "everyone" else parse_subject(subject)
    return lambda all_: all_.rules.create(OPERATING, "acme", "main", pattern, whom, frozenset(actions))


def system_role(name: str, role: SystemRole | None) -> Change:
    """Make somebody an administrator, or end that."""
    return lambda all_: all_.users.update(
        OPERATING, name, UserChanges(system_role=role, clear_system_role=role is None)
    )


async def devs(all_: Tenants) -> None:
    """Let the stranger be a developer by being in a group."""
    await all_.groups.add(OPERATING, "devs", "stranger")
    await all_.members.put(OPERATING, "acme", parse_subject("group:devs"), Role.DEVELOPER)


async def nothing(all_: Tenants) -> None:
    """Begin as everything is."""


@pytest.mark.parametrize(
    ("name", "first", "before", "change", "after"),
    [
        ("developer", nothing, "rw", member("user:developer", None), ""),
        ("developer", nothing, "rw", member("user:developer", Role.READER), "r"),
        ("reader", nothing, "r", member("user:reader", Role.OWNER), "rwd"),
        ("stranger", nothing, "", member("user:stranger", Role.GUEST), ""),
        ("stranger", devs, "rw", lambda all_: all_.groups.remove(OPERATING, "devs", "stranger"), ""),
        ("stranger", devs, "rw", lambda all_: all_.groups.delete(OPERATING, "devs"), ""),
        ("stranger", devs, "rw", member("group:devs", None), ""),
        ("stranger", devs, "rw", member("user:stranger", Role.READER), "rw"),
        ("stranger", devs, "rw", member("user:stranger", Role.MAINTAINER), "rwd"),
        ("stranger", nothing, "", visible("public"), "r"),
        ("nobody", nothing, "", visible("public"), "r"),
        ("nobody", visible("public"), "r", visible("private"), ""),
        ("stranger", visible("public"), "r", visible("private"), ""),
        ("guest", visible("public"), "r", visible("private"), ""),
        ("reader", nothing, "r", rule("acme/app", "user:reader"), ""),
        ("nobody", visible("public"), "r", rule("acme/app", "everyone"), ""),
        ("nobody", nothing, "", rule("acme/*", "everyone", Action.PULL), "r"),
        ("guest", nothing, "", rule("acme/**", "user:guest", Action.PULL, Action.PUSH), "rw"),
        (
            "acme+ci",
            nothing,
            "rw",
            lambda all_: all_.members.remove(OPERATING, "acme", parse_subject("robot:acme+ci")),
            "",
        ),
        ("stranger", nothing, "", system_role("stranger", SystemRole.ADMIN), "rwd"),
        ("stranger", system_role("stranger", SystemRole.ADMIN), "rwd", system_role("stranger", None), ""),
        ("stranger", nothing, "", system_role("stranger", SystemRole.MONITOR), ""),
    ],
)
async def test_changes_are_noticed(
    process: Process, name: str, first: Change, before: str, change: Change, after: str
) -> None:
    """Every change of who may do what is noticed by the next refresh; until then what was known holds."""
    await first(process.tenants)
    holder = await process.holder(name)
    await process.accesses.refresh()
    assert await process.letters(holder) == before
    await change(process.tenants)
    assert await process.letters(holder) == before
    assert await process.accesses.refresh()
    assert await process.letters(holder) == after
    assert not await process.accesses.refresh()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda all_: all_.users.delete(OPERATING, "developer"), "gone or disabled"),
        (lambda all_: all_.users.update(OPERATING, "developer", UserChanges(disabled=True)), "gone or disabled"),
        (lambda all_: all_.users.set_password(OPERATING, "developer", "another password"), "log in again"),
        (lambda all_: all_.tokens.revoke(OPERATING, "developer", 1), "the access token behind it is gone"),
    ],
    ids=["deleted", "disabled", "another password", "revoked"],
)
async def test_revoked_tokens(process: Process, change: Change, reason: str) -> None:
    """What ends a login ends the tokens that came from it, and whoever has one is told why."""
    new = NewToken("laptop", frozenset(Action), ("**",))
    await process.tenants.tokens.create(OPERATING, "developer", new)
    holder = await process.holder("developer", "laptop")
    assert await process.letters(holder) == "rw"
    await change(process.tenants)
    await process.accesses.refresh()
    assert reason in await process.letters(holder)
    assert (await process.letters(holder)).startswith("the token was revoked")


async def test_enabled_again(process: Process) -> None:
    """Tokens from before an account was disabled stay bad when it is enabled again; new ones are good at once."""
    old = await process.holder("developer")
    assert await process.letters(old) == "rw"
    for disabled in [True, False]:
        await process.tenants.users.update(OPERATING, "developer", UserChanges(disabled=disabled))
    await process.accesses.refresh()
    assert "log in again" in await process.letters(old)
    assert await process.letters(await process.holder("developer")) == "rw"


async def test_token_of_a_login_that_came_later(process: Process) -> None:
    """Who logs in anew after a change of the password is known at once, also to a process that has not noticed it."""
    old = await process.holder("developer")
    assert await process.letters(old) == "rw"
    await process.tenants.users.set_password(OPERATING, "developer", "another password")
    assert await process.letters(await process.holder("developer")) == "rw"
    assert "log in again" in await process.letters(old)


async def test_later_account_of_the_same_name(process: Process) -> None:
    """A token of an account that was deleted is not one of a later account that has its name."""
    old = await process.holder("developer")
    await process.tenants.users.delete(OPERATING, "developer")
    await process.tenants.users.create(OPERATING, "developer", PASSWORD, SystemRole.ADMIN)
    assert "gone or disabled" in await process.letters(old)
    assert await process.letters(await process.holder("developer")) == "rwd"


async def test_access_token_narrows(process: Process) -> None:
    """Who logged in with an access token may do what it is for and its owner may do, and no more."""
    actions = frozenset({Action.PULL, Action.DELETE})
    await process.tenants.tokens.create(OPERATING, "developer", NewToken("laptop", actions, ("acme/app",)))
    holder = await process.holder("developer", "laptop")
    assert await process.letters(holder) == "r"
    assert await process.letters(holder, "acme/other") == ""
    assert (await process.accesses.of_holder(holder)).token == "laptop"
    assert await process.letters(await process.holder("developer"), "acme/other") == "rw"


async def test_access_token_of_another(process: Process) -> None:
    """An access token counts only with its own owner, whatever the token for the registry says."""
    await process.tenants.tokens.create(OPERATING, "developer", NewToken("laptop", frozenset(Action), ("**",)))
    token = (await process.holder("developer", "laptop")).access_token
    reader = await process.holder("reader")
    assert "is gone" in await process.letters(Holder(reader.principal, reader.epoch, token))


async def test_access_token_expires(process: Process) -> None:
    """When the access token behind a login expires, so does what came from it, at that moment."""
    expires = process.tenants.clock.now_ms() + 5000
    new = NewToken("laptop", frozenset(Action), ("**",), expires)
    await process.tenants.tokens.create(OPERATING, "developer", new)
    holder = await process.holder("developer", "laptop")
    process.tenants.clock.advance(4.999)
    assert (await process.accesses.of_holder(holder)).expires_ms == expires
    process.tenants.clock.advance(0.001)
    assert await process.letters(holder) == "the access token 'laptop' has expired"


async def test_no_other_rights(process: Process) -> None:
    """What is known of one principal is never given to another one, and nobody in particular is nobody."""
    developer = await process.accesses.of_holder(await process.holder("developer"))
    owner = await process.accesses.of_holder(await process.holder("owner"))
    nobody = await process.accesses.of_holder(Holder(ANONYMOUS))
    principals = [standing.access.principal for standing in (developer, owner, nobody)]
    assert [principal.name for principal in principals] == ["developer", "owner", "anonymous"]
    assert [allowed(standing.access, APP) for standing in (developer, owner, nobody)] == ["rw", "rwd", ""]
    assert nobody == Standing(nobody.access)


async def test_kind_is_that_of_the_row(process: Process) -> None:
    """What somebody is follows from the store, whatever a token says."""
    robot = await process.holder("acme+ci")
    pretended = Holder(Principal(Kind.USER, "root", robot.principal.id), robot.epoch)
    standing = await process.accesses.of_holder(pretended)
    assert standing.access.principal == robot.principal
    assert not standing.access.permits(Permission.USERS_MANAGE).granted
