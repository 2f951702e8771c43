"""Counts what the workers do, and shows the sum over all of them to Prometheus.

A request only touches a dictionary of its own process. Once a second, and before they are shown, the counts
go to files that all workers map into memory, which is how the Prometheus client adds up processes.
"""

import os
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from registry import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FLUSH_SECONDS = 1.0
# Small reads take a millisecond, a push of a large layer minutes.
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def share(folder: Path, slot: int) -> None:
    """Keep this process's counts in `folder`, as those of `slot`. Call it once, before `Metrics(folder)`.

    Slots rather than process ids name the files: a worker that takes the place of another one goes on
    counting in its files, so their number stays small however often workers come and go.
    No two living processes may have the same slot.
    """
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]


def forget(folder: Path, slot: int) -> None:
    """The process of `slot` is gone: what it had open or in flight no longer counts."""
    mark_process_dead(slot, str(folder))  # type: ignore[no-untyped-call]


class _Tally:
    """What happened to one kind of request since the last flush."""

    __slots__ = ("buckets", "received", "seconds", "sent")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.received = 0
        self.sent = 0


class _AllProcesses(Collector):
    """Adds up the files of all processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        # A process that has just started makes a file before it fills it.
        files = [str(path) for path in self._folder.glob("*.db") if _size_bytes(path)]
        found: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call]
        return found


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0  # its process has just ended


class _BatchHistogram(Histogram):
    """A histogram that takes many observations at once; one by one would cost every request microseconds."""

    def add(self, counts: Sequence[int], total: float) -> None:
        """Add `counts[i]` observations to the i-th bucket; `total` is the sum of their values."""
        self._sum.inc(total)
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


class Metrics:
    """The counts of one process; with `folder` (see `share`) those of all processes are shown.

    `connections` and `uploads_in_flight` are plain numbers to count up and down.
    Methods are for the event loop's thread only.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.connections = 0
        self.uploads_in_flight = 0
        self._tallies: dict[tuple[str, str, int], _Tally] = {}
        self._registry = CollectorRegistry()
        if folder is not None:
            self._registry.register(_AllProcesses(folder))
        own = None if folder is not None else self._registry
        self._requests = Counter("berth_requests", "Requests answered.", ("route", "method", "status"), registry=own)
        self._seconds = _BatchHistogram(
            "berth_request_seconds",
            "Time from the end of a request's header to the end of its answer.",
            ("route", "method"),
            buckets=BOUNDS,
            registry=own,
        )
        self._received = Counter("berth_received_bytes", "Bytes of request bodies.", registry=own)
        self._sent = Counter("berth_sent_bytes", "Bytes of answer bodies.", registry=own)
        self._failures = Counter(
            "berth_task_failures", "Background tasks that ended with an error.", ("task",), registry=own
        )
        self._collected = Counter("berth_collected_bytes", "Bytes of blobs that the collector freed.", registry=own)
        self._collected_blobs = Counter("berth_collected_blobs", "Blobs that the collector freed.", registry=own)
        self._collections = Counter("berth_collections", "Runs of the collector that came to their end.", registry=own)
        self._scrubbed = Counter("berth_scrub_bytes", "Bytes of blobs that the scrub read.", registry=own)
        self._scrubbed_blobs = Counter("berth_scrub_blobs", "Blobs that the scrub looked at.", registry=own)
        self._gauges(own)

    def _gauges(self, own: CollectorRegistry | None) -> None:
        def gauge(name: str, text: str, mode: str = "mostrecent", labels: Sequence[str] = ()) -> Gauge:
            return Gauge(name, text, labels, registry=own, multiprocess_mode=mode)  # type: ignore[arg-type]

        self._uploads = gauge("berth_uploads_in_flight", "Uploads that are being received.", "livesum")
        self._connections = gauge("berth_connections", "Open connections.", "livesum")
        self._blobs = gauge("berth_storage_blobs", "Blobs stored.")
        self._bytes = gauge("berth_storage_bytes", "Bytes of the blobs stored.")
        self._repositories = gauge("berth_repositories", "Repositories.")
        self._damaged = gauge("berth_blobs_damaged", "Blobs whose bytes are wrong or lost: push them again.")
        self._spoiled = gauge("berth_manifests_damaged", "Manifests that the last scrub found to be damaged.")
        gauge("berth_workers", "Worker processes.", "livesum").set(1)
        gauge("berth_build_info", "Always 1; the label says which version runs.", "livemax", ("version",)).labels(
            __version__
        ).set(1)

    def observe_request(self, route: str, method: str, status: int, seconds: float, received: int, sent: int) -> None:
        """Count an answered request.

        Args:
            route: one of a fixed set; never a path, of which there are too many.
            method: as the client sent it.
            status: of the answer.
            seconds: as in `berth_request_seconds`.
            received: bytes of the request's body.
            sent: bytes of the answer's body.
        """
        key = (route, method, status)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = _Tally()
        tally.buckets[bisect_left(BOUNDS, seconds)] += 1
        tally.seconds += seconds
        tally.received += received
        tally.sent += sent

    def collected(self, blobs: int, size: int) -> None:
        """Count a run of the collector, what it freed, and the bytes of that."""
        self._collections.inc()
        self._collected_blobs.inc(blobs)
        self._collected.inc(size)

    def scrubbed(self, blobs: int, size: int) -> None:
        """Count what the scrub looked at, and the bytes that it read."""
        self._scrubbed_blobs.inc(blobs)
        self._scrubbed.inc(size)

    def task_failed(self, task: str) -> None:
        """Count a background task that ended with an error."""
        self._failures.labels(task).inc()

    def set_storage(self, blobs: int, size_bytes: int, repositories: int) -> None:
        """Tell what is stored; worth it only before `render`."""
        self._blobs.set(blobs)
        self._bytes.set(size_bytes)
        self._repositories.set(repositories)

    def set_damaged(self, blobs: int, manifests: int) -> None:
        """Tell what is damaged; worth it only before `render`."""
        self._damaged.set(blobs)
        self._spoiled.set(manifests)

    def flush(self) -> None:
        """Let the other processes see what was counted here."""
        tallies, self._tallies = self._tallies, {}
        for (route, method, status), tally in tallies.items():
            # Clients may make up methods; each would be a time series for ever.
            known = method if method in METHODS else "OTHER"
            self._requests.labels(route, known, status).inc(sum(tally.buckets))
            self._seconds.labels(route, known).add(tally.buckets, tally.seconds)
            self._received.inc(tally.received)
            self._sent.inc(tally.sent)
        self._uploads.set(self.uploads_in_flight)
        self._connections.set(self.connections)

    def render(self) -> bytes:
        """All metrics in Prometheus' text format; those of other processes are up to a second old."""
        self.flush()
        return generate_latest(self._registry)
