"""The engines that every table is run on, and registries on them."""

from __future__ import annotations

import contextlib
import functools
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from registry.app.storing import run_check
from registry.config.settings import Config
from storage.check import Report
from tests import s3_store
from tests.api.accounts import Accounts, inhabited
from tests.api.kept import KeptDatabases
from tests.api.server import Registry, configured, running
from tests.databases import Databases

ENGINES: dict[str, dict[str, object]] = {
    "memory": {"storage.ephemeral": True},
    "disk": {},
    "postgresql": {"storage.database": "postgresql:///of-its-own"},
    "s3": {"storage.blobs": "s3"},
    "postgresql-s3": {"storage.database": "postgresql:///of-its-own", "storage.blobs": "s3"},
}

Settings = Mapping[str, object]
Serve = Callable[[Settings], Awaitable[Registry]]


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Handlers and use cases leave what waits for a disk to threads.

    Only SQLite's reads are in line, on purpose, and a look at the file of passwords when asyncpg makes a connection.
    """
    with blockbuster_ctx(["registry.api", "registry.domain"]) as watch:
        for name, function in watch.functions.items():
            if name.startswith("sqlite3."):
                function.deactivate()
            function.can_block_in("asyncpg/connect_utils.py", "_parse_connect_dsn_and_args")
        yield


# What differs in one of them alone is mostly seen where both do.
THOROUGH = {"postgresql", "s3"}


@pytest.fixture(
    params=[pytest.param(name, marks=[pytest.mark.thorough] if name in THOROUGH else []) for name in ENGINES]
)
def engine(request: pytest.FixtureRequest) -> dict[str, object]:
    """The settings of one engine."""
    return ENGINES[request.param]


@pytest.fixture
def own_settings(engine: dict[str, object], request: pytest.FixtureRequest) -> Iterator[Callable[[], Settings]]:
    """What gives the settings that no two registries have in common. Only engines with a database need a server."""
    bucket: Callable[[], Settings] = s3_store.settings if "storage.blobs" in engine else dict
    if "storage.database" not in engine:
        yield bucket
        return
    databases: KeptDatabases = request.getfixturevalue("kept_databases")
    lent: list[str] = []

    def borrow() -> Settings:
        lent.append(databases.lend())
        return {"storage.database": lent[-1], **bucket()}

    yield borrow
    for url in lent:
        databases.take_back(url)


@pytest.fixture(scope="session")
def kept_databases(databases: Databases) -> Iterator[KeptDatabases]:
    """Databases with the newest schema, to borrow, and to check."""
    kept = KeptDatabases(databases)
    yield kept
    kept.close()


@pytest.fixture
def checked(engine: dict[str, object], request: pytest.FixtureRequest) -> Callable[[Config], Awaitable[Report]]:
    """What `berth check --bytes` says of a registry."""
    if "storage.database" in engine:
        databases: KeptDatabases = request.getfixturevalue("kept_databases")
        return databases.check
    return functools.partial(run_check, with_bytes=True)


@pytest.fixture
async def serve(
    engine: dict[str, object],
    tmp_path: Path,
    own_settings: Callable[[], Settings],
    checked: Callable[[Config], Awaitable[Report]],
    new_sqlite: Path,
) -> AsyncIterator[Serve]:
    """Start registries with further settings; at the end each of them is stopped and its data checked."""
    configs: list[Config] = []
    async with contextlib.AsyncExitStack() as stack:

        async def start(settings: Settings) -> Registry:
            data = tmp_path / f"data-{len(configs)}"
            config = configured({"storage.data": str(data), **engine, **own_settings(), **settings})
            if not config.storage.ephemeral and not config.storage.database:
                shutil.copytree(new_sqlite, data)
            configs.append(config)
            return await stack.enter_async_context(running(config))

        yield start
    for config in configs:
        if not config.storage.ephemeral:
            report = await checked(config)
            assert [str(problem) for problem in report.problems] == []


@pytest.fixture
async def registry(serve: Serve) -> Registry:
    """A registry as it is by default."""
    return await serve({})


@pytest.fixture
async def accounts() -> AsyncIterator[Accounts]:
    """A registry in memory that asks for logins, with everybody in it."""
    async with inhabited({}) as accounts:
        yield accounts
