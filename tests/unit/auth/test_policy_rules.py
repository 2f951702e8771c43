"""What rules say about the repositories of a registry, in place of roles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.policy import Rule
from auth.principals import ANONYMOUS
from auth.roles import Role, SystemRole
from tests.unit.auth.rights import ALICE, DEVS, OPS, ROBOT, a_registry, a_rule, allowed, rights


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([], "rw"),
        ([a_rule("acme/**", "r", group=DEVS)], "r"),
        ([a_rule("acme/**", "", group=DEVS)], ""),
        ([a_rule("acme/other", "rwd")], "rw"),
        ([a_rule("acme/app2", "rwd"), a_rule("acme/ap", "rwd"), a_rule("app", "rwd")], "rw"),
        # The longest pattern, whoever it is about, and wherever it stands.
        ([a_rule("acme/**", "rwd", group=OPS), a_rule("acme/app", "r", group=DEVS)], "r"),
        ([a_rule("acme/app", "r", group=DEVS), a_rule("acme/**", "rwd", group=OPS)], "r"),
        ([a_rule("acme/**", "rwd", principal=ALICE.id), a_rule("acme/app", "r", group=DEVS)], "r"),
        ([a_rule("acme/*pp", "r", group=DEVS), a_rule("acme/a*", "rwd", group=OPS)], "r"),
        # Of equal ones: the principal's, then a group's, then everyone's.
        ([a_rule("acme/*", "r", principal=ALICE.id), a_rule("acme/**", "rwd", group=DEVS)], "r"),
        ([a_rule("acme/*", "rwd", group=DEVS), a_rule("acme/*", "r", principal=ALICE.id)], "r"),
        ([a_rule("acme/*", "r", group=DEVS), a_rule("acme/*", "rwd")], "r"),
        ([a_rule("acme/*", "rwd"), a_rule("acme/*", "r", group=DEVS)], "r"),
        ([a_rule("acme/*", "", principal=ALICE.id), a_rule("acme/*", "rwd")], ""),
        # What equal ones give is added.
        ([a_rule("acme/*", "r", group=DEVS), a_rule("acme/*", "w", group=OPS)], "rw"),
        ([a_rule("acme/*", "r"), a_rule("acme/**", "d"), a_rule("acme/a*", "w", group=OPS)], "w"),
        ([a_rule("acme/*", "r", principal=ALICE.id), a_rule("acme/**", "w", principal=ALICE.id)], "rw"),
        ([a_rule("acme/*", "", group=DEVS), a_rule("acme/*", "r", group=OPS)], "r"),
        # Others' rules are not about alice.
        ([a_rule("acme/app", "rwd", principal=ROBOT.id)], "rw"),
        ([a_rule("acme/app", "", group=99)], "rw"),
        ([a_rule("acme/app", "rwd", principal=DEVS)], "rw"),
    ],
)
def test_rules(rules: list[Rule], expected: str) -> None:
    """Of the rules that are about somebody and match, the longest decides, in place of the role."""
    access = rights(a_registry(*rules), role=Role.DEVELOPER, groups=(DEVS, OPS))
    assert allowed(access) == expected
    assert allowed(rights(a_registry(*reversed(rules)), role=Role.DEVELOPER, groups=(DEVS, OPS))) == expected


@pytest.mark.parametrize(
    ("role", "expected"),
    [(Role.OWNER, "rwd"), (Role.MAINTAINER, "r"), (Role.READER, "r"), (Role.GUEST, "r"), (None, "r")],
)
def test_owners_are_above_rules(role: Role | None, expected: str) -> None:
    """Rules bind everybody but owners and administrators, and reach those who are no members."""
    registry = a_registry(a_rule("acme/**", "r", principal=ALICE.id))
    assert allowed(rights(registry, role=role)) == expected
    assert allowed(rights(registry, role=role, system_role=SystemRole.ADMIN)) == "rwd"


def test_rules_about_everyone() -> None:
    """A rule about everyone is also about who has not logged in, and can take away what is public."""
    open_, closed = a_rule("acme/app", "r"), a_rule("acme/app", "")
    assert allowed(rights(a_registry(open_), principal=ANONYMOUS)) == "r"
    assert allowed(rights(a_registry(closed, public=True), principal=ANONYMOUS)) == ""
    assert allowed(rights(a_registry(closed, public=True), principal=ANONYMOUS), "acme/other") == "r"


def test_rules_about_everyone_take_nothing_from_members() -> None:
    """What is opened to everyone, or closed to the public, leaves members what their roles give."""
    for letters, expected in [("", "rw"), ("r", "rw"), ("d", "rwd")]:
        registry = a_registry(a_rule("acme/app", letters), public=True)
        assert allowed(rights(registry, role=Role.DEVELOPER)) == expected
        assert allowed(rights(registry)) == letters


def test_rules_are_of_one_registry() -> None:
    """A rule says nothing about the repositories of another registry, whatever its pattern matches."""
    access = rights(
        a_registry(a_rule("**", "rwd", principal=ALICE.id)), a_registry(prefix="acme/sub", number=2), role=Role.READER
    )
    assert allowed(access, "acme/app") == "rwd"
    assert allowed(access, "acme/sub/app") == "r"


@given(
    st.lists(
        st.builds(
            a_rule,
            st.sampled_from(["acme/**", "acme/*", "acme/app", "acme/a*", "**", "zeta/**"]),
            st.sampled_from(["", "r", "w", "d", "rw", "rwd"]),
            group=st.sampled_from([None, DEVS, OPS, 99]),
        ),
        max_size=5,
    ),
    st.permutations(range(5)),
)
def test_order_of_rules(rules: list[Rule], order: list[int]) -> None:
    """What rules give does not depend on the order in which they were made."""
    shuffled = [rules[position] for position in order if position < len(rules)]
    access = rights(a_registry(*rules), role=Role.READER, groups=(DEVS, OPS))
    assert allowed(access) == allowed(rights(a_registry(*shuffled), role=Role.READER, groups=(DEVS, OPS)))
