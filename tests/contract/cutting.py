"""What stands between a client and a server of PostgreSQL, and can cut them off from one another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

SOCKET = ".s.PGSQL.5432"


class Cutter:
    """Passes on everything, until a client sends `words`: then, once, the connection is cut.

    `spared` is how often they may be sent before. `passes_on` says whether the server still gets the words, so that
    only its answer is lost.
    """

    def __init__(self, server: Path) -> None:
        self._server = server
        self.words: bytes | None = None
        self.spared = 0
        self.passes_on = False
        self.cuts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Handle one connection of a client."""
        answers, asks = await asyncio.open_unix_connection(str(self._server / SOCKET))
        back = asyncio.ensure_future(_pass_on(answers, writer))
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if self._is_to_cut(data):
                    self.words = None
                    self.cuts += 1
                    back.cancel()
                    await asyncio.wait([back])
                    if self.passes_on:
                        asks.write(data)
                        await asks.drain()
                        await answers.read(65536)
                    break
                asks.write(data)
        back.cancel()
        for each in (writer, asks):
            each.close()
            with contextlib.suppress(ConnectionError):
                await each.wait_closed()

    def _is_to_cut(self, data: bytes) -> bool:
        if self.words is None or self.words not in data:
            return False
        self.spared -= 1
        return self.spared < 0


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


@contextlib.asynccontextmanager
async def cutting(server: Path, folder: Path) -> AsyncIterator[Cutter]:
    """A cutter that listens in `folder` as the server in `server` does."""
    cutter = Cutter(server)
    serving: set[asyncio.Task[None]] = set()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(cutter.serve(reader, writer)))

    listener = await asyncio.start_unix_server(begin, str(folder / SOCKET))
    yield cutter
    listener.close()
    await asyncio.gather(*serving)
