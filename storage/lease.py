"""Which of the processes on one data folder does the work that only one should do."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class FileLease:
    """Held by one process at a time, until it closes it or ends."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def held(self) -> bool:
        """Take the lease if it is free; true if this process has it now. Never waits."""
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        return False

    def close(self) -> None:
        os.close(self._descriptor)
