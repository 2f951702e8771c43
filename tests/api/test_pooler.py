"""The whole registry with a pooler between it and its database."""

from pathlib import Path

import pytest

from registry.app.storing import run_check
from tests.api.content import BASICS, image, manifest
from tests.api.server import configured, running
from tests.pgbouncer import pooling
from tests.postgres import PostgresServer


@pytest.mark.parametrize("prepared", [True, False])
@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_push_and_pull(
    postgres: PostgresServer, empty_postgres_url: str, tmp_path: Path, mode: str, *, prepared: bool
) -> None:
    """An image is pushed, pulled and deleted through a pooler of either kind, whatever is said of it."""
    pushed = image()
    with pooling(postgres, mode, size=20) as pooler:
        url = pooler.url(empty_postgres_url.rpartition("/")[2].partition("?")[0])
        settings = {"storage.database": url, "storage.data": str(tmp_path), "storage.prepared_statements": prepared}
        config = configured(settings)
        async with running(config) as registry:
            for step in (*BASICS, manifest(pushed, "v1")):
                answer = await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
                assert answer.status == 201
            for reference in ("v1", pushed.digest):
                assert (await registry.ask("GET", f"/v2/app/manifests/{reference}")).body == pushed.content
            assert (await registry.ask("GET", "/v2/app/tags/list")).json()["tags"] == ["v1"]
            assert (await registry.ask("DELETE", f"/v2/app/manifests/{pushed.digest}")).status == 202
        report = await run_check(config, with_bytes=True)
        assert [str(problem) for problem in report.problems] == []
