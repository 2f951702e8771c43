"""The few file operations that durability depends on, as one object, so that tests can fail or stop at each of them."""

from __future__ import annotations

import os
from pathlib import Path


class Files:
    """Plain system calls. All of them block: call them on a thread."""

    def write(self, descriptor: int, data: bytes) -> None:
        """Write all of `data`, however many calls that takes."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        os.fsync(descriptor)

    def sync_data(self, descriptor: int) -> None:
        os.fdatasync(descriptor)

    def drop_cached(self, descriptor: int, start: int, stop: int) -> None:
        """Let the kernel use the memory in which it keeps these bytes, once they are on the disk."""
        os.posix_fadvise(descriptor, start, stop - start, os.POSIX_FADV_DONTNEED)

    def rename(self, source: Path, target: Path) -> None:
        os.rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in the folder durable: a file that was synced may otherwise have no name after a power cut."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def make_folder(self, folder: Path) -> None:
        """Create the folder, with parents, if it is not there. Making it durable is the business of `folders`."""
        if not folder.is_dir():
            self.make_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)
