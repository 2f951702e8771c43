"""`Place`: what works on one bucket, put together once, and how far an upload in it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from storage.blobs.s3.client import Client
from storage.blobs.s3.layout import Layout
from storage.blobs.s3.locks import ObjectLocks, UploadLocks
from storage.blobs.s3.objects import Objects
from storage.blobs.s3.options import S3Options
from storage.blobs.s3.parts import Multiparts, Part, part_size, part_start
from storage.blobs.s3.refusals import Refusal
from storage.blobs.s3.state import Loaded, State, States
from storage.errors import StorageUnavailable, UploadUnknown

T = TypeVar("T")

# For hashing, which is nearly all that takes time here.
_THREADS = 4


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is: full parts, and the tail behind them. Parts that do not count are in `ignored`.

    `assembled` is the size of the object that the parts were made into already, by a commit that did not come to its
    end; then there are neither parts nor a tail.
    """

    parts: list[Part]
    ignored: dict[str, str]
    tail_size: int
    assembled: int | None = None

    def size(self, first: int) -> int:
        """How many bytes these are, where the first part has `first`."""
        if self.assembled is not None:
            return self.assembled
        return part_start(len(self.parts) + 1, first) + self.tail_size


class Place:
    def __init__(self, options: S3Options, locks: UploadLocks | None, client: Client | None = None) -> None:
        self.options = options
        self.client = client or Client(options)
        self.layout = Layout(options.prefix)
        self.objects = Objects(self.client, options.checksum, options.page)
        self.multiparts = Multiparts(self.client, options.checksum, options.page)
        self.states = States(self.objects, self.layout, conditional=options.conditional)
        self.locks = locks or ObjectLocks(self.objects, self.layout, options.lock_lifetime_s)
        if not (self.locks.exact or options.conditional):
            raise ValueError("without conditional writes, locks have to be exact")
        self.sending = asyncio.Semaphore(options.parallel_all)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="berth-s3")

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Call what computes for long on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def progress(self, upload_id: str, loaded: Loaded, known: Sequence[Part] = ()) -> Progress:
        """Look how far an upload is; the first parts are `known`. Raises `UploadUnknown`."""
        state = loaded.state
        if state.multipart is None:
            return Progress([], {}, loaded.tail_size)
        try:
            parts, ignored = await self._parts(state, state.multipart, known)
        except Refusal as refusal:
            if not refusal.missing:
                raise
            return await self._assembled(upload_id, state)
        if len(parts) < state.parts:
            raise StorageUnavailable("parts of the upload are missing in the storage")
        # Parts that came after the state was written hold the tail, too.
        return Progress(parts, ignored, loaded.tail_size if len(parts) == state.parts else 0)

    async def _parts(self, state: State, multipart: str, known: Sequence[Part]) -> tuple[list[Part], dict[str, str]]:
        """The full parts from the first one on without a gap, and those that do not count."""
        parts, ignored = list(known), dict[str, str]()
        async for part in self.multiparts.list(self.layout.blob(state.key), multipart, after=len(parts)):
            next_one = len(parts) + 1
            full = part.number == next_one and part.size == part_size(next_one, state.part_size)
            if full and state.ignored.get(str(next_one)) != part.etag:
                parts.append(part)
            else:
                ignored[str(part.number)] = part.etag
        return parts, ignored

    async def _assembled(self, upload_id: str, state: State) -> Progress:
        found = await self.objects.look(self.layout.blob(state.key))
        if found is None:
            # Given up by somebody else, such as a rule of the bucket.
            raise UploadUnknown(upload_id)
        return Progress([], {}, 0, found[0])

    async def close(self) -> None:
        await self.client.close()
        await asyncio.to_thread(self._threads.shutdown)
