"""Rules: what somebody may do to the repositories that a pattern matches."""

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, parse_subject
from auth.roles import Action, Role
from registry.domain.rules import RULES_MAX, Rule
from registry.errors import AttributeInvalid, Conflict, NotFound, RequestInvalid
from storage.metadata import registries, rules
from storage.metadata.rules import NewRule
from storage.metadata.store import Transaction
from storage.names import RepositoryName
from tests.unit.registry.domain.tenants import EVERYONE, Tenants

PULL, PUSH, DELETE = Action.PULL, Action.PUSH, Action.DELETE
STRANGER = parse_subject("user:stranger")


async def create(
    tenants: Tenants,
    pattern: str = "acme/app/**",
    subject: Subject = STRANGER,
    actions: tuple[Action, ...] = (PULL,),
    registry: str = "main",
) -> Rule:
    """Make a rule in the project `acme`."""
    return await tenants.rules.create(OPERATING, "acme", registry, pattern, subject, frozenset(actions))


async def allowed(tenants: Tenants, name: str, repository: str = "acme/app/x") -> set[Action]:
    """What this one may do to the repository."""
    access = (await tenants.somebody(name)).access
    return {action for action in [PULL, PUSH, DELETE] if access.decide(action, RepositoryName(repository)).granted}


async def test_create(tenants: Tenants) -> None:
    """A rule lets its subject do its actions to what its pattern matches."""
    owner = await tenants.actor("owner")
    detail = "acme/app/** user:stranger pull,push"
    async with tenants.noted(owner, "rule.create", "registry:acme/main", "acme", detail):
        made = await tenants.rules.create(owner, "acme", "main", "acme/app/**", STRANGER, frozenset({PUSH, PULL}))
    actions = frozenset({PULL, PUSH})
    assert made == Rule(made.id, "main", "acme/app/**", STRANGER, actions, tenants.clock.now_ms())
    assert (await tenants.rules.page(owner, "acme", "main", "", 10)).items == [made]
    assert await tenants.rules.get(owner, "acme", "main", made.id) == made
    assert await allowed(tenants, "stranger") == {PULL, PUSH}
    assert await allowed(tenants, "stranger", "acme/app2/x") == set()


@pytest.mark.parametrize(
    ("subject", "who"),
    [("user:stranger", "stranger"), ("group:devs", "stranger"), ("robot:acme+ci", "acme+ci"), ("everyone", "nobody")],
)
async def test_subjects(tenants: Tenants, subject: str, who: str) -> None:
    """A rule is about a user, a group, a robot of the project, or everyone; and ends with it."""
    await tenants.groups.add(OPERATING, "devs", "stranger")
    made = await create(tenants, subject=parse_subject(subject), actions=(DELETE,))
    assert str(made.subject) == subject
    assert await allowed(tenants, who) == {DELETE}
    await tenants.users.delete(OPERATING, "stranger")
    await tenants.groups.delete(OPERATING, "devs")
    await tenants.robots.delete(OPERATING, "acme", "ci")
    left = (await tenants.rules.page(OPERATING, "acme", "main", "", 10)).items
    assert [rule.subject for rule in left] == ([EVERYONE] if subject == "everyone" else [])


async def test_nothing(tenants: Tenants) -> None:
    """A rule without actions takes away what a role gives."""
    detail = "acme/app/** user:maintainer nothing"
    async with tenants.noted(OPERATING, "rule.create", "registry:acme/main", "acme", detail):
        made = await create(tenants, subject=parse_subject("user:maintainer"), actions=())
    assert made.actions == frozenset()
    assert await allowed(tenants, "maintainer") == set()
    assert await allowed(tenants, "maintainer", "acme/app") == {PULL, PUSH, DELETE}
    assert await allowed(tenants, "owner") == {PULL, PUSH, DELETE}


async def test_manage(tenants: Tenants) -> None:
    """A rule is about content: it gives nobody anything to manage."""
    async with tenants.refused(AttributeInvalid, "^actions have to be among pull, push and delete$"):
        await create(tenants, actions=(PULL, Action.MANAGE))


@pytest.mark.parametrize("pattern", ["acme", "acme/app", "acme/*", "acme/**", "acme**", "acme*", "acme*/x"])
async def test_good_patterns(tenants: Tenants, pattern: str) -> None:
    """A pattern begins with the prefix of its registry."""
    assert (await create(tenants, pattern)).pattern == pattern


@pytest.mark.parametrize("pattern", ["**", "*", "acm*", "acme2/x", "acme-x", "zeta/**", "*/app", "a", "acme2"])
async def test_patterns_elsewhere(tenants: Tenants, pattern: str) -> None:
    """A pattern that would name the repositories of other registries is refused."""
    async with tenants.refused(AttributeInvalid, "^pattern has to begin with acme/"):
        await create(tenants, pattern)


@pytest.mark.parametrize("pattern", ["", "acme/***", "acme/?", "acme/[a]", "acme/a b", "acme/" + "a" * 251])
async def test_bad_patterns(tenants: Tenants, pattern: str) -> None:
    """What is no pattern is refused."""
    async with tenants.refused(AttributeInvalid, r"^pattern (has to be 1|'\*\*\*' means)"):
        await create(tenants, pattern)


