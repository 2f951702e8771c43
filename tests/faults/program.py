"""Berth with a trap in it: `python -m tests.faults.program`, configured by BERTH_ variables.

The variable TRAP names the trap's file.
It also gives up root's right to pass over the permissions of files: an ordinary user's daemon has to work, too.
"""

import ctypes
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from registry.app.first_start import prepare
from registry.app.serving import serving
from registry.app.storing import Storage
from registry.config import Config, load
from registry.metrics import Metrics
from registry.server.children import Ended
from registry.server.connection import Handler
from registry.server.supervisor import Supervisor
from registry.state import WorkerState
from storage.blobs.caching import CachingDriver
from storage.blobs.driver import BlobDriver
from storage.blobs.filesystem import FilesystemDriver
from storage.lease import FileLease
from tests.faults.killing import KillingFiles, KillingStore, Trap

TRAP = "TRAP"
_CAPBSET_DROP = 24
_DAC_OVERRIDE = 1


@asynccontextmanager
async def open_application(config: Config, metrics: Metrics, state: WorkerState) -> AsyncIterator[Handler]:
    """What `registry.app` opens, on files and rows with steps."""
    data, trap = config.storage.data, Trap(Path(os.environ[TRAP]))
    driver = CachingDriver(_open_driver(config, trap), config.storage.memory_cache)
    storage = Storage(KillingStore(data, trap), driver, FileLease(data / "background.lock"))
    async with serving(config, storage, metrics, state) as handler:
        yield handler


def _open_driver(config: Config, trap: Trap) -> BlobDriver:
    if config.storage.blobs == "s3":
        # Not at the top: it takes long to load, and most of these programs do without.
        from tests.faults.killing_requests import killing_driver  # noqa: PLC0415

        return killing_driver(config, trap)
    return FilesystemDriver(config.storage.data, KillingFiles(trap))


class EagerSupervisor(Supervisor):
    """Replaces a worker at once, however many have died before: here they die all the time."""

    def _replace(self, ended: Ended) -> None:
        self._crashes = 0
        super()._replace(ended)


def main() -> int:
    """Serve until a signal says stop."""
    if os.geteuid() == 0 and "--as-user" not in sys.argv:
        # What is dropped here is lost at the next exec.
        if ctypes.CDLL(None).prctl(_CAPBSET_DROP, _DAC_OVERRIDE, 0, 0, 0):
            sys.stderr.write("cannot give up a capability\n")
            return 1
        os.execv(sys.executable, [sys.executable, "-m", "tests.faults.program", "--as-user"])

    def read() -> Config:
        return load(None, os.environ, {})

    supervisor = EagerSupervisor(read(), reload=read, prepare=prepare, open_application=open_application)
    return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
