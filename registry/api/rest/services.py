"""`Management`: the use cases behind `/v1`, and behind the commands of `berth` that do the same."""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.access_tokens import AccessTokens
from registry.domain.audit_log import AuditLog
from registry.domain.groups import Groups
from registry.domain.history import TagHistory
from registry.domain.immutability import ImmutableTags
from registry.domain.members import Members
from registry.domain.projects import Projects
from registry.domain.registries import Registries
from registry.domain.restoring import Restoring
from registry.domain.robots import Robots
from registry.domain.rules import Rules
from registry.domain.sessions import Sessions
from registry.domain.users import Users


@dataclass(frozen=True, slots=True)
class Management:
    """Made once per process."""

    users: Users
    groups: Groups
    robots: Robots
    access_tokens: AccessTokens
    sessions: Sessions
    projects: Projects
    registries: Registries
    members: Members
    rules: Rules
    immutable_tags: ImmutableTags
    audit_log: AuditLog
    tag_history: TagHistory
    restoring: Restoring
