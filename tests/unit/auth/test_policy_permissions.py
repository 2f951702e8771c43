"""What may be done besides pulling, pushing and deleting, in a project and in the whole installation."""

import pytest

from auth.patterns import pattern
from auth.policy import Restriction, Rights
from auth.principals import ANONYMOUS
from auth.roles import Permission, Role, SystemRole
from tests.unit.auth.rights import ACME, ALICE, CONTENT, MANAGE, PULL, ROBOT, ZETA, a_registry, rights

READS = {Permission.PROJECT_READ}
KNOWS = READS | {Permission.MEMBERS_READ}
MAINTAINS = KNOWS | {
    Permission.REGISTRIES_MANAGE,
    Permission.RULES_MANAGE,
    Permission.ROBOTS_MANAGE,
    Permission.AUDIT_READ,
}
OWNS = MAINTAINS | {
    Permission.PROJECT_UPDATE,
    Permission.PROJECT_DELETE,
    Permission.MEMBERS_MANAGE,
    Permission.OUTSIDERS_ADMIT,
}


def permitted(access: Rights, project_id: int | None = ACME) -> set[Permission]:
    """All that may be done in the project, or in the whole installation."""
    return {permission for permission in Permission if access.permits(permission, project_id).granted}


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.OWNER, OWNS),
        (Role.MAINTAINER, MAINTAINS),
        (Role.DEVELOPER, KNOWS),
        (Role.READER, KNOWS),
        (Role.GUEST, READS),
        (None, set()),
    ],
)
def test_permissions_of_roles(role: Role | None, expected: set[Permission]) -> None:
    """Each role has its permissions in its own project, and none outside of it."""
    assert permitted(rights(a_registry(), role=role)) == expected
    assert permitted(rights(a_registry(), role=role), ZETA) == set()
    assert permitted(rights(a_registry(), role=role), None) == set()


def test_public_projects() -> None:
    """A project with a public registry may be known to everybody; that is all."""
    for principal in [ALICE, ROBOT, ANONYMOUS]:
        access = rights(a_registry(), a_registry(prefix="acme/sub", public=True), principal=principal)
        assert permitted(access) == READS
        assert permitted(access, ZETA) == set()


def test_permissions_of_system_roles() -> None:
    """An administrator has all permissions everywhere, a monitor the metrics alone."""
    for project_id in [None, ACME, ZETA]:
        assert permitted(rights(system_role=SystemRole.ADMIN), project_id) == set(Permission)
        assert permitted(rights(system_role=SystemRole.MONITOR), project_id) == {Permission.METRICS_READ}


def test_permissions_of_access_tokens() -> None:
    """Only a token with `manage` manages; the metrics can be read with any."""
    for actions in [CONTENT, [PULL], []]:
        restriction = Restriction("ci", frozenset(actions), (pattern("**"),))
        assert permitted(rights(a_registry(public=True), role=Role.OWNER, restriction=restriction)) == set()
        admin = rights(system_role=SystemRole.ADMIN, restriction=restriction)
        assert permitted(admin) == permitted(admin, None) == {Permission.METRICS_READ}
    restriction = Restriction("ops", frozenset({MANAGE}), (pattern("**"),))
    assert permitted(rights(a_registry(), role=Role.OWNER, restriction=restriction)) == OWNS


@pytest.mark.parametrize(
    ("access", "permission", "project_id", "expected"),
    [
        (rights(), Permission.USERS_MANAGE, None, "users.manage is for administrators"),
        (rights(), Permission.PROJECT_READ, ACME, "project.read is not given to who is not a member"),
        (rights(role=Role.READER), Permission.RULES_MANAGE, ACME, "rules.manage is not given to the role reader"),
        (
            rights(role=Role.OWNER, restriction=Restriction("ci", frozenset(CONTENT), (pattern("**"),))),
            Permission.RULES_MANAGE,
            ACME,
            "the access token 'ci' cannot be used to manage anything",
        ),
    ],
)
def test_reasons_of_permissions(access: Rights, permission: Permission, project_id: int | None, expected: str) -> None:
    """A refusal names the permission, and who does not have it."""
    decision = access.permits(permission, project_id)
    assert not decision.granted
    assert decision.reason == expected
