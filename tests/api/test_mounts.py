"""Mounting blobs from other repositories (spec, "Mounting a blob from another repository")."""

from __future__ import annotations

from tests.api.conftest import Serve
from tests.api.content import UNKNOWN, blob, digest_of
from tests.api.table import Case, Step, case, play, rows

HELLO = b"hello, world"
DIGEST = digest_of(HELLO)
LONG = digest_of(HELLO, "sha512")
START = "/v2/app/blobs/uploads/"
BLOB = f"/v2/app/blobs/{DIGEST}"
UPLOAD = START + "{upload}"

MOUNTED = {"Location": BLOB, "Docker-Content-Digest": DIGEST, "Content-Length": "0"}
BEGUN = {"Location": UPLOAD, "Range": "0-0", "Docker-Upload-UUID": "{upload}"}

there = Step("GET", BLOB, 200, gives=HELLO)
absent = Step("HEAD", BLOB, 404)
seed = [blob(HELLO, "source/one")]

MOUNTS: list[Case] = [
    case(
        "end-11",
        "a blob of another repository",
        absent,
        Step("POST", f"{START}?mount={DIGEST}&from=source/one", 201, sees=MOUNTED),
        there,
        seed=seed,
    ),
    case(
        "end-11",
        "the parameters may be encoded, in any order, and with others among them",
        Step("POST", f"{START}?from=source%2Fone&origin=x&mount={DIGEST.replace(':', '%3A')}", 201, sees=MOUNTED),
        there,
        seed=seed,
    ),
    case("end-11", "without from", Step("POST", f"{START}?mount={DIGEST}", 201, sees=MOUNTED), there, seed=seed),
    case("end-11", "an empty from is none", Step("POST", f"{START}?mount={DIGEST}&from=", 201), there, seed=seed),
    case(
        "end-11",
        "from the repository itself",
        Step("POST", f"/v2/source/one/blobs/uploads/?mount={DIGEST}&from=source/one", 201),
        seed=seed,
    ),
    case(
        "end-11",
        "a sha512 blob",
        Step("POST", f"{START}?mount={LONG}&from=source/one", 201, sees={"Docker-Content-Digest": LONG}),
        absent,
        seed=[blob(HELLO, "source/one", "sha512")],
    ),
    case(
        "end-11",
        "what is mounted stays when the source gives it up",
        Step("POST", f"{START}?mount={DIGEST}&from=source/one", 201),
        Step("DELETE", f"/v2/source/one/blobs/{DIGEST}", 202),
        there,
        seed=seed,
    ),
]

NOT_MOUNTED: list[Case] = [
    case(
        "end-11",
        "a blob that nobody has: an upload begins, and can be gone on with",
        Step("POST", f"{START}?mount={UNKNOWN}&from=source/one", 202, sees={**BEGUN, "Docker-Content-Digest": None}),
        Step("PATCH", UPLOAD, 202, body=HELLO),
        Step("PUT", f"{UPLOAD}?digest={DIGEST}", 201, sees=MOUNTED),
        there,
        seed=seed,
    ),
    case(
        "end-11",
        "a blob that nobody has, without from",
        Step("POST", f"{START}?mount={UNKNOWN}", 202, sees=BEGUN),
        seed=seed,
    ),
    case(
        "end-11",
        "a repository that does not have the blob, though another one has",
        Step("POST", f"{START}?mount={DIGEST}&from=source/two", 202, sees=BEGUN),
        absent,
        seed=[*seed, blob(b"something else", "source/two")],
    ),
    case(
        "end-11",
        "a repository that is not there",
        Step("POST", f"{START}?mount={DIGEST}&from=nowhere", 202, sees=BEGUN),
        absent,
        Step("GET", "/v2/_catalog", 200, gives={"repositories": ["source/one"]}),
        seed=seed,
    ),
    case(
        "end-11",
        "a blob that was deleted from the source",
        Step("DELETE", f"/v2/source/one/blobs/{DIGEST}", 202),
        Step("POST", f"{START}?mount={DIGEST}&from=source/one", 202, sees=BEGUN),
        Step("POST", f"{START}?mount={DIGEST}", 202, sees=BEGUN),
        absent,
        seed=seed,
    ),
    case(
        "end-11",
        "the session after a failed mount can be cancelled",
        Step("POST", f"{START}?mount={UNKNOWN}&from=source/one", 202),
        Step("DELETE", UPLOAD, 204),
        seed=seed,
    ),
    case(
        "end-11",
        "a source that cannot be a name",
        Step("POST", f"{START}?mount={DIGEST}&from=UPPER", 400, error="UNSUPPORTED"),
        Step("POST", f"{START}?mount={DIGEST}&from=../x", 400, error="UNSUPPORTED"),
        seed=seed,
    ),
]


@rows(MOUNTS, NOT_MOUNTED)
async def test_mounts(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)
