"""The token service over a store with people in it."""

from typing import Any

import jwt

from auth.scopes import parse_scopes
from auth.tokens import Issuer
from registry.domain.access import Accesses, Identity
from registry.domain.keys import OwnKeys
from registry.domain.login import Origin
from registry.domain.token_service import Grant, Request, TokenService
from registry.errors import Unauthorized
from storage.metadata import access, access_tokens
from tests.unit.registry.domain.logging_in import ORIGIN
from tests.unit.registry.domain.stores import FailingStore
from tests.unit.registry.domain.tenants import Tenants

SERVICE = "registry.example"


class TokenDesk:
    """Where people who have logged in get tokens."""

    def __init__(self, tenants: Tenants) -> None:
        self.tenants, self.clock = tenants, tenants.clock
        self.store = FailingStore(tenants.store)
        self.accesses = Accesses(self.store, self.clock)
        issuer = Issuer("issuer.example", SERVICE, 300)
        self.service = TokenService(self.store, self.clock, self.accesses, OwnKeys(None), issuer)

    async def identity(self, name: str, token: str | None = None) -> Identity:
        """Somebody who has just logged in, with the access token of that name."""
        row = await access.principal_by_name(self.tenants.store, name)
        assert row is not None
        tokens = await access_tokens.page(self.tenants.store, row.id, 0, 9)
        return Identity(row, next(one for one in tokens if one.name == token) if token else None)

    async def grant(self, name: str | None, *scopes: str, offline: bool = False, token: str | None = None) -> Grant:
        """What somebody gets who asks for that; None is nobody in particular."""
        identity = None if name is None else await self.identity(name, token)
        return await self.service.grant(identity, asked(*scopes, offline=offline))

    async def begin(self, name: str = "developer", token: str | None = None) -> str:
        """The refresh token that somebody gets at a login."""
        secret = (await self.grant(name, offline=True, token=token)).refresh_token
        assert secret is not None
        return secret

    async def refresh(self, secret: str, *scopes: str, origin: Origin = ORIGIN) -> Grant:
        """What a client gets that keeps its refresh token, as docker does."""
        return await self.service.refresh(secret, asked(*scopes, origin=origin))

    async def rotate(self, secret: str, *scopes: str) -> str:
        """The refresh token that a client gets in place of the one it has."""
        successor = (await self.service.refresh(secret, asked(*scopes, offline=True))).refresh_token
        assert successor is not None
        assert successor != secret
        return successor

    async def answer(self, secret: str) -> str:
        """`good`, or why a refresh token does no longer."""
        try:
            await self.refresh(secret)
        except Unauthorized as error:
            return str(error)
        return "good"


def asked(*scopes: str, offline: bool = False, origin: Origin = ORIGIN) -> Request:
    """A request for scopes as clients write them."""
    return Request(parse_scopes(scopes), offline, SERVICE, origin)


def claims(grant: Grant) -> dict[str, Any]:
    """What the token says."""
    said: dict[str, Any] = jwt.decode(grant.token, options={"verify_signature": False})
    return said


def granted(grant: Grant) -> str:
    """The scopes that were granted, which are those of the token."""
    scopes = [f"{item['type']}:{item['name']}:{','.join(item['actions'])}" for item in claims(grant)["access"]]
    assert scopes == [str(scope) for scope in grant.scopes]
    return " ".join(scopes)
