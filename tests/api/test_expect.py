"""Bodies that wait to be asked for, and bodies that nobody wants (RFC 9110, section 10.1.1)."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.conftest import Serve
from tests.api.content import BASICS, CONFIG, IMAGE, image, manifest
from tests.api.hello import BLOB, DIGEST, HELLO, START, begin, stored
from tests.api.server import Registry
from tests.api.slow import slow_request

WAIT_SECONDS = 10.0
PLAIN = image()


async def refusal(registry: Registry, request_line: str, *headers: str) -> tuple[int, bool]:
    """The status that comes first for a request that waits for 100, and whether the connection ends with it."""
    reader, writer = await registry.connect()
    try:
        lines = [f"{request_line} HTTP/1.1", "Host: x", "Expect: 100-continue", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        async with asyncio.timeout(WAIT_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            assert (await reader.read(11)) == b'{"errors":['
        return int(head.split()[1]), b"\r\nConnection: close\r\n" in head
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    ("status", "request_line"),
    [
        (404, f"PATCH {START}{'0' * 32}"),
        (404, f"PUT {START}{'0' * 32}?digest={DIGEST}"),
        (400, f"PUT {START}{'0' * 32}?digest=sha256:12"),
        (400, f"POST {START}?digest=sha256:12"),
        (400, f"POST /v2/APP/blobs/uploads/?digest={DIGEST}"),
        (400, "PUT /v2/app/manifests/-x"),
        (413, "PUT /v2/app/manifests/v1"),
        (405, "PUT /v2/app/tags/list"),
        (404, "PUT /nowhere"),
    ],
)
async def test_error_before_the_body(registry: Registry, status: int, request_line: str) -> None:
    """What can be refused without the body is refused before it is asked for, and the connection ends."""
    assert await refusal(registry, request_line, "Content-Length: 100000000") == (status, True)


async def test_blob_that_is_announced_too_large(serve: Serve) -> None:
    """A blob larger than is accepted is refused before it is asked for, whichever way it comes."""
    registry = await serve({"limits.blob_size": 100})
    path = await begin(registry)
    for request_line in (f"PATCH {path}", f"PUT {path}?digest={DIGEST}", f"POST {START}?digest={DIGEST}"):
        assert await refusal(registry, request_line, "Content-Length: 101") == (413, True)


async def test_errors_of_an_upload_before_the_body(serve: Serve) -> None:
    """A chunk in the wrong place, and one upload too many, are refused before their bodies are asked for."""
    registry = await serve({"uploads.max_concurrent": 1})
    path = await begin(registry, b"hello")
    length = "Content-Length: 10"
    assert await refusal(registry, f"PATCH {path}", "Content-Range: 90-99", length) == (416, True)
    assert await refusal(registry, f"PATCH {path}", "Content-Range: x", length) == (400, True)
    async with slow_request(registry, "PATCH", path, "Content-Length: 7"):
        assert await refusal(registry, f"PATCH {await begin(registry)}", length) == (429, True)


async def test_body_is_asked_for(registry: Registry) -> None:
    """What cannot be refused is asked for, once, and then answered as ever."""
    async with slow_request(registry, "POST", f"{START}?digest={DIGEST}", "Content-Length: 12") as request:
        await request.send(HELLO)
        assert await request.status() == 201
    assert await stored(registry)
    for step in BASICS:
        await registry.ask(step.method, step.url, body=step.body)
    length = f"Content-Length: {len(PLAIN.content)}"
    async with slow_request(registry, "PUT", "/v2/app/manifests/v1", f"Content-Type: {IMAGE}", length) as request:
        await request.send(PLAIN.content)
        assert await request.status() == 201


async def test_connection_goes_on_after_a_body(registry: Registry) -> None:
    """A connection whose body was asked for and taken can be used for the next request."""
    async with slow_request(registry, "POST", f"{START}?digest={DIGEST}", "Content-Length: 12") as request:
        await request.send(HELLO)
        assert await request.status() == 201
        await request.rest()
        await request.send(f"GET {BLOB} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert await request.status() == 200


async def test_refused_body_is_not_the_next_request(registry: Registry) -> None:
    """The body of a refused request is never taken for a request."""
    reader, writer = await registry.connect()
    hidden = b"DELETE /v2/app/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n"
    for step in (*BASICS, manifest(PLAIN, "v1")):
        await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
    try:
        head = f"PATCH {START}{'0' * 32} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(hidden)}\r\n\r\n"
        follow = b"GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + hidden + follow)
        async with asyncio.timeout(WAIT_SECONDS):
            answers = (await reader.read()).split(b"HTTP/1.1 ")[1:]
    finally:
        writer.close()
        await writer.wait_closed()
    assert [answer[:3] for answer in answers] == [b"404", b"200"]
    assert (await registry.ask("GET", "/v2/app/manifests/v1")).status == 200
    assert (await registry.ask("GET", f"/v2/app/blobs/{BASICS[0].url.rpartition('=')[2]}")).body == CONFIG
