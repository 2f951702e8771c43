"""How many faults the tests inject, how many are survived, and what is lost: nothing, if all is well.

Whatever breaks something on purpose says so: `tally.injected("kill -9")`. It counts as survived once its test has
passed, with all that its fixtures look at in the end, and as lost when its test fails. A test that looks at each fault
by itself says more: `survived`, or `lost` with what is missing. The table is printed at the end of the run.
"""

import threading
from dataclasses import dataclass, field


@dataclass
class Count:
    """The faults of one kind, and what was lost by them."""

    injected: int = 0
    survived: int = 0
    lost: list[str] = field(default_factory=list)

    def add(self, other: "Count") -> None:
        self.injected += other.injected
        self.survived += other.survived
        self.lost += other.lost


_counts: dict[str, Count] = {}
_lock = threading.Lock()


def injected(kind: str, number: int = 1) -> None:
    """So many faults of this kind have happened, such as `kill -9` or `disk full`."""
    _add(kind, Count(injected=number))


def survived(kind: str, number: int = 1) -> None:
    """After so many faults of this kind, everything that has to be there was looked at, and is there."""
    _add(kind, Count(survived=number))


def lost(kind: str, what: str) -> None:
    """After a fault of this kind something is not as it was promised. The run fails for it."""
    _add(kind, Count(lost=[what]))


def settle(failed: str | None) -> dict[str, Count]:
    """Take what was counted since the last call. Faults of which nobody said how they ended did well, or `failed`."""
    with _lock:
        counts = _counts.copy()
        _counts.clear()
    for count in counts.values():
        unknown = count.injected - count.survived - len(count.lost)
        if failed is None:
            count.survived += max(unknown, 0)
        elif unknown > 0:
            count.lost.append(failed)
    return counts


def _add(kind: str, count: Count) -> None:
    with _lock:
        _counts.setdefault(kind, Count()).add(count)
