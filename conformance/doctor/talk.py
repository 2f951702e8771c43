"""One request on a connection of its own, said piece by piece, with an ear for what comes back meanwhile."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from conformance.wire import Answer, Broken, Target

_PIECE = 65536
_HEARD_MAX = 1 << 20
_IDLE_S = 0.5
_CONTINUE = 100


def chunk(content: bytes) -> bytes:
    """A piece of a body that is sent in chunks; an empty one is the last."""
    return b"%x\r\n%s\r\n" % (len(content), content)


class Talk:
    """Says a request; `begun` is when. Raises `Broken` if there is no connection, or no answer.

    `headers` are sent as they are, after `Host`. `http` is the version of the answer, "1.1" mostly.
    """

    def __init__(self, target: Target, method: str, url: str, headers: Mapping[str, str]) -> None:
        self._target, parts = target, urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._about = Answer(method, url, list(headers.items()), "", status=0, headers=[], body=b"")
        self._heard, self._ended, self._trouble = b"", False, ""
        self.http = ""
        self.begun = time.monotonic()
        try:
            self._socket = self._connected(parts.scheme, parts.hostname or "", parts.port)
        except OSError as error:
            raise Broken(self._about, error) from error
        given = {"Host": parts.netloc.rpartition("@")[2], **headers}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()), "", ""]
        self.say("\r\n".join(lines).encode("utf-8", "surrogateescape"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def say(self, content: bytes) -> None:
        """Send some more, unless the connection has ended."""
        if self._ended or self._trouble:
            return
        try:
            self._socket.settimeout(self._target.timeout_s)
            self._socket.sendall(content)
        except OSError as error:
            # Whoever refuses a request may hang up before all of it is sent: there may be an answer to read.
            self._trouble = str(error) or type(error).__name__

    def hears(self, seconds: float) -> bool:
        """Whether something comes within that time: the beginning of an answer, or the end of the connection."""
        deadline = time.monotonic() + seconds
        while not self._heard and not self._ended and (left := deadline - time.monotonic()) > 0:
            self._receive(left)
        return bool(self._heard) or self._ended

    def elapsed(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.begun

    def answer(self, *, interim: bool = False) -> Answer:
        """The answer; with `interim` it may also be one that only says to go on. Raises `Broken`."""
        while True:
            head, _, rest = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
            found = self._parsed(head)
            if found.status >= 200 or (interim and found.status == _CONTINUE):
                break
            self._heard = rest
        found.seconds = self.elapsed()
        self._heard = rest
        if found.method != "HEAD" and found.status not in {_CONTINUE, 204, 304}:
            found.body = self._body(found)
        return found

    def _parsed(self, head: bytes) -> Answer:
        line, _, fields = head.partition(b"\r\n")
        version, _, status = line.partition(b" ")
        if not version.startswith(b"HTTP/") or not status[:3].isdigit():
            raise Broken(self._about, http.client.BadStatusLine(repr(line[:100])))
        self.http = version[5:].decode()
        parsed = http.client.parse_headers(io.BytesIO(fields + b"\r\n\r\n"))
        about = self._about
        return Answer(about.method, about.url, about.sent, about.sent_body, int(status[:3]), parsed.items(), b"")

    def _body(self, answer: Answer) -> bytes:
        """As much of the body as comes."""
        length = answer.header("Content-Length") or ""
        wanted = int(length) if length.isdigit() else _HEARD_MAX
        while len(self._heard) < min(wanted, _HEARD_MAX) and not self._ended:
            before = len(self._heard)
            self._receive(self._target.timeout_s if length else _IDLE_S)
            if len(self._heard) == before:
                break
        return self._heard[:wanted]

    def _until(self, mark: bytes) -> bytes:
        deadline = time.monotonic() + self._target.timeout_s
        while mark not in self._heard and not self._ended and (left := deadline - time.monotonic()) > 0:
            self._receive(left)
        if mark in self._heard or (self._heard and not self._heard.startswith(b"HTTP/")):
            return self._heard
        told = self._trouble or ("the connection was closed" if self._ended else "no answer came in time")
        raise Broken(self._about, ConnectionError(told))

    def _receive(self, seconds: float) -> None:
        try:
            self._socket.settimeout(seconds)
            received = self._socket.recv(_PIECE)
        except TimeoutError:
            return
        except OSError as error:
            self._ended, self._trouble = True, self._trouble or str(error)
            return
        self._heard += received
        self._ended = not received

    def _connected(self, scheme: str, host: str, port: int | None) -> socket.socket:
        secure = scheme == "https"
        plain = socket.create_connection((host, port or (443 if secure else 80)), timeout=self._target.timeout_s)
        if not secure:
            return plain
        try:
            return self._target.context().wrap_socket(plain, server_hostname=host)
        except (OSError, ssl.SSLError):
            plain.close()
            raise
