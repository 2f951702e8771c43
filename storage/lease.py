"""Which of the processes on one installation does the work that only one should do."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Protocol


class Lease(Protocol):
    """Held by one process at a time, until it closes it or ends."""

    async def held(self) -> bool:
        """Take the lease if it is free; true if this process has it now. Never waits for another process."""
        ...

    async def close(self) -> None: ...


class FileLease:
    """A `Lease` among the processes of one machine: a lock on a file."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    async def held(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    async def close(self) -> None:
        os.close(self._descriptor)
