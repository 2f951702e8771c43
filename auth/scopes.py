"""What a token is asked for, and what it grants: `repository:name:pull,push` (distribution token specification)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auth.roles import Action

ANY = "*"
REPOSITORY = "repository"
SCOPES_MAX = 64
# What `*` stands for in a repository.
EVERYTHING: frozenset[str] = frozenset({Action.PULL, Action.PUSH, Action.DELETE})

_KNOWN = EVERYTHING | {ANY}


@dataclass(frozen=True, slots=True)
class Scope:
    """Actions on one resource: one of type `repository`, or the one of type `registry` that is named `catalog`."""

    type: str
    name: str
    actions: frozenset[str]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"

    def as_claim(self) -> dict[str, object]:
        return {"type": self.type, "name": self.name, "actions": sorted(self.actions)}


CATALOG = Scope("registry", "catalog", frozenset({ANY}))


def parse_scopes(texts: Iterable[str]) -> list[Scope]:
    """What scope parameters ask for, merged by resource, in the order in which the resources were first named.

    Each text may hold several scopes, separated by spaces. What cannot be understood, and what exceeds 64 resources, is
    left out: a client that asks for more than there is gets less, not an error.
    """
    merged: dict[tuple[str, str], frozenset[str]] = {}
    for text in texts:
        for part in text.split():
            scope = _parse(part)
            if scope is None:
                continue
            key = scope.type, scope.name
            if key in merged or len(merged) < SCOPES_MAX:
                merged[key] = merged.get(key, frozenset()) | scope.actions
    return [Scope(kind, name, actions) for (kind, name), actions in merged.items()]


def by_repository(scopes: Iterable[Scope]) -> dict[str, frozenset[str]]:
    """The actions for each repository; a token may name one more than once."""
    actions: dict[str, frozenset[str]] = {}
    for scope in scopes:
        if scope.type == REPOSITORY:
            actions[scope.name] = actions.get(scope.name, frozenset()) | scope.actions
    return actions


def _parse(text: str) -> Scope | None:
    # A name may hold a colon of its own, before a port: the type ends at the first, the actions begin at the last.
    kind, first, rest = text.partition(":")
    name, last, actions = rest.rpartition(":")
    # `repository(plugin)` names a class, which changes nothing.
    kind = kind.partition("(")[0]
    if not kind or not first or not last or not name:
        return None
    return Scope(kind, name, frozenset(actions.split(",")) & _KNOWN)
