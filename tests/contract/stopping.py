"""A double of a store that stops whoever uses it at a certain transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from storage.metadata.store import MetadataStore, Row, Transaction, Value

T = TypeVar("T")


class Stopped(Exception):
    """What `stop` may raise: here it ends."""


class StoppingStore:
    """A real store that calls `stop` at the `nth` transaction: before it is committed, or after that."""

    def __init__(self, store: MetadataStore, nth: int, stop: Callable[[], None], *, committed: bool) -> None:
        self._store, self._left, self._stop, self._committed = store, nth, stop, committed

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        return await self._store.fetch_one(sql, *values)

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        return await self._store.fetch_all(sql, *values)

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        self._left -= 1
        here = self._left == 0

        async def worked(tx: Transaction) -> T:
            result = await work(tx)
            if here and not self._committed:
                self._stop()
            return result

        result = await self._store.transact(worked, durable=durable)
        if here and self._committed:
            self._stop()
        return result

    async def verify(self) -> list[str]:
        return await self._store.verify()

    async def schema_version(self) -> int:
        return await self._store.schema_version()

    async def close(self) -> None:
        await self._store.close()


def stop() -> None:
    """Break off what is being done, as an error would."""
    raise Stopped
