"""`MetadataStore`: rows and transactions, and what every engine promises.

Queries are written in portable SQL with `?` for values. Text compares byte by byte, so lists come in ASCII order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

Value = None | int | float | str | bytes
Row = tuple[Any, ...]
T = TypeVar("T")


class Queries(Protocol):
    """Reads. Each call sees every transaction that was committed before it."""

    async def fetch_one(self, sql: str, *values: Value) -> Row | None: ...

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        """All rows at once: callers bound them with LIMIT."""
        ...


class Transaction(Queries, Protocol):
    """Reads and writes that become visible and durable together, or not at all."""

    async def execute(self, sql: str, *values: Value) -> int:
        """Run one statement and return how many rows it changed."""
        ...


class MetadataStore(Queries, Protocol):
    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool = True) -> T:
        """Run `work` in a transaction of its own, isolated from all other writers, and return its result.

        On return the transaction is committed; with `durable` it also survives a power cut. An error raised by
        `work` rolls everything back and comes through. `work` may be run more than once, so it changes nothing
        outside the transaction; and it awaits nothing but the transaction, so that none is ever held over network
        or disk I/O of another kind. When the caller is cancelled the transaction may or may not take effect.
        Raises `StorageFull` and `StorageUnavailable`.
        """
        ...

    async def verify(self) -> list[str]:
        """What the engine itself finds wrong with its files: nothing, in a sound database."""
        ...

    async def schema_version(self) -> int: ...

    async def close(self) -> None: ...
