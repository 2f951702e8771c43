"""Stores with people in them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.metadata.sqlite import MemoryStore, SqliteStore
from tests.unit.registry.domain.people import People
from tests.unit.registry.domain.tenants import Tenants


@pytest.fixture
async def people() -> AsyncIterator[People]:
    """People in memory."""
    store = MemoryStore()
    people = People(store)
    await people.begin()
    yield people
    assert await store.verify() == []
    await store.close()


@pytest.fixture
async def stored_people(tmp_path: Path) -> AsyncIterator[People]:
    """People in a file, whose transactions run beside other work."""
    SqliteStore.migrate(tmp_path)
    store = SqliteStore(tmp_path)
    people = People(store)
    await people.begin()
    yield people
    assert await store.verify() == []
    await store.close()


@pytest.fixture
async def tenants() -> AsyncIterator[Tenants]:
    """Projects in memory."""
    store = MemoryStore()
    tenants = Tenants(store)
    await tenants.begin()
    yield tenants
    assert await store.verify() == []
    await store.close()


@pytest.fixture
async def stored_tenants(tmp_path: Path) -> AsyncIterator[Tenants]:
    """Projects in a file, whose transactions run beside other work."""
    SqliteStore.migrate(tmp_path)
    store = SqliteStore(tmp_path)
    tenants = Tenants(store)
    await tenants.begin()
    yield tenants
    assert await store.verify() == []
    await store.close()
