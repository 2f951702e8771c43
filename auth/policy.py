"""The one place that decides whether a principal may do something, and says why not.

What a repository's registry, rules and members say comes in as plain values: nothing is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from auth.patterns import Pattern
from auth.principals import Kind, Principal
from auth.roles import (
    ALL_ACTIONS,
    ROLE_ACTIONS,
    ROLE_PERMISSIONS,
    SYSTEM_PERMISSIONS,
    Action,
    Permission,
    Role,
    SystemRole,
)
from storage.names import RepositoryName


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something is granted, and if not, why: a sentence for whoever may know.

    `own` says that the reason lies in what they brought themselves, so that it can be told whatever they may know.
    """

    granted: bool
    reason: str = ""
    own: bool = False


GRANTED = Decision(granted=True)


@dataclass(frozen=True, slots=True)
class Rule:
    """What somebody may do to the repositories that the pattern matches.

    `principal` or `group` is the id of whom it is about; with neither it is about everyone.
    """

    pattern: Pattern
    actions: frozenset[Action]
    principal: int | None = None
    group: int | None = None

    @property
    def is_for_everyone(self) -> bool:
        return self.principal is None and self.group is None


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """What decides about the repositories of one registry.

    `redirect` says which blobs clients are sent to the store for, None where that is as configured for all.
    """

    id: int
    name: str
    prefix: str
    project_id: int
    project: str
    public: bool
    rules: tuple[Rule, ...] = ()
    redirect: str | None = None


class RegistryMap:
    """Which registry a repository belongs to: the one with the longest prefix of its name, by whole components."""

    def __init__(self, registries: Iterable[RegistryAccess]) -> None:
        self._by_prefix = {registry.prefix: registry for registry in registries}
        self._public = {registry.project_id for registry in self._by_prefix.values() if registry.public}

    def find(self, repository: RepositoryName) -> RegistryAccess | None:
        for prefix in prefixes_of(repository):
            found = self._by_prefix.get(prefix)
            if found is not None:
                return found
        return None

    def has_public(self, project_id: int) -> bool:
        """Whether one of the project's registries is public."""
        return project_id in self._public


def prefixes_of(repository: str) -> list[str]:
    """What a registry's prefix can be for a repository, the longest first, the empty one last."""
    parts = repository.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]


@dataclass(frozen=True, slots=True)
class Restriction:
    """To what an access token narrows the rights of its owner. `token` is its name, for reasons."""

    token: str
    actions: frozenset[Action]
    patterns: tuple[Pattern, ...]

    def decide(self, action: Action, repository: RepositoryName) -> Decision:
        if action not in self.actions:
            reason = f"the access token {self.token!r} is for {_words(self.actions)} only"
            return Decision(granted=False, reason=reason, own=True)
        if not any(pattern.matches(repository) for pattern in self.patterns):
            limits = ", ".join(map(str, self.patterns))
            reason = f"the access token {self.token!r} is limited to {limits}"
            return Decision(granted=False, reason=reason, own=True)
        return GRANTED

    def allowed(self, repository: RepositoryName) -> frozenset[Action]:
        return self.actions if any(pattern.matches(repository) for pattern in self.patterns) else frozenset()


class Access(Protocol):
    """What one principal may do, as it was known at one time."""

    @property
    def principal(self) -> Principal:
        """Who that is."""
        ...

    def decide(self, action: Action, repository: RepositoryName) -> Decision:
        """Whether the principal may do that to the repository, which need not be there."""
        ...

    def allowed(self, repository: RepositoryName) -> frozenset[Action]:
        """Everything that `decide` grants, decided once."""
        ...

    def permits(self, permission: Permission, project_id: int | None = None) -> Decision:
        """Whether the principal may do that in the project, or, without one, in the whole installation."""
        ...


@dataclass(frozen=True, slots=True)
class Unlimited:
    """Everything is granted: to the operator on the machine, and to all in a registry without login."""

    principal: Principal

    def decide(self, action: Action, repository: RepositoryName) -> Decision:
        return GRANTED

    def allowed(self, repository: RepositoryName) -> frozenset[Action]:
        return frozenset(Action)

    def permits(self, permission: Permission, project_id: int | None = None) -> Decision:
        return GRANTED


@dataclass(frozen=True, slots=True)
class Claimed:
    """What another issuer's token says is all there is: `actions` by repository; nothing can be managed with it."""

    principal: Principal
    actions: Mapping[str, frozenset[Action]]

    def decide(self, action: Action, repository: RepositoryName) -> Decision:
        if action in self.actions.get(repository, frozenset()):
            return GRANTED
        return Decision(granted=False, reason=f"the token does not grant {action} on {repository}")

    def allowed(self, repository: RepositoryName) -> frozenset[Action]:
        return self.actions.get(repository, frozenset())

    def permits(self, permission: Permission, project_id: int | None = None) -> Decision:
        return Decision(granted=False, reason="tokens of another issuer are for repositories only")


