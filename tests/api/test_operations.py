"""Health, readiness and metrics: what those see who run Berth."""

from __future__ import annotations

import asyncio
import re

from registry.app.storing import Storage
from storage.blobs.memory import MemoryDriver
from storage.errors import StorageUnavailable
from storage.metadata.sqlite import MemoryStore
from tests.api.conftest import Serve
from tests.api.content import BASICS, LAYER, blob, image, manifest
from tests.api.hello import begin
from tests.api.server import Registry, configured, running
from tests.api.slow import slow_request
from tests.api.table import Case, Step, case, play, rows

OPERATIONS: list[Case] = [
    case(
        "ops",
        "alive and ready",
        Step("GET", "/healthz", 200, gives={"status": "ok"}),
        Step("HEAD", "/healthz", 200, gives=b""),
        Step("GET", "/readyz", 200, gives={"status": "ready", "checked": ["metadata"]}),
        Step("HEAD", "/readyz", 200, gives=b""),
    ),
    case(
        "ops",
        "metrics are in Prometheus' text format",
        Step("GET", "/metrics", 200, sees={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}),
    ),
    case(
        "ops",
        "metrics are switched off",
        Step("GET", "/metrics", 404, error="UNSUPPORTED"),
        Step("GET", "/healthz", 200),
        config={"metrics.enabled": False},
    ),
    case("ops", "nothing can be written there", Step("POST", "/healthz", 405), Step("DELETE", "/metrics", 405)),
]


@rows(OPERATIONS)
async def test_operations(serve: Serve, row: Case) -> None:
    """Every row of the table is answered as it says."""
    await play(await serve(row.config), row)


async def test_draining(registry: Registry) -> None:
    """A worker that stops is alive but not ready, and answers what arrives all the same."""
    registry.state.draining = True
    answer = await registry.ask("GET", "/readyz")
    assert (answer.status, answer.json()) == (503, {"status": "draining"})
    assert int(answer.headers["Retry-After"]) > 0
    assert (await registry.ask("GET", "/healthz")).status == 200
    last = await registry.ask("GET", "/v2/")
    assert (last.status, last.headers["Connection"]) == (200, "close")
    registry.state.draining = False
    assert (await registry.ask("GET", "/readyz")).status == 200


class LostStore(MemoryStore):
    """Cannot be reached while `lost`."""

    lost = False

    async def schema_version(self) -> int:
        if self.lost:
            raise StorageUnavailable("the metadata database cannot be read or written")
        return await super().schema_version()


async def test_storage_is_lost() -> None:
    """Without its database a worker is alive but not ready, and says what is wrong."""
    store = LostStore()
    async with running(configured({"storage.ephemeral": True}), Storage(store, MemoryDriver(), None)) as registry:
        store.lost = True
        answer = await registry.ask("GET", "/readyz")
        assert answer.status == 503
        assert answer.json()["failed"] == {"metadata": "the metadata database cannot be read or written"}
        assert int(answer.headers["Retry-After"]) > 0
        assert (await registry.ask("GET", "/healthz")).status == 200
        store.lost = False
        assert (await registry.ask("GET", "/readyz")).status == 200


async def metric(registry: Registry, series: str) -> float:
    """The value of a time series, by its name and labels as they are written."""
    text = (await registry.ask("GET", "/metrics")).body.decode()
    match = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
    assert match is not None, f"{series} is not among\n{text}"
    return float(match[1])


async def test_counts(registry: Registry) -> None:
    """Metrics count requests by route, method and status, bytes both ways, and what is stored."""
    pushed = image()
    for step in (*BASICS, blob(LAYER, "other"), manifest(pushed, "v1")):
        await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
    received = await metric(registry, "berth_received_bytes_total")
    assert received == len(pushed.content) + sum(len(step.body) for step in (*BASICS, BASICS[1]))
    before = await metric(registry, "berth_sent_bytes_total")
    for status in (200, 200, 404):
        reference = "v1" if status == 200 else "v9"
        assert (await registry.ask("GET", f"/v2/app/manifests/{reference}")).status == status
    assert await metric(registry, 'berth_requests_total{method="GET",route="manifest",status="200"}') == 2
    assert await metric(registry, 'berth_requests_total{method="GET",route="manifest",status="404"}') == 1
    assert await metric(registry, 'berth_request_seconds_count{method="GET",route="manifest"}') == 3
    assert await metric(registry, "berth_sent_bytes_total") >= before + 2 * len(pushed.content)
    assert await metric(registry, "berth_storage_blobs") == 2
    assert await metric(registry, "berth_storage_bytes") == sum(len(step.body) for step in BASICS)
    assert await metric(registry, "berth_repositories") == 2


async def becomes(registry: Registry, series: str, value: float) -> bool:
    """Whether a time series has the value before long."""
    for _ in range(100):
        if await metric(registry, series) == value:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_uploads_in_flight(registry: Registry) -> None:
    """Uploads that are being received are counted while they are."""
    async with slow_request(registry, "PATCH", await begin(registry), "Content-Length: 5") as request:
        assert await becomes(registry, "berth_uploads_in_flight", 1)
        await request.send(b"hello")
        assert await request.status() == 202
    assert await becomes(registry, "berth_uploads_in_flight", 0)


async def test_made_up_labels(registry: Registry) -> None:
    """Methods and paths that clients make up do not become labels."""
    await registry.ask("MKCOL", "/v2/made-up-name/tags/list")
    await registry.ask("GET", "/made-up-path")
    text = (await registry.ask("GET", "/metrics")).body.decode()
    assert "made-up" not in text
    assert "MKCOL" not in text
