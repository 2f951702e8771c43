"""Backup and restore of every combination, and bytes that move, with the commands of docs/operations.md."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from registry.app.collecting import build_collector
from registry.app.services import build_services
from registry.app.storing import open_storage
from registry.config.load import load
from registry.config.settings import Config
from storage.clock import FakeClock
from tests import s3_store
from tests.api.content import CONFIG, LAYER_TYPE, Document, descriptor, digest_of, image
from tests.api.server import Registry, running
from tests.clients.programs import require
from tests.deploy.page import blocks, run
from tests.postgres import PostgresServer

PASSWORD = "printed by the first start"
HOUR_MS = 3_600_000
OCTETS = {"Content-Type": "application/octet-stream"}
GARBAGE = b"a blob that no manifest needs"

COMBINATIONS = ["SQLite and files", "SQLite and S3", "PostgreSQL and files", "PostgreSQL and S3"]


@dataclass
class Installation:
    """Where everything is; `settings` are those of the daemon, by their dotted paths."""

    place: Path
    settings: dict[str, object]

    @property
    def config(self) -> Config:
        return load(None, {}, self.settings)

    def environment(self) -> dict[str, str]:
        """What the commands of the page want to know."""
        bucket = f"store:{s3_store.bucket()}/"
        place, prefix = self.place, str(self.settings.get("s3.prefix", ""))
        known = {name: value for name, value in os.environ.items() if name.startswith("AWS_") and "CA_" not in name}
        return {
            **known,
            **{f"BERTH_{path.upper().replace('.', '__')}": str(value) for path, value in self.settings.items()},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATA": str(self.settings["storage.data"]),
            "BACKUP": str(place / "backup"),
            "DATABASE": str(self.settings.get("storage.database", "")),
            "STORE": "store",
            "BUCKET": f"{bucket}{prefix}",
            "COPY": f"{bucket}copy-of/{prefix}",
            "RCLONE_CONFIG": os.devnull,
            "RCLONE_CONFIG_STORE_TYPE": "s3",
            "RCLONE_CONFIG_STORE_PROVIDER": "Other",
            "RCLONE_CONFIG_STORE_ENV_AUTH": "true",
            "RCLONE_CONFIG_STORE_REGION": "us-east-1",
            "RCLONE_CONFIG_STORE_ENDPOINT": str(self.settings.get("s3.endpoint", "")),
        }

    async def lose_everything(self, new_database: Callable[[], str]) -> None:
        """The machine burns down, and so do the database and the bucket; there are new ones, which are empty."""
        shutil.rmtree(self.place / "data")
        if "s3.prefix" in self.settings:
            empty(str(self.settings["s3.prefix"]))
        if "storage.database" in self.settings:
            self.settings["storage.database"] = new_database()


@dataclass
class Client:
    """Pushes images, and knows which were acknowledged, by their tags."""

    registry: Registry
    token: str
    acknowledged: dict[str, Document] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = OCTETS
    ) -> tuple[int, bytes]:
        answer = await self.registry.ask(
            method, path, headers={**headers, "Authorization": f"Bearer {self.token}"}, body=body
        )
        return answer.status, answer.body

    async def push_blob(self, content: bytes) -> None:
        assert (await self.ask("POST", f"/v2/app/blobs/uploads/?digest={digest_of(content)}", content))[0] == 201

    async def push_image(self) -> None:
        """Push an image with a layer of its own."""
        tag = f"v{len(self.acknowledged)}"
        layer = os.urandom(20_000)
        await self.push_blob(CONFIG)
        await self.push_blob(layer)
        pushed = image(layers=[descriptor(layer, LAYER_TYPE)])
        path = f"/v2/app/manifests/{tag}"
        assert (await self.ask("PUT", path, pushed.content, {"Content-Type": pushed.media_type}))[0] == 201
        self.acknowledged[tag] = pushed

    async def expect(self, images: Mapping[str, Document]) -> None:
        """AssertionError unless all of them can be pulled."""
        for tag, pushed in images.items():
            assert await self.ask("GET", f"/v2/app/manifests/{tag}", headers={}) == (200, pushed.content)
            for part in descriptors(pushed):
                status, content = await self.ask("GET", f"/v2/app/blobs/{part}", headers={})
                assert (status, digest_of(content)) == (200, part)

    @contextlib.asynccontextmanager
    async def pushing(self) -> AsyncIterator[None]:
        """Push one image after the other meanwhile."""

        async def push() -> None:
            while not ended.is_set():
                await self.push_image()

        ended = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(push())
            try:
                yield
            finally:
                ended.set()


def descriptors(pushed: Document) -> list[str]:
    """The digests of what an image consists of."""
    fields: dict[str, Any] = json.loads(pushed.content)
    return [fields["config"]["digest"], *(layer["digest"] for layer in fields["layers"])]


def empty(prefix: str) -> None:
    """Remove all objects of the bucket whose names begin like this."""
    store = s3_store.client(s3_store.endpoint())
    found = store.list_objects_v2(Bucket=s3_store.bucket(), Prefix=prefix).get("Contents", [])
    for entry in found:
        store.delete_object(Bucket=s3_store.bucket(), Key=entry["Key"])


async def logged_in(registry: Registry) -> str:
    """A token of the first user."""
    basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    answer = await registry.ask(
        "GET", "/token?service=berth&scope=repository:app:pull,push", headers={"Authorization": f"Basic {basic}"}
    )
    return str(answer.json()["token"])


async def collect(config: Config, hours: int) -> int:
    """Run the collector as if it were so many hours later, and return how many blobs it removed."""
    storage, clock = open_storage(config), FakeClock(int(time.time() * 1000) + hours * HOUR_MS)
    try:
        services = build_services(config, storage, clock=clock)
        return (await build_collector(config, storage, services, share=1.0, clock=clock).run()).removed
    finally:
        await storage.close()


@pytest.fixture
def new_database(postgres: PostgresServer) -> Iterator[Callable[[], str]]:
    """Makes empty databases, and returns their URLs."""
    made: list[str] = []

    def make() -> str:
        made.append(postgres.create_database())
        return postgres.url(made[-1])

    yield make
    for name in made:
        postgres.drop_database(name)


@pytest.fixture(params=COMBINATIONS)
def combination(request: pytest.FixtureRequest) -> str:
    """What is kept where, in the words of the page."""
    name: str = request.param
    require(*(["rclone"] if "S3" in name else []), *(["pg_dump", "pg_restore"] if "PostgreSQL" in name else []))
    return name


@pytest.fixture
def installation(
    combination: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    """A registry that asks for logins, empty at first."""
    monkeypatch.setenv("BERTH_ADMIN_PASSWORD", PASSWORD)
    # Garbage is garbage at once, and the collector is ours.
    settings: dict[str, object] = {
        "collector.grace": "1ms",
        "collector.every": "0s",
        "storage.data": str(tmp_path / "data"),
    }
    if "S3" in combination:
        settings |= s3_store.settings()
    if "PostgreSQL" in combination:
        settings["storage.database"] = request.getfixturevalue("new_database")()
    return Installation(tmp_path, settings)


async def test_restored_registry_has_everything(
    combination: str, installation: Installation, request: pytest.FixtureRequest
) -> None:
    """Whatever was acknowledged before the backup began is there again, whole, and so are logins.

    Pushes go on beside the backup, and the collector removes garbage between rows and bytes.
    """
    backup, restore = blocks(combination)
    first, _, rest = backup.partition("\n")
    async with running(installation.config) as registry:
        client = Client(registry, await logged_in(registry))
        for _ in range(3):
            await client.push_image()
        await client.push_blob(GARBAGE)
        before = dict(client.acknowledged)
        async with client.pushing():
            await asyncio.to_thread(run, first, installation.environment())
        assert await collect(installation.config, 0) + await collect(installation.config, 1) == 1
        async with client.pushing():
            await asyncio.to_thread(run, rest, installation.environment())
        await client.expect(client.acknowledged)
    new_database = request.getfixturevalue("new_database") if "PostgreSQL" in combination else str
    await installation.lose_everything(new_database)
    assert "nothing is wrong" in await asyncio.to_thread(run, restore, installation.environment())
    async with running(installation.config) as registry:
        await Client(registry, client.token).expect(before)


async def test_bytes_move_to_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was pushed while the first copy was made is there, too, and pushes go on in the bucket."""
    require("rclone")
    monkeypatch.setenv("BERTH_ADMIN_PASSWORD", PASSWORD)
    bucket = s3_store.settings()
    files = Installation(tmp_path, {"storage.data": str(tmp_path / "data")})
    moved = Installation(tmp_path, {**files.settings, **bucket})
    first, last = blocks("From files to a bucket")
    async with running(files.config) as registry:
        client = Client(registry, await logged_in(registry))
        await client.push_image()
        async with client.pushing():
            await asyncio.to_thread(run, first, moved.environment())
    assert "nothing is wrong" in await asyncio.to_thread(run, last, moved.environment())
    shutil.rmtree(tmp_path / "data" / "blobs")
    async with running(moved.config) as registry:
        client.registry = registry
        await client.push_image()
        await client.expect(client.acknowledged)


