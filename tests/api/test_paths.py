"""What a path may be: checked after decoding, never read as something else (spec, "Pulling manifests")."""

from __future__ import annotations

import pytest

from tests.api.conftest import Serve
from tests.api.content import BASICS, UNKNOWN, image, manifest
from tests.api.server import Registry
from tests.api.table import Case, Step, case, play, rows

PLAIN = image()
SEED = [*BASICS, manifest(PLAIN, "v1")]


def list_of(name: str, status: int, error: str) -> Step:
    return Step("GET", f"/v2/{name}/tags/list", status, error=error)


NAMES: list[Case] = [
    case(
        "name",
        "names that cannot be one",
        *(
            list_of(name, 400, "NAME_INVALID")
            for name in [
                "App",
                "app-",
                "-app",
                ".app",
                "app..x",
                "app.-x",
                "app___x",
                "app//x",
                "/app",
                "app/",
                "..",
                "app/../other",
                "app/.",
                "%2e%2e",
                "app%20x",
                "app%0a",
                "app%7f",
                "%C3%A9",
                "%FF",
                "app:5000/x",
                "app@x",
                "a%2fb",
                "a%2Fb",
                "a%252fb",
                "a%00b",
                "a%5cb",
                "a" * 256,
            ]
        ),
        seed=SEED,
    ),
    case(
        "name",
        "names that can be one",
        *(
            list_of(name, 404, "NAME_UNKNOWN")
            for name in [
                "a",
                "0",
                "a.b",
                "a_b",
                "a__b",
                "a-b",
                "a---b",
                "a/b/c/d/e/f/g",
                "a%2db",
                "%61pp/x",
                "blobs/uploads",
                "manifests/v1",
                "tags/list",
                "a" * 255,
            ]
        ),
        seed=SEED,
    ),
    case(
        "name",
        "an encoded letter is that letter",
        Step("GET", "/v2/%61pp/%6danifests/v%31", 200, gives=PLAIN.content),
        seed=SEED,
    ),
    case(
        "name",
        "names that hold the API's own words",
        Step("POST", "/v2/blobs/uploads/manifests/blobs/uploads/", 202),
        Step("GET", "{location}", 204),
        Step("GET", "/v2/a/tags/list/manifests/v1", 404, error="NAME_UNKNOWN"),
        Step("GET", f"/v2/a/referrers/blobs/{UNKNOWN}", 404, error="NAME_UNKNOWN"),
    ),
    case(
        "name",
        "a malformed name is refused on every endpoint, and nothing is stored",
        Step("PUT", "/v2/A/manifests/v1", 400, {"Content-Type": PLAIN.media_type}, PLAIN.content, error="NAME_INVALID"),
        Step("POST", "/v2/A/blobs/uploads/", 400, error="NAME_INVALID"),
        Step("PATCH", "/v2/A/blobs/uploads/x", 400, body=b"x", error="NAME_INVALID"),
        Step("GET", f"/v2/A/blobs/{UNKNOWN}", 400, error="NAME_INVALID"),
        Step("DELETE", f"/v2/A/blobs/{UNKNOWN}", 400, error="NAME_INVALID"),
        Step("GET", f"/v2/A/referrers/{UNKNOWN}", 400, error="NAME_INVALID"),
        Step("GET", "/v2/_catalog", 200, gives={"repositories": []}),
    ),
]

REFERENCES: list[Case] = [
    case(
        "reference",
        "references that lead nowhere else",
        *(
            Step("GET", f"/v2/app/manifests/{reference}", status, error=error)
            for reference, status, error in [
                ("..", 404, "MANIFEST_UNKNOWN"),
                ("%2e%2e", 404, "MANIFEST_UNKNOWN"),
                ("v1%00", 400, "NAME_INVALID"),
                ("v1%2f", 400, "NAME_INVALID"),
                ("%76%31%20", 404, "MANIFEST_UNKNOWN"),
                ("v1;x", 404, "MANIFEST_UNKNOWN"),
                ("%C3%A9", 404, "MANIFEST_UNKNOWN"),
                ("v1:", 400, "DIGEST_INVALID"),
                ("sha256:../../etc", 404, "UNSUPPORTED"),
                ("sha256:%2e%2e", 400, "DIGEST_INVALID"),
            ]
        ),
        seed=SEED,
    ),
]

