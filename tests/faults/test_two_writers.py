"""Several clients, or several tries of one client, that write to the same upload at the same time."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.daemon import Daemon
from tests.faults.client import Answer, Registry, digest_of
from tests.faults.hanging_up import End, connection, head, read_until
from tests.faults.pushing import chance
from tests.faults.trapped import find_problems

REPOSITORY = "app"
SECONDS = 10.0
ROUNDS = 60


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with two workers; in the end it stops cleanly and its store is whole."""
    with Daemon(tmp_path_factory.mktemp("writers") / "data", "--workers", "2") as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture
def registry(daemon: Daemon) -> Registry:
    """A client of the daemon."""
    return Registry(daemon.address)


def at_once(*requests: Callable[[], Answer], delay: float = 0.0) -> list[Answer]:
    """Send requests at the same moment, or each `delay` seconds after the one before, and return the answers."""
    ready = threading.Barrier(len(requests))

    def send(number: int) -> Answer:
        ready.wait(SECONDS)
        time.sleep(number * delay)
        return requests[number]()

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(send, range(len(requests))))


def test_the_same_range_is_taken_once(registry: Registry) -> None:
    """Of two chunks for the same place one is taken and the other is told where the upload stands."""
    for _ in range(10):
        location = registry.start(REPOSITORY)
        chunks = [os.urandom(1_500_000), os.urandom(1_500_000)]
        answers = at_once(*(partial(registry.append, location, chunk, 0) for chunk in chunks))
        assert sorted(answer.status for answer in answers) == [202, 416]
        taken, refused = sorted(answers, key=lambda answer: answer.status)
        assert refused.offset in (0, 1_500_000)
        assert refused.headers["Location"] == location
        content = chunks[answers.index(taken)]
        registry.finish(location, digest_of(content)).expect(201)
        assert registry.blob(REPOSITORY, digest_of(content)).expect(200).body == content


def test_streams_are_taken_one_after_the_other(daemon: Daemon, registry: Registry) -> None:
    """Two bodies that do not say where they belong are never mixed: each follows the other, or is refused."""
    for _ in range(5):
        location = registry.start(REPOSITORY)
        bodies = [[bytes([n]) * 100_000] * 20 for n in (1, 2)]
        answers = at_once(*(partial(registry.append, location, iter(body)) for body in bodies))
        taken = [b"".join(body) for body, answer in zip(bodies, answers, strict=True) if answer.status == 202]
        content = (daemon.data / "uploads" / location.rpartition("/")[2]).read_bytes()
        assert taken
        assert content in (b"".join(taken), b"".join(reversed(taken)))
        registry.finish(location, digest_of(content)).expect(201)
        assert registry.blob(REPOSITORY, digest_of(content)).expect(200).body == content


def test_a_second_writer_is_told_to_wait(daemon: Daemon, registry: Registry) -> None:
    """While a slow client sends a chunk, another one is refused with 416, and the slow one's bytes are what counts."""
    content = random.Random(1).randbytes(3_000_000)
    location = registry.start(REPOSITORY)
    with connection(daemon.address, End.CLOSE) as slow:
        slow.sendall(head("PATCH", location, f"Content-Length: {len(content)}") + content[:2_000_000])
        refused = registry.append(location, os.urandom(len(content)), 0).expect(416)
        assert refused.code == "BLOB_UPLOAD_INVALID"
        assert refused.headers["Location"] == location
        assert refused.offset <= 2_000_000
        slow.sendall(content[2_000_000:])
        assert read_until(slow, b"\r\n\r\n").startswith(b"HTTP/1.1 202 ")
    registry.finish(location, digest_of(content)).expect(201)
    assert registry.blob(REPOSITORY, digest_of(content)).expect(200).body == content


@pytest.mark.parametrize("with_body", [True, False], ids=["with-body", "without-body"])
def test_a_repeated_closing_request_does_no_harm(daemon: Daemon, registry: Registry, with_body: bool) -> None:  # noqa: FBT001
    """A client that sends its closing request again, while the first is being answered, ends with the blob."""
    dice = chance()
    for _ in range(ROUNDS):
        content = os.urandom(100_000)
        location = registry.start(REPOSITORY)
        if not with_body:
            registry.append(location, content).expect(202)
        request = partial(registry.finish, location, digest_of(content), content if with_body else b"")
        answers = at_once(request, request, delay=dice.uniform(0.002, 0.02))
        assert sorted(answer.status for answer in answers) in ([201, 404], [201, 416])
        assert registry.blob(REPOSITORY, digest_of(content)).expect(200).body == content
    assert find_problems(daemon.data) == []


def test_cancelling_under_a_writer(daemon: Daemon, registry: Registry) -> None:
    """An upload that is cancelled while its last bytes arrive is gone: the writer hears so, and nothing is stored."""
    content = os.urandom(1_000_000)
    location = registry.start(REPOSITORY)
    path = f"{location}?digest={digest_of(content)}"
    with connection(daemon.address, End.CLOSE) as client:
        client.sendall(head("PUT", path, f"Content-Length: {len(content)}") + content[:500_000])
        time.sleep(0.2)
        registry.request("DELETE", location).expect(204)
        client.sendall(content[500_000:])
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 404 ")
    registry.blob(REPOSITORY, digest_of(content)).expect(404)
    registry.status(location).expect(404)
