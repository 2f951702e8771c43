"""What other registries learned about tokens and challenges, each lesson as a test."""

from __future__ import annotations

import ast
import asyncio
import json
from pathlib import Path

import jwt
import pytest

from auth.keys import SigningKey
from auth.tokens import TOKEN_LENGTH_MAX, TokenRefused, key_id
from registry.api.jwks import JwksKeys
from tests.api.lessons.tenancy import Tenancy
from tests.architecture.source import sources

BASE = "/v2/"
IMAGE = "/v2/vault/app/manifests/v1"
PULL = "repository:vault/app:pull"


async def test_key_from_the_header_is_not_used(tenancy: Tenancy) -> None:
    """A token that brings its own key, under the name of ours, is refused (CVE-2025-24976)."""
    token = (await tenancy.token("alice", PULL)).removeprefix("Bearer ")
    payload = jwt.decode(token, options={"verify_signature": False})
    key, kid = SigningKey.generate(), jwt.get_unverified_header(token)["kid"]
    forged = jwt.encode(payload, key.key, "ES256", {"kid": kid, "jwk": key.public_jwk})
    answer = await tenancy.ask(f"Bearer {forged}", "GET", IMAGE)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert (await tenancy.ask(f"Bearer {token}", "GET", IMAGE)).status == 200


async def test_urls_in_tokens_are_not_asked(tenancy: Tenancy) -> None:
    """Whatever a token says about where its key is, nobody asks there (CVE-2026-32301)."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    place = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/keys"
    key = SigningKey.generate()
    header = {"kid": key.kid, "jku": place, "x5u": place, "jwk": key.public_jwk}
    payload = {"iss": place, "sub": "admin", "aud": "berth", "exp": 4_000_000_000}
    token = jwt.encode(payload, key.key, "ES256", header)
    assert (await tenancy.ask(f"Bearer {token}", "GET", BASE)).status == 401
    server.close()
    await server.wait_closed()
    assert asked == []


async def test_unknown_keys_drive_out_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Random key ids neither make us ask for keys each time, nor cost those that are known (CVE-2026-48524)."""
    key = SigningKey.generate()
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [key.public_jwk]}))
    keys = JwksKeys(str(file))
    assert await keys.find(key.kid) is not None
    file.unlink()
    for number in range(1000):
        assert await keys.find(f"random {number}") is None
    assert await keys.find(key.kid) is not None
    # Had it been asked again, it would have complained.
    assert caplog.records == []


async def test_token_length_is_bounded(tenancy: Tenancy) -> None:
    """A token that is too long is refused before it is taken apart (CVE-2025-30204)."""
    with pytest.raises(TokenRefused, match="longer than"):
        key_id("." * (TOKEN_LENGTH_MAX + 1))
    answer = await tenancy.ask(f"Bearer {'.' * (TOKEN_LENGTH_MAX + 1)}", "GET", BASE)
    assert answer.status == 401
    assert "longer than" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    "host", ['evil",scope="x', "evil/path", "evil\\", "evil evil", "user@evil", "evil:99999999", ""]
)
async def test_realm_is_no_place_for_headers(tenancy: Tenancy, host: str) -> None:
    """What a client sends as its host cannot add anything to a challenge (CVE-2026-12566)."""
    answer = await tenancy.ask(None, "GET", BASE, headers={"Host": host})
    assert answer.headers.getall("WWW-Authenticate") == ['Bearer realm="/token",service="berth"']


async def test_forwarded_host_is_believed_from_proxies_alone(tenancy: Tenancy) -> None:
    """A stranger cannot send clients to another token service."""
    names = ("X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded")
    headers = dict(zip(names, ("evil.example", "https", "host=evil.example"), strict=True))
    challenge = (await tenancy.ask(None, "GET", BASE, headers=headers)).headers["WWW-Authenticate"]
    assert challenge == f'Bearer realm="{tenancy.registry.url}/token",service="berth"'


async def test_no_answer_is_open_to_other_origins(tenancy: Tenancy) -> None:
    """No page of another origin may read answers that a browser's login opened."""
    for path in (BASE, "/v1/me", "/token", "/healthz"):
        for method in ("GET", "OPTIONS"):
            answer = await tenancy.ask("admin", method, path, headers={"Origin": "https://evil.example"})
            assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


def test_nothing_is_unpickled() -> None:
    """Nothing that was stored, or sent, is ever run (CVE-2026-32590)."""
    for source in sources("registry", "storage", "auth"):
        imports = [node for node in ast.walk(source.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        names = {alias.name for node in imports for alias in node.names} | {
            node.module for node in imports if isinstance(node, ast.ImportFrom)
        }
        assert not {"pickle", "marshal", "shelve"} & names, source.path
