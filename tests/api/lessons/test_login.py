"""What other registries learned about logging in, each lesson as a test."""

from __future__ import annotations

import asyncio

import pytest

from auth.actor import OPERATING
from auth.passwords import Passwords
from auth.roles import Action
from registry.app.first_start import ADMIN_PASSWORD_VARIABLE, ensure_admin
from registry.domain.login import Login, Origin
from registry.domain.throttle import Throttle
from registry.domain.users import UserChanges
from registry.errors import StartError, Unauthorized
from storage.clock import FakeClock
from storage.metadata import access
from storage.metadata.sqlite import MemoryStore
from tests.api.accounts import PASSWORD, PASSWORDS, basic
from tests.api.lessons.tenancy import VAULT, Tenancy

BASE = "/v2/"
IMAGE = "/v2/vault/app/manifests/v1"


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


async def test_no_default_password(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Every first start has a password of its own, told once, and takes none that is too short (CVE-2026-4404)."""
    monkeypatch.delenv(ADMIN_PASSWORD_VARIABLE, raising=False)
    told = set()
    for _ in range(2):
        store = MemoryStore()
        await ensure_admin(store, PASSWORDS)
        told.add(capsys.readouterr().err)
        await ensure_admin(store, PASSWORDS)
        assert capsys.readouterr().err == ""
        await store.close()
    assert len(told) == 2
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, "admin")
    store = MemoryStore()
    with pytest.raises(StartError, match=ADMIN_PASSWORD_VARIABLE):
        await ensure_admin(store, PASSWORDS)
    assert not await access.has_users(store)
    await store.close()


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


async def test_refresh_token_opens_the_token_service_alone(tenancy: Tenancy) -> None:
    """What a client keeps in place of a password is good for nothing but to ask for tokens."""
    granted = await tenancy.ask("alice", "GET", "/token?service=berth&offline_token=true")
    secret = granted.json()["refresh_token"]
    for header in (f"Bearer {secret}", basic("alice", secret)):
        for path in (BASE, IMAGE, "/v1/me", "/metrics", "/token"):
            assert (await tenancy.ask(header, "GET", path)).status == 401
