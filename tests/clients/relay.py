"""A relay in front of a server, which changes what clients send."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

_PIECE = 65536


@contextlib.contextmanager
def replacing(port: int, old: bytes, new: bytes) -> Iterator[int]:
    """Pass everything on to `port` of 127.0.0.1, with `new` in place of `old`, which is as long; yields its own port.

    What arrives in two pieces is not recognised: `old` has to be short, and early in a request.
    """
    assert len(old) == len(new)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client: socket.socket = self.request
            with socket.create_connection(("127.0.0.1", port)) as server:
                back = threading.Thread(target=_pass_on, args=(server, client))
                back.start()
                _pass_on(client, server, old, new)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as relay:
        serving = threading.Thread(target=relay.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        try:
            yield relay.server_address[1]
        finally:
            relay.shutdown()
            serving.join()


def _pass_on(source: socket.socket, target: socket.socket, old: bytes = b"", new: bytes = b"") -> None:
    """Send on what comes, until one side hangs up."""
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            target.sendall(data.replace(old, new) if old else data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
