"""What can be done, and which role may do it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Action(StrEnum):
    """What can be done to a repository, in the words of token scopes.

    No scope has `manage`: it stands for everything that is not about the content of repositories.
    """

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"
    MANAGE = "manage"


class Role(StrEnum):
    """What a member is in a project, the most powerful first."""

    OWNER = "owner"
    MAINTAINER = "maintainer"
    DEVELOPER = "developer"
    READER = "reader"
    GUEST = "guest"


class SystemRole(StrEnum):
    """What a principal is in the whole installation: `admin` may do everything, `monitor` may read the metrics."""

    ADMIN = "admin"
    MONITOR = "monitor"


class Permission(StrEnum):
    """What can be done besides pulling, pushing and deleting: first in a project, then in the whole installation."""

    PROJECT_READ = "project.read"
    PROJECT_UPDATE = "project.update"
    PROJECT_DELETE = "project.delete"
    MEMBERS_READ = "members.read"
    MEMBERS_MANAGE = "members.manage"
    # To give something to who is no member: a public registry, a rule about an outsider.
    OUTSIDERS_ADMIT = "outsiders.admit"
    REGISTRIES_MANAGE = "registries.manage"
    RULES_MANAGE = "rules.manage"
    ROBOTS_MANAGE = "robots.manage"
    AUDIT_READ = "audit.read"

    PROJECTS_CREATE = "projects.create"
    USERS_MANAGE = "users.manage"
    SYSTEM_AUDIT_READ = "system.audit.read"
    METRICS_READ = "metrics.read"


_READ = frozenset({Action.PULL})
_WRITE = _READ | {Action.PUSH}
ALL_ACTIONS = _WRITE | {Action.DELETE}

ROLE_ACTIONS: Mapping[Role, frozenset[Action]] = {
    Role.OWNER: ALL_ACTIONS,
    Role.MAINTAINER: ALL_ACTIONS,
    Role.DEVELOPER: _WRITE,
    Role.READER: _READ,
    # Has what is public and what rules give.
    Role.GUEST: frozenset(),
}

_SEE = frozenset({Permission.PROJECT_READ})
_KNOW = _SEE | {Permission.MEMBERS_READ}
_MAINTAIN = _KNOW | {
    Permission.REGISTRIES_MANAGE,
    Permission.RULES_MANAGE,
    Permission.ROBOTS_MANAGE,
    Permission.AUDIT_READ,
}
_OWN = _MAINTAIN | {
    Permission.PROJECT_UPDATE,
    Permission.PROJECT_DELETE,
    Permission.MEMBERS_MANAGE,
    Permission.OUTSIDERS_ADMIT,
}

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: _OWN,
    Role.MAINTAINER: _MAINTAIN,
    Role.DEVELOPER: _KNOW,
    Role.READER: _KNOW,
    Role.GUEST: _SEE,
}

SYSTEM_PERMISSIONS: Mapping[SystemRole, frozenset[Permission]] = {
    SystemRole.ADMIN: frozenset(Permission),
    SystemRole.MONITOR: frozenset({Permission.METRICS_READ}),
}


def actions_of(text: str) -> frozenset[Action]:
    """Actions as rows have them: words with commas between them."""
    return frozenset(Action(word) for word in text.split(",") if word)
