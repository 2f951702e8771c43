"""Committed bytes of one folder in another one, whose copy is brought up to date again and again.

Blobs are never changed, so a file that is there with the same name and size is the same: nothing is copied twice.
A copy has its name only when it is whole, and on the disk.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from storage.blobs.driver import StoredBytes
from storage.blobs.files import Files
from storage.blobs.filesystem import FilesystemDriver, translate
from storage.blobs.folders import Folders
from storage.blobs.layout import Layout

_UNFINISHED = "copying"


@dataclass(slots=True)
class Copied:
    """How many blobs the copy has now, of how many bytes, and how many of them it did not have before."""

    blobs: int = 0
    size_bytes: int = 0
    new: int = 0


class BlobCopy:
    """The copy in the folder `target`, which is there, of the blobs in the data folder `source`.

    Only one process at a time may work on a copy; the source may be in use.
    """

    def __init__(self, source: Path, target: Path, files: Files | None = None) -> None:
        self._source, self._target = Layout(source), Layout(target)
        self._files = files or Files()
        self._folders = Folders(target, self._files)

    async def fill(self) -> Copied:
        """Copy what is not in the copy yet. On return all of it survives a power cut.

        What comes or goes meanwhile may be missing. Raises `StorageFull` and `StorageUnavailable`.
        """
        copied, filled = Copied(), set()
        driver = FilesystemDriver(self._source.data)
        try:
            async for stored in driver.blobs():
                if await asyncio.to_thread(self._copy, stored):
                    copied.new += 1
                    filled.add(self._target.blob(stored.key).parent)
                copied.blobs += 1
                copied.size_bytes += stored.size
            for folder in sorted(filled):
                await asyncio.to_thread(self._files.sync_folder, folder)
        except OSError as error:
            raise translate(error) from error
        finally:
            await driver.close()
        return copied

    def _copy(self, stored: StoredBytes) -> bool:
        """Whether there was something to copy."""
        source, target = self._source.blob(stored.key), self._target.blob(stored.key)
        if target.exists() and target.stat().st_size == stored.size:
            return False
        self._folders.make(target.parent)
        unfinished = self._target.blobs / _UNFINISHED
        unfinished.unlink(missing_ok=True)
        try:
            shutil.copy(source, unfinished)
        except FileNotFoundError:
            return False  # it has just been removed
        descriptor = os.open(unfinished, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._files.sync(descriptor)
            self._files.drop_cached(descriptor, 0, stored.size)
        finally:
            os.close(descriptor)
        self._files.rename(unfinished, target)
        return True
