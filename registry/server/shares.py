"""How many connections each worker has, in memory that all workers see."""

import mmap

_SLOTS = 4096
_UNUSED = -2  # no worker has had this slot yet, nor any after it: the lowest free one is always taken
_ABSENT = -1  # its worker is gone, or takes no more connections


class Shares:
    """The number of connections by slot. Made before the workers are forked; each writes only its own number."""

    def __init__(self) -> None:
        self._counts = memoryview(mmap.mmap(-1, _SLOTS * 4)).cast("i")
        for slot in range(_SLOTS):
            self._counts[slot] = _UNUSED

    def set(self, slot: int, connections: int) -> None:
        """Tell the others how many connections the worker of `slot` has."""
        self._counts[slot] = connections

    def leave(self, slot: int) -> None:
        """Tell the others not to wait for the worker of `slot`."""
        self._counts[slot] = _ABSENT

    def is_least(self, slot: int) -> bool:
        """True if no worker has fewer connections than that of `slot`."""
        own = self._counts[slot]
        for count in self._counts:
            if count == _UNUSED:
                break
            if _ABSENT < count < own:
                return False
        return True
