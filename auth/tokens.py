"""Access tokens for the registry: short-lived JSON Web Tokens that say who somebody is and what was granted."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from jwt.types import Options

from auth.keys import OUR_ALGORITHM, SigningKey, VerifyingKey
from auth.principals import Kind, Principal
from auth.scopes import ANY, EVERYTHING, REPOSITORY, Scope

# A token travels in one header line, and proxies end those at 8 KiB.
TOKEN_LENGTH_MAX = 8000
# So much of it is for what is granted, before base64 makes it longer by a third.
_GRANTS_BYTES_MAX = 4000
_LEEWAY_S = 60
# The last second that has a date.
_TIME_MAX = 253_402_300_799
_OURS = "berth"


class TokenRefused(Exception):
    """The message says why: it is not ours, it has expired, it was changed."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a token was made for. `access_token` is the id of the access token that was used to log in."""

    principal: Principal
    epoch: int = 0
    access_token: int | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `expires_at` is a Unix time."""

    holder: Holder
    scopes: tuple[Scope, ...]
    expires_at: float


@dataclass(frozen=True, slots=True)
class Issuer:
    """Makes tokens. `name` becomes `iss`, `audience` is the service that accepts them."""

    name: str
    audience: str
    lifetime_s: int

    def issue(self, key: SigningKey, holder: Holder, scopes: Iterable[Scope], now_s: int) -> str:
        """A token that grants the scopes, as far as they fit into one: the first come first."""
        principal = holder.principal
        ours = {"kind": principal.kind, "id": principal.id, "epoch": holder.epoch, "token": holder.access_token}
        payload = {
            "iss": self.name,
            "sub": "" if principal.kind is Kind.ANONYMOUS else principal.name,
            "aud": self.audience,
            "exp": now_s + self.lifetime_s,
            "nbf": now_s - _LEEWAY_S,
            "iat": now_s,
            "jti": secrets.token_urlsafe(12),
            "access": [scope.as_claim() for scope in fitting(scopes)],
            _OURS: ours,
        }
        return jwt.encode(payload, key.key, OUR_ALGORITHM, {"kid": key.kid})


def fitting(scopes: Iterable[Scope]) -> list[Scope]:
    """As many of the scopes, from the first on, as one token can carry."""
    found, room = [], _GRANTS_BYTES_MAX
    for scope in scopes:
        room -= len(scope.name.encode()) + len(scope.type) + 80
        if room < 0:
            break
        found.append(scope)
    return found


@dataclass(frozen=True, slots=True)
class Verifier:
    """Decides which tokens are believed.

    `external` says that the issuer is another program: its tokens name whom they like, and are good for what they
    grant alone.
    """

    issuer: str
    audience: str
    external: bool

    def verify(self, text: str, key: VerifyingKey | None) -> Claims:
        """What the token says, if it is ours and its time has not passed. Raises `TokenRefused`.

        `key` is the one of which `key_id` gave the id, if it is trusted. Keys that a token brings along in its header
        are never looked at.
        """
        if key is None:
            raise TokenRefused("the token was signed with a key that is not known here")
        payload = self._decode(text, key)
        return Claims(self._holder(payload), tuple(_scopes(payload)), _time(payload["exp"]))

    def _decode(self, text: str, key: VerifyingKey) -> dict[str, Any]:
        options: Options = {"require": ["exp", "iss", "aud", "sub"], "verify_iat": False}
        try:
            return jwt.decode(
                text,
                key.key,
                algorithms=[key.algorithm],
                audience=self.audience,
                issuer=self.issuer,
                leeway=_LEEWAY_S if self.external else 0,
                options=options,
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRefused("the token has expired: log in again") from error
        except jwt.InvalidAudienceError as error:
            raise TokenRefused("the token is for another service") from error
        except jwt.PyJWTError as error:
            raise TokenRefused("the token is not valid") from error

    def _holder(self, payload: Mapping[str, Any]) -> Holder:
        if self.external:
            name = payload["sub"]
            return Holder(Principal(Kind.EXTERNAL, name) if name else Principal(Kind.ANONYMOUS, "anonymous"))
        try:
            ours = payload[_OURS]
            kind, number, epoch, token = ours["kind"], ours["id"], ours["epoch"], ours["token"]
            return Holder(Principal(Kind(kind), payload["sub"] or "anonymous", number), epoch, token)
        except (KeyError, TypeError, ValueError) as error:
            raise TokenRefused("the token is not valid") from error


def key_id(text: str) -> str:
    """The `kid` in a token's header, which nobody has verified. Raises `TokenRefused`, also for a token too long."""
    if len(text) > TOKEN_LENGTH_MAX:
        raise TokenRefused(f"the token is longer than {TOKEN_LENGTH_MAX} characters")
    try:
        kid = jwt.get_unverified_header(text).get("kid")
    except (jwt.PyJWTError, ValueError) as error:
        raise TokenRefused("the token is malformed") from error
    if not isinstance(kid, str):
        raise TokenRefused("the token does not say which key it was signed with")
    return kid


def _time(value: object) -> float:
    # PyJWT also takes text with digits in it, and numbers that are too large for a float.
    if not isinstance(value, int | float) or value > _TIME_MAX:
        raise TokenRefused("the token is not valid")
    return float(value)


def _scopes(payload: Mapping[str, Any]) -> Iterable[Scope]:
    access = payload.get("access")
    for item in access if isinstance(access, list) else ():
        match item:
            case {"type": str(kind), "name": str(name), "actions": list(actions)}:
                words = frozenset(action for action in actions if isinstance(action, str))
                yield Scope(kind, name, EVERYTHING if kind == REPOSITORY and ANY in words else words)
            case _:
                raise TokenRefused("the token is not valid")
