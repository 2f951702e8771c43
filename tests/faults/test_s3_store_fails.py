"""An object store that is slow, fails, throttles, hangs up, and answers half, while clients push and pull."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from tests import s3_store
from tests.contract.s3_proxy import FAULTS, MORE_FAULTS, Proxy, proxy_beside
from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.bulk import MemoryWatch
from tests.faults.client import Answer, Lost, Refused, Registry
from tests.faults.persisting import Persistent, persisting
from tests.faults.pushing import chance, seconds

CLIENTS = 4
TRIES = 50
OFTEN = 0.15
LENGTH = 4.0
# A worker's own, and what a part needs for each of its uploads (s3.part_size and s3.parallel_parts).
MOST = (150 << 20) + CLIENTS * 5 * (5 << 20)


@dataclass
class Undaunted(Persistent):
    """A client that goes on with its uploads after each 503, and with the next thing when a download breaks off."""

    broken_off: int = 0

    def _push_blob(self) -> bytes:
        content = self.random.randbytes(self.random.choice((10, 600_000, 5_500_000)))
        location = self.registry.start(self.repository)
        for _ in range(TRIES):
            try:
                self.registry.resume(location, content)
            except Refused as error:
                self._count(error.answer)
            else:
                return content
        raise AssertionError("the upload did not go on")

    def _pull_one(self) -> None:
        # What is whole is right, or `pull` says so: only what ends too early may be wrong.
        try:
            super()._pull_one()
        except Lost:
            self.broken_off += 1


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """What stands between the daemon and its store."""
    with proxy_beside(s3_store.endpoint()) as proxy:
        yield proxy


@pytest.fixture
def daemon(proxy: Proxy, postgres_url: str, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon that is impatient with its store, and remembers no blobs."""
    settings = {
        **s3_store.settings(),
        "storage.database": postgres_url,
        "storage.memory_cache": 0,
        "s3.endpoint": proxy.url,
        "s3.part_size": "5MiB",
        "s3.timeout": "0.5s",
        "s3.attempts": 2,
    }
    with Daemon(tmp_path / "data", "--workers", "2", environment=s3_store.environment(settings)) as daemon:
        yield daemon


@pytest.mark.timeout(int(seconds(LENGTH)) + 300)
def test_store_that_fails_under_load(daemon: Daemon, proxy: Proxy) -> None:
    """Clients are told to come again, or cut off; what was acknowledged is there, and no wrong byte was ever sent."""
    dice, workers = chance(), daemon.workers()
    clients = [
        Undaunted(Registry(daemon.address), f"client{number}", random.Random(dice.random()))
        for number in range(CLIENTS)
    ]
    with MemoryWatch(workers) as watch:
        with persisting(clients):
            proxy.chance = lambda: dice.choice([*FAULTS, *MORE_FAULTS]) if dice.random() < OFTEN else ""
            Event().wait(seconds(LENGTH))
            proxy.chance = None
        for client in clients:
            client.verify()
    for fault, times in proxy.faults.items():
        tally.injected(f"S3 {fault}", times)
    assert daemon.workers() == workers, "a worker died"
    assert max(watch.peaks.values()) < MOST, watch.peaks
    assert proxy.injected > 0
    daemon.check()


def test_downloads_from_a_store_that_fails(daemon: Daemon, proxy: Proxy) -> None:
    """Who cannot be given a blob is told to come again; what breaks off on its way does not look whole."""
    registry, content = Registry(daemon.address), chance().randbytes(3_000_000)
    digest = registry.push("app", content)
    for fault in FAULTS:
        proxy.fail("get-blobs", fault, 1000)
        answer = _pulled(registry, digest)
        if fault == "truncated":
            assert answer is None
        else:
            assert answer is not None
            assert (answer.status, answer.code) == (503, "UNAVAILABLE")
            assert int(answer.headers["Retry-After"]) > 0
        proxy.times = 0
        assert registry.blob("app", digest).expect(200).body == content
    tally.injected("S3 fails while a blob is pulled", proxy.injected)


def _pulled(registry: Registry, digest: str) -> Answer | None:
    """The answer, or nothing if it breaks off."""
    try:
        return registry.blob("app", digest)
    except Lost:
        return None
