"""A token service alone, beside a registry that believes its tokens and asks nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
import pytest

from auth.actor import OPERATING
from auth.keyfiles import KeyFolder
from auth.keys import SigningKey
from auth.principals import Kind, Principal, parse_subject
from auth.scopes import parse_scopes
from auth.tokens import Holder, Issuer
from registry.app.first_start import ADMIN_PASSWORD_VARIABLE
from tests.api.accounts import PASSWORD, PASSWORDS, Accounts, basic, inhabited
from tests.api.content import LAYER, digest_of
from tests.api.server import Answer, Registry, configured, running

PUSH, PULL = "repository:acme/app:pull,push", "repository:acme/app:pull"
DIGEST = digest_of(LAYER)
ISSUER, SERVICE = "https://auth.example", "registry.example"
NAMES = {"auth.issuer": ISSUER, "auth.service": SERVICE}


@dataclass
class Pair:
    """The token service `tokens`, whose keys are in `keys`, and the registry that trusts it."""

    tokens: Accounts
    registry: Registry
    keys: KeyFolder

    async def ask(self, method: str, path: str, authorization: str | None = None, body: bytes = b"") -> Answer:
        """Ask the registry."""
        headers = {} if authorization is None else {"Authorization": authorization}
        return await self.registry.ask(method, path, headers=headers, body=body)

    async def push_layer(self, name: str, authorization: str) -> None:
        """Push a blob into the repository."""
        path = f"/v2/{name}/blobs/uploads/?digest={DIGEST}"
        assert (await self.ask("POST", path, authorization, LAYER)).status == 201


@contextlib.asynccontextmanager
async def beside(
    tokens: Accounts, jwks: str, keys: KeyFolder, settings: Mapping[str, object] | None = None
) -> AsyncIterator[Pair]:
    """A registry that trusts the keys at `jwks`."""
    external = {"auth.mode": "external", "auth.realm": f"{tokens.registry.url}/token", "auth.jwks": jwks}
    config = configured({"storage.ephemeral": True, **NAMES, **external, **(settings or {})})
    async with running(config, passwords=PASSWORDS) as registry:
        yield Pair(tokens, registry, keys)


@pytest.fixture
async def tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Accounts]:
    """A token service alone. Whoever starts beside it has an administrator with the same password."""
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
    settings = {"server.role": "tokens", "auth.keys": str(tmp_path / "keys"), **NAMES}
    async with inhabited(settings) as accounts:
        yield accounts


@pytest.fixture(params=["url", "file"])
async def pair(request: pytest.FixtureRequest, tokens: Accounts, tmp_path: Path) -> AsyncIterator[Pair]:
    """Both, by each way in which keys are read."""
    jwks = f"{tokens.registry.url}/.well-known/jwks.json"
    if request.param == "file":
        path = tmp_path / "jwks.json"
        path.write_bytes((await tokens.ask("GET", "/.well-known/jwks.json")).body)
        jwks = str(path)
    async with beside(tokens, jwks, KeyFolder(tmp_path / "keys")) as pair:
        yield pair


def signed(key: SigningKey, *scopes: str, name: str = "someone", issuer: str = ISSUER, audience: str = SERVICE) -> str:
    """A token of an issuer that says of its holder what it likes."""
    holder = Holder(Principal(Kind.USER, name, 1))
    return f"Bearer {Issuer(issuer, audience, 300).issue(key, holder, parse_scopes(scopes), int(time.time()))}"


def signing(pair: Pair) -> SigningKey:
    """The key of the token service."""
    ring = pair.keys.load()
    assert ring is not None
    return ring.signing


async def test_token_service_alone(tokens: Accounts) -> None:
    """A token service alone has tokens, keys and management, and no registry."""
    for path in ["/v2/", "/v2", "/v2/_catalog", "/v2/acme/app/tags/list"]:
        assert (await tokens.ask("GET", path, basic("admin"))).status == 404
    assert (await tokens.get(f"scope={PUSH}", basic("alice"))).status == 200
    assert (await tokens.ask("GET", "/.well-known/jwks.json")).status == 200
    assert (await tokens.ask("GET", "/v1/me", basic("alice"))).status == 200


async def test_registry_has_no_token_service(pair: Pair) -> None:
    """The registry sends clients to its issuer, and hands out nothing itself."""
    for path in ["/token", "/.well-known/jwks.json"]:
        assert (await pair.ask("GET", path)).status == 404
    answer = await pair.ask("GET", "/v2/acme/app/tags/list")
    realm = f"{pair.tokens.registry.url}/token"
    challenge = f'Bearer realm="{realm}",service="{SERVICE}",scope="{PULL}"'
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, challenge)


async def test_push_and_pull(pair: Pair) -> None:
    """Who gets a token there may do here what it says, and nothing else."""
    alice, rita = [await pair.tokens.token(basic(name), PUSH) for name in ("alice", "rita")]
    assert (await pair.ask("GET", "/v2/", alice)).status == 200
    await pair.push_layer("acme/app", alice)
    assert (await pair.ask("GET", f"/v2/acme/app/blobs/{DIGEST}", rita)).body == LAYER
    answer = await pair.ask("POST", "/v2/acme/app/blobs/uploads/", rita)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].endswith(f'scope="{PUSH}",error="insufficient_scope"')
    assert (await pair.ask("DELETE", f"/v2/acme/app/blobs/{DIGEST}", alice)).status == 401
    assert (await pair.ask("GET", "/v2/acme/other/tags/list", alice)).status == 401


async def test_nobody_in_particular(pair: Pair) -> None:
    """A token for nobody is one as any other: it is good for what it grants."""
    anonymous = await pair.tokens.token(None, "repository:acme/open/app:pull", PUSH)
    await pair.push_layer("acme/open/app", signed(signing(pair), "repository:acme/open/app:push,pull"))
    assert (await pair.ask("GET", f"/v2/acme/open/app/blobs/{DIGEST}", anonymous)).status == 200
    assert (await pair.ask("GET", "/v2/acme/app/tags/list", anonymous)).status == 401


async def test_issuer_has_the_last_word(pair: Pair) -> None:
    """What a token grants holds until it expires, whatever accounts and registries there are on either side."""
    alice = await pair.tokens.token(basic("alice"), PUSH)
    await pair.tokens.management.members.remove(OPERATING, "acme", parse_subject("user:alice"))
    await pair.push_layer("acme/app", alice)
    anything = signed(signing(pair), "repository:any/thing:pull,push,delete", name="of nobody's")
    await pair.push_layer("any/thing", anything)
    assert (await pair.ask("DELETE", f"/v2/any/thing/blobs/{DIGEST}", anything)).status == 202


@pytest.mark.parametrize("name", ["admin", "alice", "operator", "anonymous", "", "user:1"])
async def test_names_mean_nothing(pair: Pair, name: str) -> None:
    """An administrator's name in such a token opens nothing that the token does not grant."""
    token = signed(signing(pair), PULL, name=name)
    assert (await pair.ask("PUT", "/v2/acme/app/manifests/v1", token)).status == 401
    assert (await pair.ask("GET", "/v2/_catalog", token)).status == 401
    for path in ["/v1/me", "/v1/users", "/metrics"]:
        assert (await pair.ask("GET", path, token)).status == 401


