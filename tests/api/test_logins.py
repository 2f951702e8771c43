"""Guessing passwords over HTTP: how it is slowed down, and who is not affected."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from urllib.parse import urlencode

import pytest

from auth.passwords import Passwords
from auth.secrets import SecretKind, new_secret
from tests.api.accounts import PASSWORD, Accounts, basic, inhabited
from tests.api.server import Answer

PUSH = "repository:acme/app:pull,push"
PROXY = {"server.trusted_proxies": ["127.0.0.0/8"]}
WAYS = ["get", "post", "registry", "management", "metrics"]


class HeldPasswords(Passwords):
    """Nobody gets an answer before `gate` is set. `most` is how many were hashed at a time; `two` is set at two."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_kib=64)
        self.gate, self.two, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self.now = self.most = 0

    def verify(self, kept: str | None, text: str) -> bool:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == 2:
                self.two.set()
        self.gate.wait(10)
        with self._lock:
            self.now -= 1
        return super().verify(kept, text)


async def try_to(accounts: Accounts, way: str, name: str, password: str, address: str = "") -> Answer:
    """Log in with a password in one of the ways there are, through a proxy that says it is for this address."""
    if way == "post":
        fields = {"grant_type": "password", "username": name, "password": password}
        return await accounts.post(fields, X_Forwarded_For=address)
    path = {"get": "/token", "registry": "/v2/", "management": "/v1/me", "metrics": "/metrics"}[way]
    return await accounts.ask("GET", path, basic(name, password), X_Forwarded_For=address)


async def guess(accounts: Accounts, times: int, name: str = "alice", address: str = "") -> None:
    """Send that many different wrong passwords."""
    for number in range(times):
        assert (await try_to(accounts, "get", name, f"guess number {number}", address)).status == 401


@pytest.mark.parametrize("way", WAYS)
async def test_after_the_fifth(accounts: Accounts, way: str) -> None:
    """After five wrong passwords the next one has to wait, whichever way it comes, and is told for how long."""
    await guess(accounts, 5)
    for password in ["another guess", PASSWORD]:
        answer = await try_to(accounts, way, "alice", password)
        assert answer.status == 429
        assert answer.headers["Retry-After"] == "1"
        assert "WWW-Authenticate" not in answer.headers
        (error,) = answer.json()["errors"]
        assert error["code"].replace("_", "").upper() == "TOOMANYREQUESTS"
        assert "wait before the next try" in str(error)


async def test_all_ways_count_together(accounts: Accounts) -> None:
    """Five ways to log in do not give five times as many tries."""
    for way in WAYS:
        assert (await try_to(accounts, way, "alice", f"guess by {way}")).status == 401
    for way in WAYS:
        assert (await try_to(accounts, way, "alice", "another guess")).status == 429


async def test_right_password_after_the_wait(accounts: Accounts) -> None:
    """Who waits as long as told gets in with the right password, and has all tries again."""
    await guess(accounts, 5)
    wait_s = int((await try_to(accounts, "get", "alice", PASSWORD)).headers["Retry-After"])
    await asyncio.sleep(wait_s + 0.05)
    assert (await try_to(accounts, "get", "alice", PASSWORD)).status == 200
    await guess(accounts, 4, "alice")


async def test_waits_grow(accounts: Accounts) -> None:
    """A wrong password after the wait makes the next wait longer."""
    await guess(accounts, 5)
    await asyncio.sleep(1.05)
    assert (await try_to(accounts, "get", "alice", "another guess")).status == 401
    assert (await try_to(accounts, "get", "alice", PASSWORD)).headers["Retry-After"] == "2"


async def test_same_wrong_password_again(accounts: Accounts) -> None:
    """A node that goes on with an old password keeps nobody out, not even itself once it has the right one."""
    for way in WAYS * 10:
        assert (await try_to(accounts, way, "alice", "the old password")).status == 401
    assert (await try_to(accounts, "get", "alice", PASSWORD)).status == 200


async def test_known_login_goes_on(accounts: Accounts) -> None:
    """Who logged in a moment ago from there goes on doing so while somebody guesses."""
    assert (await try_to(accounts, "get", "alice", PASSWORD)).status == 200
    await guess(accounts, 5)
    assert (await try_to(accounts, "get", "alice", "another guess")).status == 429
    for way in ["get", "post", "registry", "management"]:
        assert (await try_to(accounts, way, "alice", PASSWORD)).status == 200


