"""`POST /token`: the same by OAuth 2, with passwords (RFC 6749; distribution token specification)."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from auth.actor import OPERATING
from tests.api.accounts import FORM, PASSWORD, Accounts, Fields, basic, claims, granted
from tests.api.server import Answer

PUSH = "repository:acme/app:pull,push"
OPEN = "repository:acme/open/app:pull"


def form(scope: str = "", **fields: str) -> dict[str, str]:
    """What a client sends that has a password: alice's, unless told otherwise."""
    usual = {"grant_type": "password", "service": "berth", "client_id": "containerd", "username": "alice"}
    return {**usual, "password": PASSWORD, **({"scope": scope} if scope else {}), **fields}


def refused(answer: Answer, status: int, error: str) -> str:
    """What the client is told, in the form of OAuth 2 and in that of the distribution specification, alike."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert set(document) == {"errors", "error", "error_description"}
    (entry,) = document["errors"]
    assert document["error"] == error
    assert document["error_description"] == entry["message"]
    assert entry["code"] == {400: "UNSUPPORTED", 401: "UNAUTHORIZED", 429: "TOOMANYREQUESTS"}[status]
    message: str = entry["message"]
    return message


async def test_answer(accounts: Accounts) -> None:
    """The answer has what OAuth 2 wants, and what the clients of registries want."""
    before = int(time.time())
    answer = await accounts.post(form(f"{PUSH} repository:acme/app:delete {OPEN}"))
    after = time.time()
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    document = answer.json()
    assert set(document) == {"token", "access_token", "token_type", "expires_in", "issued_at", "scope"}
    assert document["access_token"] == document["token"]
    assert (document["token_type"], document["expires_in"]) == ("Bearer", 300)
    issued = datetime.strptime(document["issued_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= issued.timestamp() <= after
    # What was granted, which is less than was asked for.
    assert document["scope"] == f"{PUSH} {OPEN}" == granted(answer)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("", ""),
        (PUSH, PUSH),
        ("repository:acme/app:*", PUSH),
        (f"{OPEN} {PUSH}", f"{OPEN} {PUSH}"),
        ("repository:elsewhere/app:pull", ""),
        ("repository:acme/app:pull,fly nonsense", "repository:acme/app:pull"),
        ("registry:catalog:*", "registry:catalog:*"),
    ],
)
async def test_scopes(accounts: Accounts, scope: str, expected: str) -> None:
    """Several scopes are in one field, with spaces between them."""
    answer = await accounts.post(form(scope))
    assert answer.json()["scope"] == granted(answer) == expected


async def test_token_opens_the_registry(accounts: Accounts) -> None:
    """A token from here is one as any other."""
    token = f"Bearer {(await accounts.post(form(PUSH))).json()['access_token']}"
    assert (await accounts.ask("GET", "/v2/", token)).status == 200
    assert (await accounts.ask("POST", "/v2/acme/app/blobs/uploads/", token)).status == 202


async def test_access_tokens(accounts: Accounts) -> None:
    """An access token does as the password of its owner."""
    secret = await accounts.access_token("acme+ci")
    answer = await accounts.post(form(PUSH, username="acme+ci", password=secret))
    assert granted(answer) == PUSH
    refused(await accounts.post(form(PUSH, password=secret)), 401, "invalid_grant")


@pytest.mark.parametrize("value", ["offline", "online", ""])
async def test_refresh_token_only_where_one_is_wanted(accounts: Accounts, value: str) -> None:
    """A refresh token is given to who asks for it by `access_type=offline`."""
    answer = await accounts.post(form(access_type=value))
    assert ("refresh_token" in answer.json()) == (value == "offline")
    assert "refresh_token" not in (await accounts.post(form())).json()


@pytest.mark.parametrize(
    "fields",
    [
        {"password": "wrong"},
        {"password": ""},
        {"password": "x" * 2000},
        {"username": "nobody"},
        {"username": ""},
        {"username": "alice\0"},
        {"username": "Alice"},
        {"username": "x" * 5000},
        {"username": "alice", "password": f"{PASSWORD}\n"},
    ],
)
async def test_wrong_password(accounts: Accounts, fields: dict[str, str]) -> None:
    """A wrong login is refused with 401, whereupon clients try GET, and never becomes a token for nobody."""
    answer = await accounts.post(form(OPEN, **fields))
    assert refused(answer, 401, "invalid_grant") == "wrong user name or password"
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Berth", charset="UTF-8"'


@pytest.mark.parametrize("missing", ["username", "password"])
async def test_missing_fields(accounts: Accounts, missing: str) -> None:
    """A login without name or password is a wrong one."""
    fields = form(OPEN)
    del fields[missing]
    refused(await accounts.post(fields), 401, "invalid_grant")


@pytest.mark.parametrize("secret", ["", "nonsense", "berth_refresh_", "x" * 5000])
async def test_wrong_refresh_token(accounts: Accounts, secret: str) -> None:
    """A refresh token that is none, or is missing, is refused in the same way."""
    message = refused(
        await accounts.post({"grant_type": "refresh_token", "refresh_token": secret}), 401, "invalid_grant"
    )
    assert message == "the refresh token is not known, or has expired: log in again"
    refused(await accounts.post({"grant_type": "refresh_token"}), 401, "invalid_grant")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"grant_type": ""},
        {"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "PASSWORD", "username": "alice", "password": PASSWORD},
        {"username": "alice", "password": PASSWORD},
        {"Grant_type": "password", "username": "alice", "password": PASSWORD},
    ],
)
async def test_other_grants(accounts: Accounts, fields: Fields) -> None:
    """Other ways to get a token are refused, also with a password that is right."""
    message = refused(await accounts.post(fields), 400, "invalid_request")
    assert message == "grant_type has to be password or refresh_token"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", FORM),
        (
            b'{"grant_type": "password", "username": "alice", "password": "' + PASSWORD.encode() + b'"}',
            "application/json",
        ),
        (b"\xff\xfe\xfd", FORM),
        (b"\0" * 100, FORM),
        (b"grant_type=password&username=%ff&password=x", FORM),
        (b"grant_type=password&username=\xff&password=x", FORM),
        (b"grant_type=password&username=%ed%a0%80&password=x", FORM),
        (
            b"--x\r\nContent-Disposition: form-data; name=grant_type\r\n\r\npassword\r\n--x--",
            "multipart/form-data; boundary=x",
        ),
        (b"x" * (16 * 1024 + 1), FORM),
        (urlencode({**form(), "more": "x" * 20_000}).encode(), FORM),
        (urlencode([("grant_type", "password")] * 101).encode(), FORM),
        (b"&" * 10_000, FORM),
        (b"=&" * 8000, FORM),
    ],
    ids=[
        "empty",
        "JSON",
        "bytes",
        "zeros",
        "bad percent",
        "bad byte",
        "half a character",
        "multipart",
        "too long",
        "too long a field",
        "too many fields",
        "separators",
        "nameless fields",
    ],
)
async def test_no_form(accounts: Accounts, body: bytes, content_type: str) -> None:
    """What is no form, or is too large a one, is refused, and what it holds is not told again."""
    answer = await accounts.ask("POST", "/token", body=body, Content_Type=content_type)
    assert PASSWORD not in refused(answer, 400, "invalid_request")


async def test_form_without_end(accounts: Accounts) -> None:
    """A form of unknown length is read as far as forms may be long, and no further."""
    pieces = (urlencode(form(PUSH)).encode()[:50], urlencode(form(PUSH)).encode()[50:])
    headers = {"Content-Type": FORM}
    answer = await accounts.registry.ask("POST", "/token", headers=headers, body=pieces)
    assert granted(answer) == PUSH
    answer = await accounts.registry.ask("POST", "/token", headers=headers, body=(b"x" * 1000,) * 17)
    refused(answer, 400, "invalid_request")


async def test_many_fields(accounts: Accounts) -> None:
    """What a client sends besides is ignored, as long as it is not too much."""
    more = {f"field{number}": "x" for number in range(90)}
    assert granted(await accounts.post({**more, **form(PUSH)})) == PUSH


@pytest.mark.parametrize("content_type", [FORM, f"{FORM}; charset=UTF-8", FORM.upper(), ""])
async def test_content_types(accounts: Accounts, content_type: str) -> None:
    """Clients write the type of a form in several ways, and some forget it."""
    assert granted(await accounts.post(form(PUSH), Content_Type=content_type)) == PUSH


@pytest.mark.parametrize("password", ["Grüße, 世界 & more = 100 %", "a+b c%20d", "\u0000\u0001 control", "x" * 256])
async def test_any_password(accounts: Accounts, password: str) -> None:
    """Passwords may hold any characters, in forms and in Basic."""
    await accounts.management.users.set_password(OPERATING, "alice", password)
    assert granted(await accounts.post(form(PUSH, password=password))) == PUSH
    assert granted(await accounts.get(f"scope={PUSH}", basic("alice", password))) == PUSH


async def test_header_does_not_count(accounts: Accounts) -> None:
    """Who is meant is said by the form: a login in a header beside it is not looked at."""
    answer = await accounts.post(form(PUSH), Authorization=basic("admin"))
    assert claims(answer)["sub"] == "alice"
    answer = await accounts.post(form(PUSH, password="wrong"), Authorization=basic("admin"))
    refused(answer, 401, "invalid_grant")


async def test_query_does_not_count(accounts: Accounts) -> None:
    """Nothing of the form may come in the URL, where passwords end up in the logs of proxies."""
    answer = await accounts.ask("POST", f"/token?{urlencode(form(PUSH))}", body=b"scope=x", Content_Type=FORM)
    refused(answer, 400, "invalid_request")


async def test_passwords_are_not_logged(accounts: Accounts) -> None:
    """Neither the request log nor the audit log holds what was sent as a secret."""
    wrong = "almost the right password"
    await accounts.post(form(PUSH, password=wrong))
    await accounts.get("", basic("alice", wrong))
    token = (await accounts.post(form(PUSH, access_type="offline"))).json()
    said = str(accounts.registry.log.entries)
    assert len(accounts.registry.log.entries) >= 3
    for secret in [wrong, PASSWORD, token["token"], token["refresh_token"], basic("alice", wrong)]:
        assert secret not in said
