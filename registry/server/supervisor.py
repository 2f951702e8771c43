"""The supervisor: owns the port, keeps the workers running, and obeys signals.

    SIGTERM, SIGINT     stop: requests under way are finished; a second one ends everything at once
    SIGHUP              read the configuration again: new workers take over from the old ones

It has a single thread and no event loop, since only such a process can fork safely at any time.
The listening sockets outlive every worker, so no connection is refused or lost while workers change.
"""

import gc
import logging
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from registry import log, metrics
from registry.config.load import ConfigError
from registry.config.settings import Config
from registry.errors import StartError
from registry.server import banner, listener, signals, temporary, tls, worker
from registry.server.children import Child, Children, Ended, Generation
from registry.server.shares import Shares
from registry.server.worker import Assignment, OpenApplication
from storage.errors import RegistryError

START_SECONDS = 60.0  # a worker that is not ready by then will never be
LONGEST_BACK_OFF = 30.0
LONG_LIFE = 60.0  # a worker that lived longer did not crash because of how it started
HANDSHAKE_SECONDS = 0.1  # for connections that have begun to become such that can be accepted
# Some programs send a signal twice: to the process, and to the group that it is in.
SAME_SIGNAL_SECONDS = 0.3

logger = logging.getLogger(__name__)


class Supervisor:
    """Runs the daemon.

    Args:
        config: what to run with.
        reload: reads the configuration again; raises ConfigError.
        prepare: makes the store ready, before the first worker starts.
        open_application: opens the application in a worker.
    """

    def __init__(
        self,
        config: Config,
        *,
        reload: Callable[[], Config],
        prepare: Callable[[Config], None],
        open_application: OpenApplication,
    ) -> None:
        self._config = config
        self._reload = reload
        self._prepare = prepare
        self._open_application = open_application
        self._current: Generation | None = None
        self._coming: Generation | None = None
        self._reload_wanted = False
        self._shares = Shares()
        self._restarts: list[float] = []
        self._crashes = 0
        self._stopping_since: float | None = None
        self._failed = False
        self._has_terminal = sys.stdout.isatty()

    def run(self) -> int:
        """Serve until a signal says stop.

        Returns:
            The exit code: 0 if every request was answered.

        Raises:
            RegistryError: the daemon cannot start; the message says why.
        """
        self._log_to_stdout(self._config)
        tls.context_for(self._config.server)
        _allow_many_connections()
        with ExitStack() as stack:
            self._sockets = listener.bind(self._config.server.listen)
            stack.callback(listener.close, self._sockets)
            self._prepare(self._config)
            self._metrics_folder = temporary.make_folder(stack)
            self._signals, wakeup = signals.catch(stack)
            self._children = Children(self._work, (self._signals, wakeup))
            stack.callback(self._children.close)
            gc.disable()
            gc.collect()
            self._start_generation(self._config)
            while self._children.living or self._stopping_since is None:
                self._turn()
        return int(self._failed)

    def _turn(self) -> None:
        for number in self._wait():
            self._obey(number)
        self._children.take_ready()
        for ended in self._children.reap():
            self._bury(ended)
        self._advance()

    def _wait(self) -> bytes:
        """Sleep until something happens, and return the signals that came."""
        due = [child.kill_at for child in self._children.living.values() if child.kill_at is not None]
        due += self._restarts
        if self._coming is not None:
            due.append(self._coming.born + START_SECONDS)
        poll = select.poll()
        for descriptor in (self._signals, *self._children.pipes()):
            poll.register(descriptor, select.POLLIN)
        timeout = max(0.0, min(due) - time.monotonic()) * 1000 + 1 if due else None
        readable = [descriptor for descriptor, _ in poll.poll(timeout)]
        return os.read(self._signals, 1024) if self._signals in readable else b""

    def _obey(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._stop(signal.Signals(number).name)
        elif number == signal.SIGHUP and self._lost_terminal():
            self._stop("the terminal was closed")
        elif number == signal.SIGHUP:
            self._reload_wanted = True

    def _bury(self, ended: Ended) -> None:
        child = ended.child
        self._shares.leave(child.slot)
        metrics.forget(self._metrics_folder, child.slot)
        if child.retiring:
            if not ended.clean:
                logger.warning("%s", ended)
                self._failed |= self._stopping_since is not None
        elif child.generation is self._coming:
            self._give_up_coming(str(ended))
        else:
            self._replace(ended)

    def _advance(self) -> None:
        now = time.monotonic()
        for child in self._children.living.values():
            if child.kill_at is not None and now >= child.kill_at:
                child.kill_at = None
                child.send(signal.SIGKILL)
        if self._coming is not None:
            self._look_at_coming(self._coming, now)
        if self._current is not None:
            for due in [due for due in self._restarts if due <= now]:
                self._restarts.remove(due)
                self._children.start(self._current)
        if self._reload_wanted and self._coming is None and self._stopping_since is None:
            self._reload_wanted = False
            self._reload_config()

    def _start_generation(self, config: Config) -> None:
        self._coming = Generation(config)
        for _ in range(self._coming.workers):
            self._children.start(self._coming)

    def _look_at_coming(self, coming: Generation, now: float) -> None:
        if sum(child.ready for child in self._children.of(coming)) == coming.workers:
            self._promote(coming)
        elif now >= coming.born + START_SECONDS:
            self._give_up_coming(f"a worker was not ready after {START_SECONDS:.0f} s")

    def _promote(self, coming: Generation) -> None:
        before, self._current, self._coming = self._current, coming, None
        self._restarts.clear()
        self._config = coming.config
        self._log_to_stdout(coming.config)
        if before is None:
            self._announce()
            return
        _retire(self._children.of(before))
        logger.info("the configuration was read again and is in force")

    def _give_up_coming(self, reason: str) -> None:
        _retire(self._children.of(self._coming))
        self._coming = None
        if self._current is not None:
            logger.error("%s before it was ready: the configuration stays as it was", reason)
        elif self._stopping_since is None:
            logger.error("%s before it was ready: Berth cannot start", reason)
            self._failed = True
            self._stop_all()

    def _replace(self, ended: Ended) -> None:
        now = time.monotonic()
        if now - ended.child.born > LONG_LIFE:
            self._crashes = 0
        delay = min(2.0 ** (self._crashes - 1), LONGEST_BACK_OFF) if self._crashes else 0.0
        self._crashes = min(self._crashes + 1, 30)
        self._restarts.append(now + delay)
        logger.error("%s; another one starts in %.0f s", ended, delay)

    def _work(self, generation: Generation, slot: int, ready: int, lifeline: int) -> int:
        return worker.run(
            Assignment(
                generation.config,
                self._open_application,
                self._sockets,
                self._shares,
                self._metrics_folder,
                slot,
                ready,
                lifeline,
            )
        )

    def _reload_config(self) -> None:
        problems: Sequence[object] = ()
        try:
            config = self._reload()
            _check_reloadable(self._config, config)
            tls.context_for(config.server)
            self._prepare(config)
            self._start_generation(config)
        except ConfigError as error:
            problems = error.problems
        except RegistryError as error:
            problems = [error]
        for problem in problems:
            logger.error("%s", problem)
        if problems:
            logger.error("the configuration stays as it was")

    def _stop(self, reason: str) -> None:
        now = time.monotonic()
        if self._stopping_since is None:
            logger.info("stopping: %s", reason)
            self._stop_all()
        elif now - self._stopping_since > SAME_SIGNAL_SECONDS:
            logger.warning("stopping at once: %s", reason)
            self._failed = True
            for child in self._children.living.values():
                child.send(signal.SIGKILL)

    def _stop_all(self) -> None:
        self._stopping_since = time.monotonic()
        self._coming = None
        self._current = None
        self._restarts.clear()
        listener.hold_off(self._sockets)
        time.sleep(HANDSHAKE_SECONDS)
        # The workers have the sockets too. Once the last of them is done with them, new clients are refused
        # rather than left waiting for an answer that never comes.
        listener.close(self._sockets)
        _retire(list(self._children.living.values()))

    def _lost_terminal(self) -> bool:
        return self._has_terminal and not sys.stdout.isatty()

    def _log_to_stdout(self, config: Config) -> None:
        self._style = log.style_for(config.log.format, sys.stdout)
        self._output = log.setup(self._style, config.log.level, sys.stdout)

    def _announce(self) -> None:
        if self._style == "text":
            self._output.write(banner.text(self._config, self._sockets).encode())
        else:
            banner.log_ready(self._config, self._sockets)
        banner.warn_if_open(self._config)


def _allow_many_connections() -> None:
    # The soft limit on open files, often 1024, protects programs that use select(), and Berth does not.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _check_reloadable(old: Config, new: Config) -> None:
    changed = {
        "server.listen": old.server.listen != new.server.listen,
        "storage.data": old.storage.data != new.storage.data,
        "storage.ephemeral": old.storage.ephemeral != new.storage.ephemeral,
    }
    for name, differs in changed.items():
        if differs:
            raise StartError(f"{name} has changed: that needs a restart")
    if new.storage.ephemeral:
        raise StartError("everything is in the worker's memory: new settings need a restart")


def _retire(children: Sequence[Child]) -> None:
    for child in children:
        child.retire()
