"""The token service: who asks, for what, and what is granted (distribution token specification, OAuth 2)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from auth.policy import Access
from auth.principals import ANONYMOUS
from auth.scopes import ANY, CATALOG, EVERYTHING, REPOSITORY, Scope
from auth.secrets import SecretKind, new_secret, secret_hash
from auth.tokens import Holder, Issuer, TokenRefused, fitting
from registry.domain.access import Accesses, Identity, Standing, principal_of
from registry.domain.keys import OwnKeys
from registry.domain.login import Origin
from registry.errors import Unauthorized
from storage.clock import Clock
from storage.errors import NameInvalid, StorageFull, StorageUnavailable
from storage.metadata import access, access_tokens, refresh_tokens
from storage.metadata.refresh_tokens import RefreshTokenRow
from storage.metadata.store import MetadataStore, Transaction
from storage.names import parse_repository_name

# A refresh token that is not used for so long ends.
REFRESH_IDLE_MS = 90 * 24 * 3600 * 1000
# Some clients ask for one with every token, and rotation leaves one behind each time. A robot may be on many machines.
REFRESH_TOKENS_MAX = 10_000
# A client that did not get the answer to its last request comes again with the token that was replaced.
_REPLACED_GRACE_MS = 60_000
_TOUCH_MS = 3600 * 1000


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for; `offline` says that it wants a refresh token."""

    scopes: Sequence[Scope]
    offline: bool
    service: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Grant:
    """What it gets. `issued_s` is a Unix time."""

    token: str = field(repr=False)
    lifetime_s: int
    issued_s: int
    scopes: tuple[Scope, ...]
    refresh_token: str | None = field(default=None, repr=False)


