"""The one place that decides whether a principal may do something."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from auth.principals import Principal
from storage.names import RepositoryName


class Action(StrEnum):
    """What can be done to a repository, in the words of token scopes."""

    PULL = "pull"
    PUSH = "push"
    DELETE = "delete"


class Policy(Protocol):
    def allows(self, principal: Principal, action: Action, repository: RepositoryName) -> bool:
        """Whether the principal may do that, now. Asked for every request; never cached by the caller."""
        ...


class OpenPolicy:
    """Everybody may do everything: for a registry that only trusted people can reach."""

    def allows(self, principal: Principal, action: Action, repository: RepositoryName) -> bool:
        return True
