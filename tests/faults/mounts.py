"""File systems of their own for tests: a small one that gets full, and one whose power can be cut."""

import contextlib
import fcntl
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn, Self

import pytest

from tests.faults import tally

SECONDS = 30.0
_NAMES_MAX = 10_000
# ext4's ioctl "shutdown": the file system is dead from now on, and what its journal had in memory is lost.
_SHUTDOWN = 0x8004587D
_WITHOUT_LOG_FLUSH = struct.pack("I", 2)


@contextlib.contextmanager
def tmpfs(folder: Path, size: int, files: int) -> Iterator[Path]:
    """A file system in memory, of `size` bytes and so many files, mounted at the new `folder` for the block."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={size},nr_inodes={files},mode=700", "tmpfs", folder)
    try:
        yield folder
    finally:
        _unmount(folder)


class Ballast:
    """Files that take the room on the disk of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "ballast"
        self._names = folder / "names"

    def fill(self, *, spare: int = 0) -> None:
        """Leave about `spare` bytes."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while os.write(descriptor, bytes(1 << 16)):
                pass
        os.ftruncate(descriptor, max(os.fstat(descriptor).st_size - spare, 0))
        os.close(descriptor)
        tally.injected("disk full")

    def take_all_names(self) -> None:
        """Leave no room for another file or folder."""
        self._names.mkdir()
        with contextlib.suppress(OSError):
            for number in range(_NAMES_MAX):
                (self._names / str(number)).touch()
        tally.injected("disk full")

    def remove(self) -> None:
        """Give everything back."""
        self._file.unlink(missing_ok=True)
        for name in self._names.glob("*"):
            name.unlink()


class Disk:
    """A disk with an ext4 file system, mounted at `folder`; `size` in bytes. A context manager."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder = folder
        self._image = folder.with_name(f"{folder.name}.img")
        if shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin:/bin") is None:
            _missing("mkfs.ext4 is not installed")
        folder.mkdir()
        with self._image.open("wb") as image:
            image.truncate(size)
        _run("/sbin/mkfs.ext4", "-q", "-F", self._image)

    def __enter__(self) -> Self:
        _mount("-o", "loop", self._image, self.folder)
        return self

    def __exit__(self, *_: object) -> None:
        _unmount(self.folder)
        self._image.unlink()

    def cut_power(self) -> None:
        """Lose everything that was not written down; from now on every use of the disk fails."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, _WITHOUT_LOG_FLUSH)
            tally.injected("power cut")
        finally:
            os.close(descriptor)

    def restore_power(self) -> None:
        """Mount the disk again, as soon as the last thread of those who used it has ended."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                _run("umount", self.folder)
                break
            except AssertionError:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
        _mount("-o", "loop", self._image, self.folder)


def _mount(*arguments: str | Path) -> None:
    if os.geteuid() != 0:
        _missing("only root may mount")
    try:
        _run("mount", *arguments)
    except AssertionError as error:
        _missing(f"cannot mount here: {error}")


def _unmount(folder: Path) -> None:
    _run("umount", "--lazy", folder)


def _run(*command: str | Path) -> None:
    result = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert result.returncode == 0, f"{' '.join(map(str, command))}: {result.stderr}"


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
