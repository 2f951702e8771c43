"""`kill -9` of a collecting process at each step, two of them at once, and a full disk, beside a daemon in use."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.client import Registry, digest_of, image
from tests.faults.collecting import FAILED, Collecting, collecting
from tests.faults.killing import Step
from tests.faults.mounts import Ballast, tmpfs
from tests.faults.persisting import Persistent, persisting
from tests.faults.pushing import chance
from tests.faults.trapped import find_problems

# What nothing holds is deleted at once; leases last, so that pushes under way are safe.
POLICY = {
    "BERTH_COLLECTOR__UNTAGGED_AFTER": "1ms",
    "BERTH_COLLECTOR__ORPHANED_AFTER": "1ms",
    "BERTH_COLLECTOR__KEEP_DELETED": "1ms",
    "BERTH_COLLECTOR__EVERY": "0",
}
CLIENTS = 2
SECONDS = 30.0
_NUMBERS = count(1)


@dataclass(frozen=True)
class Mixture:
    """A repository with garbage of every kind, and with what has to stay."""

    registry: Registry
    repository: str = field(default_factory=lambda: f"mixture/{next(_NUMBERS)}")
    layers: tuple[bytes, ...] = field(default_factory=lambda: tuple(os.urandom(50_000) for _ in range(5)))

    @property
    def kept(self) -> bytes:
        return image(b"{}", self.layers[0], self.layers[1])

    def push(self, data: Path) -> None:
        """Push everything, and let all leases but that of the last layer be over."""
        do, name = self.registry, self.repository
        for content in (b"{}", *self.layers):
            do.push_whole(name, content).expect(201)
        do.put_manifest(name, "1", self.kept).expect(201)
        untagged, deleted = image(b"{}", *self.layers[1:3]), image(b"{}", *self.layers[2:4])
        for manifest in (untagged, deleted):
            do.put_manifest(name, digest_of(manifest), manifest).expect(201)
        do.request("DELETE", f"/v2/{name}/manifests/{digest_of(deleted)}").expect(202)
        with closing(sqlite3.connect(data / "metadata.db", timeout=SECONDS, isolation_level=None)) as database:
            database.execute(
                "UPDATE blob_links SET protected_until = 0 WHERE digest <> ?"
                " AND repository_id = (SELECT id FROM repositories WHERE name = ?)",
                (digest_of(self.layers[4]), name),
            )

    def expect_kept(self) -> None:
        """AssertionError unless everything is there that has to stay."""
        assert self.registry.pull(self.repository, "1") == self.kept
        last = self.layers[4]
        assert self.registry.blob(self.repository, digest_of(last)).expect(200).body == last

    def expect_collected(self) -> None:
        """AssertionError while something is there that is garbage."""
        for content in self.layers[2:4]:
            self.registry.blob(self.repository, digest_of(content)).expect(404)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that does not collect by itself."""
    with Daemon(tmp_path_factory.mktemp("collect") / "data", "--workers", "2", environment=POLICY) as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture(scope="module")
def clients(daemon: Daemon) -> Iterator[list[Persistent]]:
    """Clients that can push beside a collection; in the end what they pushed is there."""
    dice = chance()
    registry = Registry(daemon.address)
    clients = [Persistent(registry, f"client{n}", random.Random(dice.random())) for n in range(CLIENTS)]
    yield clients
    for client in clients:
        client.verify()


@pytest.fixture(scope="module")
def program(daemon: Daemon) -> Iterator[Collecting]:
    """What collects, and is killed."""
    with collecting(daemon.data, POLICY, trapped=True) as program:
        yield program


@pytest.mark.parametrize(
    "step",
    [pytest.param(Step.TRANSACTING, marks=pytest.mark.faults), Step.COMMITTED, Step.UNLINKED],
    ids=lambda step: step.name,
)
def test_kill_at_each_step(daemon: Daemon, clients: list[Persistent], program: Collecting, step: Step) -> None:
    """Wherever a collector dies while others push, what has to stay can be pulled, and the next one goes on."""
    registry, mixtures, code = Registry(daemon.address), [], -signal.SIGKILL
    for nth in count(1):
        mixtures.append(Mixture(registry))
        mixtures[-1].push(daemon.data)
        program.trap.arm(step, nth)
        with persisting(clients):
            code = program.collect()
        if program.trap.armed:
            break  # nobody came to the step so often
        assert code == -signal.SIGKILL
        tally.injected("collector killed at a step")
        mixtures[-1].expect_kept()
        assert find_problems(daemon.data) == []
    assert code == 0
    assert len(mixtures) > 2
    for mixture in mixtures:
        mixture.expect_kept()
        mixture.expect_collected()


def test_two_commands_at_once(daemon: Daemon, clients: list[Persistent]) -> None:
    """Two `berth gc` at the same time, while others push, both succeed, and remove what one would."""
    mixture = Mixture(Registry(daemon.address))
    mixture.push(daemon.data)
    with ThreadPoolExecutor(2) as threads, persisting(clients):
        list(threads.map(lambda _: daemon.command("gc"), range(2)))
    tally.injected("two collections at once")
    mixture.expect_kept()
    mixture.expect_collected()
    assert find_problems(daemon.data) == []


def test_full_disk(tmp_path: Path) -> None:
    """A collection on a full disk succeeds or fails, and loses nothing; as soon as it can, it makes room."""
    with tmpfs(tmp_path / "disk", 24 << 20, files=500) as disk:
        ballast = Ballast(disk)
        daemon = Daemon(disk / "data", environment=POLICY)
        daemon.log = tmp_path / "log"
        with daemon, collecting(daemon.data, POLICY) as program:
            mixtures = [Mixture(Registry(daemon.address)) for _ in range(4)]
            for mixture in mixtures:
                mixture.push(daemon.data)
            used = bytes_of(daemon.data)
            ballast.fill()
            assert program.collect() in (0, FAILED)
            for mixture in mixtures:
                mixture.expect_kept()
            assert find_problems(daemon.data) == []
            ballast.fill(spare=1 << 20)
            assert program.collect() == 0
            for mixture in mixtures:
                mixture.expect_kept()
                mixture.expect_collected()
            assert bytes_of(daemon.data) < used
        daemon.check()


def bytes_of(data: Path) -> int:
    """How many bytes of blobs are on the disk."""
    return sum(path.stat().st_size for path in (data / "blobs").glob("*/*/*"))
