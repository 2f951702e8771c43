"""Clients at a steady pace, as a registry has them that is in use but not at its limit, and what they wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from bench.client import Client
from bench.collecting.filling import REPOSITORIES, repository, tag
from bench.content import ACCEPT, IMAGE_MANIFEST, digest_of, image

READERS, READS_PER_SECOND = 4, 50
WRITERS, PUSHES_PER_SECOND = 2, 5


@dataclass
class Latencies:
    """How long requests took, in seconds: GETs of manifests, and whole pushes of small images."""

    reads: list[float] = field(default_factory=list)
    pushes: list[float] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """The value that so much of all (0 to 1) does not exceed; in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Foreground:
    """The clients of the registry at `url`. `tags` is how many tags each of its repositories has."""

    def __init__(self, url: str, tags: int) -> None:
        self._url, self._tags = url, tags
        self._pushed = 0
        self._lock = threading.Lock()

    def run(self, seconds: float, until: Callable[[], bool] | None = None) -> Latencies:
        """Let them work for so long, or until `until` says so; return what they waited.

        Raises `Unexpected` if the registry answered anything but what it should.
        """
        found = Latencies()
        end = time.monotonic() + seconds
        stop = threading.Event()

        def steadily(rate: float, work: Callable[[Client, int], None], into: list[float], number: int) -> None:
            with Client(self._url) as client:
                due, count = time.monotonic() + number / rate / 10, 0
                while due < end and not stop.is_set():
                    time.sleep(max(0.0, due - time.monotonic()))
                    begun = time.perf_counter()
                    work(client, number * 1_000_003 + count)
                    into.append(time.perf_counter() - begun)
                    # Whoever is late does not catch up: a client that waits asks for nothing more meanwhile.
                    due, count = max(due + 1 / rate, time.monotonic()), count + 1

        with ThreadPoolExecutor(READERS + WRITERS) as threads:
            tasks = [
                threads.submit(steadily, READS_PER_SECOND, self._read, found.reads, number) for number in range(READERS)
            ]
            tasks += [
                threads.submit(steadily, PUSHES_PER_SECOND, self._push, found.pushes, number)
                for number in range(WRITERS)
            ]
            while until is not None and not until() and time.monotonic() < end:
                time.sleep(0.2)
            if until is not None:
                stop.set()
            for task in tasks:
                task.result()
        return found

    def _read(self, client: Client, number: int) -> None:
        name, reference = repository(number * 7919 % REPOSITORIES), tag(number % self._tags)
        client.expect(200, "GET", f"/v2/{name}/manifests/{reference}", headers={"Accept": ACCEPT})

    def _push(self, client: Client, number: int) -> None:
        with self._lock:
            self._pushed += 1
            content = b"pushed %d of %d at %d" % (self._pushed, number, time.time_ns())
        name, pushed = repository(number % REPOSITORIES), image([content])
        for digest, blob in pushed.blobs:
            client.expect(201, "POST", f"/v2/{name}/blobs/uploads/?digest={digest}", blob, _OCTETS)
        target = f"/v2/{name}/manifests/{digest_of(pushed.manifest)}"
        client.expect(201, "PUT", target, pushed.manifest, {"Content-Type": IMAGE_MANIFEST})


_OCTETS = {"Content-Type": "application/octet-stream"}
