"""A load generator that keeps account of every single request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field


@dataclass
class Load:
    """What became of the requests: each is either answered, or lost.

    A request is lost when it was sent on a connection that the server had accepted, and no whole answer came.
    `refused` counts attempts to connect that failed, which is no loss.
    """

    host: str
    port: int
    answered: int = 0
    refused: int = 0
    lost: list[str] = field(default_factory=list)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def _is_over(self) -> bool:
        return self._ended.is_set()

    async def keep_alive(self, path: str, pause: float = 0.0) -> None:
        """Send one request after the other, on one connection for as long as the server keeps it."""
        while not self._is_over():
            stream = await self._connect()
            if stream is None:
                return
            while await self._ask(*stream, path, close=False):
                if self._is_over():
                    break
                await asyncio.sleep(pause)
            stream[1].close()

    async def reconnect(self, path: str) -> None:
        """Send each request on a connection of its own."""
        while not self._is_over():
            stream = await self._connect()
            if stream is None:
                return
            await self._ask(*stream, path, close=True)
            stream[1].close()

    def end(self) -> None:
        """Let every client end after its current request."""
        self._ended.set()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        try:
            return await asyncio.open_connection(self.host, self.port)
        except OSError:
            self.refused += 1
            return None

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, *, close: bool) -> bool:
        """Return True if the connection can be used again."""
        connection = "Connection: close\r\n" if close else ""
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: test\r\n{connection}\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length: ")[1].split("\r\n")[0])
            await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.lost.append(f"{path}, close={close}: {error!r}")
            return False
        if not head.startswith("http/1.1 200"):
            self.lost.append(head)
            return False
        self.answered += 1
        return "connection: close" not in head


@contextlib.asynccontextmanager
async def running(load: Load) -> AsyncIterator[None]:
    """Many clients of all kinds at work; at the end they finish what they do."""
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for number in range(8):
            group.create_task(load.keep_alive("/pid"))
            group.create_task(load.keep_alive("/pid", pause=number * 0.02))
            group.create_task(load.reconnect("/pid"))
        group.create_task(load.keep_alive("/slow/0.3"))
        group.create_task(load.reconnect("/slow/0.3"))
        group.create_task(load.keep_alive("/large/1048576"))
        yield
        load.end()
