"""What was used last, kept in a bounded piece of memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

V = TypeVar("V")

# What an entry costs beside its value: key, dict slot, objects.
_ENTRY_COST = 512


class Recent(Generic[V]):
    """Values by their keys. Those that nobody asked for longest give way, so that `capacity` bytes are enough."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._used = 0
        self._values: OrderedDict[str, tuple[V, int]] = OrderedDict()

    def find(self, key: str) -> V | None:
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def keep(self, key: str, value: V, size: int) -> None:
        """Keep a value of so many bytes in the place of the one that is there; one that is too large is not kept."""
        self.drop(key)
        cost = size + _ENTRY_COST
        if cost > self._capacity:
            return
        self._values[key] = value, cost
        self._used += cost
        while self._used > self._capacity:
            _, (_, freed) = self._values.popitem(last=False)
            self._used -= freed

    def drop(self, key: str) -> None:
        found = self._values.pop(key, None)
        if found is not None:
            self._used -= found[1]
