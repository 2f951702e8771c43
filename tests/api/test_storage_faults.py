"""Storage that is full, out of reach or damaged: said as it is, for as long as it lasts."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from registry.app.storing import Storage
from storage.blobs.driver import StoredBytes, UploadWriter
from storage.blobs.memory import MemoryDriver
from storage.digest import Digest
from storage.errors import StorageDamaged, StorageFull, StorageUnavailable
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Row, Value
from tests.api.content import BASICS, CONFIG, digest_of, image, manifest
from tests.api.hello import BLOB, DIGEST, HELLO, START
from tests.api.server import Registry, configured, running

MANIFEST = "/v2/app/manifests/v1"
EPHEMERAL = configured({"storage.ephemeral": True})


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


class FaultyStore(MemoryStore):
    """Fails to read while it has a `fault`."""

    fault: Exception | None = None

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        if self.fault is not None:
            raise self.fault
        return await super().fetch_one(sql, *values)


async def fill(registry: Registry) -> None:
    for step in (*BASICS, manifest(image(), "v1")):
        assert (await registry.ask(step.method, step.url, headers=step.headers, body=step.body)).status == 201


async def test_full() -> None:
    """A full disk is answered with 507, and reading goes on."""
    async with running(EPHEMERAL, Storage(MemoryStore(), FullDriver(), None)) as registry:
        answer = await registry.ask("POST", f"{START}?digest={DIGEST}", body=HELLO)
        assert (answer.status, answer.codes()) == (507, ["UNAVAILABLE"])
        assert (await registry.ask("GET", "/v2/")).status == 200
        assert (await registry.ask("GET", BLOB)).status == 404


async def test_out_of_reach() -> None:
    """Storage that cannot be used for the moment is answered with 503 and when to try again."""
    store = FaultyStore()
    async with running(EPHEMERAL, Storage(store, MemoryDriver(), None)) as registry:
        await fill(registry)
        store.fault = StorageUnavailable("the metadata database is busy")
        answer = await registry.ask("GET", MANIFEST)
        assert (answer.status, answer.codes()) == (503, ["UNAVAILABLE"])
        assert answer.headers["Retry-After"] == "5"
        store.fault = None
        assert (await registry.ask("GET", MANIFEST)).status == 200


async def test_damaged() -> None:
    """A damaged database is a fault of the registry, and is said to be one."""
    store = FaultyStore()
    async with running(EPHEMERAL, Storage(store, MemoryDriver(), None)) as registry:
        store.fault = StorageDamaged("the metadata database is damaged")
        answer = await registry.ask("GET", MANIFEST)
        assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])


async def test_bytes_are_missing() -> None:
    """So is a blob of which the bytes are lost; the rest can be read."""
    async with running(EPHEMERAL) as registry:
        await fill(registry)
        async for stored in registry.storage.driver.blobs():
            await registry.storage.driver.delete(stored.key)
        answer = await registry.ask("GET", f"/v2/app/blobs/{digest_of(CONFIG)}")
        assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])
        assert (await registry.ask("GET", MANIFEST)).status == 200


async def test_fault_of_ours() -> None:
    """An error that nobody expected is answered with 500, and nothing about it leaves the log."""
    store = FaultyStore()
    async with running(EPHEMERAL, Storage(store, MemoryDriver(), None)) as registry:
        store.fault = ZeroDivisionError("secret")
        answer = await registry.ask("GET", MANIFEST)
        assert (answer.status, answer.codes()) == (500, ["UNKNOWN"])
        assert b"secret" not in answer.body
        assert registry.log.entries[-1]["error"] == "secret"
        store.fault = None
        assert (await registry.ask("GET", "/v2/")).status == 200
