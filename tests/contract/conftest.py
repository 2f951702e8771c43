"""The suites live in modules of their own: their assertions explain themselves as those of test modules do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore
from tests.contract.installation import make_installation

pytest.register_assert_rewrite(
    "tests.contract.blob_driver",
    "tests.contract.blob_driver_interrupted",
    "tests.contract.blob_driver_shared",
    "tests.contract.blob_driver_suite",
    "tests.contract.metadata_store",
    "tests.contract.metadata_store_shared",
)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with something in every table, that no test may change."""
    place = tmp_path_factory.mktemp("installation")
    asyncio.run(make_installation(place))
    return place


@pytest.fixture(params=["sqlite", "postgresql"])
async def either_store(request: pytest.FixtureRequest) -> AsyncIterator[MetadataStore]:
    """A store of each engine in turn, new for each test. After the test it has to be sound."""
    if request.param == "sqlite":
        store: MetadataStore = MemoryStore()
    else:
        store = PostgresStore(Database(request.getfixturevalue("postgres_url")))
    yield store
    assert await store.verify() == []
    await store.close()
