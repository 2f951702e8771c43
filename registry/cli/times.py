"""Times as they are written on a command line: a date, a date with a time, or how long from now."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

FORMS = "90d, 12h, 2027-01-31 (its beginning, UTC) or 2027-01-31T18:00"

_LENGTH = re.compile(r"([0-9]{1,6})([smhdwy])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


def later(text: str) -> int:
    """Milliseconds since the Unix epoch; a length of time counts from now. For argparse."""
    return _read(text, lambda now, length: now + length)


def earlier(text: str) -> int:
    """As `later`, but a length of time counts back from now."""
    return _read(text, lambda now, length: now - length)


def length(text: str) -> int | None:
    """Milliseconds, 0 for `never`, None for `default`. For argparse."""
    if text in {"never", "default"}:
        return 0 if text == "never" else None
    found = _LENGTH.fullmatch(text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError("expected a length of time such as 30d or 12h, or never, or default")
    return int(found[1]) * _SECONDS[found[2]] * 1000


def _read(text: str, add: Callable[[int, int], int]) -> int:
    length = _LENGTH.fullmatch(text)
    if length:
        return max(0, add(int(time.time() * 1000), int(length[1]) * _SECONDS[length[2]] * 1000))
    try:
        read = datetime.fromisoformat(text)
        read = read if read.tzinfo else read.replace(tzinfo=UTC)
        return int(read.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"expected a time such as {FORMS}") from None