class TokenService:
    def __init__(self, store: MetadataStore, clock: Clock, accesses: Accesses, keys: OwnKeys, issuer: Issuer) -> None:
        self._store, self._clock, self._accesses = store, clock, accesses
        self._keys, self._issuer = keys, issuer

    async def grant(self, identity: Identity | None, request: Request) -> Grant:
        """A token for what of the request the policy allows, which may be nothing; without identity for anybody.

        With `offline` a refresh token comes with it, and is durable on return. Nobody in particular gets none.
        """
        await self._accesses.refresh()
        if identity is None:
            return await self._issue(Holder(ANONYMOUS), request)
        refresh = await self._begin_family(identity, request) if request.offline else None
        return await self._issue(identity.holder, request, refresh)

    async def refresh(self, secret: str, request: Request) -> Grant:
        """As `grant`, for a refresh token in place of a login. Raises `Unauthorized` when it does no longer.

        With `offline` another refresh token takes its place. Without it the token stays as it is: that is how docker
        asks, which keeps the token that it got at login and no other.
        """
        await self._accesses.refresh()
        row = await refresh_tokens.find_by_hash(self._store, secret_hash(secret))
        now = self._clock.now_ms()
        if row is None or row.expires_at <= now:
            raise Unauthorized("the refresh token is not known, or has expired: log in again")
        if row.replaced_at is not None and row.replaced_at < now - _REPLACED_GRACE_MS:
            await self._end_family(row)
            raise Unauthorized("the refresh token was used before: log in again")
        holder = await self._holder_of(row)
        if request.offline:
            return await self._issue(holder, request, await self._replace(row, secret, request))
        await self._keep(row, request)
        return await self._issue(holder, request)

    async def _holder_of(self, row: RefreshTokenRow) -> Holder:
        principal = await access.principal_by_id(self._store, row.principal_id)
        if principal is None or principal.disabled:
            raise Unauthorized("the account is gone or disabled")
        if row.access_token_id is not None:
            token = await access_tokens.find(self._store, principal.id, row.access_token_id)
            if token is None or (token.expires_at is not None and token.expires_at <= self._clock.now_ms()):
                raise Unauthorized("the access token behind this login has expired or was revoked")
        return Holder(principal_of(principal), principal.epoch, row.access_token_id)

    async def _issue(self, holder: Holder, request: Request, refresh: str | None = None) -> Grant:
        try:
            standing = await self._accesses.of_holder(holder)
        except TokenRefused as error:
            # Between the login and here the account was changed.
            raise Unauthorized(str(error)) from error
        granted = tuple(fitting(await _granted(standing, request.scopes)))
        now_s = self._clock.now_ms() // 1000
        ring = await self._keys.ring()
        token = self._issuer.issue(ring.signing, holder, granted, now_s)
        return Grant(token, self._issuer.lifetime_s, now_s, granted, refresh)

    async def _begin_family(self, identity: Identity, request: Request) -> str:
        principal, token = identity.principal, identity.token
        secret = new_secret(SecretKind.REFRESH)
        row = self._row(secrets.token_hex(16), principal.id, None if token is None else token.id, request)

        async def insert(tx: Transaction) -> None:
            # Whoever was disabled or got another password since the login must not be left with a token.
            current = await access.principal_by_id(tx, principal.id)
            if current is None or current.disabled or current.epoch != principal.epoch:
                raise Unauthorized("the account was changed: log in again")
            if token is not None and await access_tokens.find(tx, principal.id, token.id) is None:
                raise Unauthorized("the access token was revoked")
            await refresh_tokens.insert(tx, row, secret_hash(secret))
            await refresh_tokens.keep_latest(tx, principal.id, REFRESH_TOKENS_MAX)

        await self._store.transact(insert)
        return secret

    def _row(self, family: str, principal_id: int, token_id: int | None, request: Request) -> RefreshTokenRow:
        now = self._clock.now_ms()
        return RefreshTokenRow(
            id=0,
            family=family,
            principal_id=principal_id,
            access_token_id=token_id,
            service=request.service[:256],
            client=request.origin.kept_client,
            address=request.origin.address,
            created_at=now,
            used_at=now,
            expires_at=now + REFRESH_IDLE_MS,
        )

    async def _replace(self, row: RefreshTokenRow, replaced: str, request: Request) -> str:
        secret = new_secret(SecretKind.REFRESH)
        successor = self._row(row.family, row.principal_id, row.access_token_id, request)

        async def replace(tx: Transaction) -> None:
            if await refresh_tokens.find_by_hash(tx, secret_hash(replaced)) is None:
                raise Unauthorized("the login was ended: log in again")
            await refresh_tokens.mark_replaced(tx, row.id, successor.created_at)
            await refresh_tokens.insert(tx, successor, secret_hash(secret))
            await refresh_tokens.keep_latest(tx, row.principal_id, REFRESH_TOKENS_MAX)

        await self._store.transact(replace)
        return secret

    async def _keep(self, row: RefreshTokenRow, request: Request) -> None:
        now = self._clock.now_ms()
        if row.used_at > now - _TOUCH_MS:
            return
        origin = request.origin

        async def touch(tx: Transaction) -> None:
            await refresh_tokens.touch(tx, row.id, now, now + REFRESH_IDLE_MS, origin.address, origin.kept_client)

        # A full disk is no reason to log anybody out.
        with suppress(StorageFull, StorageUnavailable):
            await self._store.transact(touch, durable=False)

    async def _end_family(self, row: RefreshTokenRow) -> None:
        """Somebody has a copy of a token that was replaced long ago: nobody can tell who is the thief."""

        async def end(tx: Transaction) -> None:
            await refresh_tokens.delete_family(tx, row.family)

        await self._store.transact(end)


async def _granted(standing: Standing, scopes: Sequence[Scope]) -> list[Scope]:
    """What of the scopes is allowed; resources of which nothing is allowed are left out."""
    granted = []
    for scope in scopes:
        if scope.type == REPOSITORY:
            allowed = _allowed(standing.access, scope)
        else:
            # The catalog lists only what its reader may see, so anybody may read it.
            is_catalog = (scope.type, scope.name) == (CATALOG.type, CATALOG.name)
            allowed = scope.actions & CATALOG.actions if is_catalog else frozenset()
        if allowed:
            granted.append(Scope(scope.type, scope.name, allowed))
        # Where there are many rules this may take long, and anybody may ask for many scopes: others get their turn.
        await asyncio.sleep(0)
    return granted


def _allowed(rights: Access, scope: Scope) -> frozenset[str]:
    try:
        repository = parse_repository_name(scope.name)
    except NameInvalid:
        return frozenset()
    wanted = EVERYTHING if ANY in scope.actions else scope.actions & EVERYTHING
    return wanted & rights.allowed(repository)
