"""Parts of blobs (spec, "Pulling blobs"; RFC 9110, section 14)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.api.conftest import ENGINES, Serve
from tests.api.content import UNKNOWN, blob, digest_of
from tests.api.table import Case, Step, case, play, rows

TEN = b"0123456789"
DIGEST = digest_of(TEN)
URL = f"/v2/app/blobs/{DIGEST}"
LARGE = bytes(range(256)) * 8192
LARGE_URL = f"/v2/app/blobs/{digest_of(LARGE)}"
NOTHING_URL = f"/v2/app/blobs/{digest_of(b'')}"
WHOLE = {"Content-Length": "10", "Content-Range": None, "Accept-Ranges": "bytes"}


def part(asked: str, content_range: str, content: bytes, url: str = URL, **more: str) -> Step:
    """One part is the body itself."""
    sees = {
        "Content-Range": content_range,
        "Content-Length": str(len(content)),
        "Content-Type": "application/octet-stream",
        "Docker-Content-Digest": url.rpartition("/")[2],
    }
    return Step("GET", url, 206, {"Range": asked, **_headers(more)}, sees=sees, gives=content)


def whole(asked: str, **more: str) -> Step:
    return Step("GET", URL, 200, {"Range": asked, **_headers(more)}, sees=WHOLE, gives=TEN)


def refused(asked: str, url: str = URL, size: int = 10) -> Step:
    return Step("GET", url, 416, {"Range": asked}, sees={"Content-Range": f"bytes */{size}"}, error="SIZE_INVALID")


def _headers(named: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


ONE: list[Case] = [
    case("end-2", f"one range: {asked}", part(asked, f"bytes {content_range}/10", content), seed=[blob(TEN)])
    for asked, content_range, content in [
        ("bytes=0-0", "0-0", b"0"),
        ("bytes=2-5", "2-5", b"2345"),
        ("bytes=0-9", "0-9", TEN),
        ("bytes=9-9", "9-9", b"9"),
        ("bytes=4-", "4-9", b"456789"),
        ("bytes=8-999", "8-9", b"89"),
        ("bytes=-3", "7-9", b"789"),
        ("bytes=-10", "0-9", TEN),
        ("bytes=-999", "0-9", TEN),
        ("BYTES=2-5", "2-5", b"2345"),
        ("bytes= 2-5", "2-5", b"2345"),
        ("bytes=2-5,20-30", "2-5", b"2345"),
        # The last position may be as large as a client likes: it is cut to the end.
        ("bytes=5-18446744073709551615", "5-9", b"56789"),
    ]
]

IGNORED: list[Case] = [
    case("end-2", f"not understood, so ignored: {asked}", whole(asked), seed=[blob(TEN)])
    for asked in [
        "bytes=5-2",
        "bytes=a-b",
        "bytes=-",
        "bytes=",
        "bytes=1",
        "bytes=0x1-5",
        "bytes=+1-5",
        "bytes 2-5",
        "lines=1-2",
        "2-5",
        "bytes=1-2,x",
    ]
]

UNSATISFIABLE: list[Case] = [
    case("end-2", f"no byte is there: {asked}", refused(asked), seed=[blob(TEN)])
    for asked in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=20-30,40-50", "bytes=99999999999999999-"]
]

EDGES: list[Case] = [
    case(
        "end-2",
        "an empty blob has no first byte",
        refused("bytes=0-", NOTHING_URL, 0),
        refused("bytes=0-0", NOTHING_URL, 0),
        seed=[blob(b"")],
    ),
    case(
        "end-2",
        "parts of a large blob",
        part("bytes=1048570-1048585", f"bytes 1048570-1048585/{len(LARGE)}", LARGE[1048570:1048586], LARGE_URL),
        part("bytes=5-", f"bytes 5-{len(LARGE) - 1}/{len(LARGE)}", LARGE[5:], LARGE_URL),
        seed=[blob(LARGE)],
    ),
    case(
        "end-2",
        "HEAD takes no notice of a range",
        Step("HEAD", URL, 200, {"Range": "bytes=2-5"}, sees=WHOLE),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "a range of a blob that is not there",
        Step("GET", f"/v2/app/blobs/{UNKNOWN}", 404, {"Range": "bytes=2-5"}, error="BLOB_UNKNOWN"),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "If-Range with the blob's tag keeps the range, any other drops it",
        part("bytes=2-5", "bytes 2-5/10", b"2345", If_Range=f'"{DIGEST}"'),
        whole("bytes=2-5", If_Range='"x"'),
        whole("bytes=2-5", If_Range=f'W/"{DIGEST}"'),
        whole("bytes=2-5", If_Range="Sat, 01 Jan 2028 00:00:00 GMT"),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "If-None-Match is looked at before the range",
        Step("GET", URL, 304, {"Range": "bytes=20-", "If-None-Match": f'"{DIGEST}"'}),
        part("bytes=2-5", "bytes 2-5/10", b"2345", If_None_Match='"x"'),
        seed=[blob(TEN)],
    ),
]


def parts(asked: str, *wanted: tuple[str, bytes], url: str = URL) -> Step:
    return Step("GET", url, 206, {"Range": asked}, sees={"Content-Range": None}, parts=wanted)


SEVERAL: list[Case] = [
    case(
        "end-2",
        "several ranges come in the order asked",
        parts("bytes=8-9,0-1, 4-4", ("bytes 8-9/10", b"89"), ("bytes 0-1/10", b"01"), ("bytes 4-4/10", b"4")),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "neighbours are not merged",
        parts("bytes=0-1,2-3", ("bytes 0-1/10", b"01"), ("bytes 2-3/10", b"23")),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "overlapping ranges are sent as asked",
        parts("bytes=0-3,2-5", ("bytes 0-3/10", b"0123"), ("bytes 2-5/10", b"2345")),
        parts("bytes=1-2,1-2", ("bytes 1-2/10", b"12"), ("bytes 1-2/10", b"12")),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "suffix and open ranges among others",
        parts("bytes=-2,0-0,7-", ("bytes 8-9/10", b"89"), ("bytes 0-0/10", b"0"), ("bytes 7-9/10", b"789")),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "ranges without a byte are left out",
        parts("bytes=0-0,50-60,9-9", ("bytes 0-0/10", b"0"), ("bytes 9-9/10", b"9")),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "several ranges of a large blob",
        parts(
            "bytes=1500000-1500009,-3",
            (f"bytes 1500000-1500009/{len(LARGE)}", LARGE[1500000:1500010]),
            (f"bytes {len(LARGE) - 3}-{len(LARGE) - 1}/{len(LARGE)}", LARGE[-3:]),
            url=LARGE_URL,
        ),
        seed=[blob(LARGE)],
    ),
    case(
        "end-2",
        "ranges that are more than the whole together give the whole",
        whole("bytes=0-9,0-9"),
        whole("bytes=0-,1-,2-"),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "too many ranges give the whole",
        whole("bytes=" + ",".join(["0-0"] * 65)),
        seed=[blob(TEN)],
    ),
    case(
        "end-2",
        "as many ranges as are allowed",
        parts("bytes=3-3,1-1", ("bytes 3-3/10", b"3"), ("bytes 1-1/10", b"1")),
        whole("bytes=3-3,1-1,2-2"),
        seed=[blob(TEN)],
        config={"limits.ranges": 2},
    ),
]


@pytest.fixture(params=[*ENGINES, "uncached"])
def engine(request: pytest.FixtureRequest) -> dict[str, object]:
    """The engines, and one on which even the smallest blob goes by sendfile."""
    return ENGINES.get(request.param, {"storage.memory_cache": 0})


@rows(ONE, IGNORED, UNSATISFIABLE, EDGES, SEVERAL)
async def test_ranges(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
