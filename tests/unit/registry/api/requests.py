"""A request as far as a unit needs one: what was asked, by whom, and what is written back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from aiohttp import HttpVersion, HttpVersion11, web
from multidict import CIMultiDict

from registry.api.answer import Answer


class Wire:
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0


class Request:
    """The part of aiohttp's request that the units under test use."""

    def __init__(
        self,
        method: str = "GET",
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        *,
        remote: str | None = "192.0.2.1",
        version: HttpVersion = HttpVersion11,
        keep_alive: bool = True,
    ) -> None:
        self.method, self.remote, self.version, self.keep_alive = method, remote, version, keep_alive
        self.headers = CIMultiDict(headers or {})
        self.transport = Wire()

    def as_request(self) -> web.BaseRequest:
        """This request, for functions that want aiohttp's class."""
        return cast("web.BaseRequest", self)


@dataclass(frozen=True)
class Sent:
    """An answer as it went over the wire."""

    line: str
    headers: CIMultiDict[str]
    body: bytes


def send(answer: Answer, request: Request | None = None) -> Sent:
    """Send the answer and take apart what was written."""
    asked = request or Request()

    async def run() -> None:
        await answer.prepare(asked.as_request())
        await answer.write_eof()

    asyncio.run(run())
    head, _, body = asked.transport.written.partition(b"\r\n\r\n")
    line, *fields = head.decode("ascii").split("\r\n")
    pairs = [field.split(": ", 1) for field in fields]
    return Sent(line, CIMultiDict([(name, value) for name, value in pairs]), body)
