"""Stores with people in them."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore
from tests.databases import NEW, Databases, keeping, restoring
from tests.unit.registry.domain.people import People
from tests.unit.registry.domain.tenants import Tenants

TENANTS = "kept_tenants"


@pytest.fixture(scope="session")
def _function_scoped_runner(_session_scoped_runner: asyncio.Runner) -> asyncio.Runner:
    """These tests share a loop, since connections stay in theirs, and a new one takes longer than most tests."""
    return _session_scoped_runner


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def memory_with_tenants() -> MemoryStore:
    """A store to copy."""
    store = MemoryStore()
    await Tenants(store).begin()
    return store


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_store(databases: Databases) -> AsyncIterator[PostgresStore]:
    """A store that is used again and again, and can be made empty, or one with tenants."""
    name = databases.lend()
    store = PostgresStore(Database(databases.url(name), pool_size=3))
    await Tenants(store).begin()
    await store.transact(lambda tx: tx.execute(keeping(TENANTS)))
    yield store
    await store.close()
    databases.take_back(name)


@pytest.fixture(params=["memory", "postgresql"])
def new_store(request: pytest.FixtureRequest) -> MetadataStore:
    """A store of each engine: with tenants where a test asks for them, or empty."""
    if request.param == "memory":
        return MemoryStore(request.getfixturevalue("memory_with_tenants") if with_tenants(request) else None)
    store: PostgresStore = request.getfixturevalue("postgres_store")
    return store


@pytest.fixture
async def store(request: pytest.FixtureRequest, new_store: MetadataStore) -> AsyncIterator[MetadataStore]:
    """An empty store of each engine. After the test it has to be sound."""
    if isinstance(new_store, PostgresStore):
        place = TENANTS if with_tenants(request) else NEW
        await new_store.transact(lambda tx: tx.execute(restoring(place)))
    yield new_store
    assert await new_store.verify() == []
    if isinstance(new_store, MemoryStore):
        await new_store.close()


def with_tenants(request: pytest.FixtureRequest) -> bool:
    """Whether the test wants a store with tenants, whom it takes longer to add than to copy."""
    return "tenants" in request.fixturenames


@pytest.fixture
async def stored(tmp_path: Path) -> AsyncIterator[MetadataStore]:
    """An empty store in a file, whose transactions run beside other work. After the test it has to be sound."""
    SqliteStore.migrate(tmp_path)
    store = SqliteStore(tmp_path)
    yield store
    assert await store.verify() == []
    await store.close()


@pytest.fixture
async def people(store: MetadataStore) -> People:
    """People in a store."""
    people = People(store)
    await people.begin()
    return people


@pytest.fixture
async def stored_people(stored: MetadataStore) -> People:
    """People in a file."""
    people = People(stored)
    await people.begin()
    return people


@pytest.fixture
def tenants(store: MetadataStore) -> Tenants:
    """Projects in a store, which began with them."""
    return Tenants(store)


@pytest.fixture
async def stored_tenants(stored: MetadataStore) -> Tenants:
    """Projects in a file."""
    tenants = Tenants(stored)
    await tenants.begin()
    return tenants
