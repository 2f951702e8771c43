"""Pushing a blob in chunks (spec, "Pushing a blob in chunks")."""

from __future__ import annotations

from tests.api.conftest import Serve
from tests.api.content import digest_of, upload
from tests.api.table import Case, Step, case, play, rows

HELLO = b"hello, world"
DIGEST = digest_of(HELLO)
UPLOAD = "/v2/app/blobs/uploads/{upload}"
FINISH = f"{UPLOAD}?digest={DIGEST}"

there = Step("GET", f"/v2/app/blobs/{DIGEST}", 200, gives=HELLO)


def at(offset: int) -> dict[str, str]:
    """The headers that say how far an upload got."""
    return {"Location": UPLOAD, "Range": f"0-{max(offset - 1, 0)}", "Docker-Upload-UUID": "{upload}"}


def chunk(content_range: str, body: bytes | tuple[bytes, ...], offset: int) -> Step:
    """A chunk that is taken: the upload reaches `offset` afterwards."""
    return Step("PATCH", "{location}", 202, {"Content-Range": content_range}, body, at(offset))


def misplaced(method: str, content_range: str, body: bytes, offset: int) -> Step:
    """A chunk out of order: the answer says where the upload really is."""
    url = UPLOAD if method == "PATCH" else FINISH
    headers = {"Content-Range": content_range}
    return Step(method, url, 416, headers, body, at(offset), error="BLOB_UPLOAD_INVALID")


def malformed(
    content_range: str, body: bytes | tuple[bytes, ...] = b"hello", error: str = "BLOB_UPLOAD_INVALID"
) -> Step:
    return Step("PATCH", UPLOAD, 400, {"Content-Range": content_range}, body, error=error)


def status(offset: int) -> Step:
    return Step("GET", UPLOAD, 204, sees=at(offset))


IN_ORDER: list[Case] = [
    case(
        "end-5",
        "chunks with Content-Range",
        chunk("0-4", b"hello", 5),
        chunk("5-6", b", ", 7),
        chunk("7-11", b"world", 12),
        Step("PUT", FINISH, 201, sees={"Location": f"/v2/app/blobs/{DIGEST}", "Docker-Content-Digest": DIGEST}),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "the last chunk comes with the PUT",
        chunk("0-4", b"hello", 5),
        Step("PUT", FINISH, 201, {"Content-Range": "5-11"}, b", world"),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "the only chunk comes with the PUT",
        Step("PUT", FINISH, 201, {"Content-Range": "0-11"}, HELLO),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "chunks without Content-Range are appended",
        Step("PATCH", UPLOAD, 202, body=b"hello", sees=at(5)),
        Step("PATCH", UPLOAD, 202, {"Content-Type": "application/octet-stream"}, b", ", at(7)),
        Step("PATCH", UPLOAD, 202, body=(b"wor", b"ld"), sees=at(12)),
        Step("PUT", FINISH, 201),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "a stream of unknown length, with Content-Range",
        chunk("0-4", (b"he", b"llo"), 5),
        chunk("5-11", (b", ", b"world"), 12),
        Step("PUT", FINISH, 201),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "empty chunks change nothing",
        Step("PATCH", UPLOAD, 202, sees=at(0)),
        Step("PATCH", UPLOAD, 202, {"Content-Range": "0-0"}, b"h", at(1)),
        Step("PATCH", UPLOAD, 202, body=(), sees=at(1)),
        status(1),
        seed=upload(),
    ),
    case(
        "end-5",
        "Content-Range as HTTP writes it is understood too",
        chunk("bytes 0-4/*", b"hello", 5),
        chunk("bytes 5-11/12", b", world", 12),
        Step("PUT", FINISH, 201),
        there,
        seed=upload(),
    ),
    case(
        "end-5",
        "a chunk of megabytes",
        chunk("0-2999999", bytes(3_000_000), 3_000_000),
        chunk("3000000-3000004", b"hello", 3_000_005),
        Step("PUT", f"{UPLOAD}?digest={digest_of(bytes(3_000_000) + b'hello')}", 201),
        seed=upload(),
    ),
]

OUT_OF_ORDER: list[Case] = [
    case(
        "end-5",
        "a gap, a repetition and an overlap are refused, and the upload goes on",
        misplaced("PATCH", "6-9", b"worl", 5),
        misplaced("PATCH", "0-4", b"hello", 5),
        misplaced("PATCH", "3-7", b"lo, w", 5),
        status(5),
        chunk("5-11", b", world", 12),
        Step("PUT", FINISH, 201),
        there,
        seed=upload(b"hello"),
    ),
    case("end-5", "the first chunk begins with 0", misplaced("PATCH", "5-11", b", world", 0), seed=upload()),
    case(
        "end-6",
        "the last chunk out of order is refused, and the upload goes on",
        misplaced("PUT", "6-11", b"world!", 5),
        misplaced("PUT", "0-4", b"hello", 5),
        status(5),
        Step("PUT", FINISH, 201, {"Content-Range": "5-11"}, b", world"),
        there,
        seed=upload(b"hello"),
    ),
    case(
        "end-13",
        "after a 416 the Location and the Range of the answer say how to go on",
        misplaced("PATCH", "0-4", b"hello", 5),
        Step("PATCH", "{location}", 202, {"Content-Range": "5-11"}, b", world", at(12)),
        seed=upload(b"hello"),
    ),
]

WRONG: list[Case] = [
    case(
        "end-5",
        f"Content-Range {content_range!r} is malformed",
        malformed(content_range),
        Step("PUT", FINISH, 400, {"Content-Range": content_range}, b"hello", error="BLOB_UPLOAD_INVALID"),
        status(0),
        seed=upload(),
    )
    for content_range in ["x", "5", "0-", "-5", "a-b", "4-0", "0--1", "0-4,5-6", "0-4/x", "items 0-4", "0-" + "9" * 19]
] + [
    case(
        "end-5",
        "Content-Range and Content-Length have to agree, or nothing is taken",
        malformed("0-3", b"hello"),
        malformed("0-5", b"hello"),
        Step("PUT", FINISH, 400, {"Content-Range": "0-3"}, b"hello", error="BLOB_UPLOAD_INVALID"),
        status(0),
        seed=upload(),
    ),
    case(
        "end-5",
        "a stream shorter than its Content-Range is refused, and can be continued",
        malformed("0-11", (b"hello",), "SIZE_INVALID"),
        status(5),
        chunk("5-11", b", world", 12),
        Step("PUT", FINISH, 201),
        seed=upload(),
    ),
    case(
        "end-6",
        "a last chunk that is shorter than its Content-Range does not finish the upload",
        Step("PUT", FINISH, 400, {"Content-Range": "5-20"}, (b", world",), error="SIZE_INVALID"),
        status(12),
        Step("PUT", FINISH, 201),
        there,
        seed=upload(b"hello"),
    ),
]


@rows(IN_ORDER, OUT_OF_ORDER, WRONG)
async def test_chunks(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
