"""The listening sockets, and how a worker takes connections from them."""

import asyncio
import contextlib
import ctypes
import errno
import logging
import socket
import ssl
import struct
from collections.abc import Sequence

from registry.config.kinds import Address
from registry.errors import StartError
from registry.server.connection import Server
from registry.server.shares import Shares

# As many connections may wait while all workers are busy; the kernel has a limit of its own (somaxconn).
BACKLOG = 4096
PAUSE_SECONDS = 1.0
# How long a worker leaves a new connection to those that have fewer.
YIELD_SECONDS = 0.002
TLS_CLOSE_SECONDS = 2.0

# A peer with a shorter round trip is on this machine or next to it.
NEAR_MICROSECONDS = 1000
# Measured with blobs of 8 MiB on the loopback: with buffers that grow by themselves 1.6 GB/s, with so small
# a buffer 3.4 GB/s, since what sendfile puts there is still in the processor's cache when the peer takes it.
# Far peers need the growth, for the data that is on its way.
NEAR_SEND_BUFFER = 128 * 1024
# struct tcp_info: eight bytes, then 32-bit fields, of which tcpi_rtt is the sixteenth.
_ROUND_TRIP = struct.Struct("=68xI")

_SO_ATTACH_FILTER = 26
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


def hold_off(sockets: Sequence[socket.socket]) -> None:
    """Let no new connection begin; what has begun can still be accepted.

    Closing a listening socket resets the connections that wait in its queue, and between the last accept and
    the close there is always time for one more. So the kernel first drops every SYN, the packet that begins
    a connection. Clients repeat it after a second, and are refused then, or have the next server.
    """
    # Classic BPF on the TCP header: load the byte with the flags, keep SYN and ACK, drop if it is SYN alone.
    steps = ((0x30, 0, 0, 13), (0x54, 0, 0, 0x12), (0x15, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("@HP", len(steps), ctypes.addressof(code))
    for listener in sockets:
        # Without the right to do it, or the kernel for it, that time remains.
        with contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


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

    The workers share the sockets, so all of them wake up for a new connection, and the fastest has it. Left to
    itself that is often the same one; so a worker that has more connections than another holds back a little.
    If the other one is too busy to take it meanwhile, the connection is better off here.

    Args:
        sockets: as `bind` returned them.
        server: gets the connections.
        shares: what tells the workers about one another, and the `slot` of this one in it.
        tls: for the handshake, None for plain HTTP.
        stall_timeout: how many seconds a peer may leave what we sent unacknowledged, or a handshake undone.
        most: how many connections there may be.
    """

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        server: Server,
        shares: tuple[Shares, int],
        *,
        tls: ssl.SSLContext | None,
        stall_timeout: float,
        most: int,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._server = server
        self._shares, self._slot = shares
        self._tls = tls
        self._stall_timeout = stall_timeout
        self._most = most
        self._held = 0
        self._starting: set[asyncio.Task[None]] = set()
        self._listens = False
        self._stopped = False
        server.on_lost = self._lost

    def start(self) -> None:
        """Take connections from now on."""
        self._shares.set(self._slot, 0)
        self._listen()

    def stop(self) -> None:
        """Take what already waits, which clients believe to be accepted, and nothing after that."""
        self._stopped = True
        self._pause()
        self._shares.leave(self._slot)
        for listener in self._sockets:
            for _ in range(BACKLOG):
                if not self._accept_from(listener):
                    break
        close(self._sockets)

    @property
    def starting(self) -> int:
        """How many connections are taken, but not yet in the hands of the server."""
        return len(self._starting)

    def _listen(self) -> None:
        if self._stopped or self._listens or self._held >= self._most:
            return
        self._listens = True
        for listener in self._sockets:
            self._loop.add_reader(listener, self._accept, listener)

    def _pause(self, seconds: float | None = None) -> None:
        self._listens = False
        for listener in self._sockets:
            self._loop.remove_reader(listener)
        if seconds is not None:
            self._loop.call_later(seconds, self._listen)

    def _accept(self, listener: socket.socket) -> None:
        if not self._shares.is_least(self._slot):
            self._pause()
            self._loop.call_later(YIELD_SECONDS, self._accept_late, listener)
            return
        # One in each turn of the loop: a worker that took all that wait would leave none for the others,
        # which were woken at the same moment.
        self._accept_from(listener)

    def _accept_late(self, listener: socket.socket) -> None:
        if not self._stopped and self._held < self._most:
            self._accept_from(listener)
            self._listen()

    def _hold(self, change: int) -> None:
        self._held += change
        if not self._stopped:
            self._shares.set(self._slot, self._held)
            if self._held >= self._most:
                self._pause()
            else:
                self._listen()

    def _lost(self) -> None:
        self._hold(-1)

    def _accept_from(self, listener: socket.socket) -> bool:
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError):
            return False  # another worker was faster
        except OSError as error:
            if error.errno in _EXHAUSTED:
                logger.warning("cannot accept connections for %.0f s: %s", PAUSE_SECONDS, error.strerror)
                self._pause(PAUSE_SECONDS)
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
        self._hold(1)
        task = self._loop.create_task(self._hand_over(connection), name="connection")
        self._starting.add(task)
        task.add_done_callback(self._begun)

    def _begun(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
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
            self._lost()


def _tune(connection: socket.socket, stall_timeout: float) -> None:
    # Closes the connection of a peer that vanished or reads nothing, so a handler that sends needs no timer.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stall_timeout * 1000))
    information = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ROUND_TRIP.size)
    (round_trip,) = _ROUND_TRIP.unpack(information)
    if round_trip < NEAR_MICROSECONDS:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, NEAR_SEND_BUFFER)
