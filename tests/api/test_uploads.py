"""Pushing blobs in one piece or as a stream, and what goes with it (spec, "Pushing blobs")."""

from __future__ import annotations

from tests.api.conftest import Serve
from tests.api.content import CONFIG, digest_of, upload
from tests.api.table import Case, Step, case, play, rows

HELLO = b"hello, world"
DIGEST = digest_of(HELLO)
LONG = digest_of(HELLO, "sha512")
START = "/v2/app/blobs/uploads/"
UPLOAD = START + "{upload}"
BLOB = f"/v2/app/blobs/{DIGEST}"
CREATED = {"Location": BLOB, "Docker-Content-Digest": DIGEST, "Content-Length": "0"}
NOWHERE = f"{START}{'0' * 32}"

there = Step("GET", BLOB, 200, gives=HELLO)
absent = Step("HEAD", BLOB, 404)
gone = Step("GET", UPLOAD, 404, error="BLOB_UPLOAD_UNKNOWN")


def finish(body: bytes | tuple[bytes, ...] = b"", digest: str = DIGEST, url: str = UPLOAD) -> Step:
    return Step("PUT", f"{url}?digest={digest}", 201, body=body)


def at(offset: int, status: int = 202) -> dict[str, str]:
    """The headers that say how far an upload got."""
    return {"Location": UPLOAD, "Range": f"0-{max(offset - 1, 0)}", "Docker-Upload-UUID": "{upload}"}


START_AND_FINISH: list[Case] = [
    case(
        "end-4a",
        "an upload begins empty, at a location of its own",
        Step("POST", START, 202, sees={**at(0), "Content-Length": "0"}),
        Step("POST", START.rstrip("/"), 202, sees=at(0)),
        Step("POST", START, 202, {"Content-Type": "application/json"}, sees=at(0)),
    ),
    case(
        "end-6",
        "POST, then PUT with the whole blob",
        *upload(),
        Step("PUT", f"{{location}}?digest={DIGEST}", 201, {"Content-Type": "application/octet-stream"}, HELLO, CREATED),
        there,
        gone,
    ),
    case("end-6", "PUT with chunked transfer encoding", *upload(), finish((b"hello", b", ", b"world")), there),
    case(
        "end-6",
        "PUT of an empty blob",
        *upload(),
        finish(b"", digest_of(b"")),
        Step("GET", f"/v2/app/blobs/{digest_of(b'')}", 200, gives=b""),
    ),
    case(
        "end-6",
        "the digest may be encoded, and stand among parameters that mean nothing",
        *upload(),
        Step("PUT", f"{UPLOAD}?_state=x&digest={DIGEST.replace(':', '%3A')}&y", 201, body=HELLO, sees=CREATED),
        there,
    ),
    case("end-6", "pushing a blob that is there", finish(HELLO), there, seed=[*upload(HELLO), finish(), *upload()]),
    case(
        "end-4b",
        "a single POST",
        Step("POST", f"{START}?digest={DIGEST}", 201, body=HELLO, sees=CREATED),
        there,
        Step("POST", f"{START}?digest={DIGEST}", 201, body=(HELLO,), sees=CREATED),
    ),
    case("end-4b", "a single POST by sha512", Step("POST", f"{START}?digest={LONG}", 201, body=HELLO), absent),
]

