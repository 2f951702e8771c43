"""Challenges: what a client without the right token is told to get (RFC 6750; distribution token specification)."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import quote, urlsplit

import pytest

from tests.api.accounts import Accounts, basic, inhabited
from tests.api.content import IMAGE, LAYER, digest_of, image
from tests.api.server import Answer

DIGEST = digest_of(LAYER)
BLOB = f"/v2/acme/app/blobs/{DIGEST}"
UPLOAD = "0" * 32
MANIFEST = image()
PULL, PUSH = "repository:acme/app:pull", "repository:acme/app:pull,push"
DELETE, CANCEL = "repository:acme/app:delete", "repository:acme/app:push"

SCOPES: list[tuple[str, str, str | None]] = [
    ("GET", "/v2/", None),
    ("GET", "/v2", None),
    ("GET", "/v2/_catalog", "registry:catalog:*"),
    ("GET", "/v2/_catalog?n=10&last=x", "registry:catalog:*"),
    ("GET", "/v2/acme/app/manifests/v1", PULL),
    ("GET", f"/v2/acme/app/manifests/{MANIFEST.digest}", PULL),
    ("PUT", "/v2/acme/app/manifests/v1", PUSH),
    ("DELETE", "/v2/acme/app/manifests/v1", DELETE),
    ("GET", BLOB, PULL),
    # Clients that are about to push look first what is there, and keep the token that they are told to get.
    ("HEAD", BLOB, PUSH),
    ("DELETE", BLOB, DELETE),
    ("GET", "/v2/acme/app/tags/list?n=100", PULL),
    ("GET", f"/v2/acme/app/referrers/{DIGEST}?artifactType=x", PULL),
    ("POST", "/v2/acme/app/blobs/uploads/", PUSH),
    ("POST", "/v2/acme/app/blobs/uploads", PUSH),
    ("POST", f"/v2/acme/app/blobs/uploads/?digest={DIGEST}", PUSH),
    ("GET", f"/v2/acme/app/blobs/uploads/{UPLOAD}", PUSH),
    ("PATCH", f"/v2/acme/app/blobs/uploads/{UPLOAD}", PUSH),
    ("PUT", f"/v2/acme/app/blobs/uploads/{UPLOAD}?digest={DIGEST}", PUSH),
    # Clients that find that they need not upload may hold no other right.
    ("DELETE", f"/v2/acme/app/blobs/uploads/{UPLOAD}", CANCEL),
    # mounts need the source, too
    ("POST", f"/v2/acme/app/blobs/uploads/?mount={DIGEST}&from=acme/base", f"{PUSH} repository:acme/base:pull"),
    ("POST", f"/v2/acme/app/blobs/uploads/?from=acme%2Fbase&mount={DIGEST}", f"{PUSH} repository:acme/base:pull"),
    ("POST", f"/v2/acme/app/blobs/uploads/?mount={quote(DIGEST)}&from=other/x", f"{PUSH} repository:other/x:pull"),
    ("POST", f"/v2/acme/app/blobs/uploads/?mount={DIGEST}", PUSH),
    ("POST", f"/v2/acme/app/blobs/uploads/?mount={DIGEST}&from=", PUSH),
    ("POST", f"/v2/acme/app/blobs/uploads/?mount={DIGEST}&from=NO/name", PUSH),
    ("POST", f'/v2/acme/app/blobs/uploads/?mount={DIGEST}&from=x:pull"%20realm="http://evil', PUSH),
    ("POST", "/v2/acme/app/blobs/uploads/?from=acme/base", PUSH),
]


def parameters(answer: Answer) -> dict[str, str]:
    """Those of the one challenge in a 401, which has to be Bearer, and written so that every client can read it."""
    assert answer.status == 401, answer.body
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    (challenge,) = answer.headers.getall("WWW-Authenticate")
    assert re.fullmatch(r'Bearer [a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*', challenge), challenge
    pairs = re.findall(r'([a-z]+)="([^"]*)"', challenge)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
async def test_scopes(accounts: Accounts, method: str, path: str, scope: str | None) -> None:
    """Who comes without a token is told where to get one, and for what."""
    answer = await accounts.ask(method, path)
    expected = {"realm": f"{accounts.registry.url}/token", "service": "berth"}
    assert parameters(answer) == {**expected, **({"scope": scope} if scope else {})}
    assert answer.headers["Content-Type"] == "application/json"
    assert method == "HEAD" or answer.codes() == ["UNAUTHORIZED"]


@pytest.mark.parametrize("path", [path for method, path, _ in SCOPES if method == "GET" and path != BLOB])
@pytest.mark.parametrize("authorization", [None, "Bearer nonsense", basic("alice", "wrong")])
async def test_head(accounts: Accounts, path: str, authorization: str | None) -> None:
    """HEAD is challenged as GET is, without a body."""
    get = await accounts.ask("GET", path, authorization)
    head = await accounts.ask("HEAD", path, authorization)
    assert parameters(head) == parameters(get)
    assert (head.body, head.headers["Content-Length"]) == (b"", get.headers["Content-Length"])


@pytest.mark.parametrize(("method", "path", "scope"), SCOPES)
async def test_doing_as_told(accounts: Accounts, method: str, path: str, scope: str | None) -> None:
    """A client that gets just the token that it is told to get is let in."""
    await accounts.push("acme/app")
    told = parameters(await accounts.ask(method, path))
    query = f"service={told['service']}" + (f"&scope={quote(told['scope'])}" if "scope" in told else "")
    realm = urlsplit(told["realm"])
    assert f"{realm.scheme}://{realm.netloc}" == accounts.registry.url
    answer = await accounts.ask("GET", f"{realm.path}?{query}", basic("admin"))
    again = await accounts.ask(method, path, f"Bearer {answer.json()['token']}")
    assert again.status not in {401, 403}


@pytest.mark.parametrize(
    ("login", "scopes", "method", "path", "error"),
    [
        # nobody in particular, who may log in
        (None, [], "GET", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        (None, [PULL], "GET", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        (None, [PUSH], "PUT", "/v2/acme/open/app/manifests/v1", "insufficient_scope"),
        (None, [], "GET", "/v2/_catalog", "insufficient_scope"),
        # somebody who may, with a token that is for less
        ("alice", [], "GET", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        ("alice", [PULL], "PUT", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        ("alice", [PULL], "POST", "/v2/acme/app/blobs/uploads/", "insufficient_scope"),
        ("alice", ["repository:acme/other:pull,push"], "GET", "/v2/acme/app/tags/list", "insufficient_scope"),
        ("alice", [CANCEL], "PUT", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        ("alice", [PUSH], "GET", "/v2/_catalog", "insufficient_scope"),
        ("admin", [PUSH], "DELETE", "/v2/acme/app/manifests/v1", "insufficient_scope"),
        ("admin", ["registry:catalog:*"], "GET", "/v2/acme/app/manifests/v1", "insufficient_scope"),
    ],
)
async def test_token_for_less(
    accounts: Accounts, login: str | None, scopes: list[str], method: str, path: str, error: str
) -> None:
    """Who brings a token that is not for this is told so, and what it has to be for."""
    token = await accounts.token(basic(login) if login else None, *scopes)
    before, answer = await accounts.ask(method, path), await accounts.ask(method, path, token)
    assert parameters(answer) == {**parameters(before), "error": error}
    assert answer.codes() == ["UNAUTHORIZED"]


@pytest.mark.parametrize(
    "token", ["nonsense", "a.b.c", "e30.e30.", "x" * 9000, "[" * 8000, "é.é.é", "eyJhbGciOiJub25lIn0.e30."]
)
@pytest.mark.parametrize("path", ["/v2/", "/v2/_catalog", "/v2/acme/app/manifests/v1", "/v2/acme/open/app/tags/list"])
async def test_bad_token(accounts: Accounts, path: str, token: str) -> None:
    """A token that is none is told from one that is for less, also where one for nobody would do."""
    answer = await accounts.ask("GET", path, f"Bearer {token}")
    assert parameters(answer)["error"] == "invalid_token"


@pytest.mark.parametrize(
    "authorization", [basic("alice", "wrong"), "Basic x", "Digest x", "Bearer", "", " ", "token x"]
)
async def test_no_token(accounts: Accounts, authorization: str) -> None:
    """Whoever brings something else is told to get a token, as if there had been nothing."""
    for path in ["/v2/", "/v2/acme/open/app/tags/list"]:
        answer = await accounts.ask("GET", path, authorization)
        assert parameters(answer) == parameters(await accounts.ask("GET", path))


@pytest.mark.parametrize("path", ["/v1/me", "/v1/projects", "/metrics"])
@pytest.mark.parametrize("authorization", [None, basic("alice", "wrong"), "Bearer nonsense"])
async def test_management(accounts: Accounts, path: str, authorization: str | None) -> None:
    """What is not the registry takes a name and a password or access token, and says so."""
    answer = await accounts.ask("GET", path, authorization)
    assert answer.status == 401
    assert answer.headers.getall("WWW-Authenticate") == ['Basic realm="Berth", charset="UTF-8"']


async def test_token_of_the_registry_manages_nothing(accounts: Accounts) -> None:
    """A token for the registry is not a login, not that of an administrator either."""
    token = await accounts.token(basic("admin"), "registry:catalog:*")
    for path in ["/v1/me", "/metrics"]:
        assert (await accounts.ask("GET", path, token)).status == 401


@pytest.mark.parametrize(
    ("login", "scope"), [("alice", PUSH), ("alice", CANCEL), ("admin", "repository:acme/app:*"), ("alice", None)]
)
async def test_cancel(accounts: Accounts, login: str, scope: str | None) -> None:
    """A push is cancelled with the token that it was begun with, and with one that lets push and nothing else."""
    begun = await accounts.ask("POST", "/v2/acme/app/blobs/uploads/", await accounts.token(basic(login), PUSH))
    token = basic(login) if scope is None else await accounts.token(basic(login), scope)
    assert (await accounts.ask("DELETE", begun.headers["Location"], token)).status == 204


@pytest.mark.parametrize(
    ("request_line", "length"),
    [
        ("PUT /v2/acme/app/manifests/v1", 1000),
        ("POST /v2/acme/app/blobs/uploads/", 0),
        (f"POST /v2/acme/app/blobs/uploads/?digest={DIGEST}", 10**12),
        (f"PATCH /v2/acme/app/blobs/uploads/{UPLOAD}", 10**12),
    ],
)
@pytest.mark.parametrize("authorization", [[], ["Authorization: Bearer nonsense"]])
async def test_before_the_body(accounts: Accounts, request_line: str, length: int, authorization: list[str]) -> None:
    """Who waits to be asked for a body is challenged before it: `Expect: 100-continue` saves sending it for nothing."""
    reader, writer = await accounts.registry.connect()
    lines = [f"{request_line} HTTP/1.1", "Host: x", f"Content-Length: {length}", f"Content-Type: {IMAGE}"]
    try:
        writer.write("\r\n".join([*lines, "Expect: 100-continue", *authorization, "", ""]).encode())
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            assert await reader.read(34) == b'{"errors":[{"code":"UNAUTHORIZED",'
    finally:
        writer.close()
        await writer.wait_closed()
    assert head.startswith("HTTP/1.1 401 ")
    assert 'WWW-Authenticate: Bearer realm="http://x/token"' in head
    assert "Connection: close" in head


async def test_other_names() -> None:
    """The service is named as configured, and so are tokens."""
    settings = {"auth.service": "registry.example:5000", "auth.issuer": "https://issuer.example"}
    async with inhabited(settings) as accounts:
        assert parameters(await accounts.ask("GET", "/v2/"))["service"] == "registry.example:5000"
        token = await accounts.token(basic("alice"))
        assert (await accounts.ask("GET", "/v2/", token)).status == 200


async def test_open_registry() -> None:
    """Where nobody is asked, nobody is challenged, whatever they bring; who manages logs in all the same."""
    async with inhabited({"auth.mode": "open"}) as accounts:
        for authorization in [None, "Bearer nonsense", basic("alice", "wrong")]:
            assert (await accounts.ask("GET", "/v2/", authorization)).status == 200
            assert (await accounts.ask("GET", "/v2/_catalog", authorization)).status == 200
            assert (await accounts.ask("GET", "/v1/projects", authorization)).status == 401
        assert (await accounts.ask("GET", "/token")).status == 404
