"""How far a long command has got, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Generic, Self, TypeVar

T = TypeVar("T")

_EVERY_S = 0.2
_ERASE = "\r\x1b[K"


class Progress(Generic[T]):
    """One line on standard error that is written over and over, and gone at the end; nothing where no terminal is."""

    def __init__(self, line: Callable[[T], str]) -> None:
        """`line` says what is shown of a state."""
        self._line = line
        self._terminal = sys.stderr.isatty()
        self._shown_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown_at:
            sys.stderr.write(_ERASE)
            sys.stderr.flush()

    def show(self, state: T) -> None:
        """Show the state, unless that was done a moment ago."""
        now = time.monotonic()
        if self._terminal and now - self._shown_at > _EVERY_S:
            sys.stderr.write(f"{_ERASE}{self._line(state)}")
            sys.stderr.flush()
            self._shown_at = now
