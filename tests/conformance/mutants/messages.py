"""Requests and answers as they go through the proxy, which faults look at and change."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, unquote

_ROUTES = {
    "base": re.compile(r"/v2/"),
    "catalog": re.compile(r"/v2/_catalog"),
    "token": re.compile(r"/token"),
    "manifest": re.compile(r"/v2/(?P<name>.+)/manifests/(?P<reference>[^/]*)"),
    "uploads": re.compile(r"/v2/(?P<name>.+)/blobs/uploads/"),
    "upload": re.compile(r"/v2/(?P<name>.+)/blobs/uploads/(?P<reference>[^/]+)"),
    "blob": re.compile(r"/v2/(?P<name>.+)/blobs/(?P<reference>[^/]*)"),
    "tags": re.compile(r"/v2/(?P<name>.+)/tags/list"),
    "referrers": re.compile(r"/v2/(?P<name>.+)/referrers/(?P<reference>[^/]*)"),
}
_NO_BODY = {204, 304}
_REASON = "Whatever"

Headers = list[tuple[str, str]]


@dataclass(slots=True)
class Request:
    """A request of a client: what its URL stands for is in `route`, `name` and `reference`."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    is_chunked: bool = False
    route: str = field(init=False, default="other")
    name: str = field(init=False, default="")
    reference: str = field(init=False, default="")

    def __post_init__(self) -> None:
        for route, pattern in _ROUTES.items():
            if found := pattern.fullmatch(self.path):
                named = found.groupdict()
                self.route, self.name = route, named.get("name", "")
                self.reference = unquote(named.get("reference", ""))
                return

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> Mapping[str, str]:
        """The parameters; of one that is there twice the last."""
        found = parse_qs(self.target.partition("?")[2], keep_blank_values=True)
        return {name: values[-1] for name, values in found.items()}

    @property
    def is_by_digest(self) -> bool:
        return ":" in self.reference

    def header(self, name: str) -> str | None:
        return header_in(self.headers, name)

    def to(self, target: str, method: str = "", body: bytes | None = None, **headers: str | None) -> Request:
        """This request with another target; headers by their names with `_` for `-`, none where they are None."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            changed["Content-Length"] = str(len(body))
        lower = {name.lower() for name in changed}
        kept = [(name, value) for name, value in self.headers if name.lower() not in lower]
        kept += [(name, value) for name, value in changed.items() if value is not None]
        return Request(method or self.method, target, kept, self.body if body is None else body, self.is_chunked)


@dataclass(slots=True)
class Reply:
    """An answer of the registry.

    Attributes:
        length: what Content-Length says, where that is not the length of the body.
        is_cut: the connection ends with the body.
        is_endless: bytes follow one by one, as long as anybody listens.
        raw: the bytes to send in place of all else.
        added: bytes to send after the end of the answer.
    """

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    length: int | None = None
    is_cut: bool = False
    is_endless: bool = False
    raw: bytes | None = None
    added: bytes = b""

    def header(self, name: str) -> str | None:
        return header_in(self.headers, name)

    def set(self, name: str, value: str | None) -> None:
        """Replace a header, or remove it."""
        self.headers = [(key, one) for key, one in self.headers if key.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def copy(self) -> Reply:
        return replace(self, headers=list(self.headers))

    def content(self, method: str) -> bytes:
        """What goes over the wire."""
        if self.raw is not None:
            return self.raw
        headers, body = self.headers, self.body
        if method != "HEAD" and (self.status not in _NO_BODY or body):
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body) if self.length is None else self.length)))
        lines = [f"HTTP/1.1 {self.status} {_REASON}", *(f"{name}: {value}" for name, value in headers)]
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        return head + (b"" if method == "HEAD" else body) + self.added


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of a request, as they came."""

    content: bytes

    @property
    def line(self) -> str:
        return self.content.partition(b"\r\n")[0].decode("latin-1")

    @property
    def headers(self) -> Headers:
        lines = self.content.decode("latin-1").split("\r\n")[1:-2]
        return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]

    @property
    def is_odd(self) -> bool:
        """Whether only the registry itself can say what to make of it."""
        names = [name.lower() for name, _ in self.headers]
        return "connection" in names or {"content-length", "transfer-encoding"} <= set(names)

    async def request(self, reader: asyncio.StreamReader) -> Request:
        """The whole request."""
        method, target, _ = self.line.split(" ")
        is_chunked = header_in(self.headers, "Transfer-Encoding") is not None
        if is_chunked:
            body = b"".join([chunk async for chunk in _chunks(reader)])
        else:
            body = await reader.readexactly(int(header_in(self.headers, "Content-Length") or 0))
        return Request(method, target, self.headers, body, is_chunked)


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readline(), 16):
        yield await reader.readexactly(size)
        await reader.readline()
    await reader.readline()


def header_in(headers: Headers, name: str) -> str | None:
    """The first header of this name."""
    return next((value for key, value in headers if key.lower() == name.lower()), None)
