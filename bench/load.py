"""Load on one URL: `wrk` for GET and PUT, a loop of our own for HEAD."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.client import TIMEOUT, address, request_head

# Runs once at the end, so it costs the load nothing. Times are in microseconds.
REPORT = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    '\\nRESULT {"requests": %d, "bytes": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, ' ..
    '"bad_status": %d, "socket_errors": %d}\\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    e.status, e.connect + e.read + e.write + e.timeout))
end
"""
PUT_TAGS = """
local count = 0
local headers = {["Content-Type"] = "%(type)s"}
local body = [==[%(body)s]==]
request = function()
  count = count + 1
  return wrk.format("PUT", "%(prefix)s" .. count, headers, body)
end
"""


class LoadFailed(Exception):
    """The load generator itself did not work."""


@dataclass(frozen=True)
class Load:
    """What came back: `requests` counts all answers, `bad_status` those over 399."""

    requests: int
    bytes: int
    seconds: float
    p50_ms: float
    p99_ms: float
    bad_status: int
    socket_errors: int


def get_load(url: str, folder: Path, connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    """GETs `url` from `connections` connections for `seconds`; `folder` takes the script."""
    return _wrk(url, folder, REPORT, connections, seconds, headers)


def put_tags_load(
    url: str, prefix: str, manifest: bytes, media_type: str, folder: Path, connections: int, seconds: int
) -> Load:
    """PUTs `manifest` under `prefix` + 1, 2, 3, … (a path without `url`), each tag once."""
    script = PUT_TAGS % {"type": media_type, "body": manifest.decode(), "prefix": prefix}
    return _wrk(url, folder, script + REPORT, connections, seconds, {})


def _wrk(url: str, folder: Path, script: str, connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    file = folder / "wrk.lua"
    file.write_text(script)
    command = [
        "wrk",
        "-t1",
        f"-c{connections}",
        f"-d{seconds}s",
        "--latency",
        "--timeout",
        "10s",
        "-s",
        str(file),
    ]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    run = subprocess.run([*command, url], capture_output=True, text=True, timeout=seconds + TIMEOUT, check=False)
    for line in run.stdout.splitlines():
        if line.startswith("RESULT "):
            return Load(**json.loads(line.removeprefix("RESULT ")))
    raise LoadFailed(f"wrk ended with {run.returncode}: {(run.stdout + run.stderr).strip()[-500:]}")


def head_load(url: str, target: str, connections: int, seconds: int, headers: Mapping[str, str]) -> Load:
    """HEADs `target` from `connections` connections for `seconds`.

    wrk cannot: it waits for the body that Content-Length announces. This loop costs more CPU than wrk does,
    for every registry alike, so differences between fast registries come out smaller than they are.
    """
    request = request_head(url, "HEAD", target, headers)
    loop = _HeadLoop(request)
    try:
        for _ in range(connections):
            loop.connect(address(url))
        return loop.run(seconds)
    finally:
        loop.close()


class _HeadLoop:
    """One outstanding HEAD request per connection, in one thread."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._epoll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._sent: dict[int, float] = {}
        self._partial: dict[int, bytes] = {}
        self._latencies: list[float] = []
        self._bytes = self._bad_status = self._socket_errors = 0

    def connect(self, where: tuple[str, int]) -> None:
        connection = socket.create_connection(where, timeout=TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(0)
        self._sockets[connection.fileno()] = connection
        self._epoll.register(connection.fileno(), select.EPOLLIN)

    def close(self) -> None:
        self._epoll.close()
        for connection in self._sockets.values():
            connection.close()

    def run(self, seconds: float) -> Load:
        started = time.perf_counter()
        for connection in self._sockets.values():
            self._send(connection)
        while time.perf_counter() < started + seconds:
            for number, _ in self._epoll.poll(0.1):
                self._readable(self._sockets[number])
        elapsed = time.perf_counter() - started
        return self._result(elapsed)

    def _send(self, connection: socket.socket) -> None:
        self._sent[connection.fileno()] = time.perf_counter()
        connection.send(self._request)

    def _readable(self, connection: socket.socket) -> None:
        number = connection.fileno()
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._socket_errors += 1
            self._epoll.unregister(number)
            return
        self._bytes += len(data)
        answer = self._partial.pop(number, b"") + data
        if not answer.endswith(b"\r\n\r\n"):
            self._partial[number] = answer
            return
        self._latencies.append(time.perf_counter() - self._sent[number])
        self._bad_status += answer[9:12] != b"200"
        self._send(connection)

    def _result(self, elapsed: float) -> Load:
        ordered = sorted(self._latencies) or [0.0]
        return Load(
            requests=len(self._latencies),
            bytes=self._bytes,
            seconds=elapsed,
            p50_ms=1e3 * ordered[len(ordered) // 2],
            p99_ms=1e3 * ordered[len(ordered) * 99 // 100],
            bad_status=self._bad_status,
            socket_errors=self._socket_errors,
        )
