"""Keys that tokens are signed and verified with, and how they are published (RFC 7517, RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

# What a key of each kind signs with. There is nothing symmetric here: a public key must never do as a secret.
_ALGORITHMS = {
    ("EC", "P-256"): "ES256",
    ("EC", "P-384"): "ES384",
    ("OKP", "Ed25519"): "EdDSA",
    ("RSA", None): "RS256",
}
# What the thumbprint of a key of each kind is made of, besides `kty` (RFC 7638, 3.2; RFC 8037, 2).
_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("e", "n")}

OUR_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key, and the only algorithm that it is accepted with."""

    kid: str
    algorithm: str
    key: Any


class SigningKey:
    """A private key of ours; its `kid` is the thumbprint of the public one."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self.key = key
        self.public_jwk: dict[str, str] = _jwk_of(key)
        self.kid = self.public_jwk["kid"]

    @staticmethod
    def generate() -> SigningKey:
        return SigningKey(ec.generate_private_key(ec.SECP256R1()))

    @staticmethod
    def from_pem(pem: bytes) -> SigningKey:
        """Raises `ValueError` when that is not a private key on P-256."""
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (TypeError, ValueError, UnsupportedAlgorithm) as error:
            raise ValueError("it holds no private key that can be read without a password") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError("its key is not one on the curve P-256")  # noqa: TRY004 - what it holds is a value
        return SigningKey(key)

    def to_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def verifying(self) -> VerifyingKey:
        return VerifyingKey(self.kid, OUR_ALGORITHM, self.key.public_key())


class KeyRing:
    """Keys at one time: the newest signs, all verify."""

    def __init__(self, keys: list[SigningKey]) -> None:
        """`keys` are in the order of their age, the oldest first, and at least one."""
        self.signing = keys[-1]
        self.verifying: Mapping[str, VerifyingKey] = {key.kid: key.verifying() for key in keys}
        self._published = [key.public_jwk for key in reversed(keys)]

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys as a JSON Web Key Set."""
        return {"keys": self._published}


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Raises `ValueError` when that is not a public key of a known kind."""
    members = _MEMBERS.get(str(jwk.get("kty")))
    if members is None or not all(isinstance(jwk.get(name), str) for name in members):
        raise ValueError("it is not a public key of a known kind")
    required = {name: jwk[name] for name in (*members, "kty")}
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()


def parse_jwks(document: object) -> dict[str, VerifyingKey]:
    """The keys of a JSON Web Key Set that tokens can be verified with, by `kid`; others are left out.

    Raises `ValueError` when it is no such set.
    """
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("it is not a JSON Web Key Set")  # noqa: TRY004 - it came from outside
    found = [key for jwk in keys if isinstance(jwk, dict) and (key := _verifying(jwk)) is not None]
    return {key.kid: key for key in found}


def _verifying(jwk: dict[str, Any]) -> VerifyingKey | None:
    curve = jwk.get("crv")
    algorithm = _ALGORITHMS.get((str(jwk.get("kty")), None if curve is None else str(curve)))
    if algorithm is None or jwk.get("use", "sig") != "sig" or jwk.get("alg", algorithm) != algorithm:
        return None
    try:
        kid, key = jwk.get("kid"), jwt.PyJWK(jwk, algorithm).key
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
            return None
        return VerifyingKey(kid if isinstance(kid, str) else thumbprint(jwk), algorithm, key)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _jwk_of(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()

    def coordinate(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

    jwk = {"kty": "EC", "crv": "P-256", "x": coordinate(numbers.x), "y": coordinate(numbers.y)}
    return {**jwk, "use": "sig", "alg": OUR_ALGORITHM, "kid": thumbprint(jwk)}
