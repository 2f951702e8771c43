"""A connection to each worker of a daemon, so that a test knows whom it asks."""

import base64
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import orjson

from tests.daemon import Daemon

SECONDS = 20.0


@dataclass(frozen=True)
class Reply:
    """An answer, read to its end."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


class Worker:
    """One process. What is asked here goes to this one and to no other."""

    def __init__(self, connection: HTTPConnection) -> None:
        self._connection = connection

    def ask(
        self,
        method: str,
        path: str,
        authorization: str | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send one request and read the whole answer."""
        login = {} if authorization is None else {"Authorization": authorization}
        self._connection.request(method, path, body, {**login, **(headers or {})})
        answer = self._connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())

    def status(self, method: str, path: str, authorization: str | None = None) -> int:
        """The status of the answer."""
        return self.ask(method, path, authorization).status

    def token(self, login: str | None, *scopes: str) -> str:
        """The Authorization header of a token that this worker makes for the scopes."""
        query = urlencode([("service", "berth"), *(("scope", scope) for scope in scopes)])
        reply = self.ask("GET", f"/token?{query}", login)
        assert reply.status == 200, reply.body
        return f"Bearer {reply.json()['token']}"

    def close(self) -> None:
        self._connection.close()


class Workers:
    """All workers of a daemon, in an order of their own."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._found: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        deadline = time.monotonic() + SECONDS
        while len(self._found) < len(self._daemon.workers()):
            assert time.monotonic() < deadline, "some workers are never reached"
            worker = Worker(HTTPConnection("127.0.0.1", self._daemon.port, timeout=SECONDS))
            # Each process numbers its requests behind a word of its own.
            name = worker.ask("GET", "/healthz").headers["X-Request-Id"].partition("-")[0]
            if name in self._found:
                worker.close()
            else:
                self._found[name] = worker
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self:
            worker.close()

    def __iter__(self) -> Iterator[Worker]:
        return iter(list(self._found.values()))

    def statuses(self, method: str, path: str, authorization: str | None = None) -> set[int]:
        """What all of them answer to the same request."""
        return {worker.status(method, path, authorization) for worker in self}


def basic(name: str, secret: str) -> str:
    """The Authorization header of somebody with a password or an access token."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
