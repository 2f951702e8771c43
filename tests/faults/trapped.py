"""The daemon with a trap in it, and how it looks from outside after a worker died."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from registry.app.storing import run_check
from registry.config import load
from tests.daemon import START_SECONDS, Daemon
from tests.faults.killing import Trap
from tests.faults.program import TRAP

SECONDS = 20.0
WORKERS = 2
_ROOT = Path(__file__).parents[2]


class TrappedDaemon(Daemon):
    """A `Daemon` that runs `tests.faults.program`; `trap` is what kills its workers."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        trap = data.with_name(f"{data.name}.trap")
        super().__init__(data, environment={TRAP: str(trap), **(environment or {})})
        self._environment |= {
            "BERTH_STORAGE__DATA": str(data),
            "BERTH_SERVER__LISTEN": self.address,
            "BERTH_SERVER__WORKERS": str(WORKERS),
        }
        self.trap = Trap(trap)

    def start(self) -> None:
        """As `Daemon.start`, with another program."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.program"],
                cwd=_ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                start_new_session=True,
            )
        try:
            wait_until(lambda: self._running().poll() is not None or self._ready(), START_SECONDS)
            assert self._process.poll() is None, "it ended"
        except AssertionError as error:
            self.kill()
            raise AssertionError(f"the daemon did not start: {error}\n{self.tail()}") from None

    def wait_for_replacement(self, before: list[int]) -> None:
        """Return once another worker is in the place of the one that died."""
        wait_until(lambda: len(self.workers()) == WORKERS and self.workers() != before)
        wait_until(self._ready)


def find_problems(data: Path) -> list[str]:
    """What `berth check --bytes` would complain of, without the time that a program takes to start."""
    report = asyncio.run(run_check(load(None, {}, {"storage.data": str(data)}), with_bytes=True))
    return [str(problem) for problem in report.problems]


def wait_until(holds: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Return once `holds` is true; AssertionError if it is not so after `seconds`."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
