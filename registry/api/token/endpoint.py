"""`/token` and `/.well-known/jwks.json` (distribution token specification; RFC 6749; RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from aiohttp import web

from auth.scopes import parse_scopes
from auth.secrets import looks_like_secret
from registry.api.answer import Answer, json_answer
from registry.api.call import Call
from registry.api.credentials import Basic, authorization_of, parse_authorization
from registry.api.routing import Guard, Route, Style
from registry.domain.access import Identity
from registry.domain.keys import OwnKeys
from registry.domain.login import Login, Origin
from registry.domain.logins import LoginLog
from registry.domain.token_service import Grant, Request, TokenService
from registry.errors import RequestInvalid, Unauthorized

_FORM_BYTES_MAX = 16 * 1024
_FIELDS_MAX = 100
_YES = frozenset({"true", "1", "yes"})


class TokenEndpoint:
    def __init__(self, login: Login, service: TokenService, keys: OwnKeys, log: LoginLog) -> None:
        self._login, self._service, self._keys, self._log = login, service, keys, log

    def routes(self) -> list[Route]:
        anyone = Guard.ANYONE
        return [
            Route("GET", "/token", self.get_token, "token", anyone, style=Style.OAUTH),
            Route("POST", "/token", self.post_token, "token", anyone, style=Style.OAUTH),
            Route("GET", "/.well-known/jwks.json", self.get_keys, "jwks", anyone),
        ]

    async def get_token(self, call: Call) -> web.StreamResponse:
        """A token for what the query asks for, to whom the Authorization header names; to anybody without one."""
        query = call.request.query
        origin = _origin(call)
        scopes = parse_scopes(query.getall("scope", []))
        request = Request(
            scopes=scopes,
            offline=(call.query("offline_token") or "").lower() in _YES,
            service=call.query("service") or "",
            origin=origin,
        )
        identity = await self._identify(call, origin)
        grant = await self._service.grant(identity, request)
        if identity is not None and not scopes:
            self._log.succeeded(identity, origin)
        return _granted(grant)

    async def post_token(self, call: Call) -> web.StreamResponse:
        """The same by OAuth 2: with a password, or with a refresh token in place of one."""
        form = await _read_form(call)
        origin = _origin(call)
        request = Request(
            scopes=parse_scopes([form.get("scope", "")]),
            offline=form.get("access_type") == "offline",
            service=form.get("service", ""),
            origin=origin,
        )
        grant_type = form.get("grant_type")
        if grant_type == "refresh_token":
            return _granted(await self._refresh(form.get("refresh_token", ""), request), with_scope=True)
        if grant_type != "password":
            raise RequestInvalid("grant_type has to be password or refresh_token")
        identity = await self._verify(form.get("username", ""), form.get("password", ""), origin)
        if not request.scopes:
            self._log.succeeded(identity, origin)
        return _granted(await self._service.grant(identity, request), with_scope=True)

    async def get_keys(self, call: Call) -> web.StreamResponse:
        """The public keys that tokens can be verified with."""
        return json_answer(await self._keys.published(), headers={"Cache-Control": "no-cache"})

    async def _identify(self, call: Call, origin: Origin) -> Identity | None:
        header = authorization_of(call.request)
        if header is None:
            return None
        credentials = parse_authorization(header)
        if isinstance(credentials, Basic):
            return await self._verify(credentials.name, credentials.secret, origin)
        if not looks_like_secret(credentials.token):
            raise Unauthorized("the token service takes a user name with a password or an access token")
        return await self._verify(None, credentials.token, origin)

    async def _verify(self, name: str | None, secret: str, origin: Origin) -> Identity:
        try:
            if name is None:
                return await self._login.verify_token(secret, origin)
            return await self._login.verify(name, secret, origin)
        except Unauthorized as error:
            self._log.failed(name or "", origin, str(error))
            raise

    async def _refresh(self, secret: str, request: Request) -> Grant:
        try:
            return await self._service.refresh(secret, request)
        except Unauthorized as error:
            self._log.failed("", request.origin, str(error))
            raise


def _origin(call: Call) -> Origin:
    return Origin(call.client, call.agent)


def _granted(grant: Grant, *, with_scope: bool = False) -> Answer:
    issued = datetime.fromtimestamp(grant.issued_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    # Clients look for the token under either name.
    document: dict[str, object] = {
        "token": grant.token,
        "access_token": grant.token,
        "expires_in": grant.lifetime_s,
        "issued_at": issued,
    }
    if with_scope:
        document |= {"token_type": "Bearer", "scope": " ".join(map(str, grant.scopes))}
    if grant.refresh_token is not None:
        document["refresh_token"] = grant.refresh_token
    return json_answer(document, headers={"Cache-Control": "no-store"})


async def _read_form(call: Call) -> Mapping[str, str]:
    body = bytearray()
    async for data in call.content():
        body += data
        if len(body) > _FORM_BYTES_MAX:
            raise RequestInvalid(f"the form is larger than {_FORM_BYTES_MAX} bytes")
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError as error:
        raise RequestInvalid("the body is not a form (application/x-www-form-urlencoded)") from error
    return {name: values[0] for name, values in fields.items()}
