"""Clients that hang up in the middle of anything."""

import random
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.daemon import Daemon
from tests.faults.client import IMAGE, OCTETS, Registry, digest_of, image
from tests.faults.hanging_up import End, complaints, hang_up, head, open_files, read_until
from tests.faults.trapped import find_problems, wait_until

REPOSITORY = "app"
BLOB = random.Random(1).randbytes(1_000_000)
LARGE = random.Random(2).randbytes(24 << 20)
CONFIG = b"{}"

ENDS = pytest.mark.parametrize("end", End, ids=lambda end: end.value)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon that logs as JSON, with the blobs `LARGE` and `CONFIG`; in the end its store is whole."""
    with Daemon(tmp_path_factory.mktemp("hang-up") / "data", "--workers", "2", "--log-format", "json") as daemon:
        registry = Registry(daemon.address)
        registry.push(REPOSITORY, LARGE)
        registry.push(REPOSITORY, CONFIG)
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture
def registry(daemon: Daemon) -> Iterator[Registry]:
    """A client of the daemon, which serves, has closed all files, and has nothing to complain of, after the test."""
    registry = Registry(daemon.address)
    before, complained = open_files(daemon), len(complaints(daemon.log))
    yield registry
    assert digest_of(registry.blob(REPOSITORY, digest_of(LARGE)).expect(200).body) == digest_of(LARGE)
    wait_until(lambda: not Counter(open_files(daemon)) - Counter(before))
    assert complaints(daemon.log)[complained:] == []
    assert find_problems(daemon.data) == []


def by_length(location: str) -> bytes:
    """Half of the body that Content-Length tells of."""
    return head("PATCH", location, f"Content-Type: {OCTETS}", f"Content-Length: {len(BLOB)}") + BLOB[:500_000]


def in_a_chunk(location: str) -> bytes:
    """A chunk of the transfer encoding, and a part of the next."""
    return chunked(location) + b"%x\r\n%b\r\n" % (300_000, BLOB[:300_000]) + b"50000\r\n" + BLOB[300_000:500_000]


def in_a_chunk_size(location: str) -> bytes:
    """A chunk of the transfer encoding, and a part of the next one's size."""
    return chunked(location) + b"%x\r\n%b\r\n" % (500_000, BLOB[:500_000]) + b"400"


def after_a_chunk(location: str) -> bytes:
    """Chunks of the transfer encoding, but not the one that says it is all."""
    return chunked(location) + b"%x\r\n%b\r\n" % (500_000, BLOB[:500_000])


def in_the_header(location: str) -> bytes:
    """A header that does not end."""
    return head("PATCH", location, f"Content-Length: {len(BLOB)}")[:-10]


def chunked(location: str) -> bytes:
    """A header that announces chunks."""
    return head("PATCH", location, f"Content-Type: {OCTETS}", "Transfer-Encoding: chunked")


def in_the_closing_request(location: str) -> bytes:
    """A part of the whole blob, with the digest of the whole."""
    path = f"{location}?digest={digest_of(BLOB)}"
    return head("PUT", path, f"Content-Type: {OCTETS}", f"Content-Length: {len(BLOB)}") + BLOB[:500_000]


@ENDS
@pytest.mark.parametrize(
    "beginning", [in_the_header, by_length, in_a_chunk, in_a_chunk_size, after_a_chunk, in_the_closing_request]
)
def test_upload_goes_on_after_a_hang_up(
    daemon: Daemon, registry: Registry, beginning: Callable[[str], bytes], end: End
) -> None:
    """What arrived, or a part of it, is kept, and a client that sends the rest gets the right blob."""
    repository = f"{beginning.__name__.replace('_', '-')}/{end.value}"
    location = registry.start(repository)
    with hang_up(daemon.address, end) as client:
        client.sendall(beginning(location))
    offset = registry.status(location).expect(204).offset
    assert offset <= (500_000 if beginning is not in_the_header else 0)
    assert registry.blob(repository, digest_of(BLOB)).status == 404
    assert registry.resume(location, BLOB)
    assert registry.blob(repository, digest_of(BLOB)).expect(200).body == BLOB


