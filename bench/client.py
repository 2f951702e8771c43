"""A blocking HTTP/1.1 client that costs little beside the registry it talks to.

One object is one connection. There is no retry and no redirect: what the registry answers is what is
measured.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BufferedReader
from typing import Self, TypeVar
from urllib.parse import urlsplit

Item = TypeVar("Item")

TIMEOUT = 120.0


class Unexpected(Exception):
    """The registry answered something else than the distribution spec lets a client expect."""


@dataclass(frozen=True)
class Answer:
    """A whole response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def address(url: str) -> tuple[str, int]:
    """Host and port of an `http://` URL; ValueError for anything else."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"{url!r} is not an http:// URL")
    return parts.hostname, parts.port or 80


def request_head(url: str, method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """The bytes of a request up to and including the empty line."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urlsplit(url).netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Client:
    """One keep-alive connection to the registry at `url`, opened by the first request."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self.url = url
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._reader: BufferedReader | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; the next request opens a new one."""
        if self._reader is not None:
            self._reader.close()
        if self._socket is not None:
            self._socket.close()
        self._reader = self._socket = None

    def connection(self) -> socket.socket:
        """The connected socket, for a body that is sent in a special way after `send_head`."""
        if self._socket is None:
            self._socket = socket.create_connection(address(self.url), timeout=self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
        return self._socket

    def send_head(self, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Sends a request's head, and `body` in the same write; Content-Length is the caller's to give."""
        self.connection().sendall(request_head(self.url, method, target, headers) + body)

    def request(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Sends one request and returns the whole answer, whatever its status."""
        length = {} if method in ("GET", "HEAD") else {"Content-Length": str(len(body))}
        self.send_head(method, target, {**length, **(headers or {})}, body)
        return self.answer(method)

    def expect(
        self,
        status: int,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Like `request`; raises Unexpected when the status is another one."""
        return expected(status, method, target, self.request(method, target, body, headers))

    def answer(self, method: str) -> Answer:
        """Reads the answer to the request that was sent last."""
        status, headers = self._head()
        body = b"" if method == "HEAD" or status in (204, 304) else self._body(headers)
        self._end(headers)
        return Answer(status, headers, body)

    def download(self, target: str, buffer: memoryview) -> int:
        """GETs `target` and throws the bytes away through `buffer`; returns how many came.

        Raises Unexpected unless the answer is 200 with a Content-Length and as many bytes.
        """
        self.send_head("GET", target, {})
        status, headers = self._head()
        if status != 200 or "content-length" not in headers:
            raise Unexpected(f"GET {target} answered {status}, content-length {headers.get('content-length')}")
        total = left = int(headers["content-length"])
        while left:
            count = self._open_reader().readinto(buffer[: min(left, len(buffer))])
            if not count:
                raise Unexpected(f"GET {target} ended {left} bytes early")
            left -= count
        self._end(headers)
        return total

    def _open_reader(self) -> BufferedReader:
        if self._reader is None:
            raise Unexpected("the connection is closed")
        return self._reader

    def _line(self) -> bytes:
        line = self._open_reader().readline(65536)
        if not line.endswith(b"\n"):
            raise Unexpected("the registry closed the connection in the middle of an answer")
        return line

    def _head(self) -> tuple[int, dict[str, str]]:
        status = 100
        headers: dict[str, str] = {}
        while status < 200:
            status = int(self._line().split(None, 2)[1])
            headers = {}
            while (line := self._line()) != b"\r\n":
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
        return status, headers

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        if "content-length" not in headers:
            raise Unexpected("an answer has neither Content-Length nor chunks")
        return self._exactly(int(headers["content-length"]))

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := int(self._line().split(b";")[0], 16):
            body += self._exactly(size)
            self._line()
        while self._line() != b"\r\n":
            pass
        return bytes(body)

    def _exactly(self, count: int) -> bytes:
        data = self._open_reader().read(count)
        if len(data) != count:
            raise Unexpected(f"a body ended {count - len(data)} bytes early")
        return data

    def _end(self, headers: Mapping[str, str]) -> None:
        if headers.get("connection", "").lower() == "close":
            self.close()


def expected(status: int, method: str, target: str, answer: Answer) -> Answer:
    """`answer`, when it has this status; raises Unexpected with the beginning of its body otherwise."""
    if answer.status != status:
        detail = answer.body[:300].decode("utf-8", "replace")
        raise Unexpected(f"{method} {target} answered {answer.status}, not {status}: {detail}")
    return answer


def in_parallel(url: str, clients: int, items: Iterable[Item], work: Callable[[Client, Item], None]) -> None:
    """Calls `work` once for every item, in order, from `clients` threads with a connection each.

    Raises the first error of a thread after all threads ended.
    """
    waiting = deque(items)

    def run() -> None:
        with Client(url) as client:
            while True:
                try:
                    item = waiting.popleft()
                except IndexError:
                    return
                work(client, item)

    with ThreadPoolExecutor(clients) as pool:
        runs = [pool.submit(run) for _ in range(clients)]
    for each in runs:
        each.result()
