"""Tokens for the registry, and all that somebody may do to one."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping

import jwt

from auth.keys import SigningKey
from auth.tokens import Claims, Verifier, key_id

ISSUER, AUDIENCE = "https://registry.example", "registry.example"
KEY = SigningKey.generate()

OURS = Verifier(ISSUER, AUDIENCE, external=False)
THEIRS = Verifier(ISSUER, AUDIENCE, external=True)

Payload = dict[str, object]


def now() -> int:
    """The Unix time."""
    return int(time.time())


def payload(**changes: object) -> Payload:
    """What a good token says, but for these claims; one that is to be `...` is left out."""
    claims: Payload = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": AUDIENCE,
        "exp": now() + 300,
        "nbf": now() - 1,
        "iat": now() - 1,
        "jti": "one",
        "access": [{"type": "repository", "name": "app", "actions": ["pull", "push"]}],
        "berth": {"kind": "user", "id": 7, "epoch": 3, "token": None},
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not ...}


def sign(claims: Mapping[str, object] | bytes, key: SigningKey = KEY, /, **header: object) -> str:
    """A token that the key has signed, whatever it says; `header` adds to its header."""
    content = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jwt.api_jws.encode(content, key.key, "ES256", {"kid": key.kid, **header})


def part(content: object) -> str:
    """One of the three parts of a token: JSON, or bytes as they are."""
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def unsigned(claims: Payload, signature: bytes = b"", **header: object) -> str:
    """A token that nobody signed, with a header as it is given."""
    return f"{part({'typ': 'JWT', 'kid': KEY.kid, **header})}.{part(claims)}.{part(signature)}"


def with_secret(claims: Payload, secret: bytes) -> str:
    """A token that is signed with a secret by HMAC, and says so."""
    signed = unsigned(claims, alg="HS256").rpartition(".")[0]
    return f"{signed}.{part(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def verify(text: str, verifier: Verifier = OURS, *keys: SigningKey) -> Claims:
    """What a registry finds that trusts these keys, or the one of these tests."""
    trusted = {key.kid: key.verifying() for key in keys or (KEY,)}
    return verifier.verify(text, trusted.get(key_id(text)))
