"""Bodies that break off, stall, or are longer than they said: what came is kept, and nothing else happens."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest

from tests.api.conftest import Serve
from tests.api.hello import DIGEST, START, begin, go_on, position, stored, uploads_with_bytes
from tests.api.server import Registry
from tests.api.slow import answered, slow_request

CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_client_hangs_up(registry: Registry, method: str) -> None:
    """When a client hangs up in the middle of a body, the upload can be continued."""
    path = await begin(registry)
    async with slow_request(registry, method, f"{path}?digest={DIGEST}", "Content-Length: 12") as request:
        await request.send(b"hello")
    assert await answered(registry, method, path) in {400, 499}
    assert not await stored(registry)
    await go_on(registry, path, 5)


async def test_chunked_body_without_end(registry: Registry) -> None:
    """A chunked body that ends without its last chunk is not whole, even if all bytes of the blob came."""
    path = await begin(registry)
    async with slow_request(registry, "PUT", f"{path}?digest={DIGEST}", CHUNKED) as request:
        await request.send(b"c\r\nhello, world\r\n")
    assert await answered(registry, "PUT", path) in {400, 499}
    assert not await stored(registry)
    await go_on(registry, path, 12)


async def test_malformed_chunked_body(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    """A chunked body that is not well-formed is the client's fault, at once, and the upload can be continued."""
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, CHUNKED) as request:
        await request.send(b"5\r\nhello\r\nnonsense\r\n")
        assert await request.status() == 400
    await go_on(registry, path, 5)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_single_post_breaks_off(registry: Registry) -> None:
    """A single POST that breaks off leaves nothing: nobody knows of its session."""
    async with slow_request(registry, "POST", f"{START}?digest={DIGEST}", "Content-Length: 12") as request:
        await request.send(b"hello")
    assert await answered(registry, "POST", START) in {400, 499}
    assert not await stored(registry)
    assert await uploads_with_bytes(registry) == []


async def test_manifest_breaks_off(registry: Registry) -> None:
    """A manifest of which only a part came is not stored."""
    path = "/v2/app/manifests/latest"
    async with slow_request(registry, "PUT", path, "Content-Length: 100") as request:
        await request.send(b'{"schemaVersion":2}')
    assert await answered(registry, "PUT", path) in {400, 499}
    assert (await registry.ask("GET", "/v2/app/tags/list")).status == 404


async def test_longer_than_content_range(registry: Registry) -> None:
    """A stream longer than its Content-Range is refused, and no byte beyond the range is kept."""
    path = await begin(registry)
    headers = {"Content-Range": "0-4"}
    answer = await registry.ask("PATCH", path, headers=headers, body=(b"hello", b", w", b"orld"))
    assert (answer.status, answer.codes()) == (400, ["SIZE_INVALID"])
    await go_on(registry, path, 5)


async def test_stalled(serve: Serve) -> None:
    """A body that stops moving is answered with 408, and what came is kept."""
    registry = await serve({"limits.stall_timeout": 0.2})
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12") as request:
        await request.send(b"hello")
        assert await request.status() == 408
    assert await position(registry, path) == 5
    await go_on(registry, path, 5)


async def test_slow_but_moving(serve: Serve) -> None:
    """There is no limit on the whole of a transfer that keeps moving."""
    stall_seconds = 1.0
    registry = await serve({"limits.stall_timeout": stall_seconds})
    path = await begin(registry)
    async with slow_request(registry, "PUT", f"{path}?digest={DIGEST}", "Content-Length: 12") as request:
        began = time.monotonic()
        for piece in (b"hel", b"lo, ", b"wor", b"ld"):
            await asyncio.sleep(stall_seconds / 3)
            await request.send(piece)
        assert await request.status() == 201
        assert time.monotonic() - began > stall_seconds
    assert await stored(registry)
