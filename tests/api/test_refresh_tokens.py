"""Refresh tokens on the wire: what docker and others keep of a login, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import pytest

from auth.actor import OPERATING
from auth.principals import parse_subject
from auth.roles import Role
from registry.domain.users import UserChanges
from tests.api.accounts import PASSWORD, Accounts, basic, claims, granted
from tests.api.server import Answer

PUSH = "repository:acme/app:pull,push"


async def log_in(accounts: Accounts, login: str | None = None) -> str:
    """What `docker login` asks for, as alice if nobody else is named, and the refresh token that it keeps."""
    query = "account=alice&client_id=docker&offline_token=true&service=berth"
    answer = await accounts.get(query, login or basic("alice"), User_Agent="docker/28.1")
    assert answer.status == 200, answer.body
    secret: str = answer.json()["refresh_token"]
    return secret


async def use(accounts: Accounts, secret: str, scope: str = PUSH, **fields: str) -> Answer:
    """What docker asks for with it, for each pull and push."""
    usual = {"grant_type": "refresh_token", "service": "berth", "client_id": "docker", "scope": scope}
    return await accounts.post({**usual, "refresh_token": secret, **fields}, User_Agent="docker/28.1")


def ended(answer: Answer) -> bool:
    """Whether a client is told to log in again."""
    if answer.status == 200:
        return False
    assert answer.status == 401, answer.body
    assert answer.json()["error"] == "invalid_grant"
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    return True


async def test_docker(accounts: Accounts) -> None:
    """Docker logs in once, keeps the refresh token in place of the password, and gets a token for each need."""
    secret = await log_in(accounts)
    assert secret.startswith("berth_refresh_")
    for scope in [PUSH, "", "repository:acme/open/x:pull", PUSH]:
        answer = await use(accounts, secret, scope)
        assert (answer.status, granted(answer)) == (200, scope)
        assert claims(answer)["sub"] == "alice"
        assert "refresh_token" not in answer.json()
    token = f"Bearer {(await use(accounts, secret)).json()['access_token']}"
    assert (await accounts.ask("GET", "/v2/", token)).status == 200
    assert (await accounts.ask("POST", "/v2/acme/app/blobs/uploads/", token)).status == 202


async def test_begun_with_a_password(accounts: Accounts) -> None:
    """A login by POST begins in the same way."""
    fields = {"grant_type": "password", "username": "alice", "password": PASSWORD, "access_type": "offline"}
    secret = (await accounts.post(fields)).json()["refresh_token"]
    assert granted(await use(accounts, secret)) == PUSH


async def test_rotation(accounts: Accounts) -> None:
    """Who asks for another one gets it; the one before does for a moment, for an answer that was lost on its way."""
    first = await log_in(accounts)
    answer = await use(accounts, first, access_type="offline")
    second = answer.json()["refresh_token"]
    assert second != first
    assert granted(answer) == PUSH
    assert not ended(await use(accounts, second))
    assert not ended(await use(accounts, first))


async def test_rotation_at_the_same_time(accounts: Accounts) -> None:
    """Of several processes with one login, all go on."""
    secret = await log_in(accounts)
    answers = await asyncio.gather(*(use(accounts, secret, access_type="offline") for _ in range(10)))
    successors = {answer.json()["refresh_token"] for answer in answers}
    assert len(successors) == 10
    for successor in successors:
        assert not ended(await use(accounts, successor))


async def test_rights_of_this_moment(accounts: Accounts) -> None:
    """What may be done is looked up each time: less is no error, and more is there at once."""
    secret = await log_in(accounts)
    await accounts.member("alice", Role.READER)
    assert granted(await use(accounts, secret)) == "repository:acme/app:pull"
    await accounts.member("alice", Role.MAINTAINER)
    assert granted(await use(accounts, secret, "repository:acme/app:*")) == "repository:acme/app:delete,pull,push"
    await accounts.management.members.remove(OPERATING, "acme", parse_subject("user:alice"))
    assert granted(await use(accounts, secret)) == ""


Ending = Callable[[Accounts], Awaitable[object]]


async def end_sessions(accounts: Accounts) -> None:
    """Let alice end all of her logins over the management API."""
    sessions = (await accounts.ask("GET", "/v1/users/alice/sessions", basic("alice"))).json()["data"]
    assert {session["attributes"]["client"] for session in sessions} == {"docker/28.1"}
    assert {session["attributes"]["address"] for session in sessions} == {"127.0.0.1"}
    for session in sessions:
        path = f"/v1/users/alice/sessions/{session['id']}"
        assert (await accounts.ask("DELETE", path, basic("alice"))).status == 204


ENDINGS: dict[str, Ending] = {
    "disabled": lambda all_: all_.management.users.update(OPERATING, "alice", UserChanges(disabled=True)),
    "deleted": lambda all_: all_.management.users.delete(OPERATING, "alice"),
    "another password": lambda all_: all_.management.users.set_password(OPERATING, "alice", "another password"),
    "sessions ended": end_sessions,
}


@pytest.mark.parametrize("ending", list(ENDINGS))
async def test_endings(accounts: Accounts, ending: str) -> None:
    """A login ends at once with what it rests on, the tokens that took its place too, and no login of others."""
    secrets = [await log_in(accounts), (await use(accounts, await log_in(accounts), access_type="offline")).json()]
    first, second = secrets[0], secrets[1]["refresh_token"]
    other = await log_in(accounts, basic("rita"))
    await ENDINGS[ending](accounts)
    assert ended(await use(accounts, first))
    assert ended(await use(accounts, second, access_type="offline"))
    assert not ended(await use(accounts, other))


async def test_revoked_access_token(accounts: Accounts) -> None:
    """A login with an access token ends with it, and is as narrow; that with the password goes on."""
    secret = await accounts.access_token("alice", patterns=("acme/app",))
    narrow, wide = await log_in(accounts, basic("alice", secret)), await log_in(accounts)
    assert granted(await use(accounts, narrow, f"{PUSH} repository:acme/b:pull")) == PUSH
    (token,) = (await accounts.ask("GET", "/v1/users/alice/tokens", basic("alice"))).json()["data"]
    assert (await accounts.ask("DELETE", f"/v1/users/alice/tokens/{token['id']}", basic("alice"))).status == 204
    assert ended(await use(accounts, narrow))
    assert not ended(await use(accounts, wide))


async def test_robot(accounts: Accounts) -> None:
    """Robots keep logins, too, and lose them when they are disabled."""
    secret = await log_in(accounts, basic("acme+ci", await accounts.access_token("acme+ci")))
    assert claims(await use(accounts, secret))["sub"] == "acme+ci"
    await accounts.management.robots.delete(OPERATING, "acme", "ci")
    assert ended(await use(accounts, secret))


async def test_good_for_nothing_else(accounts: Accounts) -> None:
    """A refresh token gets tokens, and opens nothing itself; nothing else does in its place."""
    secret, pat = await log_in(accounts), await accounts.access_token("alice")
    for login in [basic("alice", secret), f"Bearer {secret}"]:
        assert (await accounts.get("", login)).status == 401
        for path in ["/v2/", "/v2/_catalog", "/v1/me"]:
            assert (await accounts.ask("GET", path, login)).status == 401
    token = (await use(accounts, secret)).json()["access_token"]
    for other in [pat, token, PASSWORD, secret[:-1], secret.upper(), f" {secret}", f"{secret}\n"]:
        assert ended(await use(accounts, other))
    fields = {"grant_type": "password", "username": "alice", "password": secret}
    assert (await accounts.post(fields)).status == 401


async def test_not_by_get(accounts: Accounts) -> None:
    """A refresh token is taken from forms alone: URLs end up in logs."""
    secret = await log_in(accounts)
    query = urlencode({"grant_type": "refresh_token", "refresh_token": secret, "scope": PUSH})
    assert claims(await accounts.get(query))["sub"] == ""
    assert (await accounts.ask("POST", f"/token?{query}")).status == 400


async def test_wrong_tokens_lock_nobody_out(accounts: Accounts) -> None:
    """Refresh tokens cannot be guessed: a client that goes on with an old one keeps nobody from logging in."""
    secret = await log_in(accounts)
    await accounts.management.users.set_password(OPERATING, "alice", "another password")
    for _ in range(100):
        assert ended(await use(accounts, secret))
    assert (await accounts.get("", basic("alice", "another password"))).status == 200
