"""`Session`: what somebody may do, and what of it the token that was sent is for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from auth.policy import Access
from auth.principals import Kind, Principal
from auth.roles import Action
from storage.names import RepositoryName

_ADMITTED_MAX = 1000


@dataclass(slots=True, eq=False)
class Session:
    """Made when credentials are seen first, and kept while they are good.

    `scopes` are the actions by repository that the token was issued for, None where nothing narrows the rights;
    `catalog` says whether it is for the catalog. `token` names the access token that was used, if one was.
    `generation` is that of the rights, `expires_at` a Unix time.
    """

    access: Access
    scopes: Mapping[str, frozenset[str]] | None = None
    catalog: bool = True
    token: str | None = None
    generation: int = 0
    expires_at: float = math.inf
    _admitted: set[tuple[tuple[Action, ...], RepositoryName]] = field(default_factory=set)

    @property
    def principal(self) -> Principal:
        return self.access.principal

    @property
    def is_anonymous(self) -> bool:
        return self.access.principal.kind is Kind.ANONYMOUS

    def has_admitted(self, actions: tuple[Action, ...], repository: RepositoryName) -> bool:
        """Whether all that was found to be allowed before, in this session."""
        return (actions, repository) in self._admitted

    def admit(self, actions: tuple[Action, ...], repository: RepositoryName) -> None:
        if len(self._admitted) >= _ADMITTED_MAX:
            self._admitted.clear()
        self._admitted.add((actions, repository))

    def in_scope(self, action: Action, repository: RepositoryName) -> bool:
        return self.scopes is None or action in self.scopes.get(repository, ())

    def may(self, action: Action, repository: RepositoryName) -> bool:
        return self.in_scope(action, repository) and self.access.decide(action, repository).granted

    def sees(self, repository: RepositoryName) -> bool:
        """Whether the catalog shows it. Another issuer's word for the catalog is its word for all of it."""
        return self.principal.kind is Kind.EXTERNAL or self.access.decide(Action.PULL, repository).granted
