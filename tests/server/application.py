"""A made-up application under the real supervisor and workers: `python -m tests.server.application [FILE]`.

What it answers shows what the processes do. FILE is a configuration; BERTH_ variables count as usual.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from registry.config import Config, load
from registry.errors import StartError
from registry.log import Entry
from registry.metrics import Metrics
from registry.server.connection import Handler
from registry.server.supervisor import Supervisor
from registry.state import WorkerState

DONE = b"done"


class Application:
    """One worker's application. Paths are those of the methods, with arguments after a slash."""

    def __init__(self, metrics: Metrics, state: WorkerState) -> None:
        self._metrics = metrics
        self._state = state

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        name, _, argument = request.path.lstrip("/").partition("/")
        answer: web.StreamResponse = await getattr(self, name)(request, argument)
        self._metrics.observe_request(name, request.method, answer.status, 0.001, 0, 0)
        self._log(request, answer, name)
        return answer

    async def pid(self, request: web.BaseRequest, argument: str) -> web.StreamResponse:
        """Which worker answers."""
        return web.Response(text=str(os.getpid()))

    async def slow(self, request: web.BaseRequest, seconds: str) -> web.StreamResponse:
        """An answer whose header comes at once, and whose body takes so many seconds."""
        answer = web.StreamResponse()
        answer.content_length = len(DONE)
        await answer.prepare(request)
        await asyncio.sleep(float(seconds))
        await answer.write(DONE)
        return answer

    async def large(self, request: web.BaseRequest, size: str) -> web.StreamResponse:
        """An answer of so many bytes."""
        answer = web.StreamResponse()
        answer.content_length = int(size)
        await answer.prepare(request)
        for _ in range(int(size) // 65536):
            await answer.write(bytes(65536))
        return answer

    async def received(self, request: web.BaseRequest, argument: str) -> web.StreamResponse:
        """The body of the request, as it came."""
        return web.Response(body=await request.content.read())

    async def metrics(self, request: web.BaseRequest, argument: str) -> web.StreamResponse:
        """The metrics of all workers."""
        return web.Response(body=self._metrics.render())

    async def die(self, request: web.BaseRequest, code: str) -> web.StreamResponse:
        """No answer: the worker ends with this exit code."""
        os._exit(int(code))

    def _log(self, request: web.BaseRequest, answer: web.StreamResponse, route: str) -> None:
        entry = Entry(
            at=time.time(),
            request_id="0123",
            method=request.method,
            path=request.raw_path,
            status=answer.status,
            seconds=0.001,
            received=0,
            sent=0,
            remote=request.remote,
            user_agent=request.headers.get("User-Agent"),
            principal=None,
            route=route,
            error=None,
        )
        self._state.request_log.write(entry)


def prepare(config: Config) -> None:
    """Refuse the data folder of which the tests want it."""
    if config.storage.data.name == "unusable":
        raise StartError("the data folder is unusable")


@asynccontextmanager
async def open_application(config: Config, metrics: Metrics, state: WorkerState) -> AsyncIterator[Handler]:
    """Start as the setting `server.public_url` says: with an error, or well."""
    if config.server.public_url == "http://refused":
        raise StartError("the worker refuses to start")
    if config.server.public_url == "http://broken":
        raise RuntimeError("the worker is broken")
    yield Application(metrics, state)


def main() -> int:
    """Serve until a signal says stop."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else None

    def read() -> Config:
        return load(path, os.environ, {"server.listen": os.environ.get("LISTEN", "127.0.0.1:0")})

    supervisor = Supervisor(read(), reload=read, prepare=prepare, open_application=open_application)
    try:
        return supervisor.run()
    except StartError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
