"""Large blobs that exist nowhere but on their way: one block, sent again and again."""

import hashlib
import http.client
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.client import OCTETS, Registry

BLOCK = 1 << 20
SECONDS = 120.0


@dataclass(frozen=True)
class Bulk:
    """A blob of `blocks` equal blocks."""

    blocks: int
    block: bytes = field(default_factory=lambda: os.urandom(BLOCK))

    @property
    def size(self) -> int:
        return self.blocks * BLOCK

    @cached_property
    def digest(self) -> str:
        hasher = hashlib.sha256()
        for _ in range(self.blocks):
            hasher.update(self.block)
        return f"sha256:{hasher.hexdigest()}"

    def push(self, address: str, repository: str) -> None:
        """Push the blob in one PUT; AssertionError if it is not taken."""
        path = f"{Registry(address).start(repository)}?digest={self.digest}"
        connection = http.client.HTTPConnection(address, timeout=SECONDS)
        try:
            headers = {"Content-Type": OCTETS, "Content-Length": str(self.size)}
            connection.request("PUT", path, self._stream(), headers)
            answer = connection.getresponse()
            assert answer.status == 201, answer.read()
        finally:
            connection.close()

    def pull(self, address: str, repository: str) -> None:
        """Pull the blob and compare it; AssertionError if it is not the same."""
        connection = http.client.HTTPConnection(address, timeout=SECONDS)
        try:
            connection.request("GET", f"/v2/{repository}/blobs/{self.digest}")
            answer = connection.getresponse()
            assert (answer.status, answer.length) == (200, self.size)
            buffer = bytearray(BLOCK)
            for _ in range(self.blocks):
                _fill(buffer, answer)
                assert buffer == self.block
        finally:
            connection.close()

    def _stream(self) -> Iterator[bytes]:
        for _ in range(self.blocks):
            yield self.block


def _fill(buffer: bytearray, answer: http.client.HTTPResponse) -> None:
    view = memoryview(buffer)
    while view:
        size = answer.readinto(view)
        assert size, "the body ended early"
        view = view[size:]


def by_clients(clients: int, action: str, bulk: Bulk, address: str) -> None:
    """Let so many clients `push` or `pull` a blob at once, each with a repository of its own."""
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(lambda n: getattr(bulk, action)(address, f"client/{n}"), range(clients)))


class MemoryWatch:
    """Looks at the memory of processes every now and then; a context manager.

    `peaks` is the most that each process had at one moment, in bytes: the memory that it allocated, and all that it
    shares with others or has mapped. The kernel's cache of files is not a part of it.
    """

    def __init__(self, pids: list[int], every: float = 0.05) -> None:
        self.peaks = dict.fromkeys(pids, 0)
        self._every = every
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(self._every):
            self._look()

    def _look(self) -> None:
        for pid in self.peaks:
            self.peaks[pid] = max(self.peaks[pid], resident(pid))


def resident(pid: int) -> int:
    """How many bytes a process has in memory (`Rss` of smaps_rollup)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (kilobytes,) = [line.split()[1] for line in lines if line.startswith("Rss:")]
    return int(kilobytes) * 1024
