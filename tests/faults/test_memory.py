"""How much memory a worker needs while large blobs go through it."""

from pathlib import Path

from tests.daemon import Daemon
from tests.faults.bulk import Bulk, MemoryWatch, by_clients

CLIENTS = 8
BLOCKS = 192  # of 1 MiB
MOST = 150 << 20


def test_memory_does_not_grow_with_blobs(tmp_path: Path) -> None:
    """Eight clients push and pull a large blob at once, and no worker ever has 150 MiB.

    The blob is small enough for the test to be quick. It shows as much as one of 4 GiB would: a worker that kept
    blobs in memory would keep those of four clients, 768 MiB, and one that kept a fifth of each would be found.
    """
    bulk = Bulk(BLOCKS)
    with Daemon(tmp_path / "data", "--workers", "2") as daemon:
        workers = daemon.workers()
        with MemoryWatch(workers) as watch:
            for action in ("push", "pull"):
                by_clients(CLIENTS, action, bulk, daemon.address)
        assert daemon.workers() == workers, "a worker died"
        assert max(watch.peaks.values()) < MOST, watch.peaks
    daemon.check()
