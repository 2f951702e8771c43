"""The whole registry in this process, behind the HTTP server of a worker, on a free port of the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
from multidict import CIMultiDictProxy
from yarl import URL

from auth.passwords import Passwords
from registry.app.first_start import prepare
from registry.app.serving import serving
from registry.app.storing import Storage, open_storage, run_check
from registry.config.load import load
from registry.config.settings import Config
from registry.log import RequestLog
from registry.metrics import Metrics
from registry.server.connection import Server
from registry.state import WorkerState

ANSWER_SECONDS = 20.0
STOP_SECONDS = 1.0

Body = bytes | tuple[bytes, ...]
"""A request's body: bytes of a known length, or pieces that go out with chunked transfer encoding."""


class RequestLines:
    """An `Output` that keeps the request log's lines as objects."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def write(self, line: bytes, *, hurry: bool = False) -> None:
        self.entries.append(orjson.loads(line))

    def close(self) -> None:
        """Nothing is held back."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)

    def codes(self) -> list[str]:
        """The codes of an error body, which has to have the form that the specification gives it."""
        document = self.json()
        assert set(document) == {"errors"}, document
        for error in document["errors"]:
            assert {"code", "message"} <= set(error) <= {"code", "message", "detail"}, error
            assert isinstance(error["message"], str), error
            assert error["message"], error
        return [error["code"] for error in document["errors"]]


@dataclass
class Registry:
    """A running registry, and a client of it."""

    url: str
    config: Config
    storage: Storage
    state: WorkerState
    log: RequestLines
    client: aiohttp.ClientSession = field(repr=False)

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: Body = b""
    ) -> Answer:
        """Send one request, `path` exactly as given, and read the whole answer."""
        data: Any = io.BytesIO(body) if isinstance(body, bytes) else _pieces(body)
        url = URL(self.url + path, encoded=True)
        async with self.client.request(
            method, url, headers=headers, data=data if body else None, allow_redirects=False
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A bare connection, for what a well-behaved client does not do."""
        address = URL(self.url)
        return await asyncio.open_connection(address.host, address.port)


async def _pieces(pieces: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def configured(settings: Mapping[str, object]) -> Config:
    """A configuration of defaults, and of `settings` by their dotted paths. A mistake in one raises `ConfigError`.

    Nobody is asked to log in, unless the settings say so.
    """
    return load(None, {}, {"auth.mode": "open", **settings})


@contextlib.asynccontextmanager
async def running(
    config: Config, storage: Storage | None = None, passwords: Passwords | None = None
) -> AsyncIterator[Registry]:
    """Serve for as long as the context is open; `storage` is what the configuration says if it is not given.

    `passwords` are for tests that log in often.
    """
    if storage is None:
        await asyncio.to_thread(prepare, config)
        storage = open_storage(config)
    log, metrics = RequestLines(), Metrics()
    state = WorkerState(RequestLog("json", "all", log))
    async with serving(config, storage, metrics, state, passwords) as handler:
        server = Server(
            handler,
            state=state,
            metrics=metrics,
            keepalive_timeout=config.server.keepalive_timeout,
            head_timeout=config.limits.stall_timeout,
        )
        async with _listening(server) as url, _client() as client:
            yield Registry(url, config, storage, state, log, client)


@contextlib.asynccontextmanager
async def _listening(server: Server) -> AsyncIterator[str]:
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        await server.shutdown(STOP_SECONDS)
        await listener.wait_closed()


@contextlib.asynccontextmanager
async def _client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
        # What the client library would add by itself is not in the tables.
        skip_auto_headers=("Content-Type", "User-Agent", "Accept", "Accept-Encoding"),
        auto_decompress=False,
    ) as session:
        yield session


async def assert_sound(data: Path) -> None:
    """AssertionError with what `berth check --bytes` would complain of in the data folder."""
    report = await run_check(configured({"storage.data": str(data)}), with_bytes=True)
    assert [str(problem) for problem in report.problems] == []
