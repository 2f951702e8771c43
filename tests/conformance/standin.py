"""A stand-in for a registry behind a strange proxy: it answers what it is told to, and as late."""

from __future__ import annotations

import contextlib
import json
import select
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conformance.content import IMAGE, digest_of

CONFIG = b'{"architecture": "amd64", "os": "linux"}'
MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {"mediaType": "x/y", "digest": digest_of(CONFIG), "size": len(CONFIG)},
        "layers": [],
    }
).encode()


@dataclass
class Manners:
    """How it answers: with which status and headers at /v2/, how late with blobs, how long it listens to an upload."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    clock_s: float = 0.0
    late_s: float = 0.0
    listens_s: float = 5.0


@contextlib.contextmanager
def standing_in(manners: Manners) -> Iterator[str]:
    """The URL of a stand-in with these manners."""

    class Handler(_Handler):
        told = manners

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # What comes after a header stays in the socket.
    rbufsize = 0
    told: Manners

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/v2/":
            self._answer(self.told.status, b"{}", self.told.headers)
        elif path.endswith("/manifests/latest"):
            headers = {"Content-Type": IMAGE, "Docker-Content-Digest": digest_of(MANIFEST)}
            self._answer(200, MANIFEST, headers)
        elif path.endswith(digest_of(CONFIG)):
            if self.command == "GET":
                time.sleep(self.told.late_s)
            self._answer(200, CONFIG)
        else:
            self._answer(404, b'{"errors": []}')

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self._answer(202, b"", {"Location": f"{self.path}1"})

    def do_PATCH(self) -> None:
        length = self.headers.get("Content-Length")
        body, deadline = b"", time.monotonic() + self.told.listens_s
        while time.monotonic() < deadline:
            if len(body) == int(length) if length else body.endswith(b"0\r\n\r\n"):
                self._answer(202, b"", {"Location": self.path})
                return
            if select.select([self.connection], [], [], 0.05)[0]:
                piece = self.connection.recv(65536)
                if not piece:
                    break
                body += piece
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() + self.told.clock_s, usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
