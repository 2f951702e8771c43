"""`FilesystemDriver`: bytes in a folder (see `layout`), written so that what was committed survives a power cut.

Every system call that can wait for a disk runs on the driver's own threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

from storage.blobs.driver import Span, StoredBytes, UploadWriter
from storage.blobs.files import Files
from storage.blobs.folders import Folders, nearest_existing
from storage.blobs.layout import Layout, is_storage_key, is_upload_id
from storage.blobs.locking import lock_or_close
from storage.blobs.writing import FileUpload, OpenUpload, Place, Run, begin
from storage.digest import Hasher, new_hasher
from storage.errors import BlobDamaged, BlobMissing, StorageFull, StorageUnavailable, UploadBusy, UploadUnknown

T = TypeVar("T")

_PIECE = 1 << 20
_THREADS = 16
# Running hashes of uploads between two requests; past this number the oldest is computed anew at commit.
_HASHERS_MAX = 1024
# A client that lost its connection may be back before the server saw the old one break.
_BUSY_WAIT_S = 3.0
_BUSY_POLL_S = 0.05


# Which file it is, how long, and when it was last written: if that is the same, so are the bytes.
_State = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """The running hash of an upload's file when it was in this state."""

    state: _State
    algorithm: str
    hasher: Hasher


class FileReader:
    """A `BlobReader` over an open file."""

    def __init__(self, file: BinaryIO, key: str, size: int, run: Run) -> None:
        self._file, self._key, self._run = file, key, run
        self.size = size

    def file(self) -> BinaryIO:
        return self._file

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        while start < stop:
            piece = await self._run(self._read, min(_PIECE, stop - start), start)
            if not piece:
                raise StorageUnavailable("the blob's file is shorter than it should be")
            start += len(piece)
            yield piece

    def _read(self, size: int, start: int) -> bytes:
        try:
            return os.pread(self._file.fileno(), size, start)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            raise BlobDamaged(self._key) from error

    async def close(self) -> None:
        self._file.close()


