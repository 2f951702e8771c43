"""Stores in memory that begin with the same rows, which are worked out once."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from registry.app.storing import Storage
from storage.blobs.memory import MemoryDriver
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore

T = TypeVar("T")


class Prepared(Generic[T]):
    """What `populate` puts into a store, and what it returns."""

    def __init__(self, populate: Callable[[MetadataStore], Awaitable[T]]) -> None:
        self._populate = populate
        self._first: tuple[MemoryStore, T] | None = None

    async def storage(self) -> tuple[Storage, T]:
        """A new storage with these rows, and what was returned when they were made."""
        if self._first is None:
            store = MemoryStore()
            self._first = store, await self._populate(store)
        like, returned = self._first
        return Storage(MemoryStore(like), MemoryDriver(), None), returned