async def test_patterns_without_prefix(tenants: Tenants) -> None:
    """In a registry without a prefix any pattern will do."""
    for pattern in ["**", "*", "app", "zeta/**"]:
        await tenants.rules.create(OPERATING, "default", "root", pattern, EVERYONE, frozenset({PULL}))
    assert await allowed(tenants, "nobody", "app") == {PULL}
    assert await allowed(tenants, "nobody", "zeta/app") == set()


@pytest.mark.parametrize("subject", ["user:gone", "group:gone", "robot:acme+gone", "user:acme+ci", "robot:owner"])
async def test_unknown_subjects(tenants: Tenants, subject: str) -> None:
    """A rule is about somebody who is there."""
    async with tenants.refused(AttributeInvalid, "^subject .* is not known$"):
        await create(tenants, subject=parse_subject(subject))


async def test_robots_of_other_projects(tenants: Tenants) -> None:
    """A rule cannot be about a robot of another project, nor can anybody find out that there is one."""
    await tenants.robots.create(OPERATING, "zeta", "ci", Role.READER)
    async with tenants.refused(AttributeInvalid, r"^subject 'robot:zeta\+ci' is not known$"):
        await create(tenants, subject=parse_subject("robot:zeta+ci"))


async def test_page(tenants: Tenants) -> None:
    """Rules are listed by their ids, in pages, those of one registry alone."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    made = [await create(tenants, f"acme/a{number}") for number in range(3)]
    await create(tenants, "acme/apps/x", registry="apps")
    made += [await create(tenants, f"acme/b{number}") for number in range(2)]
    page = await tenants.rules.page(OPERATING, "acme", "main", "", 2)
    assert (page.items, page.more) == (made[:2], True)
    page = await tenants.rules.page(OPERATING, "acme", "main", str(made[1].id), 3)
    assert (page.items, page.more) == (made[2:], False)
    for after in ["x", "-1", "1.5", "٣", "1" * 19]:
        with pytest.raises(RequestInvalid):
            await tenants.rules.page(OPERATING, "acme", "main", after, 2)


async def test_delete(tenants: Tenants) -> None:
    """A rule that is deleted gives nothing any more."""
    made, other = await create(tenants), await create(tenants, "acme/other")
    detail = "acme/app/** user:stranger pull"
    async with tenants.noted(OPERATING, "rule.delete", "registry:acme/main", "acme", detail):
        await tenants.rules.delete(OPERATING, "acme", "main", made.id)
    assert await allowed(tenants, "stranger") == set()
    assert (await tenants.rules.page(OPERATING, "acme", "main", "", 10)).items == [other]
    async with tenants.refused(NotFound, f"^rule '{made.id}' is not known$"):
        await tenants.rules.delete(OPERATING, "acme", "main", made.id)
    async with tenants.refused(NotFound, f"^rule '{made.id}' is not known$"):
        await tenants.rules.get(OPERATING, "acme", "main", made.id)


async def test_rules_of_others(tenants: Tenants) -> None:
    """A rule cannot be reached through another registry or another project, whoever asks."""
    await tenants.registries.create(OPERATING, "acme", "apps")
    made = await create(tenants)
    for who, project, registry in [("neighbour", "zeta", "main"), ("owner", "acme", "apps"), ("root", "zeta", "main")]:
        async with tenants.refused(NotFound, f"^rule '{made.id}' is not known$"):
            await tenants.rules.get(await tenants.actor(who), project, registry, made.id)
        async with tenants.refused(NotFound, f"^rule '{made.id}' is not known$"):
            await tenants.rules.delete(await tenants.actor(who), project, registry, made.id)
        assert (await tenants.rules.page(await tenants.actor(who), project, registry, "", 10)).items == []
    async with tenants.refused(NotFound, "^registry 'gone' is not known$"):
        await create(tenants, registry="gone")


async def test_limit(tenants: Tenants) -> None:
    """A registry has a bounded number of rules."""

    async def insert(tx: Transaction) -> None:
        project = await tx.fetch_one("SELECT id FROM projects WHERE name = 'acme'")
        assert project is not None
        row = await registries.find(tx, project[0], "main")
        assert row is not None
        for _ in range(RULES_MAX - 1):
            await rules.insert(tx, NewRule(row.id, "acme/x", None, None, "pull", 0))

    await tenants.store.transact(insert)
    await create(tenants)
    async with tenants.refused(Conflict, f"has {RULES_MAX} rules already"):
        await create(tenants)


async def test_in_a_file(stored_tenants: Tenants) -> None:
    """What is done in one transaction is there for the next read, or none of it is."""
    made = await create(stored_tenants)
    assert await allowed(stored_tenants, "stranger") == {PULL}
    await stored_tenants.rules.delete(OPERATING, "acme", "main", made.id)
    assert await allowed(stored_tenants, "stranger") == set()
