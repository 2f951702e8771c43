"""What other registries learned about who gets in, each lesson as a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from auth.actor import OPERATING
from auth.keys import SigningKey
from auth.passwords import Passwords
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role, SystemRole
from auth.tokens import TOKEN_LENGTH_MAX, TokenRefused, key_id
from registry.api.jwks import JwksKeys
from registry.app.first_start import ensure_admin
from registry.domain.keys import OwnKeys
from registry.domain.login import Login, Origin
from registry.domain.throttle import Throttle
from registry.errors import StartError, Unauthorized
from storage.clock import FakeClock
from storage.metadata import access
from storage.metadata.sqlite import MemoryStore
from tests.api.accounts import PASSWORD, basic
from tests.api.lessons.tenancy import MAIN, VAULT, Tenancy

BASE = "/v2/"
IMAGE = "/v2/vault/app/manifests/v1"
PULL = "repository:vault/app:pull"


class Counted(Passwords):
    """Counts what is worked out, which is what takes time."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_kib=8)
        self.verified: list[bool] = []

    def verify(self, kept: str | None, text: str) -> bool:
        self.verified.append(kept is not None)
        return super().verify(kept, text)


@pytest.mark.parametrize("name", ["carol", "nobody", "robot+ci", "disabled", "passwordless"])
async def test_unknown_account_costs_as_much(tenancy: Tenancy, name: str) -> None:
    """A wrong login takes one hash and the same words, whether there is such an account or not (CVE-2023-20902)."""
    store, users = tenancy.registry.storage.store, tenancy.management.users
    await users.create(OPERATING, "passwordless", None)
    await users.create(OPERATING, "disabled", PASSWORD)
    await tenancy.management.users.update(OPERATING, "disabled", UserChanges(disabled=True))
    passwords, clock = Counted(), FakeClock()
    login = Login(store, clock, passwords, Throttle(store, clock))
    secret = PASSWORD if name == "disabled" else "wrong password"
    with pytest.raises(Unauthorized, match="wrong user name or password"):
        await login.verify(name, secret, Origin())
    assert len(passwords.verified) == 1


async def test_unknown_account_is_kept_waiting_as_long(tenancy: Tenancy) -> None:
    """Whoever guesses is made to wait, and in the same words, whether there is such an account or not."""
    answers = []
    for name in ("carol", "nobody"):
        for guess in range(6):
            answer = await tenancy.ask(basic(name, f"guess {guess}"), "GET", BASE)
            answers.append((name, guess, answer.status, answer.body, answer.headers.get("Retry-After")))
    halves = [[found[1:] for found in answers if found[0] == name] for name in ("carol", "nobody")]
    assert halves[0] == halves[1]
    assert halves[0][-1][1] == 429


async def test_guesses_at_the_same_time_are_counted(tenancy: Tenancy) -> None:
    """Who guesses many times at once gets no more tries than who guesses one after the other."""
    store, passwords, clock = tenancy.registry.storage.store, Counted(), FakeClock()
    login = Login(store, clock, passwords, Throttle(store, clock))
    guesses = [login.verify("carol", f"guess {number}", Origin("192.0.2.7")) for number in range(40)]
    await asyncio.gather(*guesses, return_exceptions=True)
    assert len(passwords.verified) <= 7


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


class Watched(Path):
    """Counts how often it is read."""

    # A folder of keys, and a file of them, are read by one of these.
    reads = 0

    def read_bytes(self) -> bytes:
        Watched.reads += 1
        return super().read_bytes()


async def test_unknown_keys_drive_out_nothing(tmp_path: Path) -> None:
    """Tokens with random key ids neither make us ask for keys each time, nor cost those that are known (CVE-2026-48524)."""
    key = SigningKey.generate()
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [key.public_jwk]}))
    keys = JwksKeys(str(file))
    assert await keys.find(key.kid) is not None
    file.unlink()
    for number in range(1000):
        assert await keys.find(f"random {number}") is None
    assert await keys.find(key.kid) is not None


async def test_token_length_is_bounded(tenancy: Tenancy) -> None:
    """A token that is too long is refused before it is taken apart (CVE-2025-30204)."""
    with pytest.raises(TokenRefused, match="longer than"):
        key_id("." * (TOKEN_LENGTH_MAX + 1))
    answer = await tenancy.ask(f"Bearer {'.' * (TOKEN_LENGTH_MAX + 1)}", "GET", BASE)
    assert answer.status == 401
    assert "longer than" in answer.json()["errors"][0]["message"]


