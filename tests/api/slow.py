"""Requests whose bodies come when the test says so."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator

from tests.api.server import Registry

WAIT_SECONDS = 10.0


class SlowRequest:
    """A request of which the registry has read the header and has begun to take the body."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def status(self) -> int:
        """The status of the answer."""
        async with asyncio.timeout(WAIT_SECONDS):
            line = await self._reader.readline()
        return int(line.split()[1])

    async def rest(self) -> bytes:
        """The rest of the answer, after its status: header and body."""
        async with asyncio.timeout(WAIT_SECONDS):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", b"\r\n" + head)
            assert length is not None, head
            return head + await self._reader.readexactly(int(length[1]))

    async def hang_up(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def slow_request(registry: Registry, method: str, path: str, *headers: str) -> AsyncIterator[SlowRequest]:
    """Send the header of a request, and return when the registry has asked for the body."""
    reader, writer = await registry.connect()
    try:
        lines = [f"{method} {path} HTTP/1.1", "Host: registry.example", "Expect: 100-continue", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        async with asyncio.timeout(WAIT_SECONDS):
            invitation = await reader.readuntil(b"\r\n\r\n")
        assert invitation.startswith(b"HTTP/1.1 100 "), invitation
        yield SlowRequest(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def answered(registry: Registry, method: str, path: str) -> int:
    """Wait until the registry is done with such a request, and return the status that it logged."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            for entry in registry.log.entries:
                if (entry["method"], entry["path"]) == (method, path):
                    status: int = entry["status"]
                    return status
            await asyncio.sleep(0.01)
