"""Doubles of `storage.blobs.files.Files`: they do the real thing, watch it, and fail or stop where a test wants it."""

import os
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from storage.blobs.files import Files

_PATIENCE_S = 20.0


class WitnessedFiles(Files):
    """Keeps account of what a power cut would leave of everything below `root`, which is durable as it is now.

    The model is a strict file system's: a name is durable once its folder was synced, bytes once their file was.
    Bytes whose sync failed count as lost for good: putting them under a blob's name is an AssertionError.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        self._names = {folder: names_in(folder) for folder in folders}
        self._sizes: dict[int, int] = {}
        self._lost: set[int] = set()

    def survives(self, path: Path) -> bool:
        """Whether the whole file would still be there, under this name, after a power cut now."""
        status = path.stat()
        if status.st_ino in self._lost or self._sizes.get(status.st_ino, 0) != status.st_size:
            return False
        while path != self._root:
            if path.name not in self._names.get(path.parent, set()):
                return False
            path = path.parent
        return True

    def write(self, descriptor: int, data: bytes) -> None:
        status = os.fstat(descriptor)
        if status.st_size == 0:
            self._lost.discard(status.st_ino)
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        super().sync(descriptor)
        self._sizes[os.fstat(descriptor).st_ino] = size

    def sync_data(self, descriptor: int) -> None:
        size = os.fstat(descriptor).st_size
        super().sync_data(descriptor)
        self._sizes[os.fstat(descriptor).st_ino] = size

    def sync_failed(self, descriptor: int) -> None:
        """The kernel could not write the file's bytes down, and says so only once."""
        self._lost.add(os.fstat(descriptor).st_ino)

    def rename(self, source: Path, target: Path) -> None:
        assert source.stat().st_ino not in self._lost, "these bytes were lost, and are given a blob's name"
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        with self._lock:
            names = names_in(folder)
            super().sync_folder(folder)
            self._names[folder] = names

    def unlink(self, path: Path) -> None:
        if path.exists():
            # The number may be given to another file soon.
            self._lost.discard(path.stat().st_ino)
        super().unlink(path)


def names_in(folder: Path) -> set[str]:
    """The names of everything in a folder."""
    return {path.name for path in folder.iterdir()}


@dataclass(frozen=True, slots=True)
class Fault:
    """The `call`th call of an operation, counted from 1, fails with this `errno`."""

    operation: str
    call: int
    error: int


class FaultyFiles(WitnessedFiles):
    """Fails where `faults` say. A write that fails leaves half of its data, as short writes do.

    One operation can be stopped as well: its first call waits from `arrived` until `go`.
    `calls` counts the calls of each operation, and `misused` collects those that had their descriptor
    taken away while they ran.
    """

    def __init__(self, root: Path, *faults: Fault, stop_at: str | None = None) -> None:
        super().__init__(root)
        self.waiting_faults = list(faults)
        self.misused: list[str] = []
        self.arrived, self.go = threading.Event(), threading.Event()
        self._stop_at = stop_at
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()

    def write(self, descriptor: int, data: bytes) -> None:
        self._with_descriptor("write", descriptor)
        if error := self._fault("write"):
            super().write(descriptor, data[: len(data) // 2])
            raise error
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._with_descriptor("sync", descriptor)
        if error := self._fault("sync"):
            self.sync_failed(descriptor)
            raise error
        super().sync(descriptor)

    def sync_data(self, descriptor: int) -> None:
        self._with_descriptor("sync_data", descriptor)
        if error := self._fault("sync_data"):
            self.sync_failed(descriptor)
            raise error
        super().sync_data(descriptor)

    def drop_cached(self, descriptor: int, start: int, stop: int) -> None:
        self._with_descriptor("drop_cached", descriptor)
        if error := self._fault("drop_cached"):
            raise error
        super().drop_cached(descriptor, start, stop)

    def rename(self, source: Path, target: Path) -> None:
        self._with_names("rename")
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._with_names("sync_folder")
        super().sync_folder(folder)

    def make_folder(self, folder: Path) -> None:
        self._with_names("make_folder")
        super().make_folder(folder)

    def unlink(self, path: Path) -> None:
        self._with_names("unlink")
        super().unlink(path)

    def _with_descriptor(self, operation: str, descriptor: int) -> None:
        before = os.fstat(descriptor).st_ino
        self._wait(operation)
        try:
            after = os.fstat(descriptor).st_ino
        except OSError:
            after = None
        if after != before:
            self.misused.append(operation)

    def _with_names(self, operation: str) -> None:
        self._wait(operation)
        if error := self._fault(operation):
            raise error

    def _wait(self, operation: str) -> None:
        with self._counting:
            self.calls[operation] += 1
            first = self.calls[operation] == 1
        if first and operation == self._stop_at:
            self.arrived.set()
            assert self.go.wait(_PATIENCE_S), "nobody let the operation go on"

    def _fault(self, operation: str) -> OSError | None:
        for fault in self.waiting_faults:
            if fault.operation == operation and fault.call <= self.calls[operation]:
                self.waiting_faults.remove(fault)
                return OSError(fault.error, os.strerror(fault.error))
        return None
