"""How far a copy is, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """So many `rows` of `table` were dealt with; `of` is how many there are, None while that is not known.

    `doing` is reading, copying or verifying.
    """

    doing: str
    table: str
    rows: int
    of: int | None = None


Report = Callable[[Progress], None]
