"""Copies of the blobs of a data folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.blobs.copying import BlobCopy, Copied
from storage.blobs.filesystem import FilesystemDriver
from storage.digest import digest_of
from storage.errors import StorageFull, StorageUnavailable
from tests.contract.faulty_files import WitnessedFiles


async def filled(data: Path, count: int) -> Path:
    """A data folder with so many blobs."""
    FilesystemDriver.prepare(data)
    driver = FilesystemDriver(data)
    for number in range(count):
        upload_id, content = f"{number:032x}", b"blob %d" % number
        await driver.begin_upload(upload_id)
        async with driver.open_upload(upload_id, "sha256") as upload:
            await upload.write(content)
            await upload.commit(digest_of(content))
    await driver.close()
    return data


def blobs_in(folder: Path) -> dict[Path, bytes]:
    """The files of all blobs, by their place in the folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}


async def test_copy_survives_a_power_cut(tmp_path: Path) -> None:
    """When it is said that all is copied, every file is on the disk, and has its name there."""
    source, target = await filled(tmp_path / "data", 5), tmp_path / "copy"
    target.mkdir()
    files = WitnessedFiles(tmp_path)
    assert await BlobCopy(source, target, files).fill() == Copied(5, 30, 5)
    assert blobs_in(target) == blobs_in(source)
    assert all(files.survives(target / path) for path in blobs_in(target))


async def test_nothing_is_copied_twice(tmp_path: Path) -> None:
    """What is there stays as it is."""
    source, target = await filled(tmp_path / "data", 3), tmp_path / "copy"
    target.mkdir()
    await BlobCopy(source, target).fill()
    assert await BlobCopy(source, target).fill() == Copied(3, 18, 0)


async def test_unreadable_source(tmp_path: Path) -> None:
    """What cannot be copied is told, in the words that storage has for it."""
    source, target = await filled(tmp_path / "data", 1), tmp_path / "copy"
    target.mkdir()
    (target / "blobs").write_text("in the way")
    with pytest.raises(StorageUnavailable, match="cannot be used"):
        await BlobCopy(source, target).fill()


class FullFiles(WitnessedFiles):
    """A disk that has no room any more when what was written is to be on it."""

    def sync(self, descriptor: int) -> None:
        raise OSError(28, "No space left on device")


async def test_full_disk(tmp_path: Path) -> None:
    """What had no room on the disk is not in the copy."""
    source, target = await filled(tmp_path / "data", 1), tmp_path / "copy"
    target.mkdir()
    with pytest.raises(StorageFull):
        await BlobCopy(source, target, FullFiles(tmp_path)).fill()
    assert blobs_in(target) == {}
