"""Where log lines go: straight to a file descriptor, or through a buffer and a thread of its own.

Several processes share one standard output, so a line is never cut between two writes
unless it is longer than a pipe takes at once.
"""

import contextlib
import logging
import os
import select
import stat
import threading
from typing import Protocol

FLUSH_SECONDS = 0.2
FLUSH_BYTES = 64 * 1024
# What a stuck reader of our output may cost in memory, in each worker; what comes after it is dropped.
MOST_BYTES = 4 * 1024 * 1024
# Linux writes so much to a pipe in one piece; more may be mixed with the lines of other processes.
PIPE_BYTES = select.PIPE_BUF

logger = logging.getLogger(__name__)


class Output(Protocol):
    """Takes whole lines, each with its newline, from any thread, and never raises."""

    def write(self, line: bytes, *, hurry: bool = False) -> None:
        """Take a line; with `hurry` it is written now rather than within a fraction of a second."""

    def close(self) -> None:
        """Write what is left. Lines that come later may be lost."""


class DirectOutput:
    """Writes each line at once: for processes that may block, such as the supervisor and the commands."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, line: bytes, *, hurry: bool = False) -> None:
        # Nobody reads any more: no reason to stop serving.
        with contextlib.suppress(OSError):
            _write_all(self._descriptor, line)

    def close(self) -> None:
        """Nothing is ever left."""


class BufferedOutput:
    """Collects lines and lets a thread write them, so that a slow or stuck reader never blocks the caller.

    Up to MOST_BYTES wait; lines beyond are dropped, and their number is logged once there is room again.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._piece_bytes = FLUSH_BYTES if _is_file(descriptor) else PIPE_BYTES
        self._lock = threading.Lock()
        self._lines: list[bytes] = []
        self._waiting_bytes = 0
        self._dropped = 0
        self._closed = False
        self._some = threading.Event()  # there is a line to write
        self._enough = threading.Event()  # do not wait for more lines
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes, *, hurry: bool = False) -> None:
        with self._lock:
            if self._waiting_bytes > MOST_BYTES:
                self._dropped += 1
                return
            self._lines.append(line)
            self._waiting_bytes += len(line)
            waiting = self._waiting_bytes
        if waiting == len(line):
            self._some.set()
        if hurry or waiting > FLUSH_BYTES:
            self._enough.set()

    def close(self, seconds: float = 2.0) -> None:
        """Write what is left, but wait no longer than `seconds` for a reader that is stuck."""
        self._closed = True
        self._some.set()
        self._enough.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closed or self._lines:
            self._some.wait()
            self._enough.wait(FLUSH_SECONDS)
            self._enough.clear()
            self._write_waiting()

    def _write_waiting(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
            self._some.clear()
        try:
            for piece in _pieces(lines, self._piece_bytes):
                _write_all(self._descriptor, piece)
        except OSError:
            pass  # as in DirectOutput
        with self._lock:
            self._waiting_bytes -= sum(map(len, lines))
            dropped, self._dropped = self._dropped, 0
            if self._lines:
                self._some.set()
        if dropped:
            logging.getLogger(__name__).warning("%d log lines were dropped: nobody read them in time", dropped)


def _pieces(lines: list[bytes], most_bytes: int) -> list[bytes]:
    """`lines` joined to pieces of at most `most_bytes`, or of one line where that is longer."""
    pieces: list[bytes] = []
    piece: list[bytes] = []
    size = 0
    for line in lines:
        if piece and size + len(line) > most_bytes:
            pieces.append(b"".join(piece))
            piece, size = [], 0
        piece.append(line)
        size += len(line)
    if piece:
        pieces.append(b"".join(piece))
    return pieces


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            # Whoever gave us this descriptor may have made it non-blocking.
            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            poll.poll(1000)


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False
