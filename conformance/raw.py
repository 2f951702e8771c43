"""Requests that no HTTP library sends: written byte by byte, on a connection of their own, with bounded waits."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from conformance.requirement import Failed
from conformance.session import Session
from conformance.wire import Answer

FIRST_SECONDS = 5.0
"""The longest wait for the beginning of an answer."""
IDLE_SECONDS = 0.5
"""The wait for more, once something has come."""
_BYTES_MAX = 1 << 20
# The body of the answer before it need not end with a line break.
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})\b")
# What a server says that will not have a request, besides 4xx.
_REFUSALS = {501, 505}


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: the statuses of all answers but 100, all bytes, and whether the server hung up."""

    what: str
    statuses: Sequence[int]
    content: bytes
    closed: bool

    def expect_refusal(self) -> None:
        """Raises `Failed` unless the request was refused, by a status or by hanging up."""
        if not self.statuses and not self.closed:
            raise Failed(f"{self.what}: no answer came in {FIRST_SECONDS:.0f} s, expected a refusal")
        for status in self.statuses:
            if not 400 <= status < 500 and status not in _REFUSALS:
                raise Failed(f"{self.what}: answered {status}, expected 400 or a closed connection")

    def expect_no_success(self) -> None:
        """Raises `Failed` if the request was carried out."""
        for status in self.statuses:
            if status < 400:
                raise Failed(f"{self.what}: answered {status}, expected a refusal")

    def expect_no_crash(self) -> None:
        """Raises `Failed` unless there is an answer below 500, or the server hung up."""
        if not self.statuses and not self.closed:
            raise Failed(f"{self.what}: no answer came in {FIRST_SECONDS:.0f} s")
        for status in self.statuses:
            if status >= 500 and status not in _REFUSALS:
                raise Failed(f"{self.what}: answered {status}, expected a refusal with a status below 500")


def authorization(session: Session) -> str | None:
    """The credentials that the last request was sent with."""
    sent = session.exchanges[-1].sent if session.exchanges else []
    return next((value for name, value in sent if name.lower() == "authorization"), None)


def send_raw(
    session: Session, line: str, headers: Sequence[str], body: bytes = b"", *, host: bool = True, end: bool = False
) -> Heard:
    """Send a request with these header lines and body, logged in as the request before; `end` hangs up after it.

    Only what a request cannot do without is added: `Host`, unless `host` is false, and the credentials.
    """
    parts = urlsplit(session.wire.target.url)
    shown = [f"Host: {parts.netloc}", *headers] if host else list(headers)
    value = authorization(session)
    lines = [line, *shown] if value is None else [line, *shown[:1], f"Authorization: {value}", *shown[1:]]
    payload = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body
    begun = time.monotonic()
    content, closed = _exchange(session, payload, end=end)
    statuses = [status for one in _STATUS.findall(content) if (status := int(one)) != 100]
    method, _, rest = line.partition(" ")
    answer = Answer(
        method=method,
        url=f"{parts.scheme}://{parts.netloc}{rest.partition(' ')[0]}",
        sent=[(name, value.strip()) for name, _, value in (one.partition(":") for one in shown)],
        sent_body=body[:2000].decode("utf-8", "backslashreplace"),
        status=statuses[0] if statuses else 0,
        headers=[],
        body=content,
        seconds=time.monotonic() - begun,
    )
    session.exchanges.append(answer)
    return Heard(f"{method} {answer.path}", statuses, content, closed)


def _exchange(session: Session, payload: bytes, *, end: bool) -> tuple[bytes, bool]:
    """Send, and read until the server hangs up or falls silent."""
    target = session.wire.target
    parts = urlsplit(target.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    content = b""
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=target.timeout_s) as plain:
            connection = plain
            if parts.scheme == "https":
                connection = target.context().wrap_socket(plain, server_hostname=parts.hostname)
            # A server that refuses early may hang up before it has read everything.
            with contextlib.suppress(OSError):
                connection.sendall(payload)
                if end:
                    connection.shutdown(socket.SHUT_WR)
            connection.settimeout(min(FIRST_SECONDS, target.timeout_s))
            while len(content) < _BYTES_MAX and (received := connection.recv(65536)):
                content += received
                connection.settimeout(IDLE_SECONDS)
    except TimeoutError:
        return content, False
    except OSError:
        return content, True
    return content, True