async def test_mount(pair: Pair) -> None:
    """A blob is mounted with a token that is for both repositories; one that is for one begins an upload."""
    await pair.push_layer("acme/base", await pair.tokens.token(basic("alice"), "repository:acme/base:pull,push"))
    path = f"/v2/acme/app/blobs/uploads/?mount={DIGEST}"
    narrow = await pair.tokens.token(basic("alice"), PUSH)
    assert (await pair.ask("POST", f"{path}&from=acme/base", narrow)).status == 202
    assert (await pair.ask("POST", path, narrow)).status == 202
    blind = await pair.tokens.token(basic("alice"), PUSH, "repository:acme/base:push")
    assert (await pair.ask("POST", f"{path}&from=acme/base", blind)).status == 202
    both = await pair.tokens.token(basic("alice"), PUSH, "repository:acme/base:pull")
    assert (await pair.ask("POST", f"{path}&from=acme/base", both)).status == 201
    other = await pair.tokens.token(basic("admin"), "repository:x:pull,push", "repository:acme/base:pull")
    assert (await pair.ask("POST", f"/v2/x/blobs/uploads/?mount={DIGEST}", other)).status == 201


async def test_catalog(pair: Pair) -> None:
    """A token for the catalog shows all of it, since the issuer said so; one that is for repositories shows none."""
    for name in ["acme/app", "acme/base"]:
        await pair.push_layer(name, await pair.tokens.token(basic("alice"), f"repository:{name}:pull,push"))
    catalog = await pair.tokens.token(basic("nora"), "registry:catalog:*")
    assert (await pair.ask("GET", "/v2/_catalog", catalog)).json() == {"repositories": ["acme/app", "acme/base"]}
    answer = await pair.ask("GET", "/v2/_catalog", await pair.tokens.token(basic("alice"), PUSH))
    assert answer.status == 401
    assert 'scope="registry:catalog:*",error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


