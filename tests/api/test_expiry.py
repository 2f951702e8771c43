"""Uploads that outlive the daemon, and uploads that nobody goes on with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from auth.actor import Actor
from auth.policy import Unlimited
from auth.principals import ANONYMOUS
from registry.domain.leases import Leases
from registry.domain.uploads import UploadLimits, Uploads
from storage.clock import FakeClock, SystemClock
from storage.names import parse_repository_name
from tests.api.hello import DIGEST, HELLO, begin, finish, go_on, position, stored, uploads_with_bytes
from tests.api.server import Registry, assert_sound, configured, running
from tests.api.slow import slow_request

APP = parse_repository_name("app")
IDLE_SECONDS = 24 * 3600
# Who clients are in a registry that asks nobody.
EVERYBODY = Actor(Unlimited(ANONYMOUS))


def uploads_of(registry: Registry, clock: FakeClock) -> Uploads:
    """The use case over the registry's own storage, with another clock."""
    limits = UploadLimits(blob_size=0, receiving=10, idle_s=IDLE_SECONDS)
    return Uploads(registry.storage.store, registry.storage.driver, clock, Leases(clock, 3600), limits)


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_idle_upload_expires(registry: Registry) -> None:
    """An upload that nobody touches for the idle time is gone, with its bytes; until then it stays."""
    clock = FakeClock(SystemClock().now_ms())
    uploads = uploads_of(registry, clock)
    path = await begin(registry, b"hello")
    clock.advance(IDLE_SECONDS - 60)
    assert await uploads.expire_idle() == 0
    assert await position(registry, path) == 5
    clock.advance(120)
    assert await uploads.expire_idle() == 1
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        gone = await registry.ask(method, f"{path}?digest={DIGEST}")
        assert (gone.status, gone.codes()) == (404, ["BLOB_UPLOAD_UNKNOWN"])
    assert await uploads_with_bytes(registry) == []


async def test_touched_upload_stays(registry: Registry) -> None:
    """Every chunk begins the idle time anew."""
    clock = FakeClock()
    uploads = uploads_of(registry, clock)
    upload = await uploads.start(EVERYBODY, APP)
    for piece in (b"hello", b", ", b"world"):
        clock.advance(IDLE_SECONDS * 0.7)
        await uploads.append(EVERYBODY, APP, upload.id, body(piece))
        assert await uploads.expire_idle() == 0
    assert await finish(registry, f"/v2/app/blobs/uploads/{upload.id}") == 201
    assert await stored(registry)


async def test_expiry_spares_the_others(registry: Registry) -> None:
    """Only idle uploads expire: neither younger ones nor blobs do."""
    clock = FakeClock(SystemClock().now_ms())
    uploads = uploads_of(registry, clock)
    assert await finish(registry, await begin(registry), HELLO) == 201
    old = await begin(registry, b"old")
    clock.advance(IDLE_SECONDS + 60)
    young = await uploads.start(EVERYBODY, APP)
    assert await uploads.expire_idle() == 1
    assert (await registry.ask("GET", old)).status == 404
    assert (await uploads.status(EVERYBODY, APP, young.id)).offset == 0
    assert await stored(registry)


async def test_arriving_body_is_not_idle(registry: Registry) -> None:
    """An upload whose body takes longer than the idle time to arrive is not dropped under it."""
    clock = FakeClock(SystemClock().now_ms())
    path = await begin(registry)
    async with slow_request(registry, "PUT", f"{path}?digest={DIGEST}", "Content-Length: 12") as request:
        await request.send(b"hello")
        clock.advance(IDLE_SECONDS + 60)
        await uploads_of(registry, clock).expire_idle()
        await request.send(b", world")
        assert await request.status() == 201
    assert await stored(registry)


async def test_bytes_without_a_session_are_dropped(registry: Registry) -> None:
    """Bytes of a session that was lost in a power cut go with the next look at idle uploads."""
    await registry.storage.driver.begin_upload("0" * 32)
    async with registry.storage.driver.open_upload("0" * 32, "sha256") as writer:
        await writer.write(b"hello")
    assert await uploads_with_bytes(registry) == ["0" * 32]
    await uploads_of(registry, FakeClock()).expire_idle()
    assert await uploads_with_bytes(registry) == []


async def test_restart(tmp_path: Path) -> None:
    """After a restart of the daemon an upload goes on where it was, and everything else is there."""
    config = configured({"storage.data": str(tmp_path / "data")})
    async with running(config) as registry:
        path = await begin(registry, b"hello", b", ")
    async with running(config) as registry:
        assert await position(registry, path) == 7
        await go_on(registry, path, 7)
    async with running(config) as registry:
        assert await stored(registry)
        assert (await registry.ask("GET", path)).status == 404
    await assert_sound(config.storage.data)
