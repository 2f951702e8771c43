"""Backups: copies of data folders that are data folders themselves."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auth.actor import OPERATING
from auth.keyfiles import KeyFolder
from registry.app.backing_up import Backup, back_up
from registry.app.services import build_services
from registry.app.storing import open_storage
from registry.config.load import load
from registry.config.settings import Config
from registry.errors import BackupFailed, StartError
from storage.blobs.copying import Copied
from storage.digest import digest_of
from storage.errors import StorageUnavailable
from storage.metadata.sqlite import SqliteStore
from storage.names import parse_repository_name
from tests.unit.storage.sound_store import SoundStore, make_sound_store

NOW = 1_700_000_000_000


@pytest.fixture
async def store(tmp_path: Path) -> SoundStore:
    """A data folder with one of everything."""
    place = tmp_path / "data"
    place.mkdir()
    KeyFolder(place / "keys").ensure(NOW)
    return await make_sound_store(place)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the backup goes."""
    return tmp_path / "disk" / "backup"


def configured(store: SoundStore, **settings: object) -> Config:
    return load(None, {}, {"storage.data": str(store.place), **settings})


async def backed_up(store: SoundStore, folder: Path) -> Backup:
    return await back_up(configured(store), folder)


def content_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder, but for what SQLite's users lock."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "metadata.lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


async def assert_sound(folder: Path, store: SoundStore) -> None:
    """The backup is as whole as a data folder can be."""
    report = await SoundStore(folder, store.digests).check()
    assert (report.problems, report.unreferenced) == ([], 0)
    assert (report.manifests, report.blobs) == (4, 3)


async def test_backup_is_a_data_folder(store: SoundStore, folder: Path) -> None:
    """Database, keys and blobs are in it, readable for their owner alone, and nothing else is."""
    backup = await backed_up(store, folder)
    assert (backup.database, backup.keys, backup.blobs.blobs, backup.blobs.new, backup.removed) == (True, 1, 3, 3, 0)
    await assert_sound(folder, store)
    assert KeyFolder(folder / "keys").names() == KeyFolder(store.place / "keys").names()
    assert sorted(path.name for path in folder.iterdir() if path.name != "metadata.lock") == [
        "blobs",
        "keys",
        "metadata.db",
    ]
    assert {path.stat().st_mode & 0o777 for path in [folder, folder / "keys", folder / "blobs"]} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in (folder / "blobs").rglob("*.*")} == {0o400}


async def test_backup_is_brought_up_to_date(store: SoundStore, folder: Path) -> None:
    """The second time only what is new or broken is copied, and what the registry has no more goes."""
    await backed_up(store, folder)
    KeyFolder(store.place / "keys").rotate(NOW + 1)
    kept = {path: path.stat().st_ino for path in (folder / "blobs").rglob("*.*")}
    old, broken, *_ = sorted(kept)
    old.rename(old.with_name(f"{old.name[:-1]}{'0' if old.name[-1] != '0' else '1'}"))
    broken.chmod(0o600)
    broken.write_bytes(b"")
    (folder / "blobs" / "copying").write_bytes(b"what a crash left")
    backup = await backed_up(store, folder)
    assert (backup.keys, backup.blobs.new, backup.removed) == (2, 2, 1)
    await assert_sound(folder, store)
    assert KeyFolder(folder / "keys").names() == KeyFolder(store.place / "keys").names()
    assert sum(path.stat().st_ino == number for path, number in kept.items()) == 1
    KeyFolder(store.place / "keys").retire(NOW + 2)
    await backed_up(store, folder)
    assert len(KeyFolder(folder / "keys").names()) == 1


async def test_generations_share_blobs(store: SoundStore, folder: Path) -> None:
    """A backup that is brought up to date in a copy of hard links leaves the older one as it was."""
    await backed_up(store, folder)
    before = content_of(folder)
    shutil.copytree(folder, folder.with_name("next"), copy_function=os.link)
    store.sql("UPDATE repositories SET name = 'renamed' WHERE name = 'other'")
    await backed_up(store, folder.with_name("next"))
    assert content_of(folder) == before
    assert content_of(folder.with_name("next"))["metadata.db"] != before["metadata.db"]


async def test_lost_blobs(store: SoundStore, folder: Path) -> None:
    """What the registry has lost is told, and keeps nothing else from being in the backup."""
    await backed_up(store, folder)
    store.file_of("second").unlink()
    assert (await backed_up(store, folder)).missing == []
    shutil.rmtree(folder)
    store.sql("UPDATE blobs SET storage_key = 'nonsense' WHERE digest = :layer")
    backup = await backed_up(store, folder)
    assert set(backup.missing) == {str(store.digests["second"]), str(store.digests["layer"])}
    assert backup.blobs.blobs == 2


