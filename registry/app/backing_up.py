"""A copy of what the data folder holds: database, signing keys and blobs."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from registry.app.engines import engine_of
from registry.app.keys import key_folder
from registry.config.settings import Config
from registry.errors import BackupFailed
from storage.blobs.copying import BlobCopy, Copied
from storage.blobs.files import Files
from storage.blobs.filesystem import FilesystemDriver
from storage.blobs.folders import Folders, nearest_existing
from storage.metadata.sqlite import SqliteStore

_DATABASE = "metadata.db"
_KEYS = "keys"
# The copy of the database is here until the blobs are there, too.
_INCOMING = "incoming"
_TRIES = 5
_NAMED = "SELECT 1 FROM blobs WHERE digest = ? AND storage_key = ?"
_BLOBS = "SELECT digest, size, storage_key FROM blobs WHERE digest > ? ORDER BY digest LIMIT 500"
# What every daemon makes in its data folder, and no backup has.
_LIVE = ("uploads", "upload-locks", "background.lock")

Key = tuple[str, str]
"""The digest of a blob, and the key of its bytes."""
CopyRows = Callable[[Path, Path], None]
"""Copies the database of a data folder to another folder."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds.

    `database` says whether rows are in it, `removed` how many old blobs went from it, and `missing` are the digests of
    blobs whose bytes the registry has lost.
    """

    database: bool
    keys: int
    blobs: Copied
    removed: int
    missing: list[str]


async def back_up(config: Config, folder: Path, copy_rows: CopyRows = SqliteStore.copy) -> Backup:
    """Bring the backup in `folder` up to date, which is made if it is not there, beside a daemon or without one.

    Rows come first, then bytes. Only when both are there does the new copy of the database take the place of the old.
    Raises `StartError` if there is no data, `BackupFailed`, `StorageFull`, and `StorageUnavailable`.
    """
    await engine_of(config).expect()
    try:
        with _alone(config, folder):
            return await _back_up(config, folder, copy_rows)
    except OSError as error:
        raise BackupFailed(f"the backup in {folder} cannot be written: {os.strerror(error.errno or 0)}") from error


@contextlib.contextmanager
def _alone(config: Config, folder: Path) -> Iterator[None]:
    """The folder, made if need be, for this process alone. Raises `BackupFailed`."""
    data, wanted = config.storage.data.resolve(), folder.resolve()
    if data.is_relative_to(wanted) or wanted.is_relative_to(data):
        raise BackupFailed("the backup cannot be in the data folder, nor the data folder in it")
    Folders(nearest_existing(folder.parent), Files()).make(folder)
    if any((folder / name).exists() for name in _LIVE):
        raise BackupFailed(f"{folder} is the data folder of a daemon: give another one")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BackupFailed(f"another process is writing to {folder}") from None


async def _back_up(config: Config, folder: Path, copy_rows: CopyRows) -> Backup:
    data, keys = config.storage.data, key_folder(config)
    with_rows, with_bytes = not config.storage.database, config.storage.blobs == "filesystem"
    if not with_rows and (folder / _DATABASE).exists():
        raise BackupFailed(f"{folder} is a backup of another database, in SQLite: give another folder")
    keys_copied = 0 if keys is None else await asyncio.to_thread(keys.copy_to, folder / _KEYS)
    blobs, missing = Copied(), list[str]()
    if with_rows and with_bytes:
        blobs, missing = await _rows_and_bytes(data, folder, copy_rows)
    elif with_rows:
        await _rows(data, folder, copy_rows)
    elif with_bytes:
        blobs = await BlobCopy(data, folder).fill()
    if with_rows:
        (folder / _INCOMING / _DATABASE).rename(folder / _DATABASE)
        shutil.rmtree(folder / _INCOMING)
    Files().sync_folder(folder)
    removed = await _prune(data, folder, with_rows=with_rows) if with_bytes else 0
    return Backup(with_rows, keys_copied, blobs, removed, missing)


async def _rows(data: Path, folder: Path, copy_rows: CopyRows) -> None:
    incoming = folder / _INCOMING
    shutil.rmtree(incoming, ignore_errors=True)
    incoming.mkdir(mode=0o700)
    await asyncio.to_thread(copy_rows, data, incoming)


async def _rows_and_bytes(data: Path, folder: Path, copy_rows: CopyRows) -> tuple[Copied, list[str]]:
    """Copy both so that they belong together, and return what was copied, and the digests of blobs that are lost.

    The collector may take bytes away meanwhile that no row names any more, but the copied rows do. Then rows are copied
    once more, and it has only as long as it takes to copy what is new.
    """
    new = 0
    for _ in range(_TRIES):
        await _rows(data, folder, copy_rows)
        blobs = await BlobCopy(data, folder).fill()
        new += blobs.new
        missing = await _missing(folder / _INCOMING, folder)
        if not missing or missing == await _named(data, missing):
            return Copied(blobs.blobs, blobs.size_bytes, new), [digest for digest, _ in missing]
    raise BackupFailed("the collector removes blobs faster than they can be copied: try it again when it has finished")


async def _missing(rows: Path, folder: Path) -> list[Key]:
    """The blobs of a database whose bytes are not in the folder."""
    store, driver = SqliteStore(rows), FilesystemDriver(folder)
    missing, last = list[Key](), ""
    try:
        while found := await store.fetch_all(_BLOBS, last):
            missing += [(digest, key) for digest, size, key in found if not await _is_whole(driver, key, size)]
            last = found[-1][0]
    finally:
        await store.close()
        await driver.close()
    return missing


async def _is_whole(driver: FilesystemDriver, key: str, size: int) -> bool:
    try:
        return await driver.is_whole(key, size)
    except ValueError:
        return False  # not a key that anybody gave out


async def _named(data: Path, blobs: list[Key]) -> list[Key]:
    """Those of the blobs that the registry still has under the same keys, as far as it knows."""
    store = SqliteStore(data)
    try:
        return [(digest, key) for digest, key in blobs if await store.fetch_one(_NAMED, digest, key)]
    finally:
        await store.close()


async def _prune(data: Path, folder: Path, *, with_rows: bool) -> int:
    """Remove from the backup what it does not need any more, and return how many blobs that were."""
    store = SqliteStore(folder) if with_rows else None
    source, driver = FilesystemDriver(data), FilesystemDriver(folder)
    removed = 0
    try:
        async for stored in driver.blobs():
            if store is None:
                needed = await source.is_whole(stored.key, stored.size)
            else:
                needed = await store.fetch_one("SELECT 1 FROM blobs WHERE storage_key = ?", stored.key) is not None
            if not needed:
                await driver.delete(stored.key)
                removed += 1
    finally:
        for opened in (store, source, driver):
            if opened is not None:
                await opened.close()
    return removed