class FilesystemDriver:
    """A `BlobDriver` in the folder `data`. Any number of processes may share it."""

    @staticmethod
    def prepare(data: Path) -> None:
        """Make the folders that the driver works in. Blocks."""
        layout, folders = Layout(data), Folders(nearest_existing(data), Files())
        folders.make(layout.uploads)
        folders.make(layout.blobs)

    def __init__(self, data: Path, files: Files | None = None) -> None:
        self._layout = Layout(data)
        self._files = files or Files()
        self._place = Place(self._layout, self._files, Folders(data, self._files))
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="berth-blobs")
        self._hashers: OrderedDict[str, _Remembered] = OrderedDict()

    async def _run(self, function: Callable[..., T], *arguments: object) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        except OSError as error:
            raise translate(error) from error

    async def _acquire(self, dispose: Callable[[T], None], function: Callable[..., T], *arguments: object) -> T:
        """Run what opens something. If nobody waits for it any more when it is open, it is closed again."""
        opening = begin(self._run(function, *arguments))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(lambda done: None if done.exception() else dispose(done.result()))
            raise

    async def begin_upload(self, upload_id: str) -> None:
        def create() -> None:
            os.close(os.open(self._layout.upload(upload_id), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))

        await self._run(create)

    async def upload_size(self, upload_id: str) -> int:
        def size() -> int:
            try:
                return os.stat(self._layout.upload(upload_id)).st_size
            except FileNotFoundError:
                raise UploadUnknown(upload_id) from None

        return await self._run(size)

    @contextlib.asynccontextmanager
    async def open_upload(self, upload_id: str, algorithm: str) -> AsyncIterator[UploadWriter]:
        opened = await self._open_exclusively(upload_id)
        hasher = self._take_hasher(opened, algorithm)
        upload = FileUpload(opened, hasher, algorithm, self._place, self._run)
        try:
            yield upload
        finally:
            # Shielded: bytes that were taken are written down even when the request is being torn down.
            await asyncio.shield(begin(self._leave(upload)))

    async def _leave(self, upload: FileUpload) -> None:
        try:
            await upload.settle()
        finally:
            self._keep_hasher(upload)
            self._close(upload)

    def _close(self, upload: FileUpload) -> None:
        # In line: this is also how an upload ends after the threads were told to.
        try:
            if upload.broken:
                # Emptied first, so that nothing of it is left even if it cannot be removed.
                os.ftruncate(upload.opened.descriptor, 0)
                self._files.unlink(upload.opened.path)
        except OSError as error:
            raise translate(error) from error
        finally:
            os.close(upload.opened.descriptor)

    async def _open_exclusively(self, upload_id: str) -> OpenUpload:
        path = self._layout.upload(upload_id)
        deadline = asyncio.get_running_loop().time() + _BUSY_WAIT_S
        while (opened := await self._acquire(_close_locked, _open_locked, path)) is None:
            if asyncio.get_running_loop().time() >= deadline:
                raise UploadBusy(upload_id, await self.upload_size(upload_id))
            await asyncio.sleep(_BUSY_POLL_S)
        return opened

    def _take_hasher(self, opened: OpenUpload, algorithm: str) -> Hasher | None:
        """The running hash of exactly the bytes that are there; None when another process knows it, not this one."""
        remembered = self._hashers.pop(opened.path.name, None)
        if opened.offset == 0:
            return new_hasher(algorithm)
        if remembered is None or remembered.algorithm != algorithm or remembered.state != _state(opened.descriptor):
            return None
        return remembered.hasher

    def _keep_hasher(self, upload: FileUpload) -> None:
        if upload.hasher is None or upload.committed or upload.broken:
            return
        state = _state(upload.opened.descriptor)
        self._hashers[upload.opened.path.name] = _Remembered(state, upload.algorithm, upload.hasher)
        while len(self._hashers) > _HASHERS_MAX:
            self._hashers.popitem(last=False)

    async def discard_upload(self, upload_id: str) -> None:
        self._hashers.pop(upload_id, None)
        await self._run(self._files.unlink, self._layout.upload(upload_id))

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> FileReader:
        def open_file() -> FileReader:
            try:
                file = open(self._layout.blob(key), "rb", buffering=0)  # noqa: SIM115 - the reader closes it
            except FileNotFoundError:
                raise BlobMissing(key) from None
            found = os.fstat(file.fileno()).st_size
            if size is not None and found != size:
                file.close()
                raise BlobDamaged(key)
            return FileReader(file, key, found, self._run)

        return await self._acquire(lambda reader: reader.file().close(), open_file)

    async def is_whole(self, key: str, size: int) -> bool:
        def look() -> bool:
            try:
                return os.stat(self._layout.blob(key)).st_size == size
            except FileNotFoundError:
                return False

        return await self._run(look)

    async def delete(self, key: str) -> None:
        await self._run(self._files.unlink, self._layout.blob(key))

    async def blobs(self) -> AsyncIterator[StoredBytes]:
        root = self._layout.blobs
        for folder in await self._run(lambda: sorted(path for path in root.glob("*/*") if path.is_dir())):
            for name, size in await self._run(_list, folder):
                key = f"{folder.relative_to(root)}/{name}"
                if is_storage_key(key):
                    yield StoredBytes(key, size)

    async def uploads(self) -> AsyncIterator[str]:
        for name, _ in await self._run(_list, self._layout.uploads):
            if is_upload_id(name):
                yield name

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)


def translate(error: OSError) -> Exception:
    """A system error in the words of `storage.errors`."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageFull()
    return StorageUnavailable(f"the storage cannot be used: {os.strerror(error.errno or 0)}")


def _open_locked(path: Path) -> OpenUpload | None:
    """Open the upload's file for this writer alone; None while somebody else has it. Raises `UploadUnknown`."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        raise UploadUnknown(path.name) from None
    # A name that leads elsewhere by now is that of an upload that was just committed or discarded.
    if not lock_or_close(path, descriptor):
        return None
    return OpenUpload(path, descriptor, os.fstat(descriptor).st_size)


def _close_locked(opened: OpenUpload | None) -> None:
    if opened is not None:
        os.close(opened.descriptor)


def _state(descriptor: int) -> _State:
    status = os.fstat(descriptor)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _list(folder: Path) -> list[tuple[str, int]]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            # What goes away while it is being listed is not there.
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file():
                    found.append((entry.name, entry.stat().st_size))
    return found