NOWHERE: list[Case] = [
    case(
        "path",
        "there is nothing at such a path",
        *(
            Step("GET", path, 404, error="UNSUPPORTED")
            for path in [
                "/",
                "/v2x",
                "//v2/",
                "/v2/app",
                "/v2//tags/list",
                "/v2/app/tags",
                "/v2/app/tags/list/",
                "/v2/app/manifests",
                "/v2/app/manifests/",
                "/v2/app/blobs/",
                "/v2/app/unknown/v1",
                "/V2/app/tags/list",
                "/v2/app/manifests/v1/",
                "/healthz/",
                "/v2/_catalog/",
                "/etc/passwd",
                "/../../etc/passwd",
            ]
        ),
        seed=SEED,
    ),
    case(
        "path",
        "methods that a resource does not have",
        *(
            Step(method, path, 405, sees={"Allow": allowed}, error="UNSUPPORTED")
            for method, path, allowed in [
                ("POST", "/v2/app/manifests/v1", "DELETE, GET, HEAD, PUT"),
                ("GET", "/v2/app/blobs/uploads/", "POST"),
                ("GET", "/v2/app/blobs/uploads", "POST"),
                ("POST", "/v2/app/blobs/uploads/x", "DELETE, GET, HEAD, PATCH, PUT"),
                ("PUT", f"/v2/app/blobs/{UNKNOWN}", "DELETE, GET, HEAD"),
                ("DELETE", "/v2/app/tags/list", "GET, HEAD"),
                ("PUT", f"/v2/app/referrers/{UNKNOWN}", "GET, HEAD"),
                ("POST", "/v2/_catalog", "GET, HEAD"),
                ("MKCOL", "/v2/app/tags/list", "GET, HEAD"),
            ]
        ),
        seed=SEED,
    ),
]


@pytest.fixture
def engine() -> dict[str, object]:
    """Paths are read before anything is looked up."""
    return {"storage.ephemeral": True}


@rows(NAMES, REFERENCES, NOWHERE)
async def test_paths(serve: Serve, row: Case) -> None:
    """Every row of the tables is answered as it says."""
    await play(await serve(row.config), row)


async def ask_raw(registry: Registry, head: bytes) -> bytes:
    """Send bytes as they are, and return the first line of the answer."""
    reader, writer = await registry.connect()
    try:
        writer.write(head + b"\r\nHost: x\r\nConnection: close\r\n\r\n")
        return (await reader.readline()).strip()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "target",
    [
        b"/v2/\xff/tags/list",
        b"/v2/\xc3\xa9/tags/list",
        b"/v2/app/manifests/\xff",
        b"/v2/app/blobs/\xff",
        b"/v2/app/blobs/uploads/\xff",
        b"/v2/app/referrers/\xff",
        b"/v2/app/tags/list?last=\xff",
        b"/v2/app/tags/list?n=\xff",
        b"/v2/_catalog?last=\xff",
        b"/v2/app/referrers/" + UNKNOWN.encode() + b"?artifactType=\xff",
        b"/v2/?ns=\xff",
        b"/\xff",
    ],
)
async def test_bytes_that_should_be_encoded(registry: Registry, target: bytes) -> None:
    """A target with bytes beyond ASCII is the client's fault, not the registry's."""
    for step in SEED:
        await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
    status = (await ask_raw(registry, b"GET " + target + b" HTTP/1.1")).split()[1]
    assert status in {b"200", b"400", b"404"}


async def test_absolute_form(registry: Registry) -> None:
    """A target in absolute form names the same resource (RFC 9112, section 3.2.2)."""
    assert await ask_raw(registry, b"GET http://registry.example/v2/ HTTP/1.1") == b"HTTP/1.1 200 OK"
    assert (
        await ask_raw(registry, b"GET http://registry.example/v2/A/tags/list HTTP/1.1") == b"HTTP/1.1 400 Bad Request"
    )
