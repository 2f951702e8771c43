"""`PartSender`: full parts on their way to the store, some at a time, hashed in the order of the blob.

Memory: `parallel` parts on their way, and the one that is being filled.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from storage.blobs.s3.objects import checksums
from storage.blobs.s3.parts import Part
from storage.blobs.s3.place import Place
from storage.digest import Digest

T = TypeVar("T")

# While one part is tried again and again, at most this many times `parallel` overtake it.
_AHEAD = 4


class RunningHash(Protocol):
    """The part of `hashlib`'s objects that is used here."""

    def update(self, data: bytes, /) -> None: ...

    def hexdigest(self) -> str: ...

    def copy(self) -> RunningHash: ...


def begin(work: Awaitable[T]) -> asyncio.Future[T]:
    """Start work that goes on when who waits for it is cancelled; its error may then come to nobody."""
    future = asyncio.ensure_future(work)
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


@dataclass(slots=True)
class Running:
    """The hash of all parts so far."""

    algorithm: str
    hasher: RunningHash


class PartSender:
    """`parts` are those that the store has, from the first one on; `running` has seen them all, or is None."""

    def __init__(self, place: Place, parts: list[Part], running: Running | None) -> None:
        self._place = place
        self.parts, self.running = parts, running
        self._number = len(parts)
        self._hashing: asyncio.Future[dict[str, str]] | None = None
        self._sending: dict[int, asyncio.Future[Part]] = {}

    @property
    def next_number(self) -> int:
        return self._number + 1

    async def room(self) -> None:
        """Return when one more part may be sent. Raises the error of one that failed."""
        parallel = self._place.options.parallel
        while True:
            self._collect()
            waiting = [future for future in self._sending.values() if not future.done()]
            if len(waiting) < parallel and len(self._sending) < _AHEAD * parallel:
                return
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)

    def send(self, name: str, multipart: str, pieces: list[bytes]) -> None:
        """Hash the next part and send it; does not wait for either. The pieces belong to the sender from here on."""
        self._number += 1
        self._hashing = hashing = begin(self._hash(self._hashing, pieces))
        self._sending[self._number] = begin(self._send(self._number, name, multipart, pieces, hashing))

    async def _send(
        self, number: int, name: str, multipart: str, pieces: list[bytes], hashing: asyncio.Future[dict[str, str]]
    ) -> Part:
        checks = await asyncio.shield(hashing)
        async with self._place.sending:
            part = await self._place.multiparts.put(name, multipart, number, pieces[0], checks)
        # The task may be kept longer than the bytes should be.
        pieces.clear()
        return part

    async def _hash(self, previous: asyncio.Future[dict[str, str]] | None, pieces: list[bytes]) -> dict[str, str]:
        """Hash the part when those before it have been; return what the store checks it by."""
        if previous is not None:
            await asyncio.shield(previous)
        return await self._place.run(self._update, pieces)

    def _update(self, pieces: list[bytes]) -> dict[str, str]:
        pieces[:] = [b"".join(pieces)]
        if self.running is not None:
            self.running.hasher.update(pieces[0])
        return checksums(pieces[0], self._place.options.checksum)

    def _collect(self) -> None:
        """Take up parts that have arrived, in their order. Raises the error of one that failed."""
        for future in self._sending.values():
            if future.done():
                future.result()
        while (first := self._sending.get(len(self.parts) + 1)) is not None and first.done():
            self.parts.append(self._sending.pop(len(self.parts) + 1).result())

    async def settle(self) -> None:
        """Return when nothing is on its way any more. Raises the error of a part that failed."""
        if self._sending:
            # Unlike `gather`, this leaves them alone when it is cancelled itself.
            await asyncio.wait(self._sending.values())
        self._collect()

    async def digest(self, algorithm: str, tail: list[bytes]) -> Digest | None:
        """The digest of all parts and the tail; None if only reading them can tell. Call it when settled."""
        if self.running is not None and self.running.algorithm == algorithm:
            hasher = self.running.hasher.copy()
        elif not self.parts:
            hasher = new_running(algorithm).hasher
        else:
            return None

        def finish() -> Digest:
            for piece in tail:
                hasher.update(piece)
            return Digest(algorithm, hasher.hexdigest())

        return await self._place.run(finish)


def new_running(algorithm: str) -> Running:
    return Running(algorithm, hashlib.new(algorithm))
