"""Every error that the API knows, provoked, with its status, its code and what goes with it (spec, "Error Codes")."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from registry import errors
from registry.api import errors as api_errors
from registry.api.errors import WIRE
from registry.app import Storage
from storage import errors as storage_errors
from storage.blobs.driver import StoredBytes, UploadWriter
from storage.blobs.memory import MemoryDriver
from storage.digest import Digest
from storage.errors import RegistryError, StorageFull, StorageUnavailable
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Row, Value
from tests.api.conftest import Serve
from tests.api.content import BASICS, CONFIG, IMAGE, INDEX, LAYER, UNKNOWN, digest_of, image, index, manifest
from tests.api.hello import BLOB, DIGEST, HELLO, START, begin
from tests.api.server import Answer, Registry, configured, running
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


async def lose_bytes(registry: Registry) -> Answer:
    """Ask for a blob of which somebody has removed the file."""
    async for stored in registry.storage.driver.blobs():
        await registry.storage.driver.delete(stored.key)
    return await registry.ask("GET", f"/v2/app/blobs/{digest_of(CONFIG)}")


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
    Provocation(storage_errors.BlobMissing, 500, "UNKNOWN", lose_bytes),
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

# Provoked by tests of their own, below.
ALONE = {
    api_errors.BodyBroken,
    api_errors.BodyStalled,
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
    assert {provocation.error for provocation in (*PROVOCATIONS, *LIMITED)} | ALONE == set(WIRE)


@pytest.mark.parametrize(
    "wanted", [row for row in PROVOCATIONS if row.error is not storage_errors.BlobMissing], ids=named
)
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


async def test_bytes_are_missing() -> None:
    """A blob of which the bytes are lost is a fault of the registry, and is said to be one."""
    wanted = next(row for row in PROVOCATIONS if row.error is storage_errors.BlobMissing)
    async with running(configured({"storage.ephemeral": True})) as registry:
        await fill(registry)
        expect(await wanted.provoke(registry), wanted)
        assert (await registry.ask("GET", MANIFEST)).status == 200


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


class FullWriter:
    """Has no room for a single byte."""

    offset = 0

    async def write(self, data: bytes) -> None:
        raise StorageFull

    async def commit(self, digest: Digest) -> StoredBytes:
        raise StorageFull


class FullDriver(MemoryDriver):
    @contextlib.asynccontextmanager
    async def open_upload(self, upload_id: str, algorithm: str) -> AsyncIterator[UploadWriter]:
        async with super().open_upload(upload_id, algorithm):
            yield FullWriter()


class BusyStore(MemoryStore):
    """Cannot be read while `busy`."""

    busy: Exception | None = None

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        if self.busy is not None:
            raise self.busy
        return await super().fetch_one(sql, *values)


async def test_storage_is_full() -> None:
    """A full disk is answered with 507, and reading goes on."""
    async with running(configured({"storage.ephemeral": True}), Storage(MemoryStore(), FullDriver(), None)) as registry:
        wanted = Provocation(StorageFull, 507, "UNAVAILABLE", ask("POST", f"{START}?digest={DIGEST}", HELLO))
        expect(await wanted.provoke(registry), wanted)
        assert (await registry.ask("GET", "/v2/")).status == 200
        assert (await registry.ask("GET", BLOB)).status == 404


async def test_storage_is_not_available() -> None:
    """Storage that cannot be used for the moment is answered with 503 and when to try again."""
    store = BusyStore()
    async with running(configured({"storage.ephemeral": True}), Storage(store, MemoryDriver(), None)) as registry:
        await fill(registry)
        store.busy = StorageUnavailable("the metadata database is busy")
        headers = (("Retry-After", "5"),)
        wanted = Provocation(StorageUnavailable, 503, "UNAVAILABLE", ask("GET", MANIFEST), headers=headers)
        expect(await wanted.provoke(registry), wanted)
        store.busy = None
        assert (await registry.ask("GET", MANIFEST)).status == 200


async def test_fault_of_ours() -> None:
    """An error that nobody expected is answered with 500, and nothing about it leaves the log."""
    store = BusyStore()
    async with running(configured({"storage.ephemeral": True}), Storage(store, MemoryDriver(), None)) as registry:
        store.busy = ZeroDivisionError("secret")
        answer = await registry.ask("GET", MANIFEST)
        assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])
        assert b"secret" not in answer.body
        assert registry.log.entries[-1]["error"] == "secret"
        store.busy = None
        assert (await registry.ask("GET", "/v2/")).status == 200
