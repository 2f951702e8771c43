"""A proxy in front of a good registry, which breaks what it is told to break."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from tests.conformance.mutants.messages import Head, Reply, Request

Handler = Callable[[Request, "Proxy"], Awaitable[Reply]]
RawHandler = Callable[[Head, bytes], bytes]

_HEAD_MAX = 1 << 22
_PIECE = 65536
_TRICKLE_SECONDS = 0.02
_OWN = {"connection", "keep-alive", "transfer-encoding"}
_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")


async def faithful(request: Request, proxy: Proxy) -> Reply:
    """What a proxy does that breaks nothing."""
    return await proxy.ask(request)


def untouched(head: Head, content: bytes) -> bytes:
    return content


class Proxy:
    """Passes on what comes, `handler` deciding about requests, `raw` about those that are no proper HTTP.

    Of these the registry gets every byte as it came, and `raw` may change the beginning of the answer. `owner` is the
    Authorization header of somebody who may do everything. What went wrong in here is in `failures`.
    """

    def __init__(self, registry: str, client: aiohttp.ClientSession) -> None:
        self.registry, self._client = registry, client
        self.url = self.owner = ""
        self.handler: Handler = faithful
        self.raw: RawHandler = untouched
        self.failures: list[Exception] = []
        self._serving: set[asyncio.Task[object]] = set()

    async def ask(self, request: Request) -> Reply:
        """The answer of the registry."""
        url = URL(self.registry + request.target, encoded=True)
        headers = [(name, value) for name, value in request.headers if name.lower() not in _OWN]
        data = _pieces(request.body) if request.is_chunked else io.BytesIO(request.body) if request.body else None
        asked = self._client.request(
            request.method, url, headers=headers, data=data, allow_redirects=False, skip_auto_headers=_ADDED
        )
        async with asked as answer:
            found = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.raw_headers]
            kept = [(name, value) for name, value in found if name.lower() not in _OWN]
            return Reply(answer.status, kept, await answer.read())

    async def ask_as_owner(self, request: Request) -> Reply:
        """The answer of the registry to somebody who may ask for this."""
        return await self.ask(request.to(request.target, Authorization=self.owner))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes on a connection, until it ends."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while await self._serve_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - whoever started the proxy looks at it
            self.failures.append(error)
        finally:
            self._serving.discard(task)
            await _closed(writer)

    async def close(self) -> None:
        """End all connections."""
        serving = list(self._serving)
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = Head(await reader.readuntil(b"\r\n\r\n"))
        if head.is_odd:
            await self._tunnel(head, reader, writer)
            return False
        request = await head.request(reader)
        reply = await self.handler(request, self)
        writer.write(reply.content(request.method))
        await writer.drain()
        while reply.is_endless:
            await asyncio.sleep(_TRICKLE_SECONDS)
            writer.write(b"x")
            await writer.drain()
        return not reply.is_cut

    async def _tunnel(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.registry)
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        back.write(head.content)
        sending = asyncio.create_task(_pump(reader, back))
        try:
            content = await there.read(_PIECE)
            writer.write(self.raw(head, content))
            await _pump(there, writer)
        finally:
            sending.cancel()
            await _closed(back)


async def _closed(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.close()
        await writer.wait_closed()


async def _pump(source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while content := await source.read(_PIECE):
            drain.write(content)
            await drain.drain()
        drain.write_eof()


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for begin in range(0, len(body), _PIECE):
        yield body[begin : begin + _PIECE]


async def _serving(registry: str, started: Future[tuple[Proxy, Callable[[], object]]]) -> None:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    async with aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)) as client:
        proxy = Proxy(registry, client)
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=_HEAD_MAX)
        proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        started.set_result((proxy, lambda: loop.call_soon_threadsafe(ended.set)))
        await ended.wait()
        server.close()
        await proxy.close()


@contextlib.contextmanager
def proxy_to(registry: str) -> Iterator[Proxy]:
    """A proxy on a thread of its own."""
    started: Future[tuple[Proxy, Callable[[], object]]] = Future()
    with ThreadPoolExecutor(1) as thread:
        serving = thread.submit(asyncio.run, _serving(registry, started))
        proxy, end = started.result(10)
        try:
            yield proxy
        finally:
            end()
            serving.result(10)
