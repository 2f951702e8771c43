"""HTTP as it goes over the wire: requests exactly as a check wants them, answers with everything that came.

Nothing is retried, decoded or corrected on the way, because that is what is being judged.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import json
import select
import ssl
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from conformance.incoming import difference, read_body, url_of
from conformance.requirement import Failed
from conformance.shown import SHOWN_MAX, body_text, redacted, redacted_headers

Body = bytes | Iterable[bytes] | None

REDIRECTS_MAX = 5
_REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the registry is, and how long an answer may take. `ca` is a file with certificates to trust."""

    url: str
    timeout_s: float = 30.0
    insecure: bool = False
    ca: str | None = None

    def context(self) -> ssl.SSLContext:
        """The settings of TLS. Raises `OSError` if the certificates cannot be read."""
        return _context(self.ca, insecure=self.insecure)


@functools.cache
def _context(ca: str | None, *, insecure: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca)
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(slots=True)
class Answer:
    """What came back. `headers` are as they came, in their order; `url` is that of the last request."""

    method: str
    url: str
    sent: list[tuple[str, str]]
    sent_body: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float = 0.0
    before: list[Answer] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """A header's value; several are joined with commas."""
        found = self.all(name)
        return ", ".join(found) if found else None

    def all(self, name: str) -> list[str]:
        """The values of all headers of this name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def expect(self, *statuses: int, what: str = "") -> Answer:
        """This answer, if it has one of the statuses. Raises `Failed`."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise Failed(f"{self.method} {self.path} answered {self.status}, expected {wanted}{what and f': {what}'}")
        return self

    def expect_header(self, name: str, value: str | None = None) -> str:
        """The value of a header that has to be there, and to be this one if `value` is given. Raises `Failed`."""
        found = self.header(name)
        if found is None:
            raise Failed(f"{self.method} {self.path} answered {self.status} without the header {name}")
        if value is not None and found != value:
            raise Failed(f"{self.method} {self.path} answered with {name}: {found}, expected {value}")
        return found

    def expect_body(self, body: bytes) -> Answer:
        """This answer, if its body is exactly this. Raises `Failed`."""
        if self.body != body:
            raise Failed(f"{self.method} {self.path} answered with {difference(self.body, body)}")
        return self

    def json(self) -> Any:
        """The body, read as JSON. Raises `Failed`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Failed(f"the body of {self.method} {self.path} is not JSON: {error}") from error

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def location(self) -> str:
        """The URL that `Location` names. Raises `Failed` if there is none."""
        return self.link(self.expect_header("Location"))

    def link(self, reference: str) -> str:
        """The URL that this answer names by a URL or a path. Raises `Failed` if that is neither."""
        return url_of(self.url, reference, f"{self.method} {self.path} answered with a link that is no URL")

    def shown(self) -> dict[str, object]:
        """What was sent and received, for reports: without secrets, and cut where it is long."""
        return {
            "request": redacted(f"{self.method} {self.url}"),
            "redirectedFrom": [redacted(one.url) for one in self.before],
            "requestHeaders": redacted_headers(self.sent),
            "requestBody": self.sent_body,
            "status": self.status,
            "headers": redacted_headers(self.headers),
            "body": body_text(self.body),
            "seconds": round(self.seconds, 4),
        }


class Broken(Failed):
    """No answer came, or not a whole one. `answer` is what came; without a status nothing came."""

    def __init__(self, answer: Answer, error: Exception) -> None:
        came = f"{answer.status} and then " if answer.status else ""
        told = str(error) or type(error).__name__
        super().__init__(f"{answer.method} {answer.path} got no whole answer: {came}{told}")
        self.answer = answer
        if isinstance(error, http.client.IncompleteRead):
            answer.body = error.partial


class Wire:
    """Connections to a registry, one per thread and host. Use `close` at the end."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._local = threading.local()
        self._all: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()

    def hang_up(self) -> None:
        """Close the connections of this thread, which is not needed any more."""
        pool: dict[tuple[str, str], http.client.HTTPConnection] = getattr(self._local, "pool", {})
        with self._lock:
            for connection in pool.values():
                connection.close()
                self._all.remove(connection)
        pool.clear()

    def url(self, path: str) -> str:
        """The URL of a path of the registry; of a URL itself."""
        base = self.target.url.rstrip("/") + "/"
        return url_of(base, path, "this is no URL") if "://" in path else urljoin(base, path)

    def send(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        *,
        redirects: bool = True,
    ) -> Answer:
        """Send one request, and what redirects of its answer ask for. Raises `Broken`.

        A body of bytes has a Content-Length, one of pieces is sent in chunks. `Authorization` does not go to another
        host.
        """
        answer = self._send(method, self.url(path), dict(headers or {}), body)
        before: list[Answer] = []
        while redirects and _is_followed(answer, body) and len(before) < REDIRECTS_MAX:
            before.append(answer)
            following = answer.location()
            kept = dict(headers or {})
            if urlsplit(following).netloc != urlsplit(answer.url).netloc:
                kept = {name: value for name, value in kept.items() if name.lower() != "authorization"}
            answer = self._send(method, following, kept, body)
        answer.before = before
        return answer

    def after_headers(self, answer: Answer) -> bytes:
        """What comes after the headers when the same is asked again, where nothing may come. Raises `Broken`."""
        parts = urlsplit(answer.url)
        connection = self._connect(parts.scheme, parts.netloc)
        try:
            connection.request(answer.method, _target(parts), headers={**dict(answer.sent), "Connection": "close"})
            response = connection.getresponse()
            return response.fp.read(SHOWN_MAX)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(answer, error) from error
        finally:
            connection.close()

    def _send(self, method: str, url: str, headers: dict[str, str], body: Body) -> Answer:
        parts = urlsplit(url)
        sent_body = body_text(body) if isinstance(body, bytes) else "(in chunks)" if body is not None else ""
        for attempt in range(2):
            connection, used = self._connection(parts.scheme, parts.netloc)
            answer = Answer(method, url, list(headers.items()), sent_body, status=0, headers=[], body=b"")
            begun = time.monotonic()
            try:
                # Who refuses a request may answer, and close, before all of it is sent.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(
                        method, _target(parts), body=body, headers=headers, encode_chunked=_is_pieces(body)
                    )
                response = connection.getresponse()
                answer.status, answer.headers = response.status, response.getheaders()
                answer.body = read_body(response, self.target.timeout_s)
            except (OSError, http.client.HTTPException) as error:
                self._drop(connection)
                # The server may close a connection that it has kept open whenever it likes; then, and only if nothing
                # can have happened twice, once more.
                if used and attempt == 0 and method in {"GET", "HEAD"}:
                    continue
                raise Broken(answer, error) from error
            except ValueError:
                self._drop(connection)
                # What it says may have a secret in it.
                raise Broken(answer, OSError("its URL or a header has what cannot be sent")) from None
            self._local.used.add(connection)
            answer.seconds = time.monotonic() - begun
            return answer
        raise AssertionError("unreachable")

    def _connection(self, scheme: str, netloc: str) -> tuple[http.client.HTTPConnection, bool]:
        if not hasattr(self._local, "pool"):
            self._local.pool, self._local.used = {}, set()
        pool: dict[tuple[str, str], http.client.HTTPConnection] = self._local.pool
        connection = pool.get((scheme, netloc))
        if connection is None:
            connection = pool[scheme, netloc] = self._connect(scheme, netloc)
            with self._lock:
                self._all.append(connection)
        elif _has_ended(connection):
            connection.close()
        return connection, connection in self._local.used

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        """Use a connection no more: it may still have a part of what it should have sent."""
        connection.close()
        pool: dict[tuple[str, str], http.client.HTTPConnection] = self._local.pool
        self._local.pool = {host: one for host, one in pool.items() if one is not connection}
        with self._lock:
            self._all = [one for one in self._all if one is not connection]

    def _connect(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        timeout = self.target.timeout_s
        if scheme == "https":
            return http.client.HTTPSConnection(netloc, timeout=timeout, context=self.target.context())
        return http.client.HTTPConnection(netloc, timeout=timeout)


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _is_followed(answer: Answer, body: Body) -> bool:
    """Whether a redirect can be followed with the method and the body that it answers."""
    if answer.method in {"GET", "HEAD"}:
        return answer.status in _REDIRECTS
    return answer.status in {307, 308} and not isinstance(body, Iterator)


def _has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed the connection, or sent what nobody asked for."""
    return connection.sock is not None and bool(select.select([connection.sock], [], [], 0)[0])


def _is_pieces(body: Body) -> bool:
    return body is not None and not isinstance(body, bytes)


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    """The content in pieces of this size, to be sent in chunks."""
    for begin in range(0, len(content), size):
        yield content[begin : begin + size]