async def test_what_needs_no_password_goes_on(accounts: Accounts) -> None:
    """Tokens that somebody has already, and access tokens, are not affected."""
    secret = await accounts.access_token("alice")
    kept = (await accounts.get("offline_token=true", basic("alice", secret))).json()["refresh_token"]
    token = await accounts.token(basic("alice", secret), PUSH)
    await guess(accounts, 5)
    assert (await accounts.ask("POST", "/v2/acme/app/blobs/uploads/", token)).status == 202
    assert (await accounts.get("", basic("alice", secret))).status == 200
    assert (await accounts.post({"grant_type": "refresh_token", "refresh_token": kept})).status == 200
    assert (await accounts.get()).status == 200


async def test_others_are_not_affected() -> None:
    """Only that account waits, and only where it was guessed at, as a trusted proxy tells it."""
    async with inhabited(PROXY) as accounts:
        await guess(accounts, 5, address="192.0.2.1")
        assert (await try_to(accounts, "get", "alice", PASSWORD, "192.0.2.1")).status == 429
        assert (await try_to(accounts, "get", "rita", PASSWORD, "192.0.2.1")).status == 200
        assert (await try_to(accounts, "get", "alice", PASSWORD, "192.0.2.2")).status == 200
        assert (await try_to(accounts, "get", "alice", "wrong", "192.0.2.1, 127.0.0.9")).status == 429


async def test_addresses_that_a_client_makes_up(accounts: Accounts) -> None:
    """Who sends another address with each guess gains nothing: only proxies that are trusted are believed."""
    for number in range(5):
        assert (await try_to(accounts, "get", "alice", f"guess {number}", f"192.0.2.{number}")).status == 401
    assert (await try_to(accounts, "get", "alice", PASSWORD, "192.0.2.99")).status == 429


async def test_one_password_at_many_accounts() -> None:
    """Who tries many accounts from one address waits, too, whether they exist or not; elsewhere nobody does."""
    async with inhabited(PROXY) as accounts:
        for number in range(50):
            assert (await try_to(accounts, "get", f"user{number}", "123456", "192.0.2.1")).status == 401
        answer = await try_to(accounts, "get", "rita", "123456", "192.0.2.1")
        assert (answer.status, answer.headers["Retry-After"]) == (429, "1")
        assert (await try_to(accounts, "get", "rita", PASSWORD, "192.0.2.2")).status == 200


async def test_all_guesses_at_once(accounts: Accounts) -> None:
    """Guesses that come at the same time are counted as those that come one after the other."""
    tries = [try_to(accounts, "get", "alice", f"guess {number}") for number in range(60)]
    statuses = Counter(answer.status for answer in await asyncio.gather(*tries))
    assert set(statuses) == {401, 429}
    assert statuses[401] <= 6


async def test_many_logins_at_once() -> None:
    """Hashes take much memory: few are worked out at a time, some logins wait, and the rest is told to come again."""
    passwords = HeldPasswords()
    async with inhabited({}, passwords) as accounts:
        tasks = [asyncio.create_task(try_to(accounts, "get", f"user{number}", "x")) for number in range(90)]
        async with asyncio.timeout(10):
            refused = await next(asyncio.as_completed(tasks))
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        assert "at the same time" in refused.json()["error_description"]
        # Whatever needs no password is answered meanwhile.
        assert (await accounts.ask("GET", "/readyz")).status == 200
        assert await asyncio.to_thread(passwords.two.wait, 10)
        passwords.gate.set()
        statuses = Counter(answer.status for answer in await asyncio.gather(*tasks))
        assert statuses[429] >= 90 - 66
        assert statuses[401] > 40
        assert passwords.most == 2


async def test_audit(accounts: Accounts) -> None:
    """Logins are in the audit log, those that failed with what they aimed at and from where; no password is."""
    await guess(accounts, 2)
    await try_to(accounts, "post", "bob", "a wrong password")
    assert (await accounts.get("", f"Bearer {new_secret(SecretKind.PAT)}")).status == 401
    assert (await try_to(accounts, "get", "alice", PASSWORD)).status == 200
    async with asyncio.timeout(10):
        while True:
            answer = await accounts.ask("GET", f"/v1/audit?{urlencode({'filter[action]': 'login'})}", basic("admin"))
            entries = [resource["attributes"] for resource in answer.json()["data"]]
            if len(entries) >= 4:
                break
            await asyncio.sleep(0.1)
    found = Counter((entry["outcome"], entry["target"], entry["address"]) for entry in entries)
    # The same refusal once more is not another entry.
    assert found == {
        ("allowed", "user:alice", "127.0.0.1"): 1,
        ("refused", "account:alice", "127.0.0.1"): 1,
        ("refused", "account:bob", "127.0.0.1"): 1,
        ("refused", "account:", "127.0.0.1"): 1,
    }
    assert "a wrong password" not in answer.body.decode()
    assert "guess number" not in answer.body.decode()
