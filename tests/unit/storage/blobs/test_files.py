"""The file operations."""

import errno
import os
import stat
from pathlib import Path

import pytest

from storage.blobs.files import Files


def test_write_takes_all(tmp_path: Path) -> None:
    """All of the data is written, behind what is there."""
    content = os.urandom(3_000_000)
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        for data in (b"", content[:1], content[1:]):
            Files().write(descriptor, data)
    finally:
        os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == content


def test_write_to_a_full_device() -> None:
    """A device without room is an error, not an endless loop."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    try:
        with pytest.raises(OSError, match="No space left") as caught:
            Files().write(descriptor, b"data")
    finally:
        os.close(descriptor)
    assert caught.value.errno == errno.ENOSPC


def test_make_folder(tmp_path: Path) -> None:
    """A folder is made with its parents, for its owner alone, and making it again does nothing."""
    folder = tmp_path / "a" / "b" / "c"
    Files().make_folder(folder)
    Files().make_folder(folder)
    assert folder.is_dir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder.parent)] == [0o700, 0o700]


def test_make_folder_where_a_file_is(tmp_path: Path) -> None:
    """A file in the way is an error."""
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        Files().make_folder(tmp_path / "a" / "b")


def test_unlink(tmp_path: Path) -> None:
    """A file is removed, and removing what is not there does nothing."""
    (tmp_path / "file").write_bytes(b"")
    Files().unlink(tmp_path / "file")
    Files().unlink(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_sync_of_what_is_gone(tmp_path: Path) -> None:
    """Syncing a folder that is not there, or a descriptor that is closed, is an error."""
    with pytest.raises(FileNotFoundError):
        Files().sync_folder(tmp_path / "nothing")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        Files().sync(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        Files().sync_data(descriptor)
