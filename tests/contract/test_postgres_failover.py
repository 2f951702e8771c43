"""`PostgresStore` when another server takes the place of the one that it uses."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from storage.errors import StorageUnavailable
from storage.metadata.postgresql import Database, PostgresStore
from tests.contract.rows import inserting, names
from tests.pgbouncer import pooling
from tests.replicas import Pair, replicated


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """A primary and its standby. Making them takes long: the last test alone lets one take the place of the other."""
    with replicated() as pair:
        yield pair


@pytest.fixture
def name(pair: Pair) -> str:
    """The name of an empty database on both."""
    name = pair.primary.create_database()
    while not pair.standby.execute(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):
        pass
    return name


@asynccontextmanager
async def opened(url: str, wait_s: float = 10) -> AsyncIterator[PostgresStore]:
    """A store with the newest schema that waits for the server, and for answers, so long."""
    await PostgresStore.migrate(Database(url))
    store = PostgresStore(Database(url, 4, wait_s, wait_s))
    yield store
    await store.close()


async def test_only_a_standby(pair: Pair, name: str) -> None:
    """A standby alone is not used, not even for reads: it may be behind."""
    await PostgresStore.migrate(Database(pair.url(name)))
    store = PostgresStore(Database(f"postgresql://postgres@127.0.0.1:{pair.standby.port}/{name}", 4, 0.5))
    for work in (names(store), store.transact(inserting("a"))):
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await work
    await store.close()


async def test_commit_that_the_standby_does_not_confirm(pair: Pair, name: str) -> None:
    """What the standby may not have is not said to be stored; once it is back, everything goes on."""
    async with opened(pair.url(name), wait_s=1) as store:
        await store.transact(inserting("before"))
        await asyncio.to_thread(pair.standby.stop)
        with pytest.raises(StorageUnavailable, match="not known"):
            await store.transact(inserting("during"))
        await asyncio.to_thread(pair.standby.start)
        await store.transact(inserting("after"))
        assert {"before", "after"} <= set(await names(store)) <= {"before", "during", "after"}


async def led_to_a_standby(url: str) -> None:
    """Return when a pooler has done as it was told."""
    async with asyncio.timeout(5):
        recovering = False
        while not recovering:
            connection = await asyncpg.connect(url, statement_cache_size=0)
            recovering = await connection.fetchval("SELECT pg_is_in_recovery()")
            await connection.close()


async def test_standby_takes_the_place(pair: Pair, name: str) -> None:
    """Reads and transactions wait for the promotion, and everything is there. Before, nothing is run on the standby.

    It is the same with two hosts, and with a pooler, whose connections suddenly lead to the standby.
    """
    with pooling(pair.primary) as pooler:
        async with opened(pair.url(name)) as store, opened(pooler.url(name), wait_s=1) as pooled:
            await asyncio.gather(*(store.transact(inserting(str(number))) for number in range(4)))
            assert len(await names(pooled)) == 4
            await asyncio.to_thread(pooler.lead_to, pair.standby)
            await led_to_a_standby(pooler.url(name))
            begun = time.monotonic()
            with pytest.raises(StorageUnavailable, match="cannot be reached"):
                await pooled.transact(inserting("too early"))
            assert time.monotonic() - begun < 2

            await asyncio.to_thread(pair.crash)
            waiting = asyncio.gather(names(store), store.transact(inserting("during")))
            await asyncio.sleep(0.5)
            assert not waiting.done()
            await asyncio.to_thread(pair.promote)
            await waiting
            await pooled.transact(inserting("after"))
            assert await names(store) == await names(pooled) == ["0", "1", "2", "3", "after", "during"]