@pytest.mark.skipif(s3_store.is_real(), reason="makes a bucket of its own")
def test_bucket_with_versions(tmp_path: Path) -> None:
    """Objects that were deleted after the moment of the dump come back, and what came later stays."""
    require("rclone")
    installation = Installation(tmp_path, {"storage.data": str(tmp_path / "data"), **s3_store.settings()})
    store, bucket = s3_store.client(s3_store.endpoint()), "with-versions"
    store.create_bucket(Bucket=bucket)
    store.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for name in ("deleted", "kept"):
        store.put_object(Bucket=bucket, Key=f"berth/blobs/aa/{name}", Body=name.encode())
    moment = next_second()
    next_second()
    store.delete_object(Bucket=bucket, Key="berth/blobs/aa/deleted")
    store.put_object(Bucket=bucket, Key="berth/blobs/aa/later", Body=b"later")
    (script,) = blocks("A bucket with versions")
    run(script, {**installation.environment(), "BUCKET": f"store:{bucket}/berth/", "WHEN": moment})
    found = store.list_objects_v2(Bucket=bucket)["Contents"]
    assert {entry["Key"]: entry["Size"] for entry in found} == {
        "berth/blobs/aa/deleted": 7,
        "berth/blobs/aa/kept": 4,
        "berth/blobs/aa/later": 5,
    }


def next_second() -> str:
    """The next second, when it has begun: stores do not tell what happened within one apart."""
    now = int(time.time())
    while int(time.time()) == now:
        time.sleep(0.01)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 1))
