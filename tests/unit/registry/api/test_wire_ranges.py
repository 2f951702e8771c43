"""Ranges of what is read and of what is sent."""

import pytest

from registry.api.wire import parse_content_range, parse_range
from registry.domain.uploads import Chunk
from registry.errors import ChunkInvalid, RangeInvalid

ARABIC = "\u0661\u0662"


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-99", [(0, 100)]),
        ("bytes=10-", [(10, 100)]),
        ("bytes=99-", [(99, 100)]),
        ("bytes=-1", [(99, 100)]),
        ("bytes=-100", [(0, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("bytes=90-1000", [(90, 100)]),
        ("bytes=90-999999999999999999", [(90, 100)]),
        ("bytes=90-18446744073709551615", [(90, 100)]),
        ("Bytes=0-1", [(0, 2)]),
        ("bytes = 0-1", [(0, 2)]),
        ("bytes= 0-1 , 5-6 ", [(0, 2), (5, 7)]),
        ("bytes=50-59,0-9", [(50, 60), (0, 10)]),
        ("bytes=0-9,5-14", [(0, 10), (5, 15)]),
        ("bytes=0-9,10-19", [(0, 10), (10, 20)]),
        ("bytes=0-9,0-9", [(0, 10), (0, 10)]),
        ("bytes=0-9,200-300", [(0, 10)]),
        ("bytes=200-,-1", [(99, 100)]),
        ("bytes=0-0,1-1,2-2,3-3", [(0, 1), (1, 2), (2, 3), (3, 4)]),
    ],
)
def test_range(header: str, spans: list[tuple[int, int]]) -> None:
    """Parts of 100 bytes come in the order asked, neither sorted nor merged; those beyond the end are left out."""
    assert parse_range(header, 100, 4) == spans


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=x-y",
        "bytes=5",
        "bytes=5-4",
        "bytes=1-2-3",
        "bytes=+1-2",
        "bytes=0x0-0x9",
        "bytes=0-1,",
        "bytes=,0-1",
        "bytes=0-1;2-3",
        "bytes=0-1,5-4",
        f"bytes={ARABIC[0]}-{ARABIC[1]}",
        "bytes=0-" + "9" * 33,
        "bytes=" + "9" * 100_000 + "-",
        "items=0-1",
        "bits=0-1",
        "bytes=0-0,1-1,2-2,3-3,4-4",
        "bytes=0-60,10-70",
        "bytes=0-,0-",
    ],
)
def test_ignored_range(header: str) -> None:
    """A range that is not understood, has too many parts, or asks for more than the whole, gives the whole."""
    assert parse_range(header, 100, 4) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [
        ("bytes=100-", 100),
        ("bytes=100-200", 100),
        ("bytes=-0", 100),
        ("bytes=0-", 0),
        ("bytes=-5", 0),
        ("bytes=200-,300-", 100),
    ],
)
def test_range_beyond_the_end(header: str, size: int) -> None:
    """When no part lies within the content, the error says how large that is."""
    with pytest.raises(RangeInvalid) as caught:
        parse_range(header, size, 4)
    assert caught.value.size == size


@pytest.mark.parametrize(
    ("header", "length", "chunk"),
    [
        (None, None, None),
        (None, 5, None),
        ("0-99", 100, Chunk(0, 100)),
        ("0-99", None, Chunk(0, 100)),
        ("100-100", 1, Chunk(100, 101)),
        (" 0-99 ", 100, Chunk(0, 100)),
        ("bytes 0-99/100", 100, Chunk(0, 100)),
        ("bytes 0-99/*", 100, Chunk(0, 100)),
        ("bytes=0-99", 100, Chunk(0, 100)),
        ("0-99/100", 100, Chunk(0, 100)),
        ("100-99", 0, Chunk(100, 100)),
        ("999999999999999999-999999999999999999", 1, Chunk(10**18 - 1, 10**18)),
    ],
)
def test_content_range(header: str | None, length: int | None, chunk: Chunk | None) -> None:
    """A chunk says where it begins and ends, in the specification's way of writing it and in HTTP's."""
    assert parse_content_range(header, length) == chunk


@pytest.mark.parametrize(
    ("header", "length", "reason"),
    [
        ("", 5, "malformed"),
        ("5", 5, "malformed"),
        ("-5", 5, "malformed"),
        ("0-", 5, "malformed"),
        ("0--1", 0, "malformed"),
        ("a-b", 5, "malformed"),
        ("bytes */100", 5, "malformed"),
        ("items 0-4", 5, "malformed"),
        ("0-4,5-9", 5, "malformed"),
        (f"0-{ARABIC}", None, "malformed"),
        ("0-" + "9" * 33, None, "malformed"),
        ("9" * 100_000 + "-", None, "malformed"),
        ("5-0", 5, "ends before it begins"),
        ("5-0", None, "ends before it begins"),
        ("0-4", 6, "is 5 bytes, but Content-Length is 6"),
        ("0-4", 0, "is 5 bytes, but Content-Length is 0"),
    ],
)
def test_malformed_content_range(header: str, length: int | None, reason: str) -> None:
    """Anything else is refused with the reason, in a sentence of bounded length."""
    with pytest.raises(ChunkInvalid, match=reason) as caught:
        parse_content_range(header, length)
    assert len(str(caught.value)) < 300
