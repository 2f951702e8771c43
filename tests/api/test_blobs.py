"""Pulling blobs (spec, "Pulling blobs", "Checking if content exists in the registry")."""

from __future__ import annotations

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
LONG = digest_of(TEN, "sha512")

HEADERS = {
    "Content-Type": "application/octet-stream",
    "Content-Length": "10",
    "Docker-Content-Digest": DIGEST,
    "ETag": f'"{DIGEST}"',
    "Accept-Ranges": "bytes",
    "Cache-Control": "max-age=31536000, immutable",
    "Content-Encoding": None,
}
seed = [blob(TEN)]

READING: list[Case] = [
    case("end-2", "a blob is sent whole", Step("GET", URL, 200, sees=HEADERS, gives=TEN), seed=seed),
    case("end-2", "HEAD says what GET would", Step("HEAD", URL, 200, sees=HEADERS, gives=b""), seed=seed),
    case(
        "end-2",
        "a large blob is sent whole",
        Step("GET", LARGE_URL, 200, sees={"Content-Length": str(len(LARGE))}, gives=LARGE),
        Step("HEAD", LARGE_URL, 200, sees={"Content-Length": str(len(LARGE))}),
        seed=[blob(LARGE)],
    ),
    case(
        "end-2",
        "an empty blob has a length of 0",
        Step("GET", NOTHING_URL, 200, sees={"Content-Length": "0"}, gives=b""),
        Step("HEAD", NOTHING_URL, 200, sees={"Content-Length": "0"}),
        seed=[blob(b"")],
    ),
    case(
        "end-2",
        "a sha512 digest is answered with itself",
        Step("GET", f"/v2/app/blobs/{LONG}", 200, sees={"Docker-Content-Digest": LONG}, gives=TEN),
        Step("HEAD", f"/v2/app/blobs/{LONG}", 200, sees={"Docker-Content-Digest": LONG}),
        seed=[blob(TEN, algorithm="sha512")],
    ),
    case(
        "end-2",
        "one content under two algorithms is two blobs",
        Step("GET", URL, 404, error="BLOB_UNKNOWN"),
        blob(TEN),
        Step("GET", URL, 200, gives=TEN),
        Step("GET", f"/v2/app/blobs/{LONG}", 200, gives=TEN),
        seed=[blob(TEN, algorithm="sha512")],
    ),
    case(
        "end-2",
        "an encoded colon is a colon",
        Step("GET", URL.replace(":", "%3A"), 200, gives=TEN),
        seed=seed,
    ),
    case(
        "end-2",
        "a coding that the client would take is not used",
        Step("GET", URL, 200, {"Accept-Encoding": "zstd, gzip"}, sees=HEADERS, gives=TEN),
        seed=seed,
    ),
]

MISSING: list[Case] = [
    case(
        "end-2",
        "a blob that the repository does not have",
        Step("GET", f"/v2/app/blobs/{UNKNOWN}", 404, error="BLOB_UNKNOWN"),
        Step("HEAD", f"/v2/app/blobs/{UNKNOWN}", 404, gives=b""),
        seed=seed,
    ),
    case(
        "end-2",
        "a repository that nobody pushed to",
        Step("GET", f"/v2/other/blobs/{DIGEST}", 404, error="NAME_UNKNOWN"),
        Step("HEAD", f"/v2/other/blobs/{DIGEST}", 404),
        seed=seed,
    ),
    case(
        "end-2",
        "knowing a digest does not open another repository's blob",
        Step("GET", f"/v2/other/blobs/{DIGEST}", 404, error="BLOB_UNKNOWN"),
        seed=[*seed, blob(b"something else", "other")],
    ),
    case(
        "end-2",
        "malformed digests",
        Step("GET", "/v2/app/blobs/sha256:12", 400, error="DIGEST_INVALID"),
        Step("GET", f"/v2/app/blobs/{DIGEST.upper()}", 400, error="DIGEST_INVALID"),
        Step("GET", f"/v2/app/blobs/{DIGEST[7:]}", 400, error="DIGEST_INVALID"),
        Step("GET", f"/v2/app/blobs/md5:{'a' * 32}", 400, error="DIGEST_INVALID"),
        Step("GET", f"/v2/app/blobs/sha512:{DIGEST[7:]}", 400, error="DIGEST_INVALID"),
        Step("HEAD", "/v2/app/blobs/sha256:12", 400),
        seed=seed,
    ),
]

CONDITIONS: list[Case] = [
    case(
        "end-2",
        f"If-None-Match: {value[:12]}… is answered {status}",
        Step(
            "GET",
            URL,
            status,
            {"If-None-Match": value},
            sees={"ETag": f'"{DIGEST}"'},
            gives=TEN if status == 200 else b"",
        ),
        Step("HEAD", URL, status, {"If-None-Match": value}, sees={"Docker-Content-Digest": DIGEST}, gives=b""),
        seed=seed,
    )
    for value, status in [
        (f'"{DIGEST}"', 304),
        (f'W/"{DIGEST}"', 304),
        (f'"x", "{DIGEST}"', 304),
        ("*", 304),
        (DIGEST, 304),
        ('"x"', 200),
        (f'"{UNKNOWN}"', 200),
        (f'"y{DIGEST}"', 200),
    ]
]


@pytest.fixture(params=[*ENGINES, "uncached"])
def engine(request: pytest.FixtureRequest) -> dict[str, object]:
    """The engines, and one on which even the smallest blob goes by sendfile."""
    return ENGINES.get(request.param, {"storage.memory_cache": 0})


@rows(READING, MISSING, CONDITIONS)
async def test_blobs(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
