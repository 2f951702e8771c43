"""`PostgresStore` and a network that loses everything without a word: waits end, and so does what was lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from storage.errors import StorageUnavailable
from storage.metadata.postgresql import Database, DatabaseLease, PostgresStore
from tests.contract.rows import inserting, names
from tests.network import Network, clients_of, own_network, silence
from tests.postgres import PostgresServer, running_server

PORT, DEAD_PORT = 5432, 5433
WAIT_S = 0.5
Scenario = Callable[[str], Awaitable[None]]


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    """A network for the server and its clients."""
    with own_network() as network:
        yield network


@pytest.fixture(scope="module")
def server(network: Network) -> Iterator[PostgresServer]:
    """A server that listens on `PORT`."""
    servers = running_server(port=PORT)
    yield network.run(lambda: next(servers))
    network.run(lambda: next(servers, None))


@pytest.fixture
def run(network: Network, server: PostgresServer) -> Iterator[Callable[[Scenario], None]]:
    """What runs a test in the network, with the URL of a database with the newest schema."""
    name = server.create_database()
    url = f"postgresql://postgres@127.0.0.1:{PORT}/{name}"

    async def prepared(scenario: Scenario) -> None:
        await PostgresStore.migrate(Database(url))
        async with asyncio.timeout(20):
            await scenario(url)

    yield lambda scenario: network.run(lambda: asyncio.run(prepared(scenario)))
    server.drop_database(name)


@asynccontextmanager
async def opened(url: str, statement_timeout_s: float | None = None) -> AsyncIterator[PostgresStore]:
    """A store that has three connections, with nothing wrong with them."""
    store = PostgresStore(Database(url, 3, WAIT_S, statement_timeout_s))
    await asyncio.gather(*(store.fetch_one("SELECT 1 FROM pg_sleep(0.1)") for _ in range(3)))
    yield store
    await store.close()


async def refused_in_time(store: PostgresStore) -> None:
    """What is asked for and stored while nothing comes through: all hear so, in the time that is set."""
    begun = time.monotonic()
    results = await asyncio.gather(
        *(names(store) for _ in range(4)), *(store.transact(inserting("x")) for _ in range(4)), return_exceptions=True
    )
    assert {type(result) for result in results} == {StorageUnavailable}
    # Until the connection is given up, and until no new one could be made.
    assert time.monotonic() - begun < 2 * WAIT_S + 2


@pytest.mark.parametrize("statement_timeout_s", [None, 0.5])
def test_server_vanishes(run: Callable[[Scenario], None], statement_timeout_s: float | None) -> None:
    """Whoever is waiting hears that the server is gone, however long statements may take, and all goes on with it."""

    async def scenario(url: str) -> None:
        async with opened(url, statement_timeout_s) as store:
            with silence(PORT):
                await refused_in_time(store)
                await refused_in_time(store)
            begun = time.monotonic()
            await store.transact(inserting("after"))
            assert "after" in await names(store)
            assert time.monotonic() - begun < 1

    run(scenario)


def test_server_vanishes_while_it_works(run: Callable[[Scenario], None]) -> None:
    """A server that has heard the question and never answers is given up, if it does not even say that it is there."""

    async def scenario(url: str) -> None:
        async with opened(url) as store:
            slow = asyncio.ensure_future(store.fetch_one("SELECT 1 FROM pg_sleep(60)"))
            await asyncio.sleep(0.2)
            with silence(PORT):
                begun = time.monotonic()
                with pytest.raises(StorageUnavailable):
                    await slow
                # A live server is asked once a second at most.
                assert time.monotonic() - begun < 2 + WAIT_S + 1
            assert await store.fetch_one("SELECT 2 FROM pg_sleep(1.5)") == (2,)

    run(scenario)


def test_connections_are_forgotten(run: Callable[[Scenario], None]) -> None:
    """When what lies between has forgotten old connections, one caller hears of it, and nobody after that."""

    async def scenario(url: str) -> None:
        store = PostgresStore(Database(url, 3, connect_timeout_s=10, statement_timeout_s=0.5))
        await asyncio.gather(*(store.fetch_one("SELECT 1 FROM pg_sleep(0.1)") for _ in range(3)))
        with silence(*clients_of(PORT)):
            with pytest.raises(StorageUnavailable, match="in time"):
                await names(store)
            for _ in range(5):
                assert await names(store) == []
        await store.close()

    run(scenario)


def test_lease_of_a_server_that_vanishes(run: Callable[[Scenario], None]) -> None:
    """Who cannot reach the server does not go on with the lease, and the server does not keep it for them for ever."""

    async def scenario(url: str) -> None:
        database = Database(url, connect_timeout_s=WAIT_S, statement_timeout_s=None)
        first, second = DatabaseLease(database, silence_s=1), DatabaseLease(database)
        assert await first.held()
        with silence(PORT):
            async with asyncio.timeout(2 * WAIT_S + 2):
                assert not await first.held()
        while not await second.held():  # noqa: ASYNC110 - a server that lets go of a lock tells nobody
            await asyncio.sleep(0.05)
        await first.close()
        await second.close()

    run(scenario)


def test_one_of_several_hosts_vanishes(run: Callable[[Scenario], None]) -> None:
    """Of several hosts the one that answers is used, without waiting for another that does not."""

    async def scenario(url: str) -> None:
        both = url.replace(f":{PORT}", f":{DEAD_PORT},127.0.0.1:{PORT}")
        with silence(DEAD_PORT):
            begun = time.monotonic()
            async with opened(both) as store:
                await store.transact(inserting("a"))
                assert await names(store) == ["a"]
            assert time.monotonic() - begun < 1
            with silence(PORT):
                with pytest.raises(TimeoutError):
                    await PostgresStore.exists(Database(both, connect_timeout_s=WAIT_S))
                assert time.monotonic() - begun < WAIT_S + 1

    run(scenario)
