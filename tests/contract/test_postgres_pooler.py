"""`PostgresStore` and the lease behind a pooler, which gives the server's connections to one client after another."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.metadata.postgresql import Database, DatabaseLease, PostgresStore
from storage.metadata.store import MetadataStore, Transaction
from tests.contract.metadata_store import MetadataStoreContract
from tests.contract.metadata_store_shared import SharedMetadataStoreContract
from tests.contract.rows import INSERT, counting_up, inserting, names, number_of
from tests.pgbouncer import PgBouncer, pooling
from tests.postgres import PostgresServer


@pytest.fixture(scope="module")
def pooler(postgres: PostgresServer) -> Iterator[PgBouncer]:
    """A pooler that gives connections away after each transaction, and has fewer than its clients want."""
    with pooling(postgres) as pooler:
        yield pooler


@pytest.fixture
def pooled_url(pooler: PgBouncer, postgres_url: str) -> str:
    """A database with the newest schema, through the pooler."""
    return pooler.url(name_in(postgres_url))


def name_in(url: str) -> str:
    """The name of a URL's database."""
    return url.rpartition("/")[2].partition("?")[0]


async def taken(lease: DatabaseLease) -> None:
    """Return when the lease is held: a server that lets go of a lock tells nobody."""
    async with asyncio.timeout(5):
        while not await lease.held():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


class TestBehindAPooler(MetadataStoreContract, SharedMetadataStoreContract):
    """What every engine promises, with nothing that stays on a connection."""

    @pytest.fixture(autouse=True)
    def place(self, tmp_path: Path, pooled_url: str) -> None:
        """Where other processes find the database."""
        (tmp_path / "url").write_text(pooled_url)

    async def open_store(self, place: Path) -> MetadataStore:
        return PostgresStore(Database((place / "url").read_text(), prepared=False))

    async def fill(self, tx: Transaction) -> None:
        await tx.execute(INSERT, "x", 0)
        await tx.execute("DO 'BEGIN RAISE disk_full; END'")


@pytest.mark.parametrize("mode", ["transaction", "session"])
async def test_pooler_that_nobody_spoke_of(postgres: PostgresServer, postgres_url: str, mode: str) -> None:
    """Behind a pooler nothing stays prepared, even if it may: on another connection it would be something else."""
    with pooling(postgres, mode, size=8) as pooler:
        stores = [PostgresStore(Database(pooler.url(name_in(postgres_url)), pool_size=4)) for _ in range(2)]
        await stores[0].transact(inserting("counter"))

        async def read(number: int) -> None:
            # Each store asks in an order of its own, so that what it prepares first is not the same.
            asked = number * 7 % 11
            assert await stores[number % 2].fetch_one(f"SELECT {asked} + length(?)", "abc") == (asked + 3,)

        await asyncio.gather(
            *(read(number) for number in range(100)),
            *(store.transact(counting_up("counter")) for store in stores for _ in range(10)),
        )
        assert await number_of(stores[0], "counter") == 20
        for store in stores:
            await store.close()


async def test_migration(pooler: PgBouncer, empty_postgres_url: str) -> None:
    """Processes that start behind a pooler at the same time find the newest schema."""
    database = Database(pooler.url(name_in(empty_postgres_url)))
    first, *others = await asyncio.gather(*(PostgresStore.migrate(database) for _ in range(3)))
    assert others == [first, first]
    assert await PostgresStore.exists(database)


async def test_lease(pooled_url: str) -> None:
    """The lease is one process's through a pooler, too: it stays while others work, and goes to the next."""
    first, second = DatabaseLease(Database(pooled_url)), DatabaseLease(Database(pooled_url))
    store = PostgresStore(Database(pooled_url))
    assert await first.held()
    for number in range(5):
        await store.transact(inserting(str(number)))
        assert [await second.held(), await first.held()] == [False, True]
    await first.close()
    await taken(second)
    await second.close()
    await store.close()


async def test_pooler_is_restarted(postgres: PostgresServer, postgres_url: str) -> None:
    """After a restart of the pooler reads, transactions and the lease go on, and nobody hears of it."""
    with pooling(postgres) as pooler:
        database = Database(pooler.url(name_in(postgres_url)))
        store, lease = PostgresStore(database), DatabaseLease(database)
        await asyncio.gather(*(store.transact(inserting(str(number))) for number in range(4)))
        assert await lease.held()
        pooler.stop()
        starting = asyncio.ensure_future(asyncio.to_thread(pooler.start))
        assert await names(store) == ["0", "1", "2", "3"]
        await store.transact(inserting("4"))
        await starting
        await taken(lease)
        await lease.close()
        await store.close()
