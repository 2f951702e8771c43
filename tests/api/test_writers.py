"""More than one request for an upload at the same time."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from registry.app.first_start import prepare
from registry.app.storing import Storage
from storage.blobs.files import Files
from storage.blobs.filesystem import FilesystemDriver
from storage.metadata.sqlite import SqliteStore
from tests.api.conftest import Serve
from tests.api.content import digest_of
from tests.api.hello import DIGEST, START, begin, finish, stored, uploads_with_bytes
from tests.api.server import Registry, assert_sound, configured, running
from tests.api.slow import answered, slow_request


@pytest.mark.parametrize(("method", "status"), [("PATCH", 202), ("PUT", 201)])
async def test_second_writer(registry: Registry, method: str, status: int) -> None:
    """A second writer is refused and told where the upload is; the first one's bytes stay whole."""
    path = await begin(registry, b"hello")
    async with slow_request(registry, method, f"{path}?digest={DIGEST}", "Content-Length: 7") as first:
        await first.send(b", w")
        second = await registry.ask("PATCH", path, body=b"XXXX")
        assert (second.status, second.codes()) == (416, ["BLOB_UPLOAD_INVALID"])
        assert second.headers["Location"] == path
        assert second.headers["Range"].startswith("0-")
        await first.send(b"orld")
        assert await first.status() == status
    if method == "PATCH":
        assert await finish(registry, path) == 201
    assert await stored(registry)


async def test_writers_do_not_mix(registry: Registry) -> None:
    """Of many chunks for one place only one is taken, and its bytes are not mixed with those of the others."""
    path = await begin(registry)
    chunks = [bytes([letter]) * 100_000 for letter in b"abcdefgh"]
    headers = {"Content-Range": "0-99999"}
    answers = await asyncio.gather(*(registry.ask("PATCH", path, headers=headers, body=chunk) for chunk in chunks))
    taken = [chunk for chunk, answer in zip(chunks, answers, strict=True) if answer.status == 202]
    assert len(taken) == 1
    assert {answer.status for answer in answers} == {202, 416}
    answer = await registry.ask("PUT", f"{path}?digest={digest_of(taken[0])}")
    assert answer.status == 201


@pytest.mark.parametrize(
    ("method", "parameters", "statuses"),
    # Whether bytes that nobody wants any more are accepted or refused makes no difference; a blob must not come of it.
    [("PATCH", "", {202, 404}), ("PUT", f"?digest={DIGEST}", {404})],
)
async def test_cancelled_under_way(registry: Registry, method: str, parameters: str, statuses: set[int]) -> None:
    """An upload that is cancelled while a body arrives stays cancelled, and leaves nothing."""
    path = await begin(registry, b"hello")
    async with slow_request(registry, method, path + parameters, "Content-Length: 7") as request:
        await request.send(b", w")
        assert (await registry.ask("DELETE", path)).status == 204
        await request.send(b"orld")
        assert await request.status() in statuses
    assert (await registry.ask("GET", path)).status == 404
    assert not await stored(registry)
    assert await uploads_with_bytes(registry) == []


async def test_one_blob_twice_at_once(registry: Registry) -> None:
    """Two uploads of one content at the same time both succeed."""
    paths = [await begin(registry), await begin(registry)]
    assert await asyncio.gather(*(finish(registry, path, b"hello, world") for path in paths)) == [201, 201]
    assert await stored(registry)


async def test_finished_twice_at_once(tmp_path: Path) -> None:
    """A closing request that is sent again before its answer came does not end the session under the first one."""
    reached = asyncio.Event()
    loop = asyncio.get_running_loop()

    class SlowDisk(Files):
        """Takes its time to make the names of finished blobs durable."""

        def sync_folder(self, folder: Path) -> None:
            if folder.parent.name == "sha256":
                loop.call_soon_threadsafe(reached.set)
                time.sleep(0.5)
            super().sync_folder(folder)

    config = configured({"storage.data": str(tmp_path / "data")})
    await asyncio.to_thread(prepare, config)
    data = config.storage.data
    async with running(config, Storage(SqliteStore(data), FilesystemDriver(data, SlowDisk()), None)) as registry:
        path = await begin(registry, b"hello, world")
        first = asyncio.create_task(finish(registry, path))
        async with asyncio.timeout(10):
            await reached.wait()
        second = await finish(registry, path)
        assert (await first, second) in {(201, 404), (201, 416)}
        assert await stored(registry)
    await assert_sound(data)


async def test_too_many_at_once(serve: Serve) -> None:
    """A body beyond those that a worker receives at the same time is answered with 429, nothing else is."""
    registry = await serve({"uploads.max_concurrent": 1})
    path, other = await begin(registry), await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12") as request:
        for method, url in [
            ("PATCH", other),
            ("PUT", f"{other}?digest={DIGEST}"),
            ("POST", f"{START}?digest={DIGEST}"),
        ]:
            refused = await registry.ask(method, url, body=b"hello, world")
            assert (refused.status, refused.codes()) == (429, ["TOOMANYREQUESTS"])
            assert int(refused.headers["Retry-After"]) > 0
        assert (await registry.ask("GET", "/v2/")).status == 200
        assert (await registry.ask("POST", START)).status == 202
        await request.send(b"hello, world")
        assert await request.status() == 202
    assert await finish(registry, other, b"hello, world") == 201
    assert await finish(registry, path) == 201


async def test_place_is_given_back(serve: Serve) -> None:
    """Bodies that fail do not use up the places for uploads."""
    registry = await serve({"uploads.max_concurrent": 1})
    for _ in range(3):
        path = await begin(registry)
        wrong = await registry.ask("PUT", f"{path}?digest={digest_of(b'other')}", body=b"hello")
        assert wrong.status == 400
        path = await begin(registry)
        async with slow_request(registry, "PATCH", path, "Content-Length: 12") as request:
            await request.send(b"hello")
        await answered(registry, "PATCH", path)
    assert await finish(registry, await begin(registry), b"hello, world") == 201
