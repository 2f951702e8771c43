"""The listening sockets, and how a worker takes connections from them."""

import asyncio
import errno
import logging
import socket
import ssl
import struct
from collections.abc import Sequence

from registry.config.kinds import Address
from registry.errors import StartError
from registry.server.connection import Server

# As many connections may wait while all workers are busy; the kernel has a limit of its own (somaxconn).
BACKLOG = 4096
PAUSE_SECONDS = 1.0
TLS_CLOSE_SECONDS = 2.0

# A peer with a shorter round trip is on this machine or next to it.
NEAR_MICROSECONDS = 1000
# Measured with blobs of 8 MiB on the loopback: with buffers that grow by themselves 1.6 GB/s, with so small
# a buffer 3.4 GB/s, since what sendfile puts there is still in the processor's cache when the peer takes it.
# Far peers need the growth, for the data that is on its way.
NEAR_SEND_BUFFER = 128 * 1024
# struct tcp_info: eight bytes, then 32-bit fields, of which tcpi_rtt is the sixteenth.
_ROUND_TRIP = struct.Struct("=68xI")

_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_GONE = {errno.ECONNABORTED, errno.EPROTO}

logger = logging.getLogger(__name__)


def bind(address: Address) -> list[socket.socket]:
    """Listen on every address that `address.host` stands for; with port 0 all get the same free port.

    Raises:
        StartError: the name is unknown, the port is taken, or this process may not have it.
    """
    port = address.port
    sockets: list[socket.socket] = []
    try:
        for family, where in _resolve(address):
            sockets.append(_listen(family, (where[0], port, *where[2:])))
            port = sockets[0].getsockname()[1]
    except OSError as error:
        close(sockets)
        raise StartError(f"cannot listen on {address}: {_explain(error)}") from error
    return sockets


def close(sockets: Sequence[socket.socket]) -> None:
    """Stop listening, as far as this process is concerned."""
    for listener in sockets:
        listener.close()


def _resolve(address: Address) -> list[tuple[socket.AddressFamily, tuple[str, int, int, int]]]:
    try:
        found = socket.getaddrinfo(
            address.host,
            address.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE | socket.AI_ADDRCONFIG,
        )
    except socket.gaierror:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, where) for family, _, _, _, where in found))  # type: ignore[misc]


def _listen(family: socket.AddressFamily, where: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, where[0] != "::")
        listener.bind(where)
        listener.listen(BACKLOG)
        listener.settimeout(0)
    except BaseException:
        listener.close()
        raise
    return listener


def _explain(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if error.errno == errno.EADDRINUSE:
        return "another program uses this port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address"
    if error.errno in (errno.EACCES, errno.EPERM):
        return "only root may use this port"
    return error.strerror or str(error)


class Acceptor:
    """Takes connections from the listening sockets, up to `most` at a time, and gives them to `server`.

    `stall_timeout` is how many seconds a peer may leave sent data unacknowledged, or a TLS handshake undone.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        server: Server,
        *,
        tls: ssl.SSLContext | None,
        stall_timeout: float,
        most: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._server = server
        self._tls = tls
        self._stall_timeout = stall_timeout
        self._most = most
        self._starting: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._listens = False
        server.on_lost = self._continue

    def start(self) -> None:
        """Take connections from now on."""
        self._continue()

    def stop(self) -> None:
        """Take what already waits, which clients believe to be accepted, and nothing after that."""
        self._pause()
        self._stopped = True
        for listener in self._sockets:
            for _ in range(BACKLOG):
                if not self._accept_from(listener):
                    break
        close(self._sockets)

    @property
    def starting(self) -> int:
        """How many connections are taken, but not yet in the hands of the server."""
        return len(self._starting)

    def _continue(self) -> None:
        if self._stopped or self._listens or self._is_full():
            return
        self._listens = True
        for listener in self._sockets:
            self._loop.add_reader(listener, self._accept, listener)

    def _pause(self) -> None:
        self._listens = False
        for listener in self._sockets:
            self._loop.remove_reader(listener)

    def _is_full(self) -> bool:
        return self._server.open_connections + len(self._starting) >= self._most

    def _accept(self, listener: socket.socket) -> None:
        # One connection in each turn of the loop: a worker that took all that wait would have them all,
        # while the others, woken at the same moment, found none.
        self._accept_from(listener)
        if self._is_full():
            self._pause()

    def _accept_from(self, listener: socket.socket) -> bool:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError):
            return False  # another worker was faster
        except OSError as error:
            if error.errno in _EXHAUSTED:
                logger.warning("cannot accept connections for %.0f s: %s", PAUSE_SECONDS, error.strerror)
                self._pause()
                self._loop.call_later(PAUSE_SECONDS, self._continue)
                return False
            if error.errno in _GONE:
                return True
            raise
        self._begin(connection)
        return True

    def _begin(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(0)
            _tune(connection, self._stall_timeout)
        except OSError:
            connection.close()  # it hung up already
            return
        task = self._loop.create_task(self._hand_over(connection), name="connection")
        self._starting.add(task)
        task.add_done_callback(self._begun)

    def _begun(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        self._continue()
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("a connection could not be set up", exc_info=error)

    async def _hand_over(self, connection: socket.socket) -> None:
        timeouts = {}
        if self._tls is not None:
            timeouts = {
                "ssl_handshake_timeout": self._stall_timeout,
                "ssl_shutdown_timeout": TLS_CLOSE_SECONDS,
            }
        try:
            await self._loop.connect_accepted_socket(self._server, connection, ssl=self._tls, **timeouts)
        except OSError as error:
            # The handshake failed or took too long. asyncio has closed the connection.
            logger.debug("no connection with a client: %s", error)


def _tune(connection: socket.socket, stall_timeout: float) -> None:
    # Closes the connection of a peer that vanished or reads nothing, so a handler that sends needs no timer.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_timeout * 1000))
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROUND_TRIP.size)
    (round_trip,) = _ROUND_TRIP.unpack(information)
    if round_trip < NEAR_MICROSECONDS:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NEAR_SEND_BUFFER)
