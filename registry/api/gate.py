"""The gate: finds out who asks, and lets past whom the policy allows.

anyone       no questions
registry     a token for the registry, also one for nobody in particular; or a login
catalog      as registry, with a token for the catalog
management   a login with password or access token; tokens for the registry do not count
metrics      as management, with the permission to read them
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from auth.policy import Decision, Unlimited
from auth.principals import ANONYMOUS, Kind
from auth.roles import Action, Permission
from auth.scopes import CATALOG, REPOSITORY, Scope, by_repository
from auth.secrets import looks_like_secret
from auth.tokens import TokenRefused
from registry.api.call import Call
from registry.api.credentials import BASIC_CHALLENGE, Basic, authorization_of, parse_authorization
from registry.api.routing import Guard, Match
from registry.api.session import Session
from registry.domain.access import Accesses, Identity
from registry.domain.bearers import Bearers
from registry.domain.login import Login, Origin
from registry.errors import Denied, NameUnknown, Unauthorized
from storage.errors import NameInvalid, RegistryError
from storage.names import parse_repository_name

_SESSIONS_MAX = 10_000
# Anybody gets tokens, as long as a header can be. What a session knows is a few times as long as its token.
_TOKENS_LENGTH_MAX = 16 * 1024 * 1024
_HELD_BACK = frozenset({Action.PULL, Action.DELETE})


class Refusals(Protocol):
    """Hears of everything that is refused."""

    def refused(self, call: Call, match: Match, reason: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Doors:
    """How the gate is set up.

    `open_to_all`: in the registry nobody is asked. `external`: there the tokens of another issuer alone are believed.
    `realm` is the URL of the token service, "" for our own; `service` is whom tokens are for.
    """

    open_to_all: bool
    external: bool
    realm: str
    service: str


class Gate:
    def __init__(self, doors: Doors, accesses: Accesses, login: Login, bearers: Bearers, refusals: Refusals) -> None:
        self._doors, self._accesses, self._login, self._bearers = doors, accesses, login, bearers
        self._refusals = refusals
        self._sessions: dict[str, Session] = {}
        self._tokens_length = 0
        self._everybody = Session(Unlimited(ANONYMOUS))

    async def enter(self, call: Call, match: Match) -> Session:
        """The session of whoever may do what the route does. Raises `Unauthorized`, `Denied` and `NameUnknown`."""
        route = match.route
        if route.guard is Guard.REGISTRY and self._doors.open_to_all:
            return self._everybody
        session = self._known(authorization_of(call.request))
        if session is None or route.guard is not Guard.REGISTRY:
            return await self._enter(call, match)
        if not session.has_admitted(route.actions, match.repository):
            session = await self._admit(call, match, session)
        return session

    def challenge(self, call: Call, match: Match, error: Unauthorized) -> str:
        """What a client is told to log in with, and for what (RFC 6750, 3)."""
        if match.route.guard not in {Guard.REGISTRY, Guard.CATALOG}:
            return BASIC_CHALLENGE
        realm = self._doors.realm or f"{call.origin}/token"
        parameters = {"realm": realm, "service": self._doors.service}
        scope = " ".join(str(scope) for scope in _scopes_of(call, match))
        if scope:
            parameters["scope"] = scope
        if error.error is not None:
            parameters["error"] = error.error
        return "Bearer " + ",".join(f'{name}="{value}"' for name, value in parameters.items())

    def note_refusal(self, call: Call, match: Match, refusal: RegistryError) -> None:
        """Let the audit log hear of what was refused behind the gate."""
        self._refusals.refused(call, match, str(refusal))

    def _known(self, header: str | None) -> Session | None:
        """What these credentials opened before, if nothing has changed since."""
        session = None if header is None else self._sessions.get(header)
        if session is None or session.generation != self._accesses.generation or session.expires_at <= time.time():
            return None
        return session

    async def _enter(self, call: Call, match: Match) -> Session:
        guard = match.route.guard
        if guard is Guard.ANYONE or (self._doors.open_to_all and guard is not Guard.MANAGEMENT):
            return self._everybody
        try:
            session = await self._identify(call, guard)
        except Unauthorized as error:
            if "Authorization" in call.request.headers:
                self._refusals.refused(call, match, str(error))
            raise
        call.session = session
        if guard is Guard.CATALOG and not session.catalog:
            raise Unauthorized("the token is not for the catalog", "insufficient_scope")
        if guard is Guard.METRICS:
            decision = session.access.permits(Permission.METRICS_READ)
            if not decision.granted:
                self._refusals.refused(call, match, decision.reason)
                raise Denied(decision.reason)
        return await self._admit(call, match, session)

    async def _identify(self, call: Call, guard: Guard) -> Session:
        header = authorization_of(call.request)
        if header is None:
            raise Unauthorized("authentication is required")
        known = self._known(header)
        if known is not None and guard in {Guard.REGISTRY, Guard.CATALOG}:
            return known
        credentials = parse_authorization(header)
        origin = Origin(call.client, call.agent)
        in_registry = guard in {Guard.REGISTRY, Guard.CATALOG}
        is_login = isinstance(credentials, Basic) or looks_like_secret(credentials.token)
        if is_login and in_registry and self._doors.external:
            raise Unauthorized("only tokens of the token service are accepted here")
        if isinstance(credentials, Basic):
            return await self._session_of(await self._login.verify(credentials.name, credentials.secret, origin))
        if is_login:
            return await self._session_of(await self._login.verify_token(credentials.token, origin))
        if not in_registry:
            raise Unauthorized("a token for the registry is not for this: send a user name with a password or token")
        return await self._by_bearer(header, credentials.token)

    async def _session_of(self, identity: Identity) -> Session:
        await self._accesses.refresh()
        generation = self._accesses.generation
        try:
            standing = await self._accesses.of_holder(identity.holder)
        except TokenRefused as error:
            raise Unauthorized(str(error)) from error
        return Session(standing.access, token=standing.token, generation=generation)

    async def _by_bearer(self, header: str, token: str) -> Session:
        generation = self._accesses.generation
        try:
            claims = await self._bearers.verify(token)
            standing = await self._bearers.standing(claims)
        except TokenRefused as error:
            raise Unauthorized(str(error), "invalid_token") from error
        scopes = by_repository(claims.scopes)
        catalog = any((scope.type, scope.name) == (CATALOG.type, CATALOG.name) for scope in claims.scopes)
        expires_ms = standing.expires_ms
        expires_at = claims.expires_at if expires_ms is None else min(claims.expires_at, expires_ms / 1000)
        session = Session(standing.access, scopes, catalog, standing.token, generation, expires_at)
        self._remember(header, session)
        return session

    def _remember(self, header: str, session: Session) -> None:
        if len(self._sessions) >= _SESSIONS_MAX or self._tokens_length > _TOKENS_LENGTH_MAX:
            self._sessions.clear()
            self._tokens_length = 0
        self._sessions[header] = session
        self._tokens_length += len(header)

    async def _admit(self, call: Call, match: Match, session: Session) -> Session:
        call.session = session
        actions, repository = match.route.actions, match.repository
        for action in actions:
            decision = session.access.decide(action, repository)
            if not decision.granted:
                if await self._accesses.refresh() or self._accesses.generation != session.generation:
                    # Somebody may just have been given what is asked for.
                    return await self._admit(call, match, await self._identify(call, match.route.guard))
                self._refuse(call, match, session, action, decision)
            if not session.in_scope(action, repository):
                raise Unauthorized(f"the token is not for {action} on {repository}", "insufficient_scope")
        session.admit(actions, repository)
        return session

    def _refuse(self, call: Call, match: Match, session: Session, action: Action, decision: Decision) -> None:
        """Say no, in words that tell nothing to those who may not know whether the repository is there."""
        repository = match.repository
        self._refusals.refused(call, match, decision.reason)
        # What the route is for comes last.
        wanted = match.route.actions[-1]
        if session.principal.kind in {Kind.ANONYMOUS, Kind.EXTERNAL}:
            raise Unauthorized(f"{wanted} on {repository} needs a login that allows it", "insufficient_scope")
        if decision.own or session.access.decide(Action.PULL, repository).granted:
            raise Denied(decision.reason)
        # That somebody may not push says nothing about what is there, so it is said.
        if wanted in _HELD_BACK:
            raise NameUnknown(repository)
        raise Denied(f"{wanted} on {repository} is not allowed to {session.principal.name}")


def _scopes_of(call: Call, match: Match) -> list[Scope]:
    """What a token has to be for, to do what the route does."""
    if match.route.guard is Guard.CATALOG:
        return [CATALOG]
    if not match.route.actions:
        return []
    scopes = [Scope(REPOSITORY, match.repository, frozenset(match.route.asks or match.route.actions))]
    source = call.query("from") if call.query("mount") is not None else None
    if source is not None:
        try:
            name = parse_repository_name(source)
        except NameInvalid:
            return scopes
        scopes.append(Scope(REPOSITORY, name, frozenset({Action.PULL})))
    return scopes
