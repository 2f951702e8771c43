"""Tokens and the keys that are published for them: what anybody else can verify (RFC 7515, RFC 7517, RFC 7638)."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

from auth.keyfiles import KeyFolder
from tests.api.accounts import Accounts, basic, inhabited

PUSH = "repository:acme/app:pull,push"
KEYS = "/.well-known/jwks.json"


def decoded(part: str) -> bytes:
    """Base64 as tokens have it, without padding, which has to be the only way to write it."""
    data = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    assert base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part
    return data


def verified(token: str, keys: list[dict[str, str]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a token that one of the published keys signed, found without the library that made it."""
    signed, _, signature = token.rpartition(".")
    header, payload = (json.loads(decoded(part)) for part in signed.split("."))
    (jwk,) = [jwk for jwk in keys if jwk["kid"] == header["kid"]]
    x, y = (int.from_bytes(decoded(jwk[name])) for name in ("x", "y"))
    raw = decoded(signature)
    assert len(raw) == 64
    der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(der, signed.encode(), ec.ECDSA(SHA256()))
    return header, payload


def kid_of(token: str) -> str:
    """The key that a token names."""
    kid: str = json.loads(decoded(token.removeprefix("Bearer ").partition(".")[0]))["kid"]
    return kid


def naming(token: str, kid: str) -> str:
    """The token, with another key named, and its signature as it was."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": kid}).encode()).rstrip(b"=").decode()
    return f"Bearer {header}.{token.partition('.')[2]}"


async def published(accounts: Accounts) -> list[dict[str, str]]:
    """The keys that everybody can read."""
    answer = await accounts.ask("GET", KEYS)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert set(document) == {"keys"}
    keys: list[dict[str, str]] = document["keys"]
    return keys


async def test_claims(accounts: Accounts) -> None:
    """A token says what registries have agreed on, in their words, and nothing that is secret."""
    before = int(time.time())
    token = (await accounts.token(basic("alice"), PUSH, "registry:catalog:*")).removeprefix("Bearer ")
    header, said = verified(token, await published(accounts))
    assert set(header) == {"typ", "alg", "kid"}
    assert (header["typ"], header["alg"]) == ("JWT", "ES256")
    assert {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"} <= set(said)
    assert (said["iss"], said["sub"], said["aud"]) == ("berth", "alice", "berth")
    assert before <= said["iat"] <= time.time()
    assert said["exp"] == said["iat"] + 300
    assert said["iat"] - 120 <= said["nbf"] <= said["iat"]
    assert len(said["jti"]) >= 16
    assert said["access"] == [
        {"type": "repository", "name": "acme/app", "actions": ["pull", "push"]},
        {"type": "registry", "name": "catalog", "actions": ["*"]},
    ]


@pytest.mark.parametrize(("login", "sub"), [(None, ""), ("alice", "alice"), ("acme+ci", "acme+ci")])
async def test_subject(accounts: Accounts, login: str | None, sub: str) -> None:
    """The subject is the account's full name, and empty for nobody in particular."""
    secret = await accounts.access_token("acme+ci")
    authorization = None if login is None else basic(login, secret) if "+" in login else basic(login)
    token = (await accounts.token(authorization)).removeprefix("Bearer ")
    _, said = verified(token, await published(accounts))
    assert (said["sub"], said["access"]) == (sub, [])


async def test_every_token_is_another(accounts: Accounts) -> None:
    """Two tokens for the same are told apart by their ids."""
    tokens = [(await accounts.token(basic("alice"), PUSH)).removeprefix("Bearer ") for _ in range(20)]
    keys = await published(accounts)
    assert len({verified(token, keys)[1]["jti"] for token in tokens}) == 20


async def test_configured_names() -> None:
    """Issuer, audience and lifetime are those of the configuration."""
    settings = {
        "auth.service": "registry.example",
        "auth.issuer": "https://auth.example/",
        "auth.token_lifetime": "60s",
    }
    async with inhabited(settings) as accounts:
        answer = await accounts.get("", basic("alice"))
        _, said = verified(answer.json()["token"], await published(accounts))
        assert (said["iss"], said["aud"]) == ("https://auth.example/", "registry.example")
        assert answer.json()["expires_in"] == said["exp"] - said["iat"] == 60


async def test_changed_token(accounts: Accounts) -> None:
    """The check above is one: a token of which a bit was changed does not pass it."""
    token = (await accounts.token(basic("alice"), PUSH)).removeprefix("Bearer ")
    header, payload, signature = token.split(".")
    said = json.loads(decoded(payload)) | {"sub": "admin"}
    changed = base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidSignature):
        verified(f"{header}.{changed}.{signature}", await published(accounts))
    assert (await accounts.ask("GET", "/v2/", f"Bearer {header}.{changed}.{signature}")).status == 401


@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", basic("alice", "wrong")])
async def test_published_keys(accounts: Accounts, authorization: str | None) -> None:
    """Everybody may read the keys: public numbers and what they are for, and no private part."""
    answer = await accounts.ask("GET", KEYS, authorization)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    (key,) = answer.json()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")
    required = json.dumps({name: key[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    assert decoded(key["kid"]) == hashlib.sha256(required.encode()).digest()
    head = await accounts.ask("HEAD", KEYS)
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(answer.body)))
    assert (await accounts.ask("POST", KEYS)).status == 405


async def test_rotation(tmp_path: Path) -> None:
    """After a rotation the new key signs, tokens in flight stay good, and both keys are published."""
    async with inhabited({"auth.keys": str(tmp_path / "keys")}) as accounts:
        before = await accounts.token(basic("alice"), PUSH)
        (old,) = await published(accounts)
        new = KeyFolder(tmp_path / "keys").rotate(time.time_ns() // 1_000_000)
        # A token that names a key that is not known makes a process look at the files again.
        assert (await accounts.ask("GET", "/v2/", naming(before, new.kid))).status == 401
        keys = await published(accounts)
        assert [key["kid"] for key in keys] == [new.kid, old["kid"]]
        after = await accounts.token(basic("alice"), PUSH)
        for token in (before, after):
            verified(token.removeprefix("Bearer "), keys)
            assert (await accounts.ask("POST", "/v2/acme/app/blobs/uploads/", token)).status == 202
        assert kid_of(after) == new.kid
