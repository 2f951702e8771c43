"""Stores that fail, count, or take their time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.metadata.store import MetadataStore, Row, Transaction, Value

T = TypeVar("T")


class FailingStore:
    """A store of which reads, or writes, raise `error` while it is set."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self.read_error: Exception | None = None
        self.write_error: Exception | None = None

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        if self.read_error is not None:
            raise self.read_error
        return await self._store.fetch_one(sql, *values)

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        if self.read_error is not None:
            raise self.read_error
        return await self._store.fetch_all(sql, *values)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        if self.write_error is not None:
            raise self.write_error
        return await self._store.transact(work, durable=durable)

    async def verify(self) -> list[str]:
        return await self._store.verify()

    async def schema_version(self) -> int:
        return await self._store.schema_version()

    async def close(self) -> None:
        await self._store.close()


class WatchedStore(FailingStore):
    """Counts reads. Whoever makes the one of the number `slow` learns what was read when `go_on` is set."""

    def __init__(self, store: MetadataStore) -> None:
        super().__init__(store)
        self.reads = self.slow = 0
        self.is_slow, self.go_on = asyncio.Event(), asyncio.Event()

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        found = await super().fetch_one(sql, *values)
        await self._count()
        return found

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        found = await super().fetch_all(sql, *values)
        await self._count()
        return found

    async def _count(self) -> None:
        self.reads += 1
        if self.reads == self.slow:
            self.is_slow.set()
            await self.go_on.wait()
