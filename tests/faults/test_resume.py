"""Uploads that go on after a restart of the daemon, and on another worker."""

import http.client
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.client import OCTETS, Registry, digest_of
from tests.faults.hanging_up import End, connection, head
from tests.faults.trapped import find_problems, wait_until

REPOSITORY = "app"
BLOB = random.Random(1).randbytes(6 << 20)
FIRST, SENT = 1 << 20, 4 << 20  # bytes of a whole chunk, and of it and the part of another one that was sent
CONNECTIONS = 60  # more than enough to meet both workers


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with two workers that does not wait long for requests under way; in the end its store is whole."""
    environment = {"BERTH_SERVER__DRAIN_TIMEOUT": "300ms"}
    with Daemon(tmp_path / "data", "--workers", "2", environment=environment) as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_upload_survives_a_restart(daemon: Daemon, how: str) -> None:
    """After a restart in the middle of a chunk the status says how far the upload got, and it goes on from there."""
    registry = Registry(daemon.address)
    location = registry.start(REPOSITORY)
    location = registry.append(location, BLOB[:FIRST], 0).expect(202).headers["Location"]
    with connection(daemon.address, End.CLOSE) as client:
        headers = (f"Content-Range: {FIRST}-{len(BLOB) - 1}", f"Content-Length: {len(BLOB) - FIRST}")
        client.sendall(head("PATCH", location, f"Content-Type: {OCTETS}", *headers) + BLOB[FIRST:SENT])
        wait_until(lambda: registry.status(location).offset >= SENT - FIRST)
        if how == "stop":
            assert daemon.stop() == 1  # a request was cut off
        else:
            daemon.kill()
            tally.injected("kill -9 under load")
    assert find_problems(daemon.data) == []

    daemon.start()
    offset = registry.status(location).expect(204).offset
    assert FIRST < offset <= SENT
    assert how == "kill" or offset == SENT
    assert registry.append(location, BLOB[FIRST:], FIRST).expect(416).offset == offset
    location = registry.append(location, BLOB[offset:], offset).expect(202).headers["Location"]
    registry.finish(location, digest_of(BLOB)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(BLOB)).expect(200).body == BLOB


def test_both_workers_continue_one_upload(daemon: Daemon) -> None:
    """Chunks that arrive at one worker and the other in turn make the blob that was sent."""
    registry = Registry(daemon.address)
    with ExitStack() as stack:
        workers = one_connection_to_each_worker(daemon, stack)
        location, size = registry.start(REPOSITORY), 300_000
        for number, start in enumerate(range(0, len(BLOB), size)):
            chunk = BLOB[start : start + size]
            headers = {"Content-Type": OCTETS, "Content-Range": f"{start}-{start + len(chunk) - 1}"}
            workers[number % 2].request("PATCH", location, chunk, headers)
            answer = workers[number % 2].getresponse()
            answer.read()
            assert answer.status == 202
            location = answer.headers["Location"]
        registry.finish(location, digest_of(BLOB)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(BLOB)).expect(200).body == BLOB


def one_connection_to_each_worker(daemon: Daemon, stack: ExitStack) -> list[http.client.HTTPConnection]:
    """Two connections that two workers answer, as the first parts of their request ids tell; `stack` closes them."""
    found: dict[str, http.client.HTTPConnection] = {}
    for _ in range(CONNECTIONS):
        candidate = stack.enter_context(closing(http.client.HTTPConnection(daemon.address, timeout=10)))
        candidate.request("GET", "/v2/")
        answer = candidate.getresponse()
        answer.read()
        found.setdefault(answer.headers["X-Request-Id"].partition("-")[0], candidate)
        if len(found) == 2:
            return list(found.values())
    raise AssertionError("one worker takes every connection")
