"""Tokens that must not be believed, made from one of an administrator that is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from auth.keys import SigningKey

Json = dict[str, Any]

_HOUR_S = 3600


def forged(token: str, key: SigningKey) -> Mapping[str, str]:
    """By what is wrong with them, tokens made from this one, which `key` signed."""
    payload: Json = jwt.decode(token, options={"verify_signature": False})
    head, body, signature = token.split(".")
    foreign = SigningKey.generate()
    kid = {"kid": key.kid}
    return {
        "expired token": _signed({**payload, **_times(payload, -2 * _HOUR_S)}, key, kid),
        "token of tomorrow": _signed({**payload, **_times(payload, 24 * _HOUR_S)}, key, kid),
        "token without end": _signed({name: value for name, value in payload.items() if name != "exp"}, key, kid),
        "other audience": _signed({**payload, "aud": "elsewhere"}, key, kid),
        "other issuer": _signed({**payload, "iss": "elsewhere"}, key, kid),
        "tampered payload": f"{head}.{_encoded({**payload, 'jti': 'x'})}.{signature}",
        "tampered signature": f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}",
        "no signature": f"{head}.{body}.",
        "alg=none": f"{_encoded({'alg': 'none', 'typ': 'JWT', **kid})}.{body}.",
        "alg=None": f"{_encoded({'alg': 'None', 'typ': 'JWT', **kid})}.{body}.{signature}",
        "HMAC with the public key as PEM": _hmac(body, kid, _pem(key)),
        "HMAC with the public key as JWK": _hmac(body, kid, json.dumps(key.public_jwk).encode()),
        "HMAC with nothing": _hmac(body, kid, b""),
        "foreign jwk, trusted kid": _signed(payload, foreign, {**kid, "jwk": foreign.public_jwk}),
        "foreign jwk, its own kid": _signed(payload, foreign, {"kid": foreign.kid, "jwk": foreign.public_jwk}),
        "foreign key, trusted kid": _signed(payload, foreign, kid),
        "foreign kid": _signed(payload, key, {"kid": foreign.kid}),
        "kid that is a path": _signed(payload, key, {"kid": f"../keys/{key.kid}"}),
        "no kid": _signed(payload, key, {}),
        "over-long token": f"{head}.{body}.{signature}{'A' * 8000}",
        "many dots": "." * 8000,
    }


def _times(payload: Json, later_s: int) -> Json:
    return {name: payload[name] + later_s for name in ("exp", "nbf", "iat")}


def _signed(payload: Json, key: SigningKey, header: Json) -> str:
    return jwt.encode(payload, key.key, "ES256", header)


def _encoded(document: Json) -> str:
    return _base64(json.dumps(document).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _hmac(body: str, header: Json, secret: bytes) -> str:
    text = f"{_encoded({'alg': 'HS256', 'typ': 'JWT', **header})}.{body}"
    return f"{text}.{_base64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def _pem(key: SigningKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.verifying().key.public_bytes(serialization.Encoding.PEM, form)  # type: ignore[no-any-return]
