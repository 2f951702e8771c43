"""`GET /token`: what clients send, and what they get (distribution token specification)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.api.accounts import PASSWORD, Accounts, basic, claims, granted

OPEN = "repository:acme/open/app:pull"
PUSH = "repository:acme/app:pull,push"


async def test_answer(accounts: Accounts) -> None:
    """The answer has the token under both names that clients look for, and says how long it is good for."""
    before = int(time.time())
    answer = await accounts.get(f"service=berth&scope={PUSH}", basic("alice"))
    after = time.time()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert set(document) == {"token", "access_token", "expires_in", "issued_at"}
    assert document["token"] == document["access_token"]
    assert document["expires_in"] == 300
    issued = datetime.strptime(document["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= issued.timestamp() <= after
    said = claims(answer)
    assert said["iat"] == issued.timestamp()
    assert said["exp"] == said["iat"] + 300


@pytest.mark.parametrize(
    ("login", "scope", "expected"),
    [
        (basic("alice"), PUSH, PUSH),
        (basic("alice"), "repository:acme/app:pull,push,delete", PUSH),
        (basic("rita"), PUSH, "repository:acme/app:pull"),
        (basic("nora"), PUSH, ""),
        (basic("nora"), OPEN, OPEN),
        (basic("admin"), "repository:any/thing:*", "repository:any/thing:delete,pull,push"),
        (None, PUSH, ""),
        (None, OPEN, OPEN),
        (None, "repository:acme/open/app:pull,push", OPEN),
        (None, "registry:catalog:*", "registry:catalog:*"),
        (None, "", ""),
    ],
)
async def test_intersection(accounts: Accounts, login: str | None, scope: str, expected: str) -> None:
    """What is asked for and allowed is granted; less than was asked for is no error, nothing neither."""
    assert granted(await accounts.get(f"scope={scope}", login)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # one parameter for each, one for all, and both
        (f"scope={PUSH}&scope={OPEN}", f"{PUSH} {OPEN}"),
        (f"scope={PUSH}%20{OPEN}", f"{PUSH} {OPEN}"),
        (f"scope={PUSH}+{OPEN}", f"{PUSH} {OPEN}"),
        (f"scope={OPEN}+{OPEN}&scope={PUSH}", f"{OPEN} {PUSH}"),
        # containerd asks for the same twice
        ("scope=repository:acme/app:pull&scope=repository:acme/app:pull,push", PUSH),
        # encoded, by half or wholly
        (f"scope={quote(PUSH, safe='')}", PUSH),
        ("scope=repository%3aacme/app%3Apull%2cpush", PUSH),
        ("scope=" + "".join(f"%{ord(character):02X}" for character in PUSH), PUSH),
        ("%73cope=repository:acme/app:pull,push", PUSH),
        # a class, and what nobody knows
        ("scope=repository(plugin):acme/app:pull,push", PUSH),
        ("scope=repository:acme/app:pull,push,fly", PUSH),
        ("scope=repository:acme/app:fly", ""),
        (f"scope=namespace:acme:pull&scope={PUSH}", PUSH),
        ("scope=repository:acme/app:*", PUSH),
        (f"scope=nonsense&scope=:&scope=&scope&scope={PUSH}", PUSH),
        # the name of a proxied repository has a port: that is none of ours, and nothing wrong
        (f"scope=repository:localhost:5000/acme/app:pull&scope={PUSH}", PUSH),
        (f"scope=repository:ACME/App:pull&scope={PUSH}", PUSH),
        # what else clients send
        (f"account=alice&client_id=docker&offline_token=false&service=berth&scope={PUSH}", PUSH),
        (f"service=another&scope={PUSH}", PUSH),
        (f"scope={PUSH}&unknown=1&unknown=2&=&%ff=%fe", PUSH),
        ("SCOPE=repository:acme/app:pull", ""),
    ],
)
async def test_ways_of_asking(accounts: Accounts, query: str, expected: str) -> None:
    """However a client writes what it wants, it is understood."""
    assert granted(await accounts.get(query, basic("alice"))) == expected


async def test_token_is_for_this_registry(accounts: Accounts) -> None:
    """Whatever service a client names, the token is for ours; nobody gets one here for another registry."""
    for service in ["", "service=", "service=berth", "service=elsewhere"]:
        assert claims(await accounts.get(service, basic("alice")))["aud"] == "berth"


@pytest.mark.parametrize(
    ("login", "status", "code"),
    [(None, 401, "UNAUTHORIZED"), (basic("alice"), 401, "UNAUTHORIZED"), (basic("nora"), 404, "NAME_UNKNOWN")],
)
async def test_token_for_nothing(accounts: Accounts, login: str | None, status: int, code: str) -> None:
    """`docker login` asks for no scope, and then for `/v2/` with what it got: that works, and opens no repository."""
    token = f"Bearer {(await accounts.get('account=alice&client_id=docker', login)).json()['token']}"
    assert (await accounts.ask("GET", "/v2/", token)).status == 200
    await accounts.push("acme/app")
    answer = await accounts.ask("GET", "/v2/acme/app/tags/list", token)
    assert (answer.status, answer.codes()) == (status, [code])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("scope", ["", "registry:catalog:*", OPEN])
@pytest.mark.parametrize(
    "login",
    [
        basic("alice", "wrong"),
        basic("alice", ""),
        basic("nobody"),
        basic(""),
        basic("", ""),
        basic("Alice"),
        basic("acme+ci"),
        basic("alice", PASSWORD.upper()),
        basic("alice", "x" * 5000),
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWxpY2U",
        "Basic YWxpY2U=",
        "Basic /////w==",
        f"Basic {basic('alice')}",
        f"Digest {basic('alice')[6:]}",
        "Bearer",
        "Bearer nonsense",
        "Bearer berth_pat_nonsense",
        "",
        " ",
        "\t",
        "é",
    ],
)
async def test_wrong_login(accounts: Accounts, login: str, scope: str, method: str) -> None:
    """Who is not who they say gets 401, and never a token for nobody: else a wrong password would seem to work."""
    answer = await accounts.ask(method, f"/token?service=berth&scope={scope}", login)
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Berth", charset="UTF-8"'
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    if method == "HEAD":
        assert answer.body == b""
        return
    document = answer.json()
    assert set(document) == {"errors", "error", "error_description"}
    assert [error["code"] for error in document["errors"]] == ["UNAUTHORIZED"]
    assert document["error_description"] == document["errors"][0]["message"]


async def test_token_of_the_registry_is_no_login(accounts: Accounts) -> None:
    """A token for the registry does not get another one: it would never end."""
    token = await accounts.token(basic("alice"), PUSH)
    answer = await accounts.get(f"scope={PUSH}", token)
    assert answer.status == 401
    assert "user name" in answer.json()["error_description"]


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC", "bAsIc", "Basic ", " Basic"])
async def test_scheme_has_no_case(accounts: Accounts, scheme: str) -> None:
    """The scheme is written in any case, with any number of spaces behind it."""
    login = f"{scheme} {basic('alice').removeprefix('Basic ')}"
    assert granted(await accounts.get(f"scope={PUSH}", login)) == PUSH


async def test_several_headers(accounts: Accounts) -> None:
    """Of two logins in one request nobody knows which one is meant: that is refused."""
    reader, writer = await accounts.registry.connect()
    lines = ["GET /token HTTP/1.1", "Host: x", *(f"Authorization: {basic(name)}" for name in ("alice", "rita")), "", ""]
    writer.write("\r\n".join(lines).encode())
    assert (await reader.readline()).split()[1] == b"400"
    writer.close()
    await writer.wait_closed()


async def test_access_tokens(accounts: Accounts) -> None:
    """An access token does as a password, and as a bearer; a robot has no other way."""
    secret = await accounts.access_token("alice")
    for login in [basic("alice", secret), f"Bearer {secret}", f"bearer  {secret}"]:
        assert granted(await accounts.get(f"scope={PUSH}", login)) == PUSH
    robot = await accounts.access_token("acme+ci")
    assert granted(await accounts.get(f"scope={PUSH}", basic("acme+ci", robot))) == PUSH
    assert (await accounts.get(f"scope={PUSH}", basic("rita", secret))).status == 401


async def test_narrow_access_token(accounts: Accounts) -> None:
    """What an access token is not for is left out, as what its owner may not do."""
    secret = await accounts.access_token("alice", patterns=("acme/app",))
    answer = await accounts.get(f"scope={PUSH}&scope=repository:acme/other:pull", basic("alice", secret))
    assert granted(answer) == PUSH


async def test_more_than_fits_into_a_token(accounts: Accounts) -> None:
    """Of very many long names those that come first are granted, and the token can still be used."""
    names = [f"acme/{'x' * 200}/{number:03}" for number in range(40)]
    answer = await accounts.get("&".join(f"scope=repository:{name}:pull,push" for name in names), basic("alice"))
    found = [item["name"] for item in claims(answer)["access"]]
    assert 5 < len(found) < len(names)
    assert found == names[: len(found)]
    token = f"Bearer {answer.json()['token']}"
    assert len(token) < 8192
    assert (await accounts.ask("POST", f"/v2/{found[-1]}/blobs/uploads/", token)).status == 202
    assert (await accounts.ask("POST", f"/v2/{names[-1]}/blobs/uploads/", token)).status == 401


async def test_refresh_token_only_where_one_is_wanted(accounts: Accounts) -> None:
    """A refresh token is given to who asks for it by `offline_token`, and never to nobody in particular."""
    for value, wanted in [("true", True), ("True", True), ("1", True), ("false", False), ("0", False), ("", False)]:
        answer = await accounts.get(f"offline_token={value}", basic("alice"))
        assert ("refresh_token" in answer.json()) == wanted
    assert "refresh_token" not in (await accounts.get("", basic("alice"))).json()
    assert "refresh_token" not in (await accounts.get("offline_token=true")).json()


async def test_no_effects(accounts: Accounts) -> None:
    """A token for a repository that is not there does not make it."""
    await accounts.token(basic("admin"), "repository:acme/ghost:pull,push,delete")
    token = await accounts.token(basic("admin"), "registry:catalog:*")
    assert (await accounts.ask("GET", "/v2/_catalog", token)).json() == {"repositories": []}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_other_methods(accounts: Accounts, method: str) -> None:
    """Tokens are got by GET and POST."""
    answer = await accounts.ask(method, "/token", basic("alice"))
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")


async def test_head(accounts: Accounts) -> None:
    """HEAD is answered as GET, without the token."""
    answer = await accounts.ask("HEAD", f"/token?scope={PUSH}", basic("alice"))
    assert (answer.status, answer.body) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 100
