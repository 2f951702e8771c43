"""The values of attributes."""

import re

import pytest

from auth.roles import Role
from registry.api.jsonapi.values import (
    Reader,
    flag,
    length_ms,
    nullable,
    one_of,
    optional_time_text,
    several,
    text,
    time_ms,
    time_text,
)

GOOD: list[tuple[str, Reader[object], object, object]] = [
    ("text", text, "a", "a"),
    ("empty text", text, "", ""),
    ("the longest text", text, "x" * 4096, "x" * 4096),
    ("true", flag, True, True),
    ("false", flag, False, False),
    ("a word", one_of(Role), "owner", Role.OWNER),
    ("an empty array", several(text), [], []),
    ("an array", several(one_of(Role)), ["owner", "guest"], [Role.OWNER, Role.GUEST]),
    ("null", nullable(text), None, None),
    ("not null", nullable(text), "a", "a"),
    ("seconds", length_ms, 90, 90_000),
    ("the epoch", time_ms, "1970-01-01T00:00:00Z", 0),
    ("milliseconds", time_ms, "1970-01-01T00:00:01.234Z", 1234),
    ("more digits than milliseconds", time_ms, "1970-01-01T00:00:00.123456789Z", 123),
    ("a zone", time_ms, "1970-01-01T01:00:00+01:00", 0),
    ("small letters", time_ms, "1970-01-01t00:00:00z", 0),
    ("before the epoch", time_ms, "1969-12-31T23:59:59.500Z", -500),
    ("the last second", time_ms, "9999-12-31T23:59:59Z", 253_402_300_799_000),
]

BAD: list[tuple[str, Reader[object], object, str]] = [
    ("a number for text", text, 1, "has to be a string"),
    ("null for text", text, None, "has to be a string"),
    ("too long", text, "x" * 4097, "may have at most 4096 characters"),
    ("NUL", text, "a\0", "may not contain NUL"),
    ("a number for a flag", flag, 1, "has to be true or false"),
    ("no word", one_of(Role), "boss", "has to be one of owner, maintainer, developer, reader, guest"),
    ("no text for a word", one_of(Role), ["owner"], "has to be one of owner, maintainer, developer, reader, guest"),
    ("no array", several(text), "a", "has to be an array"),
    ("a bad item", several(text), ["a", 1], "at position 1 has to be a string"),
    ("too many items", several(text), ["a"] * 101, "may have at most 100 items"),
    ("null in an array", several(text), [None], "at position 0 has to be a string"),
    ("half a second", length_ms, 0.5, "has to be a whole number of seconds"),
    ("a flag for seconds", length_ms, True, "has to be a whole number of seconds"),
    ("a number for a time", time_ms, 0, "has to be a time such as 2030-01-31T12:00:00Z"),
]

# None of them is a time of RFC 3339 that has a place in a calendar.
NO_TIMES = [
    "",
    "2030-01-31",
    "2030-01-31T12:00:00",
    "2030-01-31 12:00:00Z",
    "2030-02-30T12:00:00Z",
    "2030-01-31T24:00:00Z",
    "2030-01-31T12:00:60Z",
    "2030-01-31T12:00Z",
    "2030-W05-4T12:00:00Z",
    "2030-01-31T12:00:00+0100",
    "2030-01-31T12:00:00+25:00",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00",
    "\u0662030-01-31T12:00:00Z",
    "2030-01-31T12:00:00Z\n",
]


@pytest.mark.parametrize(("read", "sent", "value"), [row[1:] for row in GOOD], ids=[row[0] for row in GOOD])
def test_read(read: Reader[object], sent: object, value: object) -> None:
    """What has the right form is read."""
    assert read(sent) == value


@pytest.mark.parametrize(("read", "sent", "reason"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_refused(read: Reader[object], sent: object, reason: str) -> None:
    """What has not is refused, with what would be right."""
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}$"):
        read(sent)


@pytest.mark.parametrize("sent", NO_TIMES)
def test_no_time(sent: str) -> None:
    """Only whole times with a zone are accepted, so nobody has to guess which moment was meant."""
    with pytest.raises(ValueError, match="has to be a time such as"):
        time_ms(sent)


@pytest.mark.parametrize(
    ("at_ms", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_written(at_ms: int, written: str) -> None:
    """Times are in UTC with milliseconds, and are read again as what they were."""
    assert time_text(at_ms) == optional_time_text(at_ms) == written
    assert time_ms(written) == at_ms


def test_no_time_is_null() -> None:
    """What never happened has no time."""
    assert optional_time_text(None) is None
