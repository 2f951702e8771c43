"""Doubles that stop before every step of an operation, so that something else can happen there, or nothing any more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from enum import Enum
from types import MappingProxyType
from typing import TypeVar

from storage.blobs.driver import BlobDriver, BlobReader, Span, StoredBytes, UploadWriter
from storage.metadata.store import MetadataStore, Row, Transaction, Value

T = TypeVar("T")

Happening = Callable[[], Awaitable[None]]


class Kind(Enum):
    """What a step does."""

    READ = "read"
    CHANGE = "change"


# Called before each step.
Before = Callable[[Kind], Awaitable[None]]


class Killed(BaseException):
    """The process that does the operation is dead: no handler of errors gets to do anything more."""


class Steps:
    """A `Before` that lets something happen before some of the steps, which are counted from 0.

    `kinds` are those of the steps so far. When something raises `Killed`, so does every later step: what a dead process
    does in its `finally` is not done.
    """

    def __init__(self, happenings: Mapping[int, Happening] = MappingProxyType({})) -> None:
        self._happenings = happenings
        self._dead = False
        self.kinds: list[Kind] = []

    async def __call__(self, kind: Kind) -> None:
        if self._dead:
            raise Killed
        number = len(self.kinds)
        self.kinds.append(kind)
        if number in self._happenings:
            try:
                await self._happenings[number]()
            except Killed:
                self._dead = True
                raise


async def die() -> None:
    """Be killed here."""
    raise Killed


class SteppedStore:
    """A store whose reads and transactions are steps."""

    def __init__(self, store: MetadataStore, before: Before) -> None:
        self._store, self._before = store, before

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        await self._before(Kind.READ)
        return await self._store.fetch_one(sql, *values)

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        await self._before(Kind.READ)
        return await self._store.fetch_all(sql, *values)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        await self._before(Kind.CHANGE)
        return await self._store.transact(work, durable=durable)

    async def verify(self) -> list[str]:
        return await self._store.verify()

    async def schema_version(self) -> int:
        return await self._store.schema_version()

    async def close(self) -> None:
        await self._store.close()


class SteppedDriver:
    """A driver whose reads, deletes and items of a listing are steps."""

    def __init__(self, driver: BlobDriver, before: Before) -> None:
        self._driver, self._before = driver, before

    async def open(self, key: str, size: int | None = None, span: Span | None = None) -> BlobReader:
        await self._before(Kind.READ)
        return await self._driver.open(key, size, span)

    async def is_whole(self, key: str, size: int) -> bool:
        await self._before(Kind.READ)
        return await self._driver.is_whole(key, size)

    async def delete(self, key: str) -> None:
        await self._before(Kind.CHANGE)
        await self._driver.delete(key)

    async def blobs(self) -> AsyncIterator[StoredBytes]:
        async for stored in self._driver.blobs():
            await self._before(Kind.READ)
            yield stored

    async def begin_upload(self, upload_id: str) -> None:
        await self._driver.begin_upload(upload_id)

    async def upload_size(self, upload_id: str) -> int:
        return await self._driver.upload_size(upload_id)

    def open_upload(self, upload_id: str, algorithm: str) -> AbstractAsyncContextManager[UploadWriter]:
        return self._driver.open_upload(upload_id, algorithm)

    async def discard_upload(self, upload_id: str) -> None:
        await self._driver.discard_upload(upload_id)

    def uploads(self) -> AsyncIterator[str]:
        return self._driver.uploads()

    async def close(self) -> None:
        await self._driver.close()