async def test_collector_beside_a_backup(store: SoundStore, folder: Path) -> None:
    """Blobs that the collector removes while they are copied are in the backup neither as rows nor as bytes."""
    copies: list[Path] = []

    def copy_and_collect(data: Path, target: Path) -> None:
        SqliteStore.copy(data, target)
        if not copies:
            file = store.file_of("garbage")
            store.sql("DELETE FROM blob_links WHERE digest = :garbage")
            store.sql("DELETE FROM blobs WHERE digest = :garbage")
            file.unlink()
        copies.append(target)

    await push_garbage(store)
    backup = await back_up(configured(store), folder, copy_and_collect)
    assert (backup.missing, backup.blobs, len(copies)) == ([], Copied(3, 20, 3), 2)
    await assert_sound(folder, store)


async def test_collector_that_never_ends(store: SoundStore, folder: Path) -> None:
    """A backup gives up when there is always another blob gone."""

    def copy_what_is_gone(data: Path, target: Path) -> None:
        SqliteStore.copy(data, target)
        SoundStore(target).sql(
            f"UPDATE blobs SET storage_key = SUBSTR(storage_key, 1, 75) || '{'0' * 32}' WHERE size = 2"
        )

    with pytest.raises(BackupFailed, match="the collector removes"):
        await back_up(configured(store), folder, copy_what_is_gone)
    assert not (folder / "metadata.db").exists()


async def push_garbage(store: SoundStore) -> None:
    """Push a blob that no manifest needs."""
    config, content = configured(store, **{"auth.mode": "open"}), b"garbage"
    store.digests["garbage"] = digest_of(content)

    async def body() -> AsyncIterator[bytes]:
        yield content

    storage = open_storage(config)
    await build_services(config, storage).uploads.push(
        OPERATING, parse_repository_name("app"), store.digests["garbage"], body()
    )
    await storage.close()


async def test_failed_backup_keeps_the_one_before(store: SoundStore, folder: Path) -> None:
    """A backup that cannot be finished leaves the database that goes with the blobs that are there."""
    await backed_up(store, folder)
    next((folder / "blobs").rglob("*.*")).unlink()
    (folder / "blobs" / "copying").mkdir()
    before = (folder / "metadata.db").read_bytes()
    store.sql("UPDATE repositories SET name = 'renamed' WHERE name = 'other'")
    with pytest.raises(StorageUnavailable):
        await backed_up(store, folder)
    assert (folder / "metadata.db").read_bytes() == before
    (folder / "blobs" / "copying").rmdir()
    assert (await backed_up(store, folder)).blobs.new == 1
    assert (folder / "metadata.db").read_bytes() != before
    await assert_sound(folder, store)


async def test_rows_and_bytes_that_are_elsewhere(store: SoundStore, folder: Path) -> None:
    """What is in another database or in a bucket is not copied, and does not get mixed with a backup of all."""
    elsewhere = {"storage.blobs": "s3", "s3.bucket": "there"}
    backup = await back_up(configured(store, **elsewhere), folder)
    assert (backup.database, backup.keys, backup.blobs.blobs) == (True, 1, 0)
    assert not (folder / "blobs").exists()


async def test_keys_that_are_elsewhere(store: SoundStore, folder: Path, tmp_path: Path) -> None:
    """Signing keys are in the backup wherever the daemon has them."""
    KeyFolder(tmp_path / "other").ensure(NOW + 7)
    await back_up(configured(store, **{"auth.keys": str(tmp_path / "other")}), folder)
    assert [made for made, _ in KeyFolder(folder / "keys").names()] == [NOW + 7]


async def test_refusals(store: SoundStore, folder: Path, tmp_path: Path) -> None:
    """A backup neither lies in its source, nor takes the place of a data folder, nor of what somebody else writes."""
    for wrong in (store.place, store.place / "backup", store.place.parent):
        with pytest.raises(BackupFailed, match="in the data folder"):
            await backed_up(store, wrong)
    (folder / "uploads").mkdir(parents=True)
    with pytest.raises(BackupFailed, match="is the data folder of a daemon"):
        await backed_up(store, folder)
    (folder / "uploads").rmdir()
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(BackupFailed, match="another process"):
        await backed_up(store, folder)
    os.close(descriptor)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(BackupFailed, match="cannot be written: File exists"):
        await backed_up(store, file)
    with pytest.raises(StartError, match="there is no Berth data"):
        await back_up(load(None, {}, {"storage.data": str(tmp_path / "nowhere")}), folder)
