"""What is refused at the gate, for the audit log."""

from __future__ import annotations

from auth.policy import Rights
from registry.api.call import NO_REPOSITORY, Call
from registry.api.routing import Match
from registry.domain.logins import LoginLog


class AuditedRefusals:
    def __init__(self, log: LoginLog) -> None:
        self._log = log

    def refused(self, call: Call, match: Match, reason: str) -> None:
        action = match.route.act or f"{match.route.name}.{call.request.method.lower()}"
        self._log.refused(call.actor, action, target_of(call), project_of(call), reason)


def target_of(call: Call) -> str:
    """What a request is about, as people write it: `app:1`, `app@sha256:…`, or the path where it is no repository."""
    if call.repository == NO_REPOSITORY:
        return call.request.raw_path.partition("?")[0]
    reference = call.arguments.get("reference") or call.arguments.get("digest")
    if reference is None:
        return call.repository
    return f"{call.repository}{'@' if ':' in reference else ':'}{reference}"


def project_of(call: Call) -> str | None:
    """The project of the repository that a request is about, or the one that its path names."""
    access = call.session.access
    if call.repository == NO_REPOSITORY and not call.session.is_anonymous:
        return call.arguments.get("project")
    registry = access.registries.find(call.repository) if isinstance(access, Rights) and call.repository else None
    return None if registry is None else registry.project
