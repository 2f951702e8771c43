"""The supervisor's worker processes: forking them, hearing that they are ready, and that they ended."""

import contextlib
import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from registry.config.settings import Config
from registry.server.signals import SUPERVISED
from registry.server.worker import CLEAN, CRASHED

# How much longer than its drain_timeout a worker may take to stop.
KILL_AFTER = 10.0


@dataclass(frozen=True, eq=False)
class Generation:
    """The workers that run with the same configuration."""

    config: Config
    born: float = field(default_factory=time.monotonic)

    @property
    def workers(self) -> int:
        """How many there must be."""
        if self.config.storage.ephemeral:
            return 1  # what is in one worker's memory, the others do not have
        return self.config.server.workers or len(os.sched_getaffinity(0))


@dataclass(eq=False)
class Child:
    """A living worker process. It is `ready` once it answers requests, and `retiring` once told to stop."""

    pid: int
    slot: int
    generation: Generation
    pipe: int
    born: float = field(default_factory=time.monotonic)
    ready: bool = False
    retiring: bool = False
    kill_at: float | None = None

    def retire(self) -> None:
        """Tell it to finish what it does and end; it is killed if that takes too long."""
        if not self.retiring:
            self.retiring = True
            self.kill_at = time.monotonic() + self.generation.config.server.drain_timeout + KILL_AFTER
            self.send(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal. Its process id is still its own, since only `Children.reap` gives it back."""
        os.kill(self.pid, number)


@dataclass(frozen=True)
class Ended:
    """A worker that is no more. `status` is its exit code, or minus the signal that killed it."""

    child: Child
    status: int

    @property
    def clean(self) -> bool:
        """True if it answered every request."""
        return self.status == CLEAN

    def __str__(self) -> str:
        """Say how it ended."""
        if self.status < 0:
            return f"worker {self.child.pid} was killed by {signal.Signals(-self.status).name}"
        return f"worker {self.child.pid} ended with exit code {self.status}"


# Does a worker's work in its own process. Gets its slot, the descriptor to report on, and the lifeline.
Work = Callable[[Generation, int, int, int], int]


class Children:
    """All living workers, by process id in `living`. `private` are descriptors that no worker may keep."""

    def __init__(self, work: Work, private: tuple[int, ...]) -> None:
        self.living: dict[int, Child] = {}
        self._work = work
        # Nothing is ever written here: the workers see its end when the supervisor is gone, however it went.
        self._lifeline, self._own_end = os.pipe()
        self._private = (*private, self._own_end)

    def start(self, generation: Generation) -> Child:
        """Fork a worker."""
        slot = self._free_slot()
        pipe, report = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # what is there now is never collected, so its pages stay shared with the workers
        # Until the child has handlers of its own, it would run those of the supervisor.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SUPERVISED)
        try:
            pid = os.fork()
            if pid == 0:
                self._be_worker(generation, slot, pipe, report)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(report)
        os.set_blocking(pipe, False)
        child = self.living[pid] = Child(pid, slot, generation, pipe)
        return child

    def of(self, generation: Generation | None) -> list[Child]:
        """The living workers of `generation`."""
        return [child for child in self.living.values() if child.generation is generation]

    def take_ready(self) -> None:
        """Read what the workers reported since the last time."""
        for child in self.living.values():
            with contextlib.suppress(BlockingIOError):
                if not child.ready and os.read(child.pipe, 1):
                    child.ready = True

    def pipes(self) -> list[int]:
        """The descriptors to wait at for workers that get ready."""
        return [child.pipe for child in self.living.values() if not child.ready]

    def reap(self) -> Iterator[Ended]:
        """Collect the workers that ended since the last time."""
        while self.living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self.living.pop(pid, None)
            if child is not None:
                os.close(child.pipe)
                yield Ended(child, os.waitstatus_to_exitcode(status))

    def close(self) -> None:
        """Give the lifeline back, when no worker is left."""
        os.close(self._lifeline)
        os.close(self._own_end)

    def _free_slot(self) -> int:
        taken = {child.slot for child in self.living.values()}
        return next(slot for slot in range(len(taken) + 1) if slot not in taken)

    def _be_worker(self, generation: Generation, slot: int, pipe: int, report: int) -> NoReturn:
        code = CRASHED
        try:
            signal.set_wakeup_fd(-1)
            for descriptor in (*self._private, pipe, *(child.pipe for child in self.living.values())):
                os.close(descriptor)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # A terminal sends these to the whole group, but it is the supervisor that decides.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # SIGTERM stays blocked until the worker can handle it.
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SUPERVISED - {signal.SIGTERM})
            gc.enable()
            code = self._work(generation, slot, report, self._lifeline)
        except BaseException:  # noqa: BLE001 - nothing may return into the supervisor's code
            traceback.print_exc()
        finally:
            os._exit(code)
