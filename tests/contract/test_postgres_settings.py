"""Each setting of `[storage]` that is about PostgreSQL, and that it does what it says."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from registry.app.engines import engine_of
from registry.config.load import load
from registry.errors import StartError
from storage.errors import StorageUnavailable
from storage.metadata.store import MetadataStore, Row, Transaction
from tests.postgres import PostgresServer

PREPARED = "SELECT COUNT(*) FROM pg_prepared_statements"
SLOW = "SELECT 1 FROM pg_sleep(1)"
TIMEOUTS = "SELECT current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout')"


@asynccontextmanager
async def opened(url: str, *, patient: bool = False, **settings: object) -> AsyncIterator[MetadataStore]:
    """The store of a configuration with these settings of `[storage]`."""
    changed = {f"storage.{name}": value for name, value in settings.items()}
    store = engine_of(load(None, {}, {"storage.database": url, **changed})).open(patient=patient)
    yield store
    await store.close()


@pytest.mark.parametrize("size", [1, 3])
async def test_pool_size(postgres: PostgresServer, postgres_url: str, size: int) -> None:
    """However much is asked for at once, there are no more connections; and those that there are all work."""
    async with opened(postgres_url, pool_size=size) as store:
        asking = asyncio.gather(*(store.fetch_one("SELECT pg_backend_pid() FROM pg_sleep(0.1)") for _ in range(9)))
        pids = {row[0] for row in await asking if row is not None}
        assert len(pids) == size
        name = postgres_url.rpartition("/")[2].partition("?")[0]
        connected = postgres.execute(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name}'")
        assert {int(pid) for pid in connected.split()} == pids


@pytest.mark.parametrize("wait", ["0.3s", "1s"])
async def test_connect_timeout(tmp_path: Path, wait: str) -> None:
    """So long a request waits for a server that is not there, and so long does the daemon when it starts."""
    url = f"postgresql:///x?host={tmp_path}"
    begun = time.monotonic()
    async with opened(url, connect_timeout=wait) as store:
        with pytest.raises(StorageUnavailable):
            await store.schema_version()
    waited = time.monotonic() - begun
    with pytest.raises(StartError):
        await engine_of(load(None, {}, {"storage.database": url, "storage.connect_timeout": wait})).migrate()
    for seconds in (waited, time.monotonic() - begun - waited):
        assert float(wait[:-1]) <= seconds < float(wait[:-1]) + 1


async def test_statement_timeout(postgres_url: str) -> None:
    """No statement takes longer, neither alone nor in a transaction; and the server, too, gives it up."""

    async def work(tx: Transaction) -> Row | None:
        found = await tx.fetch_one(TIMEOUTS)
        await tx.fetch_one(SLOW)
        return found

    async with opened(postgres_url, statement_timeout="0.2s") as store:
        for slow in (store.fetch_one(SLOW), store.transact(work)):
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable, match="in time"):
                await slow
            assert time.monotonic() - begun < 0.9
        running = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%sleep(1)'"
        assert await store.fetch_one(running) == (0,)
    async with opened(postgres_url, statement_timeout="5s") as store:
        assert await store.transact(work) == ("5s", "5s")
    async with opened(postgres_url, statement_timeout="0.2s", patient=True) as store:
        assert await store.fetch_one(SLOW) == (1,)
        assert await store.transact(work) == ("0", "0")


@pytest.mark.parametrize("prepared", [True, False])
async def test_prepared_statements(postgres_url: str, *, prepared: bool) -> None:
    """Statements stay prepared on their connections, or nothing of them does."""

    async def work(tx: Transaction) -> None:
        await tx.fetch_all("SELECT name FROM repositories WHERE name > ?", "a")

    async with opened(postgres_url, pool_size=1, prepared_statements=prepared) as store:
        await store.fetch_one("SELECT name FROM repositories WHERE name = ?", "a")
        await store.transact(work)
        # The question itself is one of them.
        assert await store.fetch_one(PREPARED) == ((3,) if prepared else (0,))
