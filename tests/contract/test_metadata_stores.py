"""Every metadata engine against the suites."""

from pathlib import Path

from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore
from tests.contract.metadata_store import MetadataStoreContract
from tests.contract.metadata_store_shared import SharedMetadataStoreContract


class TestMemoryStore(MetadataStoreContract):
    """Rows in this process: nobody can share them."""

    async def open_store(self, place: Path) -> MetadataStore:
        return MemoryStore()


class TestSqliteStore(MetadataStoreContract, SharedMetadataStoreContract):
    """Rows in a file."""

    async def open_store(self, place: Path) -> MetadataStore:
        SqliteStore.migrate(place)
        return SqliteStore(place)
