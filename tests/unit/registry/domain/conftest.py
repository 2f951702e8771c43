"""Stores with people in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore
from tests.unit.registry.domain.people import People
from tests.unit.registry.domain.tenants import Tenants


@pytest.fixture(params=["memory", "postgresql"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[MetadataStore]:
    """An empty store of each engine. After the test it has to be sound."""
    if request.param == "memory":
        store: MetadataStore = MemoryStore()
    else:
        store = PostgresStore(Database(request.getfixturevalue("postgres_url"), pool_size=3))
    yield store
    assert await store.verify() == []
    await store.close()


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
async def tenants(store: MetadataStore) -> Tenants:
    """Projects in a store."""
    tenants = Tenants(store)
    await tenants.begin()
    return tenants


@pytest.fixture
async def stored_tenants(stored: MetadataStore) -> Tenants:
    """Projects in a file."""
    tenants = Tenants(stored)
    await tenants.begin()
    return tenants
