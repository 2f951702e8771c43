"""Folders that are there after a power cut."""

from errno import EIO
from pathlib import Path

import pytest

from storage.blobs.files import Files
from storage.blobs.folders import Folders


class ListedFiles(Files):
    """Writes down which folders were synced, and fails to sync those that are to fail once."""

    def __init__(self) -> None:
        self.synced: list[Path] = []
        self.failing: list[Path] = []

    def sync_folder(self, folder: Path) -> None:
        if folder in self.failing:
            self.failing.remove(folder)
            raise OSError(EIO, "I/O error")
        super().sync_folder(folder)
        self.synced.append(folder)


def test_all_names_are_synced(tmp_path: Path) -> None:
    """A folder is made with its parents up to the root, and the name of each is durable before the next is made."""
    files = ListedFiles()
    Folders(tmp_path, files).make(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert files.synced == [tmp_path, tmp_path / "a"]


def test_once_is_enough(tmp_path: Path) -> None:
    """What this process made durable stays so: a second time costs nothing."""
    files = ListedFiles()
    folders = Folders(tmp_path, files)
    for name in ("a", "a", "b"):
        folders.make(tmp_path / "x" / name)
    assert files.synced == [tmp_path, tmp_path / "x", tmp_path / "x"]


def test_folder_of_another_process(tmp_path: Path) -> None:
    """A folder that is there already was maybe made by somebody who has not synced it yet."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    files = ListedFiles()
    Folders(tmp_path, files).make(tmp_path / "a" / "b")
    assert files.synced == [tmp_path, tmp_path / "a"]


def test_failed_sync_is_made_up_for(tmp_path: Path) -> None:
    """After a failure the folder may be there, but it does not count as durable."""
    files = ListedFiles()
    files.failing = [tmp_path / "a"]
    folders = Folders(tmp_path, files)
    with pytest.raises(OSError, match="I/O error"):
        folders.make(tmp_path / "a" / "b")
    files.synced.clear()
    folders.make(tmp_path / "a" / "b")
    assert files.synced == [tmp_path / "a"]
