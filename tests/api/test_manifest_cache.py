"""Manifests from memory, where the database is elsewhere."""

from pathlib import Path

from tests.api.content import BASICS, image, manifest
from tests.api.server import Registry, configured, running

MANIFEST = "/v2/app/manifests/v1"


async def fill(registry: Registry) -> None:
    for step in (*BASICS, manifest(image(), "v1")):
        assert (await registry.ask(step.method, step.url, headers=step.headers, body=step.body)).status == 201


async def test_bytes_come_from_memory(tmp_path: Path, postgres_url: str) -> None:
    """What was read once is not sent again by the database, which goes on saying what there is."""
    config = configured({"storage.data": str(tmp_path), "storage.database": postgres_url})
    async with running(config) as registry:
        await fill(registry)
        before = await registry.ask("GET", MANIFEST)
        by_digest = f"/v2/app/manifests/{before.headers['Docker-Content-Digest']}"
        await registry.storage.store.transact(lambda tx: tx.execute("UPDATE manifests SET content = ?", b"other"))
        for path in (MANIFEST, by_digest):
            assert (await registry.ask("GET", path)).body == before.body
        for path in (MANIFEST, by_digest):
            assert (await registry.ask("DELETE", path)).status == 202
            assert (await registry.ask("GET", path)).status == 404
