"""`/healthz`, `/readyz` and `/metrics`: for those who run Berth."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from registry.api.answer import Answer, json_answer
from registry.api.call import Call
from registry.api.routing import Guard, Route
from registry.metrics import CONTENT_TYPE, Metrics
from registry.state import WorkerState
from storage.errors import RegistryError
from storage.metadata import blobs, damage, repositories
from storage.metadata.store import MetadataStore
from storage.scrub.journal import spoiled_manifests

Check = Callable[[], Awaitable[object]]


class Operations:
    """The handlers. `checks` are asked by `/readyz`: each raises an error when what it looks at is not usable."""

    def __init__(self, state: WorkerState, metrics: Metrics, store: MetadataStore, checks: dict[str, Check]) -> None:
        self._state, self._metrics, self._store, self._checks = state, metrics, store, checks

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/healthz", self.healthz, "healthz", Guard.ANYONE),
            Route("GET", "/readyz", self.readyz, "readyz", Guard.ANYONE),
        ]

    def metrics_routes(self, *, public: bool) -> list[Route]:
        guard = Guard.ANYONE if public else Guard.METRICS
        return [Route("GET", "/metrics", self.metrics, "metrics", guard, act="metrics.read")]

    async def healthz(self, call: Call) -> web.StreamResponse:
        """200 while this process can answer at all: nothing else is looked at, so a restart would help if it fails."""
        return json_answer({"status": "ok"})

    async def readyz(self, call: Call) -> web.StreamResponse:
        """200 while requests can be served; 503 with the reasons while they cannot, and while the daemon stops."""
        if self._state.draining:
            return json_answer({"status": "draining"}, 503, {"Retry-After": "1"})
        failed: dict[str, str] = {}
        for name, check in self._checks.items():
            try:
                await check()
            except RegistryError as error:
                failed[name] = str(error)
        if failed:
            return json_answer({"status": "unavailable", "failed": failed}, 503, {"Retry-After": "5"})
        return json_answer({"status": "ready", "checked": sorted(self._checks)})

    async def metrics(self, call: Call) -> web.StreamResponse:
        """All workers' counts, in Prometheus' text format."""
        count, total = await blobs.totals(self._store)
        self._metrics.set_storage(count, total, await repositories.count(self._store))
        self._metrics.set_damaged(await damage.count(self._store), await spoiled_manifests(self._store))
        return Answer(200, {"Content-Type": CONTENT_TYPE}, self._metrics.render())
