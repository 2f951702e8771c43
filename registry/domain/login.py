"""Logging in: from a name and a secret to somebody who is known."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from auth.passwords import Passwords
from auth.secrets import looks_like_secret, secret_hash
from registry.domain.access import Identity
from registry.domain.throttle import Throttle
from registry.errors import TooManyRequests, Unauthorized
from storage.clock import Clock
from storage.errors import StorageFull, StorageUnavailable
from storage.metadata import access, access_tokens, principals
from storage.metadata.access import PrincipalRow
from storage.metadata.store import MetadataStore, Transaction

SECRET_LENGTH_MAX = 1024
_CLIENT_LENGTH_MAX = 256

# Hashing a password takes much memory and a core, both on purpose: so many at a time, and so many that wait for it.
_HASHING_MAX, _WAITING_MAX = 2, 64
_REMEMBERED_MAX, _REMEMBERED_MS = 4096, 5 * 60 * 1000
_LAST_USE_MS = 60_000
# Nobody is kept out because what is good to know about a login cannot be written, as on a full disk.
_NOT_NOW = (StorageFull, StorageUnavailable)

_WRONG = "wrong user name or password"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a login comes from: the client's address, and its User-Agent."""

    address: str | None = None
    client: str | None = None

    @property
    def kept_client(self) -> str | None:
        """As much of `client` as is written down beside a token."""
        return None if self.client is None else self.client[:_CLIENT_LENGTH_MAX]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a name and a password a short while ago; `row` is the account as it was, if there was one."""

    right: bool
    row: PrincipalRow | None
    at_ms: int


class Login:
    """Knows passwords of users, and access tokens of users and robots.

    A login that was right or wrong a moment ago is not worked out again: clients send the same credentials with each
    pull, and a node that goes on with a password that was changed must not use up the tries of others.
    """

    def __init__(self, store: MetadataStore, clock: Clock, passwords: Passwords, throttle: Throttle) -> None:
        self._store, self._clock, self._passwords, self._throttle = store, clock, passwords, throttle
        self._hashing = asyncio.Semaphore(_HASHING_MAX)
        self._waiting = 0
        self._outcomes: dict[bytes, _Outcome] = {}
        self._key = secrets.token_bytes(32)

    async def verify(self, name: str, secret: str, origin: Origin) -> Identity:
        """Who that is. Raises `Unauthorized`, and `TooManyRequests` when too much was guessed, or too many log in.

        The answer for an unknown name takes as long, and says the same, as that for a wrong password.
        """
        if looks_like_secret(secret):
            return await self._by_token(name, secret, origin)
        if not secret or len(secret) > SECRET_LENGTH_MAX:
            raise Unauthorized(_WRONG)
        return Identity(await self._by_password(name, secret, origin))

    async def verify_token(self, secret: str, origin: Origin) -> Identity:
        """As `verify`, for an access token that comes without a name."""
        return await self._by_token(None, secret, origin)

    async def _by_token(self, name: str | None, secret: str, origin: Origin) -> Identity:
        token = await access_tokens.find_by_hash(self._store, secret_hash(secret))
        owner = None if token is None else await access.principal_by_id(self._store, token.principal_id)
        if token is None or owner is None or owner.disabled or name not in {None, owner.name}:
            raise Unauthorized("the access token is not known, or not one of this user")
        now = self._clock.now_ms()
        if token.expires_at is not None and token.expires_at <= now:
            raise Unauthorized(f"the access token {token.name!r} has expired")
        if token.last_used_at is None or token.last_used_at < now - _LAST_USE_MS:
            await self._note_use(token.id, now, origin)
        return Identity(owner, token)

    async def _note_use(self, token_id: int, now: int, origin: Origin) -> None:
        async def touch(tx: Transaction) -> None:
            await access_tokens.touch(tx, token_id, now, origin.address, origin.kept_client)

        with suppress(*_NOT_NOW):
            await self._store.transact(touch, durable=False)

    async def _by_password(self, name: str, password: str, origin: Origin) -> PrincipalRow:
        row = await access.principal_by_name(self._store, name)
        key = hashlib.blake2b(f"{name}\0{password}".encode(errors="replace"), key=self._key, digest_size=32).digest()
        right = self._remembered(key, row)
        if right is None:
            await self._throttle.check(name, origin.address)
            async with self._turn():
                # While this one waited, another one may have brought the same, or too many may have failed.
                right = self._remembered(key, row)
                if right is None:
                    await self._throttle.check(name, origin.address)
                    right = await self._is_right(row, password)
                    self._remember(key, _Outcome(right, row, self._clock.now_ms()))
                    await self._count(name, origin, right=right)
        if not right or row is None or row.disabled:
            raise Unauthorized(_WRONG)
        return row

    def _remembered(self, key: bytes, row: PrincipalRow | None) -> bool | None:
        outcome = self._outcomes.get(key)
        if outcome is None or outcome.row != row or outcome.at_ms <= self._clock.now_ms() - _REMEMBERED_MS:
            return None
        return outcome.right

    def _remember(self, key: bytes, outcome: _Outcome) -> None:
        if len(self._outcomes) >= _REMEMBERED_MAX:
            self._outcomes.clear()
        self._outcomes[key] = outcome

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Wait until a password may be hashed. Raises `TooManyRequests` when too many wait."""
        if self._waiting >= _WAITING_MAX:
            raise TooManyRequests("too many logins at the same time")
        self._waiting += 1
        try:
            async with self._hashing:
                yield
        finally:
            self._waiting -= 1

    async def _is_right(self, row: PrincipalRow | None, password: str) -> bool:
        known = None if row is None or row.disabled else row.password_hash
        right = await asyncio.to_thread(self._passwords.verify, known, password)
        if right and row is not None and known is not None and self._passwords.needs_rehash(known):
            await self._rehash(row, password)
        return right

    async def _rehash(self, row: PrincipalRow, password: str) -> None:
        """Keep the password as hashes are made now."""
        hashed = await asyncio.to_thread(self._passwords.hash, password)

        async def replace(tx: Transaction) -> None:
            current = await access.principal_by_id(tx, row.id)
            if current is not None and current.password_hash == row.password_hash:
                await principals.set_password_hash(tx, row.id, hashed)

        with suppress(*_NOT_NOW):
            await self._store.transact(replace)

    async def _count(self, name: str, origin: Origin, *, right: bool) -> None:
        if not right:
            await self._throttle.failed(name, origin.address)
            return
        with suppress(*_NOT_NOW):
            await self._throttle.succeeded(name, origin.address)
