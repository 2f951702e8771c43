"""Folders whose names survive a power cut."""

from __future__ import annotations

from pathlib import Path

from storage.blobs.files import Files


def nearest_existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    return folder if folder.is_dir() else nearest_existing(folder.parent)


class Folders:
    """Makes folders below `root`, which is there already.

    A folder that is there may still be lost in a power cut: who made it may not have got as far as syncing its parent.
    So each process syncs the parent of every folder once by itself. Safe to use from several threads.
    """

    def __init__(self, root: Path, files: Files) -> None:
        self._files = files
        self._durable = {root}

    def make(self, folder: Path) -> None:
        """On return the folder is there and durable, with all folders between it and the root. Blocks."""
        if folder in self._durable:
            return
        self.make(folder.parent)
        self._files.make_folder(folder)
        self._files.sync_folder(folder.parent)
        self._durable.add(folder)
