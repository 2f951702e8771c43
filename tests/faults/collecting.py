"""`berth gc` again and again: `python -m tests.faults.collecting`, configured by BERTH_ variables, and hands for it.

For each line of its input it lets a process of its own collect once, and prints how that process ended: copies of a
process that is there start much quicker than new ones. The line says after how many seconds the process is killed, 0 is
never. Where the variable TRAP names a file, there is a trap in it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from registry.app.collecting import build_collector, open_collector
from registry.app.services import build_services
from registry.app.storing import Storage
from registry.config import Config, load
from registry.domain.collector import Collector
from storage.blobs.filesystem import FilesystemDriver
from storage.errors import RegistryError
from tests.faults.killing import KillingFiles, KillingStore, Trap
from tests.faults.program import TRAP

FAILED = 100
SECONDS = 60.0
_ROOT = Path(__file__).parents[2]


class Collecting:
    """The program. `trap` is what kills it, if it is trapped."""

    def __init__(self, program: subprocess.Popen[str], trap: Trap) -> None:
        self._program, self.trap = program, trap

    def collect(self, dies_after_s: float = 0.0) -> int:
        """Collect once; return how often bytes were not removed, `FAILED`, or the negative signal that killed it.

        After `dies_after_s` seconds, if that is not 0, it is killed by SIGALRM, which it does not handle.
        """
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(f"{dies_after_s}\n")
        self._program.stdin.flush()
        return int(self._program.stdout.readline())


@contextmanager
def collecting(data: Path, settings: Mapping[str, str], *, trapped: bool = False) -> Iterator[Collecting]:
    """The program, on the data of a daemon; `settings` are BERTH_ variables."""
    trap = data.with_name("collector.trap")
    environment = {**os.environ, **settings, "BERTH_STORAGE__DATA": str(data)}
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.collecting"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, TRAP: str(trap)} if trapped else environment,
        text=True,
    )
    try:
        yield Collecting(program, Trap(trap))
    finally:
        program.communicate(timeout=SECONDS)


async def collect() -> int:
    """Collect once; return how often bytes were not removed."""
    config = load(None, os.environ, {})
    try:
        async with _trapped(config) if TRAP in os.environ else open_collector(config) as collector:
            return (await collector.run()).failed
    except RegistryError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED


@asynccontextmanager
async def _trapped(config: Config) -> AsyncIterator[Collector]:
    data, trap = config.storage.data, Trap(Path(os.environ[TRAP]))
    storage = Storage(KillingStore(data, trap), FilesystemDriver(data, KillingFiles(trap)), None)
    try:
        yield build_collector(config, storage, build_services(config, storage), share=1.0)
    finally:
        await storage.close()


def main() -> None:
    """Collect until the input ends."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                signal.setitimer(signal.ITIMER_REAL, float(line))
                os._exit(asyncio.run(collect()))
            finally:
                os._exit(FAILED)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
