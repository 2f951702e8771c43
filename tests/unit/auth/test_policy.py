"""The one place that decides: what roles, visibility and access tokens give, and why something is refused."""

import re
from itertools import product

import pytest

from auth.actor import OPERATING, Actor
from auth.patterns import pattern
from auth.policy import Claimed, RegistryMap, Restriction, Rights, Rule, Unlimited, prefixes_of
from auth.principals import ANONYMOUS, OPERATOR, Kind, Principal
from auth.roles import Action, Permission, Role, SystemRole
from storage.names import RepositoryName
from tests.unit.auth.rights import (
    ACME,
    ALICE,
    APP,
    CONTENT,
    DELETE,
    MANAGE,
    PULL,
    PUSH,
    ROBOT,
    ZETA,
    a_registry,
    a_rule,
    allowed,
    reason,
    rights,
)


@pytest.mark.parametrize(
    ("role", "private", "public"),
    [
        (Role.OWNER, "rwd", "rwd"),
        (Role.MAINTAINER, "rwd", "rwd"),
        (Role.DEVELOPER, "rw", "rw"),
        (Role.READER, "r", "r"),
        (Role.GUEST, "", "r"),
        (None, "", "r"),
    ],
)
def test_roles(role: Role | None, private: str, public: str) -> None:
    """Each role gives its actions; what is public is also for guests, and for who is no member."""
    assert allowed(rights(a_registry(), role=role)) == private
    assert allowed(rights(a_registry(public=True), role=role)) == public
    assert allowed(rights(a_registry(), role=role, principal=ROBOT)) == private


def test_anonymous() -> None:
    """Who has not logged in may pull what is public."""
    assert allowed(rights(a_registry(), principal=ANONYMOUS)) == ""
    assert allowed(rights(a_registry(public=True), principal=ANONYMOUS)) == "r"


@pytest.mark.parametrize("role", Role)
def test_roles_are_of_one_project(role: Role) -> None:
    """A role in a project is worth nothing in another one."""
    assert allowed(rights(a_registry(project_id=ZETA), role=role)) == ""
    assert not rights(role=role).permits(Permission.PROJECT_READ, ZETA).granted


def test_system_roles() -> None:
    """Administrators may do everything in every project; a monitor nothing to content."""
    rule = a_rule("**", "", principal=ALICE.id)
    assert allowed(rights(a_registry(rule), system_role=SystemRole.ADMIN)) == "rwd"
    assert allowed(rights(a_registry(), system_role=SystemRole.MONITOR)) == ""
    assert allowed(rights(a_registry(), system_role=SystemRole.MONITOR, role=Role.READER)) == "r"


def test_manage_is_no_action_on_content() -> None:
    """No role, no rule, and no token gives `manage` on a repository."""
    everything = frozenset(Action)
    rule = Rule(pattern("**"), everything - {MANAGE}, ALICE.id)
    restriction = Restriction("all", everything, (pattern("**"),))
    for system_role, role in product([None, *SystemRole], [None, *Role]):
        access = rights(a_registry(rule), role=role, system_role=system_role, restriction=restriction)
        assert not access.decide(MANAGE, APP).granted


@pytest.mark.parametrize(
    ("repository", "prefix"),
    [
        ("team/apps", "team/apps"),
        ("team/apps/x", "team/apps"),
        ("team/apps/x/y", "team/apps"),
        ("team/apps2/x", "team"),
        ("team/apps-x", "team"),
        ("team/app", "team"),
        ("team", "team"),
        ("team2/apps/x", ""),
        ("my/team/apps", ""),
        ("app", ""),
    ],
)
def test_longest_prefix(repository: str, prefix: str) -> None:
    """A repository belongs to the registry with the longest prefix of its name, by whole components."""
    registries = [a_registry(prefix=text, number=n) for n, text in enumerate(["", "team/apps", "team", "team/apps/x2"])]
    found = RegistryMap(registries).find(RepositoryName(repository))
    assert found is not None
    assert found.prefix == prefix


def test_no_registry() -> None:
    """Where no registry takes a repository nobody may do anything, and the reason is that."""
    for system_role in [None, *SystemRole]:
        access = rights(a_registry(public=True), role=Role.OWNER, system_role=system_role)
        assert allowed(access, "other/app") == ""
        assert reason(access, PULL, "other/app") == "no registry takes a repository named other/app"
    assert RegistryMap([]).find(APP) is None


def test_prefixes() -> None:
    """The prefixes of a name are cut at its slashes, the longest first."""
    assert prefixes_of("a/b-c/d") == ["a/b-c/d", "a/b-c", "a", ""]
    assert prefixes_of("a") == ["a", ""]