@dataclass(frozen=True, slots=True)
class Rights:
    """What the store says about one principal. `roles` are by project, `groups` the ids of those it is in."""

    principal: Principal
    registries: RegistryMap
    system_role: SystemRole | None = None
    roles: Mapping[int, Role] = field(default_factory=dict)
    groups: frozenset[int] = frozenset()
    restriction: Restriction | None = None

    def decide(self, action: Action, repository: RepositoryName) -> Decision:
        if self.restriction is not None:
            limited = self.restriction.decide(action, repository)
            if not limited.granted:
                return limited
        registry = self.registries.find(repository)
        if registry is None:
            return Decision(granted=False, reason=f"no registry takes a repository named {repository}")
        actions, source = self._actions(registry, repository)
        if action in actions:
            return GRANTED
        return Decision(
            granted=False, reason=f"{action} on {repository} is not allowed: {source} gives {_words(actions)}"
        )

    def allowed(self, repository: RepositoryName) -> frozenset[Action]:
        registry = self.registries.find(repository)
        if registry is None:
            return frozenset()
        actions, _ = self._actions(registry, repository)
        return actions if self.restriction is None else actions & self.restriction.allowed(repository)

    def permits(self, permission: Permission, project_id: int | None = None) -> Decision:
        if self.restriction is not None and not self._token_permits(permission):
            token = self.restriction.token
            return Decision(granted=False, reason=f"the access token {token!r} cannot be used to manage anything")
        if self.system_role is not None and permission in SYSTEM_PERMISSIONS[self.system_role]:
            return GRANTED
        if project_id is None:
            return Decision(granted=False, reason=f"{permission} is for administrators")
        role = self.roles.get(project_id)
        if role is not None and permission in ROLE_PERMISSIONS[role]:
            return GRANTED
        if permission is Permission.PROJECT_READ and self.registries.has_public(project_id):
            return GRANTED
        holder = "who is not a member" if role is None else f"the role {role}"
        return Decision(granted=False, reason=f"{permission} is not given to {holder}")

    def _token_permits(self, permission: Permission) -> bool:
        # A token for the metrics alone is what a monitoring system should have.
        actions = frozenset() if self.restriction is None else self.restriction.actions
        return Action.MANAGE in actions or permission is Permission.METRICS_READ

    def _actions(self, registry: RegistryAccess, repository: RepositoryName) -> tuple[frozenset[Action], str]:
        """What the principal may do, and what says so."""
        role = self.roles.get(registry.project_id)
        if self.system_role is SystemRole.ADMIN:
            return ALL_ACTIONS, "being an administrator"
        if role is Role.OWNER:
            # Owners could change any rule that bound them.
            return ALL_ACTIONS, f"the role {role} in project {registry.project}"
        rules = self._strongest(registry.rules, repository)
        if rules:
            actions = frozenset[Action]().union(*(rule.actions for rule in rules))
            # What is opened to everyone, or closed to the public, takes nothing from members.
            mine = ROLE_ACTIONS[role] if role is not None and rules[0].is_for_everyone else frozenset()
            return actions | mine, f"the rule for {rules[0].pattern}"
        if role is not None:
            actions = ROLE_ACTIONS[role] | (ROLE_ACTIONS[Role.READER] if registry.public else frozenset())
            return actions, f"the role {role} in project {registry.project}"
        if registry.public:
            return ROLE_ACTIONS[Role.READER], f"the public registry {registry.name} of project {registry.project}"
        asked = "who is not logged in" if self.principal.kind is Kind.ANONYMOUS else "who is not a member"
        return frozenset(), f"project {registry.project}, to {asked},"

    def _strongest(self, rules: Iterable[Rule], repository: RepositoryName) -> list[Rule]:
        """The rules that decide: the longest pattern wins; of equal ones that about the principal, then a group's."""
        best: tuple[int, int] = (-1, -1)
        found: list[Rule] = []
        for rule in rules:
            nearness = self._nearness(rule)
            rank = (rule.pattern.weight, nearness)
            if nearness < 0 or rank < best or not rule.pattern.matches(repository):
                continue
            found = [*found, rule] if rank == best else [rule]
            best = rank
        return found

    def _nearness(self, rule: Rule) -> int:
        if rule.principal is not None:
            return 2 if rule.principal == self.principal.id else -1
        if rule.group is not None:
            return 1 if rule.group in self.groups else -1
        return 0


def _words(actions: Iterable[Action]) -> str:
    return ", ".join(sorted(actions)) or "nothing"
