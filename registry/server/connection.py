"""HTTP connections: aiohttp's, with a time limit for a request's header and an end that loses no request."""

import asyncio
import fcntl
import logging
import struct
import termios
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import RawRequestMessage
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong
from aiohttp.streams import StreamReader

from registry.metrics import Metrics
from registry.state import WorkerState

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

# With aiohttp's own 64 KiB, reading an upload is paused and resumed all the time.
READ_BUFFER = 512 * 1024
# Room for as many tags on one push as are allowed by default.
LONGEST_LINE = 16 * 1024
# How long a connection without a request stays open once the worker stops.
# A client that sends one request after the other needs about a round trip until the next.
LINGER_SECONDS = 0.5
POLL_SECONDS = 0.02
# How long a cancelled handler may take to tidy up.
ABORT_SECONDS = 2.0

logger = logging.getLogger(__name__)


class Connection(web.RequestHandler):
    """One connection of a client.

    What aiohttp does not have: once the first byte of a request has come, the whole header must come within
    `head_timeout` seconds, or the connection is closed.
    """

    __slots__ = ("_head_timeout", "_head_timer", "_server")

    def __init__(self, server: "Server", head_timeout: float, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._head_timeout = head_timeout
        self._head_timer: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._end_malformed_body()
        if self._is_waiting():
            if self._head_timer is None:
                self._head_timer = self._loop.call_later(self._head_timeout, self._give_up)
        elif self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _end_malformed_body(self) -> None:
        # aiohttp answers the malformed rest of a body after the request, whose handler would wait for it in vain.
        request = self._current_request
        if request is None or not self._messages or isinstance(self._messages[-1][0], RawRequestMessage):
            return
        if not request.content.is_eof():
            request.content.set_exception(BadHttpMessage("the body is malformed"))
            # What follows is no body any more: there is nothing to wait for after the answer.
            self._lingering_time = 0.0

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
        task = self._task_handler if self.is_lingering() else None
        super().connection_lost(exc)
        if task is not None:
            # The rest of the body will never come.
            task.cancel()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP the way the distribution specification wants errors to look."""
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        # Not worth a traceback in the log: port scanners and TLS clients on a plain port do it all the time.
        reason = (message or "").partition("\n")[0][:200]
        if isinstance(exc, LineTooLong):
            status, reason = 431, f"the request line, or a header, is longer than {LONGEST_LINE} bytes"
        logger.debug("malformed request from %s: %s", request.remote, reason)
        self._server.count_malformed(status)
        error = {"code": "UNSUPPORTED", "message": f"malformed HTTP request: {reason}"}
        answer = web.Response(
            body=orjson.dumps({"errors": [error]}),
            status=status,
            headers={"Content-Type": "application/json", "Server": "berth"},
        )
        answer.force_close()
        return answer

    def idle_seconds(self) -> float | None:
        """For how long no request has been under way; None while one is, or while its header comes in."""
        if not self._is_waiting() or self._head_timer is not None or self._has_unread():
            return None
        return self._loop.time() - (self._next_keepalive_close_time - self._keepalive_timeout)

    def is_lingering(self) -> bool:
        """Whether the answer is sent, and the rest of the request is read only so that the client comes to see it.

        For a moment this also holds when a request has come of which the handler is about to be called.
        """
        return self._task_handler is not None and not self._is_waiting() and not self._request_in_progress

    def abort(self) -> "asyncio.Task[None] | None":
        """Drop the connection at once, and return the task of its handler, which is being cancelled."""
        task, transport = self._task_handler, self.transport
        if transport is not None:
            transport.abort()
        if task is not None:
            task.cancel()
        return task

    def _is_waiting(self) -> bool:
        return self._waiter is not None and not self._waiter.done()

    def _has_unread(self) -> bool:
        socket = None if self.transport is None else self.transport.get_extra_info("socket")
        if socket is None:
            return False
        (waiting,) = struct.unpack("i", fcntl.ioctl(socket.fileno(), termios.FIONREAD, b"\0\0\0\0"))
        return bool(waiting)

    def _give_up(self) -> None:
        self._head_timer = None
        if self._is_waiting():
            self.force_close()


class Server(web.Server):
    """The HTTP server of one worker: makes a `Connection` for each connection that it is given.

    `handler` answers the requests. Once `state.draining` is true, every answer tells the client to use
    another connection. `on_lost` is called after a connection is gone.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        state: WorkerState,
        metrics: Metrics,
        keepalive_timeout: float,
        head_timeout: float,
    ) -> None:
        super().__init__(
            handler,
            request_factory=self._request,
            head_timeout=head_timeout,
            keepalive_timeout=keepalive_timeout,
            access_log=None,
            read_bufsize=READ_BUFFER,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            auto_decompress=False,  # a digest is of the bytes as they were sent
        )
        self.on_lost: Callable[[], None] | None = None
        self.open_connections = 0
        self._state = state
        self._metrics = metrics

    def __call__(self) -> Connection:
        return Connection(self, loop=self._loop, **self._kwargs)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._count(1)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._count(-1)
        if self.on_lost is not None:
            self.on_lost()

    def count_malformed(self, status: int) -> None:
        """Count a request that never became one."""
        self._metrics.observe_request("malformed", "OTHER", status, 0.0, 0, 0)

    async def drain(self, seconds: float, starting: Callable[[], int]) -> int:
        """Wait up to `seconds` for the requests under way, and close every connection.

        A connection without a request is closed when it has had none for a moment: a client that has just
        connected, or has just been answered, may have sent the next one already. So is one that was answered before all
        of its request had come.

        Args:
            seconds: what is not answered by then is cut off.
            starting: how many connections are about to be handed over.

        Returns:
            How many requests were cut off.
        """
        deadline = self._loop.time() + seconds
        lingering: Counter[Connection] = Counter()
        while self._connections or starting():
            lingering = Counter({one: lingering[one] + 1 for one in self._own() if one.is_lingering()})
            for connection in self._own():
                idle = max(connection.idle_seconds() or 0.0, lingering[connection] * POLL_SECONDS)
                if idle > LINGER_SECONDS:
                    connection.force_close()
            if self._loop.time() >= deadline:
                break
            await asyncio.sleep(POLL_SECONDS)
        return await self._abort()

    async def _abort(self) -> int:
        cut = [connection for connection in self._own() if connection.idle_seconds() is None]
        tasks = [task for task in (connection.abort() for connection in self._own()) if task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=ABORT_SECONDS)
        return len(cut)

    def _own(self) -> list[Connection]:
        return [connection for connection in self._connections if isinstance(connection, Connection)]

    def _count(self, change: int) -> None:
        self.open_connections += change
        self._metrics.connections = self.open_connections

    def _request(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> web.BaseRequest:
        if self._state.draining:
            message = message._replace(should_close=True)
        return web.BaseRequest(message, payload, protocol, writer, task, self._loop)
