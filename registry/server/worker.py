"""A worker process: answers requests on sockets that it shares with the other workers."""

import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from registry import log, metrics
from registry.background import Background
from registry.config.settings import Config
from registry.log import RequestLog
from registry.metrics import Metrics
from registry.server import tls
from registry.server.connection import Handler, Server
from registry.server.listener import Acceptor
from registry.server.shares import Shares
from registry.state import WorkerState
from storage.errors import RegistryError

OpenApplication = Callable[[Config, Metrics, WorkerState], AbstractAsyncContextManager[Handler]]

# Exit codes.
CLEAN = 0
CRASHED = 1
CANNOT_START = 3
CUT_OFF = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Assignment:
    """What a worker is given.

    It writes a byte to the descriptor `ready` when it answers requests. When `lifeline` can be read,
    the supervisor is gone. `slot` is a number that no other living worker has.
    """

    config: Config
    open_application: OpenApplication
    sockets: Sequence[socket.socket]
    shares: Shares
    metrics_folder: Path
    slot: int
    ready: int
    lifeline: int


def run(assignment: Assignment) -> int:
    """Work until SIGTERM, or until the supervisor is gone; return the exit code of the process."""
    settings = assignment.config.log
    style = log.style_for(settings.format, sys.stdout)
    output = log.setup(style, settings.level, sys.stdout, buffered=True)
    metrics.share(assignment.metrics_folder, assignment.slot)
    state = WorkerState(RequestLog(style, settings.requests, output))
    try:
        return asyncio.run(_Worker(assignment, state).work())
    except RegistryError as error:
        logger.critical("%s", error)
        return CANNOT_START
    except Exception:
        logger.exception("the worker failed")
        return CRASHED
    finally:
        state.request_log.flush()
        output.close()


class _Worker:
    def __init__(self, assignment: Assignment, state: WorkerState) -> None:
        self._assignment = assignment
        self._config = assignment.config
        self._state = state
        self._stop = asyncio.Event()
        self._orphan = False

    async def work(self) -> int:
        self._watch()
        self._state.request_log.collect(asyncio.get_running_loop().call_later)
        context = tls.context_for(self._config.server)
        counts = Metrics(self._assignment.metrics_folder)

        async def flush() -> None:
            counts.flush()

        opened = self._assignment.open_application(self._config, counts, self._state)
        async with Background(counts.task_failed) as background, opened as handler:
            background.every(metrics.FLUSH_SECONDS, "metrics", flush)
            server = self._server(handler, counts)
            acceptor = Acceptor(
                self._assignment.sockets,
                server,
                (self._assignment.shares, self._assignment.slot),
                tls=context,
                stall_timeout=self._config.limits.stall_timeout,
                most=self._config.limits.connections,
            )
            acceptor.start()
            os.write(self._assignment.ready, b"1")
            await self._stop.wait()
            code = await self._drain(server, acceptor)
            counts.flush()
        if self._orphan:
            # The supervisor would have done it. Other workers that still stop keep the files they have open.
            shutil.rmtree(self._assignment.metrics_folder, ignore_errors=True)
        return code

    def _server(self, handler: Handler, counts: Metrics) -> Server:
        return Server(
            handler,
            state=self._state,
            metrics=counts,
            keepalive_timeout=self._config.server.keepalive_timeout,
            head_timeout=self._config.limits.stall_timeout,
        )

    def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._stop.set)
        loop.add_reader(self._assignment.lifeline, self._orphaned)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _orphaned(self) -> None:
        asyncio.get_running_loop().remove_reader(self._assignment.lifeline)
        logger.error("the supervisor is gone: stopping")
        self._orphan = True
        self._stop.set()

    async def _drain(self, server: Server, acceptor: Acceptor) -> int:
        self._state.draining = True
        acceptor.stop()
        cut = await server.drain(self._config.server.drain_timeout, lambda: acceptor.starting)
        if cut:
            logger.warning("%d requests were cut off: they took longer than server.drain_timeout", cut)
            return CUT_OFF
        return CLEAN
