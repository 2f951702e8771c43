"""What running a registry costs: the time to start, and memory."""

from __future__ import annotations

import itertools
import time

from bench.machine import memory, process_tree
from bench.measurements import Measurement, NotMeasured, Sample, Settings
from bench.servers import Registry, start

SETTLE_SECONDS = 2.0


class StartUp(Measurement):
    """From the start of a new process with an empty folder to its first 200 on /v2/."""

    name = "start-up"
    title = "start-up until /v2/ answers"
    unit = "ms"
    more_is_better = False

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers = itertools.count(1)

    def measure(self, registry: Registry) -> Sample:
        if registry.program is None:
            raise NotMeasured("not started by this run")
        server = start(registry.program, self._settings.folder / f"start-{next(self._numbers)}")
        server.stop()
        return Sample(1e3 * server.start_seconds)


class Memory(Measurement):
    """The proportional set size of all processes of the registry, at this point of the run."""

    unit = "MiB"
    more_is_better = False
    once = True

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title

    def measure(self, registry: Registry) -> Sample:
        if registry.server is None:
            raise NotMeasured("not started by this run")
        time.sleep(SETTLE_SECONDS)
        pids = process_tree(registry.server.process.pid)
        return Sample(memory(pids) / 2**20, {"processes": len(pids)})
