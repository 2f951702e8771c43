"""Checkpoints: bringing what was committed from SQLite's log into its file, without making anybody wait.

SQLite does it by itself at the end of some commit, which then takes tens of milliseconds, and all writers of all
processes with it. Here a thread of its own does it, about once a second while something is written. Only when the log
has grown long is a last piece done while nobody may write, since the log starts anew only when all of it was copied.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
from pathlib import Path
from typing import Final

_EVERY_S = 1.0
_LONG_PAGES = 4000
# Should the thread not get on: from this length on SQLite does it at a commit, as it always can.
LONGEST_PAGES: Final = 32_000

logger = logging.getLogger(__name__)


class Checkpoints:
    """The thread, on a connection that it owns; `lock_path` is the file that queues the writers."""

    def __init__(self, connection: sqlite3.Connection, lock_path: Path) -> None:
        self._connection = connection
        self._lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._written, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="berth-checkpoints", daemon=True)
        self._thread.start()

    def written(self) -> None:
        """Something was committed. Never waits."""
        self._written.set()

    def close(self) -> None:
        """End the thread, which may be at work for a moment."""
        self._ended.set()
        self._written.set()
        self._thread.join()
        os.close(self._lock)
        self._connection.close()

    def _run(self) -> None:
        while self._written.wait() and not self._ended.wait(_EVERY_S):
            self._written.clear()
            try:
                self._checkpoint()
            except sqlite3.Error as error:
                # Whoever writes next is told, if it lasts.
                logger.warning("the log of the metadata database could not be copied: %s", error)

    def _checkpoint(self) -> None:
        if self._copy() <= _LONG_PAGES:
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            self._copy()
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _copy(self) -> int:
        """Copy what nobody reads any more from the log; return its length in pages."""
        _, pages, _ = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        return int(pages)
