"""What Berth itself got wrong before anybody used it, each fault as a test."""

from __future__ import annotations

import asyncio

import pytest

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind
from auth.roles import Action
from registry.domain.audit_log import AuditFilter
from tests.api.accounts import PASSWORD, basic
from tests.api.content import artifact
from tests.api.lessons.tenancy import MAIN, VAULT, Tenancy
from tests.api.server import Registry, configured, running

APP = "/v2/vault/app"
PULL = "repository:vault/app:pull"
PUSHES = [("POST", "blobs/uploads/"), ("PUT", "manifests/v1"), ("DELETE", f"blobs/uploads/{'0' * 32}")]


async def raw(registry: Registry, *lines: str) -> bytes:
    """Send a request of exactly these lines, and read the first line of the answer."""
    reader, writer = await registry.connect()
    writer.write("".join(f"{line}\r\n" for line in (*lines, "Host: berth", "Connection: close", "")).encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.split(b"\r\n")[0]


async def refusals(tenancy: Tenancy, count: int, project: str | None = None) -> list[tuple[str, str, str]]:
    """Who was refused what, the oldest first, once the audit log has so many of them."""
    wanted = AuditFilter(outcome="refused", project=project)
    async with asyncio.timeout(10):
        while True:
            page = await tenancy.management.audit_log.page(OPERATING, wanted, "", 50)
            if len(page.items) >= count:
                return [(entry.principal, entry.action, entry.target) for entry in reversed(page.items)]
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("path", ["/v2/", f"{APP}/manifests/v1", "/v2/_catalog", "/v1/me", "/token", "/metrics"])
async def test_two_authorization_headers(tenancy: Tenancy, path: str) -> None:
    """Who sends credentials twice is not let in with one of them: a proxy may have looked at the other."""
    token = await tenancy.token("admin", PULL, "registry:catalog:*")
    header = token if path.startswith("/v2/") else basic("admin")
    assert await raw(tenancy.registry, f"GET {path} HTTP/1.1", f"Authorization: {header}") == b"HTTP/1.1 200 OK"
    for first, second in ((header, basic("eve")), (basic("eve"), header), (header, header)):
        line = await raw(
            tenancy.registry, f"GET {path} HTTP/1.1", f"Authorization: {first}", f"authorization: {second}"
        )
        assert line == b"HTTP/1.1 400 Bad Request"


async def test_push_is_denied_and_not_unknown(tenancy: Tenancy) -> None:
    """Who may not push hears so, in the same words whether there is such a repository or not."""
    words = set()
    for repository in ("vault/app", "vault/non", "north/app"):
        for method, path in (
            ("POST", "blobs/uploads/"),
            ("PUT", "manifests/v1"),
            ("DELETE", f"blobs/uploads/{'0' * 32}"),
        ):
            answer = await tenancy.ask("eve", method, f"/v2/{repository}/{path}")
            assert answer.status == 403
            assert answer.codes() == ["DENIED"]
            words.add(answer.json()["errors"][0]["message"].replace(repository, "x"))
    assert words == {"push on x is not allowed to eve"}


async def test_refusals_behind_the_gate_are_written_down(tenancy: Tenancy) -> None:
    """The audit log has who was refused the metrics, a change of a project, and a tag that cannot move."""
    await tenancy.send("alice", "POST", f"{MAIN}/immutable-tags", "immutable-tags", repositories="**", tags="v*")
    assert (await tenancy.ask("eve", "GET", "/metrics")).status == 403
    assert (await tenancy.send("rita", "PATCH", VAULT, "projects", description="mine")).status == 403
    other = artifact(None)
    await tenancy.push_blob("carol", "vault/app", b"{}")
    assert (await tenancy.put("carol", "vault/app", "v1", other)).status == 403
    assert await refusals(tenancy, 3) == [
        ("eve", "metrics.read", "/metrics"),
        ("rita", "project.update", VAULT),
        ("carol", "manifest.push", "vault/app:v1"),
    ]
    assert [who for who, _, _ in await refusals(tenancy, 2, "vault")] == ["rita", "carol"]


async def test_secret_in_place_of_a_name_is_not_written_down(tenancy: Tenancy) -> None:
    """Somebody who sends an access token as the user name finds it nowhere in the audit log."""
    secret = await tenancy.access_token("alice", Action.PULL)
    assert (await tenancy.ask(basic(secret, "x"), "GET", "/token")).status == 401
    assert await refusals(tenancy, 1) == [("anonymous", "login", "account:(a secret)")]


async def test_address_that_was_made_up(tenancy: Tenancy) -> None:
    """Whoever guesses passwords is counted by the address of the connection, whatever the headers say."""
    for guess in range(5):
        headers = {"X-Forwarded-For": f"192.0.2.{guess}", "Forwarded": f"for=192.0.2.{guess}", "X-Real-IP": "192.0.2.9"}
        await tenancy.ask(basic("carol", f"guess {guess}"), "GET", "/v1/me", headers=headers)
    last = await tenancy.ask(basic("carol", "guess"), "GET", "/v1/me", headers={"X-Forwarded-For": "198.51.100.1"})
    assert last.status == 429


async def test_addresses_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy that is trusted each client is counted alone, by what the proxy added and not what it was sent."""
    monkeypatch.setenv("BERTH_ADMIN_PASSWORD", PASSWORD)
    settings = {"storage.ephemeral": True, "auth.mode": "builtin", "server.trusted_proxies": ["127.0.0.1"]}
    async with running(configured(settings)) as registry:
        statuses = []
        for number, secret in enumerate([*(f"guess {number}" for number in range(6)), PASSWORD]):
            headers = {"Authorization": basic("admin", secret), "X-Forwarded-For": f"192.0.2.{number}, 203.0.113.7"}
            statuses.append((await registry.ask("GET", "/v1/me", headers=headers)).status)
        assert statuses == [*[401] * 5, 429, 429]
        elsewhere = {"Authorization": basic("admin"), "X-Forwarded-For": "203.0.113.8"}
        assert (await registry.ask("GET", "/v1/me", headers=elsewhere)).status == 200


async def test_many_rules_hold_nobody_up(tenancy: Tenancy) -> None:
    """Who asks for many scopes where there are many rules does not make everybody else wait for the answer."""
    everyone = Subject(SubjectKind.EVERYONE)
    for number in range(50):
        await tenancy.management.rules.create(
            OPERATING, "vault", "main", f"vault/{'**a' * 70}{number}", everyone, frozenset({Action.PULL})
        )
    scopes = [f"repository:vault/{'a' * 100}{number}:pull,push,delete" for number in range(64)]
    asking = asyncio.create_task(tenancy.token(None, *scopes))
    turns = 0
    while not asking.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > len(scopes)


@pytest.mark.parametrize("agent", [b"\xff\xfe", "\u202e".encode()])
async def test_client_that_is_no_text(tenancy: Tenancy, agent: bytes) -> None:
    """What a client calls itself may be any bytes: they stop neither a login nor the audit log."""
    header = basic("alice", await tenancy.access_token("alice", Action.MANAGE)).encode()
    for authorization in (header, basic("eve", "wrong password").encode()):
        reader, writer = await tenancy.registry.connect()
        writer.write(b"GET /v1/me HTTP/1.1\r\nHost: berth\r\nConnection: close\r\n")
        writer.write(b"Authorization: " + authorization + b"\r\nUser-Agent: " + agent + b"\r\n\r\n")
        assert (await reader.readline()).split()[1] in {b"200", b"401"}
        writer.close()
        await writer.wait_closed()
    assert (await tenancy.ask(basic("bob", "wrong password"), "GET", "/metrics")).status == 401
    assert ("anonymous", "metrics.read", "/metrics") in await refusals(tenancy, 2)
