"""Leases: for how long content stays that nothing needs yet, so that a push can rely on what it found."""

from __future__ import annotations

from storage.clock import Clock

# A lease is written anew only when that makes it longer by this much, so that asking again and again costs nothing.
_WORTHWHILE_MS = 10 * 60 * 1000


class Leases:
    def __init__(self, clock: Clock, grace_s: float) -> None:
        """`grace_s` is how long a lease lasts, in seconds."""
        self._clock, self._grace_ms = clock, int(grace_s * 1000)

    def until(self) -> int:
        """The end of a lease that is taken now, in milliseconds since the Unix epoch."""
        return self._clock.now_ms() + self._grace_ms

    def is_short(self, until_ms: int) -> bool:
        """Whether a lease that ends then has to be taken anew to protect for as long as one should."""
        return until_ms < self.until() - min(_WORTHWHILE_MS, self._grace_ms // 4)

    def is_old(self, held_ms: int) -> bool:
        """Whether it has to be noted anew that something is held which was held last at that time."""
        return self.is_short(held_ms + self._grace_ms)
