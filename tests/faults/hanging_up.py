"""A client that sends raw bytes and hangs up, and what a daemon looks like after it."""

import json
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import Any

from tests.daemon import Daemon
from tests.faults import tally

SECONDS = 20.0


class End(Enum):
    """How a client leaves: properly, as a closed program does, or with a reset, as a crashed machine does."""

    CLOSE = "close"
    RESET = "reset"


@contextmanager
def connection(address: str, end: End, *, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """A connection that ends after the block, whatever is under way."""
    host, _, port = address.rpartition(":")
    client = socket.socket()
    try:
        client.settimeout(SECONDS)
        if receive_buffer is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect((host, int(port)))
        yield client
        if end is End.RESET:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    finally:
        client.close()


@contextmanager
def hang_up(address: str, end: End, *, receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """As `connection`, for a client that leaves in the middle of something."""
    with connection(address, end, receive_buffer=receive_buffer) as client:
        yield client
    tally.injected("hang-up")


def head(method: str, path: str, *headers: str) -> bytes:
    """The header of a request."""
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: registry", *headers, "", "")).encode()


def read_until(client: socket.socket, end: bytes) -> bytes:
    """What arrives up to `end`, and perhaps some of what follows."""
    received = b""
    while end not in received:
        piece = client.recv(65536)
        assert piece, f"the server hung up after {received!r}"
        received += piece
    return received


def open_files(daemon: Daemon) -> list[str]:
    """What the workers have open for their clients: connections, uploads, and blobs."""
    found = []
    for pid in daemon.workers():
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.append(re.sub(r":\[\d+\]$", "", str(link.readlink())))
    folders = (f"{daemon.data}/blobs/", f"{daemon.data}/uploads/")
    return [name for name in found if name == "socket" or name.startswith(folders)]


def complaints(log: Path) -> list[dict[str, Any]]:
    """The log's lines of the levels warning and above, and its tracebacks."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line["level"] not in ("debug", "info") or "traceback" in line]