@pytest.mark.parametrize(
    ("actions", "patterns", "expected"),
    [
        (CONTENT, ["**"], "rwd"),
        ([PULL], ["**"], "r"),
        ([PUSH], ["**"], "w"),
        ([PULL, PUSH], ["acme/*"], "rw"),
        ([PULL, PUSH], ["zeta/**", "acme/app"], "rw"),
        ([PULL], ["acme/app2", "acme/ap", "app"], ""),
        ([PULL], [], ""),
        ([], ["**"], ""),
        ([MANAGE], ["**"], ""),
    ],
)
def test_access_tokens_narrow(actions: list[Action], patterns: list[str], expected: str) -> None:
    """With an access token its owner may do what both may, also where the owner is above the rules."""
    restriction = Restriction("ci", frozenset(actions), tuple(map(pattern, patterns)))
    assert allowed(rights(a_registry(), role=Role.OWNER, restriction=restriction)) == expected
    assert allowed(rights(a_registry(), system_role=SystemRole.ADMIN, restriction=restriction)) == expected


@pytest.mark.parametrize("role", [None, *Role])
def test_access_tokens_give_nothing(role: Role | None) -> None:
    """An access token never lets its owner do more than without it, not even on what is public."""
    restriction = Restriction("ci", frozenset(Action), (pattern("**"),))
    for public in [True, False]:
        registry = a_registry(public=public)
        assert allowed(rights(registry, role=role, restriction=restriction)) == allowed(rights(registry, role=role))
        for permission in Permission:
            with_token = rights(registry, role=role, restriction=restriction).permits(permission, ACME)
            assert with_token == rights(registry, role=role).permits(permission, ACME)


ONLY_CI = Restriction("ci", frozenset({PULL, PUSH}), (pattern("acme/*"), pattern("zeta/**")))


@pytest.mark.parametrize(
    ("access", "action", "repository", "expected"),
    [
        (
            rights(a_registry(), role=Role.READER),
            PUSH,
            APP,
            "push on acme/app is not allowed: the role reader in project acme gives pull",
        ),
        (
            rights(a_registry(), role=Role.GUEST),
            PULL,
            APP,
            "pull on acme/app is not allowed: the role guest in project acme gives nothing",
        ),
        (
            rights(a_registry(a_rule("acme/*", "rw", principal=ALICE.id)), role=Role.MAINTAINER),
            DELETE,
            APP,
            "delete on acme/app is not allowed: the rule for acme/* gives pull, push",
        ),
        (
            rights(a_registry(public=True)),
            PUSH,
            APP,
            "push on acme/app is not allowed: the public registry main of project acme gives pull",
        ),
        (
            rights(a_registry()),
            PULL,
            APP,
            "pull on acme/app is not allowed: project acme, to who is not a member, gives nothing",
        ),
        (
            rights(a_registry(), principal=ANONYMOUS),
            PULL,
            APP,
            "pull on acme/app is not allowed: project acme, to who is not logged in, gives nothing",
        ),
        (
            rights(a_registry(), role=Role.OWNER, restriction=ONLY_CI),
            DELETE,
            APP,
            "the access token 'ci' is for pull, push only",
        ),
        (
            rights(a_registry(), role=Role.OWNER, restriction=ONLY_CI),
            PULL,
            "other/app",
            "the access token 'ci' is limited to acme/*, zeta/**",
        ),
    ],
)
def test_reasons(access: Rights, action: Action, repository: str, expected: str) -> None:
    """A refusal names the action, the repository, and what it was that did not give it."""
    assert reason(access, action, repository) == expected


def test_granted_has_no_reason() -> None:
    """Only refusals have reasons, and each of them has one."""
    for role, action in product([None, *Role], CONTENT):
        decision = rights(a_registry(), role=role).decide(action, APP)
        assert decision.granted != bool(decision.reason)
        assert re.fullmatch(r"|\S.*[^.]", decision.reason)


def test_unlimited() -> None:
    """The operator may do everything."""
    assert Actor(Unlimited(OPERATOR)) == OPERATING
    assert OPERATING.principal == OPERATOR
    assert allowed(Unlimited(OPERATOR), "any/thing") == "rwd"
    assert all(Unlimited(OPERATOR).permits(permission, ACME).granted for permission in Permission)


def test_claimed() -> None:
    """Another issuer's token gives what it names, to the repositories that it names, and no permission."""
    access = Claimed(Principal(Kind.EXTERNAL, "bob"), {APP: frozenset({PULL, PUSH})})
    assert allowed(access) == "rw"
    assert allowed(access, "acme/app2") == ""
    assert reason(access, DELETE) == "the token does not grant delete on acme/app"
    assert not any(access.permits(permission, ACME).granted for permission in Permission)
