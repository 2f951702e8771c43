"""Every metadata engine against the suites."""

from pathlib import Path

import pytest

from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import MemoryStore, SqliteStore
from storage.metadata.store import MetadataStore, Transaction
from tests.contract.metadata_store import MetadataStoreContract
from tests.contract.metadata_store_shared import SharedMetadataStoreContract
from tests.contract.rows import INSERT


class TestMemoryStore(MetadataStoreContract):
    """Rows in this process: nobody can share them."""

    async def open_store(self, place: Path) -> MetadataStore:
        return MemoryStore()


class TestSqliteStore(MetadataStoreContract, SharedMetadataStoreContract):
    """Rows in a file."""

    async def open_store(self, place: Path) -> MetadataStore:
        SqliteStore.migrate(place)
        return SqliteStore(place)


class TestPostgresStore(MetadataStoreContract, SharedMetadataStoreContract):
    """Rows in a database of a server."""

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, postgres_url: str) -> None:
        """Where other processes find the database."""
        (tmp_path / "url").write_text(postgres_url)

    async def open_store(self, place: Path) -> MetadataStore:
        return PostgresStore(Database((place / "url").read_text()))

    async def fill(self, tx: Transaction) -> None:
        await tx.execute(INSERT, "x", 0)
        await tx.execute("DO 'BEGIN RAISE disk_full; END'")
