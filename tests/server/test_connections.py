"""Connections: who gets them, how many there may be, and which are closed."""

import asyncio
import contextlib
import gzip
import re
import resource
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import orjson
import pytest

from tests.server.program import Program, wait_until

PID = b"GET /pid HTTP/1.1\r\nHost: test\r\n\r\n"
STALL_S, IDLE_S = 1.0, 3.0


@pytest.fixture(scope="module")
def impatient() -> Iterator[Program]:
    """A daemon that waits a second for a stalled peer, and three for an idle one."""
    settings = {
        "LIMITS__STALL_TIMEOUT": f"{STALL_S}s",
        "SERVER__KEEPALIVE_TIMEOUT": f"{IDLE_S}s",
        "SERVER__WORKERS": "1",
    }
    with Program(settings) as program:
        yield program


def connect(program: Program) -> socket.socket:
    """A connection on which every wait has an end."""
    return socket.create_connection((program.host, program.port), timeout=10)


def ask(connection: socket.socket, request: bytes = PID) -> bytes:
    """Send a request and return the answer's body."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head.lower())
    assert length is not None, answer
    while len(body) < int(length[1]):
        body += connection.recv(65536)
    return body


def seconds_until_closed(connection: socket.socket) -> float:
    """How long it takes until the server closes the connection, to which it sends nothing."""
    started = time.monotonic()
    assert connection.recv(1) == b""
    return time.monotonic() - started


async def test_connections_spread_evenly() -> None:
    """Of connections that come at once no worker gets many more than its share."""
    with Program() as program:

        async def worker() -> str:
            reader, writer = await asyncio.open_connection(program.host, program.port)
            writers.append(writer)
            writer.write(PID)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            return (await reader.readexactly(int(length[1]))).decode()

        writers: list[asyncio.StreamWriter] = []
        async with asyncio.timeout(20):
            answers = await asyncio.gather(*(worker() for _ in range(64)))
        shares = Counter(answers)
        for writer in writers:
            writer.close()
        assert set(shares) == {str(pid) for pid in program.workers()}
        assert min(shares.values()) >= 28, shares


@pytest.mark.parametrize("line", [b"GET /%b HTTP/1.1\r\n", b"GET /pid HTTP/1.1\r\nX-Long: %b\r\n"])
def test_too_long_a_line_is_refused(impatient: Program, line: bytes) -> None:
    """A request line or a header longer than 16 KiB is answered with 431, and the connection is closed."""
    with connect(impatient) as connection:
        connection.settimeout(10)
        connection.sendall(line % (b"a" * 17_000) + b"Host: x\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] == b"431"
    assert b'{"errors":[{"code":"UNSUPPORTED"' in answer


def test_half_a_header_does_not_hold_a_connection(impatient: Program) -> None:
    """A connection on which a header begins and does not end is closed after the stall time-out."""
    with connect(impatient) as connection:
        connection.sendall(b"GET /pid HTTP/1.1\r\nHost:")
        assert STALL_S - 0.2 < seconds_until_closed(connection) < IDLE_S


def test_a_trickling_header_does_not_hold_a_connection(impatient: Program) -> None:
    """The time for a header counts from its first byte, also after an earlier request on the connection."""
    with connect(impatient) as connection:
        assert ask(connection)
        started = time.monotonic()
        connection.sendall(b"GET /pid HTTP/1.1\r\nX-Slow: ")
        connection.settimeout(0.1)
        # What the server had not read when it closed the connection makes the end a reset.
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 2 * IDLE_S:
                connection.sendall(b"a")
                with contextlib.suppress(TimeoutError):
                    assert connection.recv(1) == b""
                    break
        assert STALL_S - 0.2 < time.monotonic() - started < IDLE_S


def test_idle_connection_is_kept_for_the_keepalive_timeout(impatient: Program) -> None:
    """A connection without a request is closed after the keep-alive time-out, not after the stall time-out."""
    with connect(impatient) as connection:
        assert ask(connection)
        time.sleep(STALL_S + 0.3)
        assert ask(connection)
        assert STALL_S + 0.3 < seconds_until_closed(connection) < 10


def test_slow_header_within_the_limit_is_answered(impatient: Program) -> None:
    """A header that comes in pieces is as good as any, and so is the next one on the connection."""
    with connect(impatient) as connection:
        for _ in range(3):
            connection.sendall(PID[:10])
            time.sleep(0.3)
            assert ask(connection, PID[10:])


def test_a_reader_that_stalls_is_cut_off(impatient: Program) -> None:
    """A client that does not read its answer loses the connection, though the handler has no timer."""
    with connect(impatient) as connection:
        connection.sendall(b"GET /large/100000000 HTTP/1.1\r\nHost: test\r\n\r\n")
        time.sleep(0.3)

        def is_cut() -> bool:
            return open_connections(impatient) == 1  # the one that asks

        assert not is_cut()
        wait_until(is_cut, 8)


def open_connections(program: Program) -> int:
    """The number of open connections that the metrics tell."""
    with connect(program) as connection:
        metrics = ask(connection, PID.replace(b"pid", b"metrics"))
        found = re.search(rb"^berth_connections (\d+)", metrics, re.MULTILINE)
        assert found is not None
        return int(found[1])


def test_connections_beyond_the_limit_wait() -> None:
    """A worker has only so many connections; one more is served when another one ends."""
    with Program({"SERVER__WORKERS": "1", "LIMITS__CONNECTIONS": "3"}) as program, ExitStack() as stack:
        first, *others = [stack.enter_context(connect(program)) for _ in range(3)]
        for connection in (first, *others):
            assert ask(connection)
        late = stack.enter_context(connect(program))
        late.sendall(PID)
        late.settimeout(0.5)
        with pytest.raises(TimeoutError):
            late.recv(1)
        first.close()
        late.settimeout(10)
        assert late.recv(65536).startswith(b"HTTP/1.1 200")
        for connection in others:
            assert ask(connection)


def test_running_out_of_descriptors_is_survived() -> None:
    """A worker that may open no more files goes on once it may again."""
    with Program({"SERVER__WORKERS": "1"}) as program, ExitStack() as stack:
        (pid,) = program.workers()
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 2, limits[1]))
        crowd = [stack.enter_context(connect(program)) for _ in range(5)]
        assert ask(crowd[0])
        program.wait_for_line("cannot accept connections")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
        for connection in crowd:
            assert ask(connection)


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nNo colon\r\n\r\n"],
)
def test_what_is_not_http_gets_an_error_of_the_specification(impatient: Program, garbage: bytes) -> None:
    """Bytes that are no HTTP request are answered with 400 and a JSON error, and nothing about them is logged."""
    before = len(impatient.lines)
    with connect(impatient) as connection:
        connection.sendall(garbage)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split()[1] == b"400"
        assert b"Content-Type: application/json\r\n" in head
        (error,) = orjson.loads(body)["errors"]
        assert error["code"] == "UNSUPPORTED"
        assert error["message"].startswith("malformed HTTP request")
    assert len(impatient.lines) == before


def test_body_arrives_as_it_was_sent(impatient: Program) -> None:
    """A compressed body is not unpacked on the way, since its digest is of the compressed bytes."""
    body = gzip.compress(b"layer")
    head = f"PUT /received HTTP/1.1\r\nHost: test\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with connect(impatient) as connection:
        assert ask(connection, head.encode() + body) == body
