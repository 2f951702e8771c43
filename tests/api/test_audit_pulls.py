"""Pulls of manifests in the audit log, for those who want them there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from auth.actor import OPERATING
from registry.app.storing import open_storage
from registry.domain.audit_log import AuditEntry, AuditFilter, AuditLog
from tests.api.conftest import Serve
from tests.api.content import index
from tests.api.rest.client import Client
from tests.api.rest.world import populate
from tests.api.server import Registry, configured, running

MANIFEST = index([])


async def push(registry: Registry, repository: str, login: Mapping[str, str] | None = None) -> str:
    """Push the tag `v1`, and return the path of the manifests."""
    path = f"/v2/{repository}/manifests"
    headers = {"Content-Type": MANIFEST.media_type, **(login or {})}
    answer = await registry.ask("PUT", f"{path}/v1", headers=headers, body=MANIFEST.content)
    assert answer.status == 201, answer.body
    return path


async def recorded(registry: Registry) -> list[AuditEntry]:
    """The pulls in the audit log, the oldest first."""
    log, last = AuditLog(registry.storage.store), AuditFilter(action="me.read")
    # What waits to be written is written in its order, and this comes last.
    answer = await registry.ask("GET", "/v1/me", headers={"Authorization": "Bearer forged"})
    assert answer.status == 401
    async with asyncio.timeout(10):
        while not (await log.page(OPERATING, last, "", 1)).items:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.05)
    return [entry async for entry in log.export(OPERATING, AuditFilter(action="manifest.pull"))]


async def test_pulls(serve: Serve) -> None:
    """Every manifest that is sent is recorded, by tag or by digest."""
    registry = await serve({"audit.pulls": True})
    path = await push(registry, "app")
    for reference in ("v1", MANIFEST.digest, "v1"):
        answer = await registry.ask("GET", f"{path}/{reference}", headers={"User-Agent": "containerd/2"})
        assert (answer.status, answer.body) == (200, MANIFEST.content)
    entries = await recorded(registry)
    assert [entry.target for entry in entries] == ["app:v1", f"app@{MANIFEST.digest}", "app:v1"]
    found = {(entry.principal_kind, entry.outcome, entry.address, entry.client) for entry in entries}
    assert found == {("anonymous", "allowed", "127.0.0.1", "containerd/2")}


async def test_what_is_no_pull(serve: Serve) -> None:
    """Where no manifest is sent, no pull is recorded."""
    registry = await serve({"audit.pulls": True})
    path = await push(registry, "app")
    for method, url, headers, status in (
        ("HEAD", f"{path}/v1", {}, 200),
        ("HEAD", f"{path}/{MANIFEST.digest}", {}, 200),
        ("GET", f"{path}/v1", {"If-None-Match": f'"{MANIFEST.digest}"'}, 304),
        ("GET", f"{path}/v2", {}, 404),
        ("GET", f"{path}/sha256:12", {}, 400),
        ("GET", "/v2/app/tags/list", {}, 200),
        ("DELETE", f"{path}/v1", {}, 202),
    ):
        assert (await registry.ask(method, url, headers=headers)).status == status
    assert await recorded(registry) == []


async def test_switched_off(registry: Registry) -> None:
    """By default, pulls are not recorded."""
    path = await push(registry, "app")
    assert (await registry.ask("GET", f"{path}/v1")).status == 200
    assert await recorded(registry) == []


async def test_who_pulled() -> None:
    """It is recorded who pulled, with which access token, in which project; what was refused is recorded as that."""
    config = configured({"storage.ephemeral": True, "auth.mode": "builtin", "audit.pulls": True})
    storage = open_storage(config)
    secrets = await populate(storage.store)
    async with running(config, storage) as registry:
        path = await push(registry, "acme/app", Client(registry, "owner", secrets["owner"]).login())
        for name, status in (("reader", 200), ("outsider", 404)):
            login = Client(registry, name, secrets[name]).login()
            assert (await registry.ask("GET", f"{path}/v1", headers=login)).status == status
        pulled, refused = await recorded(registry)
    assert (pulled.principal, pulled.token, pulled.outcome) == ("reader", "test", "allowed")
    assert (refused.principal, refused.token, refused.outcome) == ("outsider", "test", "refused")
    for entry in (pulled, refused):
        assert (entry.target, entry.project) == ("acme/app:v1", "acme")
