"""Installations to scrub."""

from collections.abc import AsyncIterator

import pytest

from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore
from tests.unit.storage.scrub.worlds import World


@pytest.fixture(params=["memory", "postgresql"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """An empty installation, on each engine."""
    if request.param == "memory":
        store: MetadataStore = MemoryStore()
    else:
        store = PostgresStore(Database(request.getfixturevalue("postgres_url"), pool_size=2))
    yield World(store)
    await store.close()
