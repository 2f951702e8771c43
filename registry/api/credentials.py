"""The Authorization header (RFC 7617, RFC 6750)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from aiohttp import web

from registry.errors import RequestInvalid, Unauthorized

BASIC_CHALLENGE = 'Basic realm="Berth", charset="UTF-8"'


@dataclass(frozen=True, slots=True)
class Basic:
    name: str
    secret: str

    def __repr__(self) -> str:
        return f"Basic({self.name!r})"


@dataclass(frozen=True, slots=True)
class Bearer:
    token: str

    def __repr__(self) -> str:
        return "Bearer()"


def authorization_of(request: web.BaseRequest) -> str | None:
    """The Authorization header, if one was sent. Raises `RequestInvalid` for several.

    A program in front may have looked at another one of them than we would.
    """
    headers = request.headers.getall("Authorization", ())
    if len(headers) > 1:
        raise RequestInvalid("more than one Authorization header was sent")
    return headers[0] if headers else None


def parse_authorization(header: str) -> Basic | Bearer:
    """What the client says that it is. Raises `Unauthorized` where that cannot be understood."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return Bearer(rest)
    if scheme.lower() == "basic":
        return _parse_basic(rest)
    raise Unauthorized("the Authorization header is neither Basic nor Bearer")


def _parse_basic(text: str) -> Basic:
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unauthorized("the Basic credentials are malformed") from error
    name, colon, secret = decoded.partition(":")
    if not colon:
        raise Unauthorized("the Basic credentials are malformed")
    return Basic(name, secret)
