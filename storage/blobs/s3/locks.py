"""Who writes to an upload: one process at a time, among all that share the store.

A lock is a courtesy: it keeps two writers from wasting each other's time. What they could spoil is guarded by
conditional writes of the upload's state and by the ETags of its parts.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from storage.blobs.locking import lock_or_close
from storage.blobs.s3.layout import Layout
from storage.blobs.s3.objects import Objects
from storage.blobs.s3.refusals import Refusal
from storage.errors import RegistryError

# Locks of others that a process watches, to see whether they are renewed.
_WATCHED_MAX = 4096
# Clocks of a store's machines may differ by this much; they count full seconds.
_CLOCKS_DIFFER_S = 5.0
_PATIENCE_S = 3.0


class Lock(Protocol):
    @property
    def held(self) -> bool:
        """Whether it is certain that no other process has the lock now."""
        ...

    async def release(self) -> None: ...


class UploadLocks(Protocol):
    @property
    def exact(self) -> bool:
        """Whether nobody ever gets a lock while its holder lives."""
        ...

    @property
    def poll_s(self) -> float:
        """How long to wait before the next try for a lock that somebody else has, in seconds."""
        ...

    @property
    def patience_s(self) -> float:
        """After how long it is certain that who has a lock is alive, in seconds."""
        ...

    async def take(self, name: str) -> Lock | None:
        """The lock of this name, or None while somebody else has it. Does not wait for it."""
        ...

    async def sweep(self) -> None:
        """Remove what crashed processes left."""
        ...


@dataclass(frozen=True, slots=True)
class _FileLock:
    path: Path
    descriptor: int
    held: bool = True

    async def release(self) -> None:
        await asyncio.to_thread(self.free)

    def free(self) -> None:
        try:
            self.path.unlink(missing_ok=True)
        finally:
            os.close(self.descriptor)


class FileLocks:
    """Locks of processes on one machine: the kernel frees what a process held when it ends."""

    exact = True
    poll_s = 0.05
    # A client that lost its connection may be back before the server saw the old one break.
    patience_s = _PATIENCE_S

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._folder = folder

    async def take(self, name: str) -> Lock | None:
        return await asyncio.to_thread(self._take, self._folder / name)

    def _take(self, path: Path) -> _FileLock | None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return _FileLock(path, descriptor) if lock_or_close(path, descriptor) else None

    async def sweep(self) -> None:
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        for path in list(self._folder.iterdir()):
            if (lock := self._take(path)) is not None:
                lock.free()


class ObjectLocks:
    """Locks as objects in the store itself, renewed while they are held, for processes on many machines.

    A lock that was not renewed for `lifetime_s` is taken over: the one who waits looks at its own clock, and sees
    whether the object changes. The store has to heed If-Match and If-None-Match.
    """

    exact = False

    def __init__(self, objects: Objects, layout: Layout, lifetime_s: float = 10.0) -> None:
        self._objects, self._layout, self._lifetime_s = objects, layout, lifetime_s
        self._watched: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self.poll_s = lifetime_s / 12
        self.patience_s = max(_PATIENCE_S, lifetime_s * 1.25)

    async def take(self, name: str) -> Lock | None:
        name, began = self._layout.lock(name), _now()
        try:
            etag = await self._objects.put(name, _drawn(), new=True)
        except Refusal as refusal:
            if not refusal.changed:
                raise
            return await self._take_over(name)
        return _ObjectLock(self._objects, name, etag, began, self._lifetime_s)

    async def _take_over(self, name: str) -> Lock | None:
        """The lock, if its holder is dead."""
        try:
            found = await self._objects.fetch(name)
            if not (self._is_still(name, found.etag) or found.age_s > self._lifetime_s + _CLOCKS_DIFFER_S):
                return None
            began = _now()
            etag = await self._objects.put(name, _drawn(), match=found.etag)
        except Refusal as refusal:
            # Released, or renewed, or another one was quicker.
            if not (refusal.missing or refusal.changed):
                raise
            return None
        return _ObjectLock(self._objects, name, etag, began, self._lifetime_s)

    def _is_still(self, name: str, etag: str) -> bool:
        """Whether the lock has been the same for its whole life, as seen from here."""
        seen, since = self._watched.get(name, ("", 0.0))
        if seen == etag:
            return _now() - since > self._lifetime_s
        self._watched[name] = etag, _now()
        while len(self._watched) > _WATCHED_MAX:
            self._watched.popitem(last=False)
        return False

    async def sweep(self) -> None:
        async for found in self._objects.list(self._layout.locks):
            if found.age_s > 10 * self._lifetime_s + _CLOCKS_DIFFER_S:
                lock = await self._take_over(found.name)
                if lock is not None:
                    await lock.release()


class _ObjectLock:
    def __init__(self, objects: Objects, name: str, etag: str, since: float, lifetime_s: float) -> None:
        self._objects, self._name, self._etag, self._lifetime_s = objects, name, etag, lifetime_s
        self._confirmed = since
        self._lost = False
        self._renewing = asyncio.ensure_future(self._renew())

    @property
    def held(self) -> bool:
        # A renewal counts from when it was asked for.
        return not self._lost and _now() - self._confirmed < self._lifetime_s * 0.75

    async def _renew(self) -> None:
        while not self._lost:
            await asyncio.sleep(self._lifetime_s / 4)
            began = _now()
            try:
                self._etag = await self._objects.put(self._name, _drawn(), match=self._etag)
                self._confirmed = began
            except Refusal as refusal:
                self._lost = refusal.missing or refusal.changed
            except RegistryError:
                continue

    async def release(self) -> None:
        self._renewing.cancel()
        await asyncio.wait([self._renewing])
        # Otherwise it is another one's by now, or will be soon.
        if self.held:
            await self._objects.delete(self._name)


def _drawn() -> bytes:
    return secrets.token_hex(16).encode()


def _now() -> float:
    return asyncio.get_running_loop().time()
