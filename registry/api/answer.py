"""`Answer`: an answer that is in memory as a whole, which most are."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import orjson
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

_PHRASES = {status.value: status.phrase for status in HTTPStatus}
# Statuses whose answers have neither a body nor its length (RFC 9110, 8.6).
_BODILESS = frozenset({204, 304})
# Above this, a client that asks for more than it reads has to catch up first.
_UNREAD_MAX = 1 << 20


class Answer(web.StreamResponse):
    """Status, headers and body, sent in one write.

    `headers` may be given in any spelling, but each once; `add` repeats one. `length` is the Content-Length of an
    answer to HEAD whose body is not at hand.

    aiohttp's own `Response` keeps headers in a multi-map and sends them through a stream writer that could do more than
    is needed here; for a small manifest that is a third of the server's time.
    """

    def __init__(
        self, status: int = 200, headers: dict[str, str] | None = None, body: bytes = b"", *, length: int | None = None
    ) -> None:
        # The base's constructor is left out on purpose: what it sets up is for what is overridden here.
        self._status = status
        self._keep_alive: bool | None = None
        self._eof_sent = False
        self._fields = [] if headers is None else list(headers.items())
        self._content = body
        self._length = len(body) if length is None else length
        self._request: web.BaseRequest | None = None

    def add(self, name: str, value: str) -> None:
        self._fields.append((name, value))

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self._content)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._request = request
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        request = self._request
        if self._eof_sent or request is None:
            return
        self._eof_sent = True
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        head = self._head(request)
        transport.write(head if request.method == "HEAD" or self._status in _BODILESS else head + self._content)
        if transport.get_write_buffer_size() > _UNREAD_MAX:
            await request.writer.drain()

    def _head(self, request: web.BaseRequest) -> bytes:
        fields = self._fields
        if self._status not in _BODILESS:
            fields.append(("Content-Length", str(self._length)))
        if not self._keep_alive:
            fields.append(("Connection", "close"))
        elif request.version.minor == 0:
            fields.append(("Connection", "keep-alive"))
        lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
        if lines.count("\n") != len(fields) or lines.count("\r") != len(fields):
            raise ValueError("a header's value has more than one line")
        phrase = _PHRASES.get(self._status, "")
        return f"HTTP/1.1 {self._status} {phrase}\r\n{lines}Date: {_date()}\r\n\r\n".encode("ascii", "replace")


class NoAnswer(web.StreamResponse):
    """What a handler returns when nobody can be answered any more: the connection is closed."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionAbortedError("the answer could not be completed")


def json_answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """A JSON answer, without a charset parameter, which some clients do not expect."""
    return Answer(status, {"Content-Type": "application/json", **(headers or {})}, orjson.dumps(document))


class _Date:
    """The Date header of the current second."""

    second = 0
    text = ""


def _date() -> str:
    now = int(time.time())
    if now != _Date.second:
        _Date.second, _Date.text = now, formatdate(now, usegmt=True)
    return _Date.text
