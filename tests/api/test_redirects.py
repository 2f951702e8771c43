"""Downloads that clients are sent to the store for."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

from auth.actor import OPERATING
from auth.passwords import Passwords
from registry.app.management import build_management
from registry.domain.registries import Settings
from storage.clock import SystemClock
from storage.digest import digest_of
from tests import s3_store
from tests.api.server import Registry, configured, running

CONTENT = b"0123456789" * 1000
PATH = f"/v2/app/blobs/{digest_of(CONTENT)}"


@contextlib.asynccontextmanager
async def holding(data: Path, **settings: object) -> AsyncIterator[Registry]:
    """A registry on the store that holds the content; settings of [s3] by their names."""
    of_s3 = {f"s3.{name}": value for name, value in settings.items()}
    config = configured({"storage.data": str(data), **s3_store.settings(), **of_s3})
    async with running(config) as registry:
        pushed = await registry.ask("POST", f"/v2/app/blobs/uploads/?digest={digest_of(CONTENT)}", body=CONTENT)
        assert pushed.status == 201
        yield registry


async def set_redirect(registry: Registry, name: str, redirect: str | None) -> None:
    """Let a registry of the default project have a setting of its own, before its worker has read any."""
    management = build_management(registry.storage.store, SystemClock(), Passwords())
    await management.registries.update(OPERATING, "default", name, settings=Settings(redirect=redirect))


async def fetch(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
    """Ask the store itself, as somebody it does not know."""
    async with (
        aiohttp.ClientSession() as client,
        client.request(method, URL(url, encoded=True), headers=headers) as response,
    ):
        return response.status, await response.read()


async def test_always(tmp_path: Path) -> None:
    """A client is sent to the store with a URL that needs nothing else, and gets all bytes, or a range of them."""
    async with holding(tmp_path, redirect="always", redirect_lifetime="90s") as registry:
        answer = await registry.ask("GET", PATH)
        assert (answer.status, answer.body) == (307, b"")
        location = answer.headers["Location"]
        assert "X-Amz-Expires=90&" in location
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Docker-Content-Digest"] == str(digest_of(CONTENT))
        assert await fetch(location) == (200, CONTENT)
        answer = await registry.ask("GET", PATH, headers={"Range": "bytes=5-7"})
        assert answer.status == 307
        assert await fetch(answer.headers["Location"], {"Range": "bytes=5-7"}) == (206, b"567")


async def test_head_is_answered_here(tmp_path: Path) -> None:
    """HEAD, what the client has already, what is not there, and several ranges at a time are our own business."""
    async with holding(tmp_path, redirect="always") as registry:
        assert (await registry.ask("HEAD", PATH)).headers["Content-Length"] == str(len(CONTENT))
        cached = await registry.ask("GET", PATH, headers={"If-None-Match": f'"{digest_of(CONTENT)}"'})
        assert cached.status == 304
        assert (await registry.ask("GET", f"/v2/app/blobs/{digest_of(b'other')}")).status == 404
        parts = await registry.ask("GET", PATH, headers={"Range": "bytes=0-1,5-6"})
        assert parts.status == 206
        assert parts.body.count(b"Content-Range") == 2


@pytest.mark.parametrize(("from_size", "status"), [("1KiB", 307), ("1MiB", 200)])
async def test_large_blobs_only(tmp_path: Path, from_size: str, status: int) -> None:
    """Where only large blobs are meant, small ones are sent by ourselves."""
    async with holding(tmp_path, redirect="large", redirect_size=from_size) as registry:
        assert (await registry.ask("GET", PATH)).status == status


@pytest.mark.parametrize(("networks", "status"), [("127.0.0.0/8", 307), ("10.0.0.0/8,::1", 200)])
async def test_clients_of_some_networks(tmp_path: Path, networks: str, status: int) -> None:
    """Clients that cannot reach the store get the bytes from us."""
    async with holding(tmp_path, redirect="always", redirect_networks=networks) as registry:
        assert (await registry.ask("GET", PATH)).status == status


@pytest.mark.parametrize(
    ("usual", "own", "size", "status"),
    [
        ("never", "always", "1MiB", 307),
        ("never", "large", "1KiB", 307),
        ("never", "large", "1MiB", 200),
        ("always", "never", "1KiB", 200),
        ("always", None, "1MiB", 307),
    ],
)
async def test_registry_with_a_setting_of_its_own(
    tmp_path: Path, usual: str, own: str | None, size: str, status: int
) -> None:
    """Whether clients are sent to the store is for the registry of the repository to say."""
    async with holding(tmp_path, redirect=usual, redirect_size=size) as registry:
        await set_redirect(registry, "root", own)
        assert (await registry.ask("GET", PATH)).status == status


async def test_registry_decides_for_its_repositories(tmp_path: Path) -> None:
    """The registry with the longest prefix of the name decides, and within the networks that are configured."""
    async with holding(tmp_path, redirect_networks="127.0.0.0/8") as registry:
        management = build_management(registry.storage.store, SystemClock(), Passwords())
        await management.registries.create(OPERATING, "default", "tools")
        await set_redirect(registry, "tools", "always")
        mounted = await registry.ask("POST", f"/v2/default/tools/x/blobs/uploads/?mount={digest_of(CONTENT)}&from=app")
        assert mounted.status == 201
        path = f"/v2/default/tools/x/blobs/{digest_of(CONTENT)}"
        assert (await registry.ask("GET", PATH)).status == 200
        assert (await registry.ask("GET", path)).status == 307
        assert (await registry.ask("HEAD", path)).status == 200
    async with holding(tmp_path / "other", redirect_networks="10.0.0.0/8") as registry:
        await set_redirect(registry, "root", "always")
        assert (await registry.ask("GET", PATH)).status == 200


async def test_public_endpoint(tmp_path: Path) -> None:
    """The URL is for the endpoint that clients reach, with the bucket where it belongs."""
    async with holding(
        tmp_path, redirect="always", public_endpoint="https://store.example", path_style=True
    ) as registry:
        location = (await registry.ask("GET", PATH)).headers["Location"]
        assert location.startswith(f"https://store.example/{s3_store.bucket()}/")


async def test_never(tmp_path: Path) -> None:
    """By default nobody is sent anywhere."""
    async with holding(tmp_path) as registry:
        answer = await registry.ask("GET", PATH)
        assert (answer.status, answer.body) == (200, CONTENT)
