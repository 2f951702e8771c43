"""Blobs that the scrub found damaged: nobody gets their bytes, and who pushes them again mends them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests import s3_store
from tests.api.conftest import Serve
from tests.api.content import CONFIG, LAYER, blob, digest_of, image, index, manifest
from tests.api.server import Answer, Registry, configured, running
from tests.api.spoiling import scrubbed, spoil
from tests.api.table import Step

DIGEST = digest_of(LAYER)
BLOB = f"/v2/app/blobs/{DIGEST}"
START = "/v2/app/blobs/uploads/"
MOUNT = f"/v2/other/blobs/uploads/?mount={DIGEST}"
WRONG = b"a lawyer"[: len(LAYER)]
IMAGE = image()

# What is answered when the row says that the blob is damaged does not depend on where rows and bytes are.
in_memory = pytest.mark.parametrize("engine", ["memory"], indirect=True)


@pytest.fixture
async def registry(serve: Serve) -> Registry:
    """A registry that has an image, of which one blob was pulled, and is damaged since."""
    registry = await serve({})
    for step in (blob(CONFIG), blob(LAYER), manifest(IMAGE, "v1")):
        assert (await do(registry, step)).status == 201
    await expect(registry, "GET", BLOB, 200)
    await spoil(registry, DIGEST, WRONG)
    assert (await scrubbed(registry)).damaged == 1
    return registry


async def do(registry: Registry, step: Step) -> Answer:
    """Send one request."""
    return await registry.ask(step.method, step.url, headers=step.headers, body=step.body)


async def expect(registry: Registry, method: str, path: str, status: int) -> Answer:
    """Send a request without a body; the status has to be this one."""
    answer = await registry.ask(method, path)
    assert answer.status == status
    return answer


async def mend(registry: Registry) -> None:
    """Push the blob again."""
    assert (await do(registry, blob(LAYER))).status == 201


async def test_pull(registry: Registry) -> None:
    """A GET fails with an error that says why, whatever part is wanted and whoever remembers the bytes."""
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=0-1,3-4"}):
        answer = await registry.ask("GET", BLOB, headers=headers)
        assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])
        assert "damaged" in answer.json()["errors"][0]["message"]
        assert "Docker-Content-Digest" not in answer.headers
    await expect(registry, "GET", f"/v2/app/blobs/{digest_of(CONFIG)}", 200)
    await expect(registry, "GET", "/v2/app/manifests/v1", 200)
    await mend(registry)


async def test_pushing_again_mends(registry: Registry) -> None:
    """Clients are told that the blob is not there; when they have pushed it, it can be pulled, and nothing is stray."""
    await expect(registry, "HEAD", BLOB, 404)
    upload = await expect(registry, "POST", START, 202)
    location = upload.headers["Location"]
    assert (await registry.ask("PATCH", location, body=LAYER)).status == 202
    await expect(registry, "PUT", f"{location}?digest={DIGEST}", 201)
    assert (await expect(registry, "GET", BLOB, 200)).body == LAYER
    await expect(registry, "HEAD", BLOB, 200)
    assert (await scrubbed(registry)).damaged == 0
    assert len([stored async for stored in registry.storage.driver.blobs()]) == 2


@in_memory
async def test_pushing_elsewhere_mends_too(registry: Registry) -> None:
    """The bytes are stored once: who pushes them into another repository mends them in all."""
    assert (await do(registry, blob(LAYER, "other"))).status == 201
    assert (await expect(registry, "GET", BLOB, 200)).body == LAYER


@in_memory
async def test_mount(registry: Registry) -> None:
    """A damaged blob is not mounted: an upload begins. A mended one is."""
    for path in (MOUNT, f"{MOUNT}&from=app"):
        await expect(registry, "POST", path, 202)
    await expect(registry, "HEAD", f"/v2/other/blobs/{DIGEST}", 404)
    await mend(registry)
    await expect(registry, "POST", f"{MOUNT}&from=app", 201)
    assert (await expect(registry, "GET", f"/v2/other/blobs/{DIGEST}", 200)).body == LAYER


@in_memory
async def test_manifests_that_need_it(registry: Registry) -> None:
    """A manifest is not taken while a blob that it needs is damaged, new or not; one that does not need it is."""
    for reference in (None, "v1", "v2"):
        answer = await do(registry, manifest(IMAGE, reference))
        assert (answer.status, answer.codes()) == (404, ["MANIFEST_BLOB_UNKNOWN"])
        assert answer.json()["errors"][0]["detail"] == {"digest": DIGEST}
    await expect(registry, "GET", "/v2/app/manifests/v2", 404)
    assert (await do(registry, manifest(image(layers=[]), "other"))).status == 201
    assert (await do(registry, manifest(index([IMAGE.descriptor()]), "list"))).status == 201
    await mend(registry)
    assert (await do(registry, manifest(IMAGE, "v2"))).status == 201


@in_memory
async def test_delete(registry: Registry) -> None:
    """A damaged blob can be deleted like another one."""
    await expect(registry, "DELETE", f"/v2/app/manifests/{IMAGE.digest}", 202)
    await expect(registry, "DELETE", BLOB, 202)
    await expect(registry, "GET", BLOB, 404)
    await mend(registry)


async def test_bytes_that_are_right_again(registry: Registry) -> None:
    """What was restored where it lies can be pulled after the next pass, without a push."""
    await spoil(registry, DIGEST, LAYER)
    await expect(registry, "GET", BLOB, 500)
    assert (await scrubbed(registry)).restored == 1
    assert (await expect(registry, "GET", BLOB, 200)).body == LAYER


@in_memory
async def test_metrics(registry: Registry) -> None:
    """An alert can be made of the number of damaged blobs."""
    assert b"\nberth_blobs_damaged 1.0\n" in (await expect(registry, "GET", "/metrics", 200)).body
    await mend(registry)
    assert b"\nberth_blobs_damaged 0.0\n" in (await expect(registry, "GET", "/metrics", 200)).body


async def test_no_redirect(tmp_path: Path) -> None:
    """Nobody is sent to the store for damaged bytes, or gets them from there by a URL of ours."""
    config = configured({"storage.data": str(tmp_path), **s3_store.settings(), "s3.redirect": "always"})
    async with running(config) as registry:
        assert (await do(registry, blob(LAYER))).status == 201
        await expect(registry, "GET", BLOB, 307)
        await spoil(registry, DIGEST, WRONG)
        await scrubbed(registry)
        assert "Location" not in (await expect(registry, "GET", BLOB, 500)).headers
        await mend(registry)
        await expect(registry, "GET", BLOB, 307)


@pytest.mark.parametrize(("every", "scrubs"), [("30d", True), ("0", False)])
async def test_switch(every: str, scrubs: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whether a daemon scrubs at all is configured."""
    async with running(configured({"storage.ephemeral": True, "scrub.every": every})):
        assert ("scrub" in {task.get_name() for task in asyncio.all_tasks()}) == scrubs