def test_most_of_what_arrived_is_kept(daemon: Daemon, registry: Registry) -> None:
    """A client that loses its connection after a while need not send everything again."""
    location = registry.start(REPOSITORY)
    with hang_up(daemon.address, End.CLOSE) as client:
        client.sendall(head("PATCH", location, f"Content-Length: {2 * len(LARGE)}") + LARGE)
    wait_until(lambda: registry.status(location).offset >= len(LARGE) - (1 << 20))
    registry.request("DELETE", location).expect(204)


@ENDS
def test_hang_up_between_chunks(daemon: Daemon, registry: Registry, end: End) -> None:
    """A connection that ends after an answered chunk leaves an upload that another connection finishes."""
    location = registry.start("between")
    with hang_up(daemon.address, end) as client:
        client.sendall(head("PATCH", location, "Content-Length: 400000") + BLOB[:400_000])
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 202 ")
    assert registry.status(location).expect(204).offset == 400_000
    assert registry.resume(location, BLOB)
    assert registry.blob("between", digest_of(BLOB)).expect(200).body == BLOB


@ENDS
def test_hang_up_before_the_answer_to_a_push(daemon: Daemon, registry: Registry, end: End) -> None:
    """A blob whose last byte was sent is stored whole or can be pushed again, though nobody read the answer."""
    repository = f"unread/{end.value}"
    location = registry.start(repository)
    path = f"{location}?digest={digest_of(BLOB)}"
    with hang_up(daemon.address, end) as client:
        client.sendall(head("PUT", path, f"Content-Length: {len(BLOB)}") + BLOB)
    registry.resume(location, BLOB)
    assert registry.blob(repository, digest_of(BLOB)).expect(200).body == BLOB


@ENDS
@pytest.mark.parametrize("sent", [0.5, 1.0])
def test_hang_up_in_a_manifest(daemon: Daemon, registry: Registry, end: End, sent: float) -> None:
    """A manifest is stored as a whole or not at all, and its tag leads to it or is not there."""
    content = image(CONFIG, *[CONFIG] * 20)
    tag = f"{end.value}-{sent}"
    lines = (f"Content-Type: {IMAGE}", f"Content-Length: {len(content)}")
    request = head("PUT", f"/v2/{REPOSITORY}/manifests/{tag}", *lines)
    with hang_up(daemon.address, end) as client:
        client.sendall(request + content[: int(len(content) * sent)])
    answer = registry.manifest(REPOSITORY, tag).expect(200, 404)
    assert answer.status == 404 or (answer.body == content and sent == 1.0)
    registry.put_manifest(REPOSITORY, tag, content).expect(201)
    assert registry.pull(REPOSITORY, tag) == content


@ENDS
@pytest.mark.parametrize("headers", [(), ("Range: bytes=1000-20000000",), ("Range: bytes=0-999999,5000000-9999999",)])
def test_hang_up_in_a_download(daemon: Daemon, registry: Registry, headers: tuple[str, ...], end: End) -> None:
    """Clients that leave in the middle of a download cost nothing."""
    path = f"/v2/{REPOSITORY}/blobs/{digest_of(LARGE)}"
    for _ in range(4):
        with hang_up(daemon.address, end, receive_buffer=65536) as client:
            client.sendall(head("GET", path, *headers))
            read_until(client, b"\r\n\r\n")


@ENDS
def test_hang_up_before_a_download(daemon: Daemon, registry: Registry, end: End) -> None:
    """Clients that leave right after asking for a blob cost nothing."""
    for digest in (digest_of(LARGE), digest_of(CONFIG)):
        for _ in range(10):
            with hang_up(daemon.address, end) as client:
                client.sendall(head("GET", f"/v2/{REPOSITORY}/blobs/{digest}"))
