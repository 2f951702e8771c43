"""Environments: which of them a request is in, and what can be seen and written there."""

from __future__ import annotations

from dataclasses import dataclass

from registry.domain.licensing.words import IsolationStrategy


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a request is: in a project, and in one of its environments, or in none.

    `shared` says that what belongs to no environment is in this one, too.
    """

    project: str
    environment: str | None = None
    shared: bool = False

    def sees(self, environment: str | None) -> bool:
        """Whether records and credentials of this environment, or of none, are there for the request."""
        return environment == self.environment or (self.shared and environment is None)

    def writes(self, environment: str | None) -> bool:
        """Whether the request may change what belongs to this environment, or to none."""
        return environment == self.environment


def scope_in(project: str, environment: str, isolation: IsolationStrategy) -> Scope:
    """Where a request is that names an environment of the project."""
    return Scope(project, environment, shared=isolation is IsolationStrategy.SHARED)
