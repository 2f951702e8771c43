"""Tokens of licensed distribution. A token is shown once, when it is made: only its hash is kept."""

from __future__ import annotations

import re
import secrets
from enum import StrEnum

from auth.secrets import secret_hash
from registry.domain.licensing.expiry import DAY_MS

_USER_LIFETIME_MS = 14 * DAY_MS


class TokenKind(StrEnum):
    """What a token is for."""

    ADMIN = "admin-token"
    DEVELOPER = "developer-token"
    SALES = "sales-token"
    SUPPORT = "support-token"
    READ_ONLY = "read-only-token"
    USER = "user-token"
    PRODUCT = "product-token"
    ENVIRONMENT = "environment-token"
    LICENSE = "activation-token"


_PREFIXES = {
    TokenKind.ADMIN: "admin",
    TokenKind.DEVELOPER: "dev",
    TokenKind.SALES: "sales",
    TokenKind.SUPPORT: "spprt",
    TokenKind.READ_ONLY: "read",
    TokenKind.USER: "user",
    TokenKind.PRODUCT: "prod",
    TokenKind.ENVIRONMENT: "env",
    TokenKind.LICENSE: "activ",
}
_KINDS = {prefix: kind for kind, prefix in _PREFIXES.items()}
_TOKEN = re.compile(rf"({'|'.join(_KINDS)})-([0-9a-f]+)v3")


def new_token(kind: TokenKind) -> str:
    """A token that nobody can guess: what it is for, 32 to 64 hexadecimal digits, and what form this is."""
    return f"{_PREFIXES[kind]}-{secrets.token_hex(_digits(kind) // 2)}v3"


def kind_of(text: str) -> TokenKind | None:
    """What the token is for, known or not; None for what is no token."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    kind = _KINDS[match[1]]
    return kind if len(match[2]) == _digits(kind) else None


def token_hash(token: str) -> str:
    """By what a token is found, and all that is kept of it."""
    return secret_hash(token)


def expiry_of(kind: TokenKind, now_ms: int) -> int | None:
    """When a token that is made now ends, if nothing else was said; None for never."""
    return now_ms + _USER_LIFETIME_MS if kind is TokenKind.USER else None


def expiry_of_regenerated(expiry: int | None, now_ms: int) -> int | None:
    """When a token ends of which the secret is exchanged now: what had an end has a new one."""
    return None if expiry is None else now_ms + _USER_LIFETIME_MS


def _digits(kind: TokenKind) -> int:
    return 32 if kind is TokenKind.LICENSE else 64
