"""The values of attributes: how each kind is read from JSON, and how times are written.

A reader takes what JSON had and returns the value, or raises `ValueError` with what completes "<attribute> …":
also for a wrong type, since that is for the client to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

Reader = Callable[[object], T]

_TEXT_MAX = 4096
_SEVERAL_MAX = 100
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_WANTED = "has to be a time such as 2030-01-31T12:00:00Z"


def text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("has to be a string")  # noqa: TRY004 - see above
    if len(value) > _TEXT_MAX:
        raise ValueError(f"may have at most {_TEXT_MAX} characters")
    if "\0" in value:
        raise ValueError("may not contain NUL")
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("has to be true or false")  # noqa: TRY004 - see above
    return value


def length_ms(value: object) -> int:
    """A length of time in milliseconds, from a whole number of seconds."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError("has to be a whole number of seconds")  # noqa: TRY004 - see above
    return value * 1000


def time_ms(value: object) -> int:
    """Milliseconds since the Unix epoch, from RFC 3339 text."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(_TIME_WANTED)
    try:
        # Brought to UTC first: what lies before the year 1 or after 9999 there could not be written again.
        moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(_TIME_WANTED) from error
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def one_of(words: type[E]) -> Reader[E]:
    """Reads one of the enumeration's words."""

    def read(value: object) -> E:
        for word in words:
            if value == word.value:
                return word
        raise ValueError(f"has to be one of {', '.join(words)}")

    return read


def several(read: Reader[T]) -> Reader[list[T]]:
    """Reads an array of what `read` reads."""

    def read_all(value: object) -> list[T]:
        if not isinstance(value, list):
            raise ValueError("has to be an array")  # noqa: TRY004 - see above
        if len(value) > _SEVERAL_MAX:
            raise ValueError(f"may have at most {_SEVERAL_MAX} items")
        return [_item(read, position, item) for position, item in enumerate(value)]

    return read_all


def nullable(read: Reader[T]) -> Reader[T | None]:
    """Reads what `read` reads, or null."""
    return lambda value: None if value is None else read(value)


def time_text(at_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def optional_time_text(at_ms: int | None) -> str | None:
    return None if at_ms is None else time_text(at_ms)


def optional_seconds(length_ms: int | None) -> int | None:
    return None if length_ms is None else length_ms // 1000


def _item(read: Reader[T], position: int, value: object) -> T:
    try:
        return read(value)
    except ValueError as error:
        raise ValueError(f"at position {position} {error}") from error
