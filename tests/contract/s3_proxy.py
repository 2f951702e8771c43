"""What stands between a driver and its store: passes on requests, and fails those that it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType

import aiohttp
from aiohttp import web
from yarl import URL

FAULTS = ["throttled", "failing", "refused", "lost", "stalled", "truncated"]
MORE_FAULTS = ["limited", "slow", "renamed"]
_BUSY = {"throttled": (503, "SlowDown"), "limited": (429, "TooManyRequests"), "failing": (500, "InternalError")}
_SLOW_S = 0.3
_NO_ETAG = f'"{"0" * 32}"'
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

    throttled: answered 503 SlowDown. limited: answered 429. failing: answered 500. refused: not passed on, the
    connection ends. lost: carried out, but the answer is lost. stalled: carried out, but never answered. truncated:
    half of the answer comes. accepted: answered 200 with an error in the body. slow: passed on after a while. renamed:
    the answer has another ETag than the object.

    `chance` decides instead, if it is there: it is asked at each request for a fault, which may be none. `calls` counts
    the requests of each operation, `faults` what was done to them.
    """

    store: str
    client: aiohttp.ClientSession
    url: str = ""
    breaks: str = ""
    fault: str = ""
    times: int = 0
    chance: Callable[[], str] | None = None
    calls: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def fail(self, breaks: str, fault: str, times: int = 1) -> None:
        self.breaks, self.fault, self.times = breaks, fault, times

    @property
    def injected(self) -> int:
        return self.faults.total()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body, name = await request.content.read(), operation(request)
        self.calls[name] += 1
        fault = self._fault(name)
        if not fault:
            return _whole(*await self._pass_on(request, body))
        self.faults[fault] += 1
        return await self._fail(request, body, fault)

    def _fault(self, name: str) -> str:
        if self.chance is not None:
            return self.chance()
        if name != self.breaks or self.times <= 0:
            return ""
        self.times -= 1
        return self.fault

    async def _fail(self, request: web.BaseRequest, body: bytes, fault: str) -> web.StreamResponse:
        if fault in _BUSY:
            status, code = _BUSY[fault]
            return web.Response(status=status, text=_ERROR.format(code), content_type="application/xml")
        if fault == "accepted":
            # What stores answer when it takes them long, and they have sent the status already.
            return web.Response(status=200, text=_ERROR.format("InternalError"), content_type="application/xml")
        if fault == "slow":
            await asyncio.sleep(_SLOW_S)
        if fault != "refused":
            response, answer = await self._pass_on(request, body)
            if fault in {"slow", "renamed"}:
                return _whole(response, answer, {"ETag": _NO_ETAG} if fault == "renamed" else {})
            if fault == "stalled":
                await asyncio.sleep(3600)
            if fault == "truncated":
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


def _whole(
    response: aiohttp.ClientResponse, answer: bytes, changed: Mapping[str, str] = MappingProxyType({})
) -> web.StreamResponse:
    headers = {**_headers(response), **changed}
    if response.method == "HEAD":
        return web.Response(status=response.status, headers=headers)
    headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
    return web.Response(status=response.status, headers=headers, body=answer)


async def _half(request: web.BaseRequest, response: aiohttp.ClientResponse, answer: bytes) -> web.StreamResponse:
    half = web.StreamResponse(status=response.status, headers=_headers(response))
    if request.method != "HEAD":
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


@contextlib.contextmanager
def proxy_beside(store: str) -> Iterator[Proxy]:
    """A proxy on a thread of its own."""
    started: Future[tuple[Proxy, Callable[[], object]]] = Future()

    async def serve() -> None:
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        async with proxy_to(store) as proxy:
            started.set_result((proxy, lambda: loop.call_soon_threadsafe(ended.set)))
            await ended.wait()

    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(asyncio.run, serve())
        proxy, end = started.result(10)
        try:
            yield proxy
        finally:
            end()
            serving.result(10)
