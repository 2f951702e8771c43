"""Clients that do not wait for the answer: normal life, and no error of the registry."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tests.api.conftest import ENGINES
from tests.api.content import blob, digest_of
from tests.api.hello import DIGEST, START, begin, go_on
from tests.api.server import Registry
from tests.api.slow import answered

LARGE = bytes(range(256)) * (128 * 1024)
LARGE_URL = f"/v2/app/blobs/{digest_of(LARGE)}"
GONE = 499
WAIT_SECONDS = 10.0


@pytest.fixture(params=[*ENGINES, "uncached"])
def engine(request: pytest.FixtureRequest) -> dict[str, object]:
    """The engines, and one on which even the smallest blob goes by sendfile."""
    return ENGINES.get(request.param, {"storage.memory_cache": 0})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=5-,0-1", ""])
async def test_in_the_middle_of_a_download(registry: Registry, wanted: str, caplog: pytest.LogCaptureFixture) -> None:
    """A client that has read enough of a blob and hangs up is logged with 499, and not as an error."""
    step = blob(LARGE)
    assert (await registry.ask(step.method, step.url, body=step.body)).status == 201
    reader, writer = await registry.connect()
    writer.write(f"GET {LARGE_URL} HTTP/1.1\r\nHost: x\r\n{f'Range: {wanted}' if wanted else 'X: y'}\r\n\r\n".encode())
    async with asyncio.timeout(WAIT_SECONDS):
        await reader.readexactly(100_000)
    writer.transport.abort()
    assert await answered(registry, "GET", LARGE_URL) == GONE
    await settled(registry)
    assert errors(caplog) == []


async def test_before_the_body_is_asked_for(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    """A client that hangs up before it is told to go on is no error either, and its upload can be continued."""
    path = await begin(registry, b"hello")
    for _ in range(20):
        _, writer = await registry.connect()
        writer.write(f"PATCH {path} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n".encode())
        writer.transport.abort()
    for _ in range(20):
        _, writer = await registry.connect()
        writer.write(f"POST {START}?digest={DIGEST} HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\nhello".encode())
        await writer.drain()
        writer.transport.abort()
    await settled(registry)
    assert errors(caplog) == []
    await go_on(registry, path, 5)


async def settled(registry: Registry) -> None:
    """Give the requests of clients that are gone the time to end."""
    count = -1
    while count != len(registry.log.entries):
        count = len(registry.log.entries)
        await asyncio.sleep(0.3)
