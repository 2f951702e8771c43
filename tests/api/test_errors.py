"""Every error that the API knows, provoked, with its status, its code and what goes with it (spec, "Error Codes")."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from registry import errors
from registry.api import errors as api_errors
from registry.api.errors import WIRE
from registry.api.jsonapi import problems
from storage import errors as storage_errors
from storage.errors import RegistryError
from tests.api.conftest import Serve
from tests.api.content import BASICS, IMAGE, INDEX, LAYER, UNKNOWN, digest_of, image, index, manifest
from tests.api.hello import DIGEST, HELLO, START, begin
from tests.api.server import Answer, Registry
from tests.api.slow import answered, slow_request

Provoke = Callable[[Registry], Awaitable[Answer]]

PLAIN = image()
MANIFEST = "/v2/app/manifests/v1"


@dataclass(frozen=True)
class Provocation:
    """How an error is provoked, and what the client sees of it; in `detail` and `headers` only what is named counts."""

    error: type[RegistryError]
    status: int
    code: str
    provoke: Provoke
    detail: object = None
    headers: tuple[tuple[str, str], ...] = ()


def ask(method: str, url: str, body: bytes = b"", **headers: str) -> Provoke:
    """A single request to a registry that has an image with the tag `v1`."""

    async def provoke(registry: Registry) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await registry.ask(method, url, headers=named, body=body)

    return provoke


def push(content: bytes, media_type: str = IMAGE, reference: str = "v2", **headers: str) -> Provoke:
    return ask("PUT", f"/v2/app/manifests/{reference}", content, Content_Type=media_type, **headers)


def chunk(content_range: str, body: bytes | tuple[bytes, ...]) -> Provoke:
    async def provoke(registry: Registry) -> Answer:
        path = await begin(registry, b"hello")
        return await registry.ask("PATCH", path, headers={"Content-Range": content_range}, body=body)

    return provoke


async def write_twice(registry: Registry) -> Answer:
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12"):
        return await registry.ask("PATCH", path, body=b"x")


async def send_too_many(registry: Registry) -> Answer:
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12"):
        return await registry.ask("POST", f"{START}?digest={DIGEST}", body=HELLO)


PROVOCATIONS = [
    Provocation(storage_errors.NameInvalid, 400, "NAME_INVALID", ask("GET", "/v2/A/tags/list"), {"name": "A"}),
    Provocation(storage_errors.TagInvalid, 400, "MANIFEST_INVALID", push(PLAIN.content, reference="-x"), {"tag": "-x"}),
    Provocation(
        storage_errors.DigestInvalid,
        400,
        "DIGEST_INVALID",
        ask("GET", "/v2/app/blobs/sha256:1"),
        {"digest": "sha256:1"},
    ),
    Provocation(
        storage_errors.DigestMismatch,
        400,
        "DIGEST_INVALID",
        ask("POST", f"{START}?digest={DIGEST}", b"x"),
        {"expected": DIGEST, "actual": digest_of(b"x")},
    ),
    Provocation(
        storage_errors.BlobUnknown, 404, "BLOB_UNKNOWN", ask("GET", f"/v2/app/blobs/{UNKNOWN}"), {"digest": UNKNOWN}
    ),
    Provocation(storage_errors.UploadUnknown, 404, "BLOB_UPLOAD_UNKNOWN", ask("GET", f"{START}x")),
    Provocation(errors.RequestInvalid, 400, "UNSUPPORTED", ask("GET", "/v2/app/tags/list?n=x")),
    Provocation(
        errors.TooManyTags,
        414,
        "UNSUPPORTED",
        push(PLAIN.content, reference=PLAIN.digest + "?" + "&".join(f"tag={number}" for number in range(65))),
    ),
    Provocation(errors.ChunkInvalid, 400, "BLOB_UPLOAD_INVALID", chunk("5-3", b"x")),
    Provocation(
        errors.RangeInvalid,
        416,
        "SIZE_INVALID",
        ask("GET", f"/v2/app/blobs/{digest_of(LAYER)}", Range="bytes=90-"),
        headers=(("Content-Range", f"bytes */{len(LAYER)}"), ("Accept-Ranges", "bytes")),
    ),
    Provocation(
        errors.OffsetMismatch, 416, "BLOB_UPLOAD_INVALID", chunk("9-9", b"x"), {"offset": 5}, (("Range", "0-4"),)
    ),
    Provocation(errors.LengthMismatch, 400, "SIZE_INVALID", chunk("5-9", (b"x",))),
    Provocation(errors.ManifestInvalid, 400, "MANIFEST_INVALID", push(b"[]")),
    Provocation(errors.ManifestTypeUnsupported, 415, "MANIFEST_INVALID", push(b"{}", "text/plain")),
    Provocation(
        errors.ManifestUnknown, 404, "MANIFEST_UNKNOWN", ask("GET", "/v2/app/manifests/v9"), {"reference": "v9"}
    ),
    Provocation(errors.NameUnknown, 404, "NAME_UNKNOWN", ask("GET", "/v2/none/tags/list"), {"name": "none"}),
    Provocation(
        errors.ReferencesUnknown,
        404,
        "MANIFEST_BLOB_UNKNOWN",
        push(index([{"mediaType": IMAGE, "digest": UNKNOWN, "size": 1}]).content, INDEX),
        {"digest": UNKNOWN},
    ),
    Provocation(
        errors.StillReferenced,
        405,
        "UNSUPPORTED",
        ask("DELETE", f"/v2/app/blobs/{digest_of(LAYER)}"),
        {"digest": digest_of(LAYER), "by": PLAIN.digest},
        (("Allow", "GET, HEAD"),),
    ),
    Provocation(
        errors.PreconditionFailed,
        412,
        "DENIED",
        push(PLAIN.content, reference="v1", If_None_Match="*"),
        {"current": PLAIN.digest},
    ),
    Provocation(api_errors.RouteUnknown, 404, "UNSUPPORTED", ask("GET", "/nowhere")),
    Provocation(api_errors.MethodNotAllowed, 405, "UNSUPPORTED", ask("PUT", "/v2/"), headers=(("Allow", "GET, HEAD"),)),
]

# In `test_access_errors`.
WITH_LOGIN = {errors.Unauthorized, errors.Denied, errors.TagImmutable}
# In `rest.test_errors`, since nothing but the management has them.
IN_MANAGEMENT = {
    errors.NotFound,
    errors.Conflict,
    errors.AttributeInvalid,
    errors.AttributeTaken,
    problems.DocumentTooLarge,
    problems.MediaTypeUnsupported,
}

# These need a registry that is set up for them.
LIMITED = [
    Provocation(
        storage_errors.BlobTooLarge,
        413,
        "SIZE_INVALID",
        ask("POST", f"{START}?digest={DIGEST}", bytes(101)),
        {"limit": 100},
    ),
    Provocation(storage_errors.UploadBusy, 416, "BLOB_UPLOAD_INVALID", write_twice, headers=(("Range", "0-0"),)),
    Provocation(errors.ManifestTooLarge, 413, "MANIFEST_INVALID", push(PLAIN.content + b" " * 2000)),
    Provocation(errors.TooManyRequests, 429, "TOOMANYREQUESTS", send_too_many, headers=(("Retry-After", "1"),)),
    Provocation(
        errors.OperationDisabled, 405, "UNSUPPORTED", ask("DELETE", MANIFEST), headers=(("Allow", "GET, HEAD"),)
    ),
]
LIMITS: dict[type[RegistryError], dict[str, object]] = {
    storage_errors.BlobTooLarge: {"limits.blob_size": 100},
    storage_errors.UploadBusy: {},
    errors.ManifestTooLarge: {"limits.manifest_size": 2000},
    errors.TooManyRequests: {"uploads.max_concurrent": 1},
    errors.OperationDisabled: {"delete.tags": False},
}

# Provoked by tests of their own: the first two below, the others in test_storage_faults.
ALONE = {
    api_errors.BodyBroken,
    api_errors.BodyStalled,
    storage_errors.BlobMissing,
    storage_errors.StorageDamaged,
    storage_errors.StorageFull,
    storage_errors.StorageUnavailable,
}


def named(provocation: Provocation) -> str:
    return provocation.error.__name__


def expect(answer: Answer, wanted: Provocation) -> None:
    """AssertionError unless the answer is the error, in the form of the specification."""
    assert answer.status == wanted.status, answer.body
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.codes() == [wanted.code]
    assert answer.json()["errors"][0].get("detail") == wanted.detail
    for name, value in wanted.headers:
        assert answer.headers[name] == value


async def fill(registry: Registry) -> None:
    for step in (*BASICS, manifest(PLAIN, "v1")):
        answer = await registry.ask(step.method, step.url, headers=step.headers, body=step.body)
        assert answer.status == 201


def test_every_error_is_provoked() -> None:
    """No row of the table of errors is without a test."""
    provoked = {provocation.error for provocation in (*PROVOCATIONS, *LIMITED)}
    assert provoked | ALONE | WITH_LOGIN | IN_MANAGEMENT == set(WIRE)


@pytest.mark.parametrize("wanted", PROVOCATIONS, ids=named)
async def test_errors(registry: Registry, wanted: Provocation) -> None:
    """The error has its status and its code, and says what it is about."""
    await fill(registry)
    expect(await wanted.provoke(registry), wanted)


@pytest.mark.parametrize("wanted", LIMITED, ids=named)
async def test_limits(serve: Serve, wanted: Provocation) -> None:
    """What the configuration does not allow is refused with the error for it."""
    registry = await serve(LIMITS[wanted.error])
    await fill(registry)
    expect(await wanted.provoke(registry), wanted)


async def test_body_is_broken(registry: Registry) -> None:
    """A body that ends too early is logged as the client's fault: nobody is there to be told."""
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12") as request:
        await request.send(b"hello")
    assert await answered(registry, "PATCH", path) == 400


async def test_body_stalls(serve: Serve) -> None:
    """A body that stops coming is given up with 408, as the specification's errors look."""
    registry = await serve({"limits.stall_timeout": 0.2})
    path = await begin(registry)
    async with slow_request(registry, "PATCH", path, "Content-Length: 12") as request:
        assert await request.status() == 408
        assert b'"code":"SIZE_INVALID"' in await request.rest()
