"""Two daemons on one database and one bucket, of which one is killed in the middle of uploads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from tests import s3_store
from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.client import Lost, Registry, digest_of, image
from tests.faults.pushing import chance
from tests.faults.trapped import wait_until

CLIENTS = 3
MIB = 1 << 20
# More than a part, and the rest of it.
SIZE = 6 * MIB + 11
CHUNK = MIB


@pytest.fixture
def bucket() -> dict[str, object]:
    """The settings of a place in the bucket."""
    return s3_store.settings()


@pytest.fixture
def daemons(bucket: dict[str, object], postgres_url: str, tmp_path: Path) -> Iterator[list[Daemon]]:
    """Two daemons that share nothing but the database and the bucket."""
    settings = {**bucket, "storage.database": postgres_url, "s3.part_size": "5MiB"}
    made = [
        Daemon(tmp_path / name, "--workers", "1", environment=s3_store.environment(settings))
        for name in ("one", "other")
    ]
    with made[0], made[1]:
        yield made


class Client:
    """Uploads one blob in chunks; when its daemon is gone, it goes on with the other one."""

    def __init__(self, number: int, daemons: list[Daemon], content: bytes) -> None:
        self._first, self._second = (Registry(daemon.address) for daemon in daemons)
        self.repository, self.content = f"client{number}", content
        # What of it the first daemon has when it is killed.
        self._half = SIZE * (number + 1) // (CLIENTS + 1)

    def upload(self, half_way: Barrier, killed: Event) -> bool:
        """Whether the upload could be gone on with where it was; if not, it was begun anew."""
        location = self._send_half()
        half_way.wait()
        with pytest.raises(Lost):
            # The chunk that is on its way when the daemon dies.
            self._first.append(location, self._dying(killed))
        assert self._second.status(location).expect(204).offset >= self._half
        return self._second.resume(location, self.content)

    def _send_half(self) -> str:
        location = self._first.start(self.repository)
        for start in range(0, self._half, CHUNK):
            piece = self.content[start : min(start + CHUNK, self._half)]
            location = self._first.append(location, piece, start).expect(202).headers["Location"]
        return location

    def _dying(self, killed: Event) -> Iterator[bytes]:
        yield self.content[self._half : self._half + 1000]
        killed.wait(30)
        yield self.content[self._half + 1000 : self._half + 2000]

    def verify(self) -> None:
        """AssertionError unless the blob can be pulled, and become part of an image."""
        assert self._second.blob(self.repository, digest_of(self.content)).expect(200).body == self.content
        config = b"{}"
        self._second.push(self.repository, config)
        manifest = image(config, self.content)
        self._second.put_manifest(self.repository, "1", manifest).expect(201)
        assert self._second.pull(self.repository, "1") == manifest


def test_daemon_is_killed_in_the_middle_of_uploads(daemons: list[Daemon], bucket: dict[str, object]) -> None:
    """Clients that resume go on with the other daemon, where the one that died acknowledged the last chunk."""
    dice = chance()
    clients = [Client(number, daemons, dice.randbytes(SIZE)) for number in range(CLIENTS)]
    half_way, killed = Barrier(CLIENTS + 1, timeout=30), Event()
    with ThreadPoolExecutor(CLIENTS) as threads:
        ended = [threads.submit(client.upload, half_way, killed) for client in clients]
        half_way.wait()
        # While something arrives, its upload is locked.
        wait_until(lambda: len(s3_store.listed(f"{bucket['s3.prefix']}locks/")) == CLIENTS)
        daemons[0].kill()
        killed.set()
        tally.injected("kill -9 of one of two daemons", CLIENTS)
        assert [future.result(timeout=60) for future in ended] == [True] * CLIENTS
    for client in clients:
        client.verify()
    daemons[1].check()
    daemons[0].start()
    daemons[0].stop()