WRONG: list[Case] = [
    case(
        "end-6",
        "another digest than the content's ends the session, and nothing is stored",
        Step("PUT", f"{UPLOAD}?digest={DIGEST}", 400, body=b"hello, w0rld", error="DIGEST_INVALID"),
        gone,
        Step("GET", BLOB, 404, error="NAME_UNKNOWN"),
        Step("GET", f"/v2/app/blobs/{digest_of(b'hello, w0rld')}", 404),
        seed=upload(),
    ),
    case(
        "end-4b",
        "a single POST with another digest than the content's",
        Step("POST", f"{START}?digest={DIGEST}", 400, body=b"other", error="DIGEST_INVALID"),
        absent,
    ),
    case(
        "end-6",
        "a digest that cannot be one leaves the session as it is",
        Step("PUT", UPLOAD, 400, error="DIGEST_INVALID"),
        Step("PUT", f"{UPLOAD}?digest=", 400, error="DIGEST_INVALID"),
        Step("PUT", f"{UPLOAD}?digest=sha256:12", 400, error="DIGEST_INVALID"),
        Step("PUT", f"{UPLOAD}?digest=md5:{'a' * 32}", 400, error="DIGEST_INVALID"),
        Step("PUT", f"{UPLOAD}?digest={DIGEST.upper()}", 400, error="DIGEST_INVALID"),
        Step("GET", UPLOAD, 204, sees=at(5)),
        finish(b", world"),
        there,
        seed=upload(b"hello"),
    ),
    case(
        "end-4",
        "digests and algorithms that a POST cannot have",
        Step("POST", f"{START}?digest=sha256:12", 400, body=HELLO, error="DIGEST_INVALID"),
        Step("POST", f"{START}?digest=md5:{'a' * 32}", 400, body=HELLO, error="DIGEST_INVALID"),
        Step("POST", f"{START}?digest-algorithm=md5", 400, error="DIGEST_INVALID"),
        Step("POST", f"{START}?digest-algorithm=sha384", 400, error="DIGEST_INVALID"),
        Step("POST", f"{START}?mount=sha256:12&from=other", 400, error="DIGEST_INVALID"),
    ),
    case(
        "end-5",
        "uploads that are not there",
        Step("PATCH", NOWHERE, 404, body=HELLO, error="BLOB_UPLOAD_UNKNOWN"),
        Step("PUT", f"{NOWHERE}?digest={DIGEST}", 404, body=HELLO, error="BLOB_UPLOAD_UNKNOWN"),
        Step("GET", NOWHERE, 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("DELETE", NOWHERE, 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("GET", f"{START}not-an-id", 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("PATCH", f"{START}..", 404, body=HELLO, error="BLOB_UPLOAD_UNKNOWN"),
    ),
    case(
        "end-5",
        "an upload's id opens nothing in another repository",
        Step("PATCH", "/v2/other/blobs/uploads/{upload}", 404, body=b"x", error="BLOB_UPLOAD_UNKNOWN"),
        Step("GET", "/v2/other/blobs/uploads/{upload}", 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("PUT", f"/v2/other/blobs/uploads/{{upload}}?digest={DIGEST}", 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("DELETE", "/v2/other/blobs/uploads/{upload}", 404, error="BLOB_UPLOAD_UNKNOWN"),
        finish(),
        seed=upload(HELLO),
    ),
    case(
        "end-4a",
        "an upload that is never finished makes no repository",
        Step("GET", "/v2/app/tags/list", 404, error="NAME_UNKNOWN"),
        Step("GET", "/v2/_catalog", 200, gives={"repositories": []}),
        seed=upload(HELLO),
    ),
]

STATUS_AND_CANCEL: list[Case] = [
    case(
        "end-13",
        "the status says how far the upload got",
        *upload(),
        Step("GET", UPLOAD, 204, sees=at(0), gives=b""),
        Step("PATCH", UPLOAD, 202, body=b"h", sees=at(1)),
        Step("GET", UPLOAD, 204, sees=at(1)),
        Step("PATCH", UPLOAD, 202, body=b"ello", sees=at(5)),
        Step("GET", UPLOAD, 204, sees=at(5)),
    ),
    case(
        "end-14",
        "a cancelled upload is gone",
        Step("DELETE", UPLOAD, 204, gives=b""),
        gone,
        Step("PATCH", UPLOAD, 404, body=b"x", error="BLOB_UPLOAD_UNKNOWN"),
        Step("PUT", f"{UPLOAD}?digest={DIGEST}", 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("DELETE", UPLOAD, 404, error="BLOB_UPLOAD_UNKNOWN"),
        seed=upload(HELLO),
    ),
    case(
        "end-14",
        "a finished upload cannot be cancelled, and its blob stays",
        Step("DELETE", UPLOAD, 404, error="BLOB_UPLOAD_UNKNOWN"),
        Step("PUT", f"{UPLOAD}?digest={DIGEST}", 404, error="BLOB_UPLOAD_UNKNOWN"),
        there,
        seed=[*upload(HELLO), finish()],
    ),
]

ALGORITHMS: list[Case] = [
    case(
        "end-4c",
        f"begun for {announced or 'no algorithm'}, finished by {digest[:6]}",
        Step("POST", f"{START}?digest-algorithm={announced}" if announced else START, 202, sees=at(0)),
        Step("PATCH", UPLOAD, 202, body=b"hello, "),
        Step("PATCH", UPLOAD, 202, body=b"world"),
        Step("PUT", f"{UPLOAD}?digest={digest}", 201, sees={"Docker-Content-Digest": digest}),
        Step("GET", f"/v2/app/blobs/{digest}", 200, sees={"Docker-Content-Digest": digest}, gives=HELLO),
    )
    for announced in ("", "sha256", "sha512")
    for digest in (DIGEST, LONG)
]

LIMITS: list[Case] = [
    case(
        "end-6",
        "a blob of the largest size",
        *upload(),
        finish(HELLO),
        there,
        config={"limits.blob_size": len(HELLO)},
    ),
    case(
        "end-6",
        "a blob that is too large",
        *upload(b"hello, "),
        Step("PATCH", UPLOAD, 413, body=b"world!", error="SIZE_INVALID"),
        Step("GET", UPLOAD, 204, sees=at(7)),
        Step("PUT", f"{UPLOAD}?digest={DIGEST}", 413, body=b"world!", error="SIZE_INVALID"),
        Step("POST", f"{START}?digest={DIGEST}", 413, body=HELLO + b"!", error="SIZE_INVALID"),
        Step("POST", f"{START}?digest={DIGEST}", 413, body=(HELLO, b"!"), error="SIZE_INVALID"),
        finish(b"world"),
        there,
        config={"limits.blob_size": len(HELLO)},
    ),
    case(
        "end-6",
        "the limit on blobs does not count what other uploads hold",
        *upload(HELLO),
        *upload(CONFIG[:6]),
        finish(CONFIG[6:12], digest_of(CONFIG[:12])),
        config={"limits.blob_size": 12},
    ),
]


@rows(START_AND_FINISH, WRONG, STATUS_AND_CANCEL, ALGORITHMS, LIMITS)
async def test_uploads(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
