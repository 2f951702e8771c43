"""What each principal may do, remembered until anything about it changes."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from auth.patterns import pattern
from auth.policy import Access, RegistryAccess, RegistryMap, Restriction, Rights, Rule
from auth.principals import ANONYMOUS, Kind, Principal
from auth.roles import Role, SystemRole, actions_of
from auth.tokens import Holder, TokenRefused
from storage.clock import Clock
from storage.errors import RegistryError
from storage.metadata import access, access_tokens
from storage.metadata.access import PrincipalRow
from storage.metadata.access_tokens import AccessTokenRow
from storage.metadata.store import MetadataStore
from storage.names import RepositoryName

# Memory is bounded: who comes after so many others is simply read again.
_REMEMBERED_MAX = 10_000
_ROLES = list(Role)


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has proved who they are, with a password or with an access token."""

    principal: PrincipalRow
    token: AccessTokenRow | None = None

    @property
    def holder(self) -> Holder:
        number = None if self.token is None else self.token.id
        return Holder(principal_of(self.principal), self.principal.epoch, number)


@dataclass(frozen=True, slots=True)
class Standing:
    """What somebody may do, and how long that is known to hold.

    `token` names the access token that was used, if one was, and `expires_ms` is when it expires; `epoch` is that of
    the tokens that are accepted.
    """

    access: Access
    epoch: int = 0
    token: str | None = None
    expires_ms: int | None = None


class Accesses:
    """The rights of principals, as the store has them.

    What was read is kept until `refresh` notices a change. It is to be called about every second: so long may what was
    taken away from somebody still be granted. What was newly given is noticed at once, since `refresh` is called before
    anything is refused.
    """

    def __init__(self, store: MetadataStore, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self.generation = 0
        # Numbers that no store has, each for one time in which it could not be asked.
        self._unknown = itertools.count(-1, -1)
        self._map: RegistryMap | None = None
        self._known: dict[tuple[int, int | None], Standing] = {}

    async def refresh(self) -> bool:
        """Forget what is old; true if there was a change."""
        try:
            generation = await access.generation(self._store)
        except RegistryError:
            # Nothing is granted on what was known before: the next request asks, and fails for this reason.
            self._forget(next(self._unknown))
            raise
        if generation == self.generation:
            return False
        self._forget(generation)
        return True

    async def of_holder(self, holder: Holder) -> Standing:
        """What the holder of a verified token, or who has just logged in, may do. Raises `TokenRefused` if revoked."""
        if holder.principal.kind is Kind.ANONYMOUS:
            return Standing(Rights(ANONYMOUS, await self._registries()))
        known = await self._standing(holder)
        if known.epoch != holder.epoch and await self.refresh():
            # Somebody may have logged in again after a change that was not noticed here yet.
            known = await self._standing(holder)
        if known.epoch != holder.epoch:
            raise TokenRefused("the token was revoked: log in again")
        if known.expires_ms is not None and known.expires_ms <= self._clock.now_ms():
            raise TokenRefused(f"the access token {known.token!r} has expired")
        return known

    async def registry_of(self, repository: RepositoryName) -> RegistryAccess | None:
        """The registry that takes a repository of this name."""
        return (await self._registries()).find(repository)

    async def _standing(self, holder: Holder) -> Standing:
        key, generation = (holder.principal.id, holder.access_token), self.generation
        known = self._known.get(key)
        if known is None:
            known = await self._read(holder)
            self._remember(key, known, generation)
        return known

    def _remember(self, key: tuple[int, int | None], standing: Standing, generation: int) -> None:
        # What was read while there was a change may be what was before it.
        if generation != self.generation:
            return
        if len(self._known) >= _REMEMBERED_MAX:
            self._known.clear()
        self._known[key] = standing

    def _forget(self, generation: int) -> None:
        self.generation = generation
        self._map = None
        self._known.clear()

    async def _read(self, holder: Holder) -> Standing:
        row = await access.principal_by_id(self._store, holder.principal.id)
        if row is None or row.disabled:
            raise TokenRefused("the token was revoked: its account is gone or disabled")
        token = None
        if holder.access_token is not None:
            token = await access_tokens.find(self._store, row.id, holder.access_token)
            if token is None:
                raise TokenRefused("the token was revoked: the access token behind it is gone")
        rights = Rights(
            principal=principal_of(row),
            registries=await self._registries(),
            system_role=None if row.system_role is None else SystemRole(row.system_role),
            roles=_highest(await access.roles_of(self._store, row.id)),
            groups=frozenset(await access.groups_of(self._store, row.id)),
            restriction=None if token is None else restriction_of(token),
        )
        if token is None:
            return Standing(rights, row.epoch)
        return Standing(rights, row.epoch, token.name, token.expires_at)

    async def _registries(self) -> RegistryMap:
        known, generation = self._map, self.generation
        if known is None:
            known = await self._read_registries()
            if generation == self.generation:
                self._map = known
        return known

    async def _read_registries(self) -> RegistryMap:
        rules: dict[int, list[Rule]] = {}
        for row in await access.rules(self._store):
            rule = Rule(pattern(row.pattern), actions_of(row.actions), row.principal_id, row.group_id)
            rules.setdefault(row.registry_id, []).append(rule)
        return RegistryMap(
            RegistryAccess(
                id=row.id,
                name=row.name,
                prefix=row.prefix,
                project_id=row.project_id,
                project=row.project,
                public=row.visibility == "public",
                rules=tuple(rules.get(row.id, ())),
                redirect=row.redirect,
            )
            for row in await access.registries(self._store)
        )


def principal_of(row: PrincipalRow) -> Principal:
    return Principal(Kind(row.kind), row.name, row.id)


def restriction_of(token: AccessTokenRow) -> Restriction:
    patterns = tuple(pattern(text) for text in token.patterns.split())
    return Restriction(token.name, actions_of(token.actions), patterns)


def _highest(roles: list[tuple[int, str]]) -> dict[int, Role]:
    """One role for each project: somebody may have several, through groups."""
    found: dict[int, Role] = {}
    for project_id, text in roles:
        role = Role(text)
        if project_id not in found or _ROLES.index(role) < _ROLES.index(found[project_id]):
            found[project_id] = role
    return found