async def test_uploads_are_bound(pair: Pair) -> None:
    """An upload is gone on with by whoever began it, as the token names them, with any token of theirs."""
    key = signing(pair)
    begun = await pair.ask("POST", "/v2/acme/app/blobs/uploads/", signed(key, PUSH, name="one"))
    path = begun.headers["Location"]
    assert (await pair.ask("PATCH", path, signed(key, PUSH, name="two"), LAYER)).status == 404
    assert (await pair.ask("PATCH", path, signed(key, PUSH, name="one"), LAYER)).status == 202
    assert (await pair.ask("PUT", f"{path}?digest={DIGEST}", signed(key, PUSH, name="one"))).status == 201


async def test_no_other_logins(pair: Pair) -> None:
    """In the registry, neither passwords nor access tokens count, of its own administrator neither."""
    for login in [basic("admin"), basic("alice"), f"Bearer {await pair.tokens.access_token('alice')}"]:
        answer = await pair.ask("GET", "/v2/", login)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    # Its own accounts manage it all the same.
    assert (await pair.ask("GET", "/v1/users", basic("admin", PASSWORD))).status == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"issuer": "https://other.example"}, "invalid_token"),
        ({"issuer": f"{ISSUER}/"}, "invalid_token"),
        ({"audience": "other.example"}, "invalid_token"),
        ({"audience": ""}, "invalid_token"),
    ],
)
async def test_tokens_of_others(pair: Pair, changes: dict[str, str], error: str) -> None:
    """A token that the right key signed, of another issuer or for another registry, is refused."""
    answer = await pair.ask("GET", "/v2/", signed(signing(pair), PULL, **changes))
    assert answer.status == 401
    assert f'error="{error}"' in answer.headers["WWW-Authenticate"]


async def test_unknown_keys(pair: Pair) -> None:
    """Tokens that anybody signed are refused, and the issuer is not asked about each of them."""
    assert (await pair.ask("GET", "/v2/", await pair.tokens.token(basic("alice")))).status == 200
    for _ in range(20):
        assert (await pair.ask("GET", "/v2/", signed(SigningKey.generate(), PULL))).status == 401
    asked = [entry for entry in pair.tokens.registry.log.entries if entry["path"].endswith("jwks.json")]
    assert len(asked) <= 2


async def test_several_items_for_one_repository(pair: Pair) -> None:
    """An issuer may write the actions on a repository in several items: all of them count."""
    text = signed(signing(pair), PULL)
    said = jwt.decode(text.removeprefix("Bearer "), options={"verify_signature": False})
    said["access"] = [
        {"type": "repository", "name": "acme/app", "actions": [action]} for action in ("pull", "push", "fly")
    ]
    key = signing(pair)
    token = jwt.encode(said, key.key, "ES256", {"kid": key.kid})
    await pair.push_layer("acme/app", f"Bearer {token}")


async def test_issuer_that_is_down(tmp_path: Path) -> None:
    """While the issuer is down, tokens that it made before are good; and a registry starts without it."""
    keys, settings = tmp_path / "keys", {"server.role": "tokens", **NAMES}
    async with contextlib.AsyncExitStack() as later:
        async with inhabited({**settings, "auth.keys": str(keys)}) as tokens:
            jwks = f"{tokens.registry.url}/.well-known/jwks.json"
            pair = await later.enter_async_context(beside(tokens, jwks, KeyFolder(keys)))
            assert (await pair.ask("GET", "/v2/", await tokens.token(basic("alice")))).status == 200
            later_used = await tokens.token(basic("alice"), PUSH)
        await pair.push_layer("acme/app", later_used)
        fresh = await later.enter_async_context(beside(tokens, jwks, KeyFolder(keys)))
        answer = await fresh.ask("GET", "/v2/", later_used)
        assert (answer.status, answer.codes()) == (401, ["UNAUTHORIZED"])