async def test_no_default_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every first start has a password of its own, told once, and takes none that is too short (CVE-2026-4404)."""
    monkeypatch.delenv("BERTH_ADMIN_PASSWORD")
    told = set()
    for _ in range(2):
        store = MemoryStore()
        await ensure_admin(store, Passwords(1, 8))
        told.add(capsys.readouterr().err)
        await ensure_admin(store, Passwords(1, 8))
        assert capsys.readouterr().err == ""
        await store.close()
    assert len(told) == 2
    monkeypatch.setenv("BERTH_ADMIN_PASSWORD", "admin")
    store = MemoryStore()
    with pytest.raises(StartError, match="BERTH_ADMIN_PASSWORD"):
        await ensure_admin(store, Passwords(1, 8))
    assert not await access.has_users(store)
    await store.close()


async def test_metrics_are_for_those_who_may_read_them(tenancy: Tenancy) -> None:
    """That anybody may pull opens the metrics to nobody, and a token for the registry does not open them either."""
    await tenancy.management.users.create(OPERATING, "watch", PASSWORD, SystemRole.MONITOR)
    assert (await tenancy.ask(None, "GET", "/v2/plaza/none/tags/list")).status == 401
    tokens = [await tenancy.token(who, "registry:catalog:*") for who in (None, "admin", "watch")]
    for who, status in (*((token, 401) for token in (None, *tokens)), ("alice", 403), ("watch", 200), ("admin", 200)):
        assert (await tenancy.ask(who, "GET", "/metrics")).status == status
    # Nor does what opens the metrics open anything else.
    assert (await tenancy.ask("watch", "GET", IMAGE)).status == 404


async def test_catalog_needs_a_token_and_shows_what_one_may_pull(tenancy: Tenancy) -> None:
    """Nobody reads the catalog without a token, and nobody finds names in it that are not theirs (CVE-2020-29662)."""
    await tenancy.push("bob", "berth/app")
    await tenancy.push("admin", "plaza/app")
    assert (await tenancy.ask(None, "GET", "/v2/_catalog")).status == 401
    everything = ["berth/app", "plaza/app", "vault/app"]
    seen = {None: ["plaza/app"], "eve": ["plaza/app"], "bob": everything[:2], "rita": everything[1:], "admin": everything}
    for who, names in seen.items():
        token = await tenancy.token(who, "registry:catalog:*")
        for path in ("/v2/_catalog", "/v2/_catalog?n=10000", "/v2/_catalog?last=berth"):
            assert (await tenancy.ask(token, "GET", path)).json()["repositories"] == names
        first = await tenancy.ask(token, "GET", "/v2/_catalog?n=1")
        assert first.json()["repositories"] == names[:1]
        assert ("Link" in first.headers) == (len(names) > 1)


async def test_visibility_counts_in_the_registry_too(tenancy: Tenancy) -> None:
    """What was public and is private now is private for those, too, who hold tokens from before (CVE-2026-27771)."""
    await tenancy.push("admin", "plaza/app")
    token, path = await tenancy.token(None, "repository:plaza/app:pull"), "/v2/plaza/app/manifests/v1"
    assert (await tenancy.ask(token, "GET", path)).status == 200
    private = await tenancy.send(
        "admin", "PATCH", "/v1/projects/plaza/registries/main", "registries", visibility="private"
    )
    assert private.status == 200
    await tenancy.token(None)
    assert (await tenancy.ask(token, "GET", path)).status == 401
    assert (await tenancy.ask("eve", "GET", path)).status == 404


async def test_group_that_is_left_gives_nothing(tenancy: Tenancy) -> None:
    """Who was taken out of a group has nothing of what it gave, whatever token is still about (CVE-2025-23208)."""
    groups = tenancy.management.groups
    await groups.create(OPERATING, "devs")
    await groups.add(OPERATING, "devs", "eve")
    await tenancy.management.members.put(OPERATING, "vault", Subject(SubjectKind.GROUP, "devs"), Role.READER)
    token = await tenancy.token("eve", PULL)
    assert (await tenancy.ask(token, "GET", IMAGE)).status == 200
    await groups.remove(OPERATING, "devs", "eve")
    await tenancy.token(None)
    for who in (token, "eve"):
        assert (await tenancy.ask(who, "GET", IMAGE)).status == 404


async def test_robot_is_a_robot_by_kind(tenancy: Tenancy) -> None:
    """What one is does not follow from one's name: no user is called as a robot, and no robot as an administrator."""
    for name in ("vault+ci", "robot$ci", "scanner-", "operator", "anonymous", "everyone", "token", "license"):
        assert (await tenancy.send("admin", "POST", "/v1/users", "users", name=name)).status == 422
    await tenancy.send("alice", "POST", f"{VAULT}/robots", "robots", name="admin", role="guest")
    secret = await tenancy.access_token("vault+admin", *Action)
    me = await tenancy.ask(basic("vault+admin", secret), "GET", "/v1/me")
    assert me.json()["data"]["attributes"] == {
        "kind": "robot",
        "name": "vault+admin",
        "systemRole": None,
        "token": "test",
    }
    assert (await tenancy.ask(basic("vault+admin", secret), "GET", "/v1/users")).status == 403
    assert (await tenancy.ask(basic("admin", secret), "GET", "/v1/users")).status == 401
    # A user whose name begins as those of scanners elsewhere is a user.
    await tenancy.send("admin", "POST", "/v1/users", "users", name="scanner-1", password=PASSWORD)
    assert (await tenancy.ask("scanner-1", "GET", IMAGE)).status == 404


async def test_no_answer_is_open_to_other_origins(tenancy: Tenancy) -> None:
    """No page of another origin may read answers that a browser's login opened."""
    for path in (BASE, "/v1/me", "/token", "/healthz"):
        for method in ("GET", "OPTIONS"):
            answer = await tenancy.ask("admin", method, path, headers={"Origin": "https://evil.example"})
            assert [name for name in answer.headers if name.lower().startswith("access-control")] == []


@pytest.mark.parametrize("host", ['evil",scope="x', "evil/path", "evil\\", "evil evil", "user@evil", "evil:99999999", ""])
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


async def test_refresh_token_opens_the_token_service_alone(tenancy: Tenancy) -> None:
    """What a client keeps in place of a password is good for nothing but to ask for tokens."""
    granted = await tenancy.ask("alice", "GET", "/token?service=berth&offline_token=true")
    secret = granted.json()["refresh_token"]
    for header in (f"Bearer {secret}", basic("alice", secret)):
        for path in (BASE, IMAGE, "/v1/me", "/metrics", "/token"):
            assert (await tenancy.ask(header, "GET", path)).status == 401


async def test_nothing_is_unpickled() -> None:
    """Nothing that was stored, or sent, is ever run (CVE-2026-32590)."""
    for source in sources("registry", "storage", "auth"):
        assert not {"pickle", "marshal", "shelve", "dill"} & set(imported(source)), source.path
