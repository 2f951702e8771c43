"""What stands between a driver and its store: passes on requests, and fails those that it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

FAULTS = ["throttled", "failing", "refused", "lost", "stalled", "truncated"]
# What is done to clients on purpose is no news.
_QUIET = logging.getLogger("quiet")
_QUIET.disabled = True
_ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>no</Message></Error>"


def operation(request: web.BaseRequest) -> str:
    """What a request asks for, in a word."""
    query, method = request.query, request.method
    if "uploads" in query:
        return "create" if method == "POST" else "list-multiparts"
    if "uploadId" in query:
        return {"PUT": "part", "POST": "complete", "GET": "list-parts", "DELETE": "abort"}[method]
    if "list-type" in query:
        return "list"
    kind = next((kind for kind in ("blobs", "uploads", "locks") if f"/{kind}/" in request.path), "bucket")
    return f"{method.lower()}-{kind}"


@dataclass
class Proxy:
    """Fails the requests of the operation `breaks` in the way of `fault`: the first `times` of them.

    throttled: answered 503 SlowDown. failing: answered 500. refused: not passed on, the connection ends. lost: carried
    out, but the answer is lost. stalled: carried out, but never answered. truncated: half of the answer comes.
    accepted: answered 200 with an error in the body. `calls` counts the requests of each operation.
    """

    store: str
    client: aiohttp.ClientSession
    url: str = ""
    breaks: str = ""
    fault: str = ""
    times: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    injected: int = 0

    def fail(self, breaks: str, fault: str, times: int = 1) -> None:
        self.breaks, self.fault, self.times = breaks, fault, times

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body, name = await request.content.read(), operation(request)
        self.calls[name] += 1
        if name != self.breaks or self.times <= 0:
            return _whole(*await self._pass_on(request, body))
        self.times -= 1
        self.injected += 1
        return await self._fail(request, body)

    async def _fail(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        if self.fault == "throttled":
            return web.Response(status=503, text=_ERROR.format("SlowDown"), content_type="application/xml")
        if self.fault == "failing":
            return web.Response(status=500, text=_ERROR.format("InternalError"), content_type="application/xml")
        if self.fault == "accepted":
            # What stores answer when it takes them long, and they have sent the status already.
            return web.Response(status=200, text=_ERROR.format("InternalError"), content_type="application/xml")
        if self.fault != "refused":
            response, answer = await self._pass_on(request, body)
            if self.fault == "stalled":
                await asyncio.sleep(3600)
            if self.fault == "truncated":
                return await _half(request, response, answer)
        assert request.transport is not None
        request.transport.abort()
        raise ConnectionAbortedError

    async def _pass_on(self, request: web.BaseRequest, body: bytes) -> tuple[aiohttp.ClientResponse, bytes]:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"transfer-encoding", "connection", "expect"}
        }
        url = URL(self.store + request.raw_path, encoded=True)
        data = io.BytesIO(body) if body else None
        async with self.client.request(request.method, url, headers=headers, data=data) as response:
            return response, await response.read()


def _headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.lower() not in {"connection", "server"}}


def _whole(response: aiohttp.ClientResponse, answer: bytes) -> web.StreamResponse:
    headers = {name: value for name, value in _headers(response).items() if name.lower() != "content-length"}
    if response.method == "HEAD":
        return web.Response(status=response.status, headers=_headers(response))
    return web.Response(status=response.status, headers=headers, body=answer)


async def _half(request: web.BaseRequest, response: aiohttp.ClientResponse, answer: bytes) -> web.StreamResponse:
    half = web.StreamResponse(status=response.status, headers=_headers(response))
    half.content_length = max(len(answer), 1)
    await half.prepare(request)
    await half.write(answer[: len(answer) // 2])
    assert request.transport is not None
    request.transport.close()
    raise ConnectionAbortedError


@contextlib.asynccontextmanager
async def proxy_to(store: str) -> AsyncIterator[Proxy]:
    """A proxy on a free port, which its `url` names."""
    client = aiohttp.ClientSession(auto_decompress=False)
    proxy = Proxy(store, client)
    server = web.Server(proxy.handle, access_log=None, logger=_QUIET)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listener.close()
        await server.shutdown(0.1)
        await listener.wait_closed()
        await client.close()
