"""`PostgresStore` while its server is away, slow, or cut off: what is stored, what is not, and who hears what."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from storage.errors import StorageUnavailable
from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.store import Transaction
from tests.contract.cutting import cutting
from tests.contract.rows import Work, inserting, names
from tests.daemon import children
from tests.postgres import PostgresServer, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that the tests here may stop."""
    yield from running_server()


@pytest.fixture
async def url(server: PostgresServer) -> AsyncIterator[str]:
    """A database for one test."""
    name = server.create_database()
    await PostgresStore.migrate(Database(server.url(name)))
    yield server.url(name)
    server.drop_database(name)


@asynccontextmanager
async def opened(
    url: str, *, pool_size: int = 4, connect_timeout_s: float = 10, statement_timeout_s: float = 10
) -> AsyncIterator[PostgresStore]:
    """A store with these settings."""
    store = PostgresStore(Database(url, pool_size, connect_timeout_s, statement_timeout_s))
    yield store
    async with asyncio.timeout(5):
        await store.close()


def terminate(server: PostgresServer, url: str) -> None:
    """Let the server end all connections to the database."""
    name = url.rpartition("/")[2].partition("?")[0]
    server.execute(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_restart(server: PostgresServer, url: str, how: signal.Signals) -> None:
    """After a restart reads and transactions go on, on new connections, and nobody hears of it."""
    async with opened(url) as store:
        await asyncio.gather(*(store.transact(inserting(str(number))) for number in range(4)))
        await asyncio.to_thread(server.stop, how)
        starting = asyncio.ensure_future(asyncio.to_thread(server.start))
        assert await names(store) == ["0", "1", "2", "3"]
        await store.transact(inserting("4"))
        await starting
        assert await names(store) == ["0", "1", "2", "3", "4"]


async def test_long_outage(server: PostgresServer, url: str) -> None:
    """Nobody waits longer than is set, those who come later hardly at all, and the end of the outage is noticed."""
    async with opened(url, connect_timeout_s=1) as store:
        await store.transact(inserting("before"))
        await asyncio.to_thread(server.stop, signal.SIGQUIT)
        try:
            begun = time.monotonic()
            for work in (names(store), store.transact(inserting("during"))):
                with pytest.raises(StorageUnavailable, match="cannot be reached"):
                    await work
            assert time.monotonic() - begun < 2
        finally:
            await asyncio.to_thread(server.start)
        assert await names(store) == ["before"]


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_connection_ends_in_a_transaction(server: PostgresServer, url: str, at: int) -> None:
    """A transaction whose connection ends before it is committed is run again, and is there once."""
    runs = 0

    async def work(tx: Transaction) -> int:
        nonlocal runs
        runs += 1
        for number in range(3):
            if runs == 1 and number == at:
                terminate(server, url)
            await inserting(f"{runs}-{number}")(tx)
        return runs

    async with opened(url) as store:
        assert await store.transact(work) == 2
        assert await names(store) == ["2-0", "2-1", "2-2"]


async def test_connection_ends_in_a_read(server: PostgresServer, url: str) -> None:
    """A read whose connection ends is read again."""
    async with opened(url) as store:
        reading = asyncio.ensure_future(store.fetch_one("SELECT 1 FROM pg_sleep(0.5)"))
        await asyncio.sleep(0.2)
        await asyncio.to_thread(terminate, server, url)
        assert await reading == (1,)


@pytest.mark.parametrize("passes_on", [True, False])
async def test_answer_to_a_commit_is_lost(server: PostgresServer, url: str, tmp_path: Path, *, passes_on: bool) -> None:
    """Where nobody can say whether it was committed, the caller hears so, and the work is not done once more."""
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await inserting("a")(tx)

    async with cutting(server.folder, tmp_path) as cutter:
        there = url.replace(quote(str(server.folder), safe=""), quote(str(tmp_path), safe=""))
        async with opened(there) as store:
            await store.transact(inserting("before"))
            cutter.words, cutter.passes_on = b"COMMIT", passes_on
            with pytest.raises(StorageUnavailable, match="not known"):
                await store.transact(work)
            assert (cutter.cuts, runs) == (1, 1)
            assert await names(store) == (["a", "before"] if passes_on else ["before"])
            cutter.words = b"INSERT"
            await store.transact(inserting("later"))
            assert cutter.cuts == 2


async def sleeping(tx: Transaction) -> None:
    """Work that takes two seconds."""
    await inserting("late")(tx)
    await tx.fetch_one("SELECT 1 FROM pg_sleep(2)")


async def test_slow_statement(url: str) -> None:
    """A statement that takes too long is broken off, on the server too, and the next one is answered."""
    async with opened(url, pool_size=1, statement_timeout_s=0.3) as store:
        for work in (store.fetch_one("SELECT 1 FROM pg_sleep(2)"), store.transact(sleeping)):
            with pytest.raises(StorageUnavailable, match="in time"):
                await work
            assert await names(store) == []
        active = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'"
        assert await store.fetch_one(active) == (1,)


def signal_all(server: PostgresServer, number: signal.Signals) -> None:
    """Send a signal to all processes of the server."""
    for pid in [*children(server.pid), server.pid]:
        os.kill(pid, number)


async def test_server_freezes(server: PostgresServer, url: str) -> None:
    """A server that takes questions and answers none costs each caller no more than is set, and then all goes on."""
    async with opened(url, connect_timeout_s=0.5, statement_timeout_s=0.5) as store:
        await asyncio.gather(*(store.fetch_one("SELECT 1 FROM pg_sleep(0.1)") for _ in range(2)))
        signal_all(server, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            works = [*(names(store) for _ in range(6)), *(store.transact(inserting("during")) for _ in range(6))]
            results = await asyncio.gather(*works, return_exceptions=True)
            assert {type(result) for result in results} == {StorageUnavailable}
            assert time.monotonic() - begun < 2
        finally:
            signal_all(server, signal.SIGCONT)
        await store.transact(inserting("after"))
        assert await names(store) == ["after"]


async def test_work_that_always_loses_its_connection(url: str) -> None:
    """Nobody tries for ever what ends the connection each time, even if everybody else is served meanwhile."""

    async def work(tx: Transaction) -> None:
        await tx.fetch_one("SELECT pg_terminate_backend(pg_backend_pid())")

    async def keep_reading(store: PostgresStore) -> None:
        while True:
            await names(store)
            await asyncio.sleep(0.01)

    async with opened(url, connect_timeout_s=1) as store:
        reading = asyncio.ensure_future(keep_reading(store))
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            async with asyncio.timeout(5):
                await store.transact(work)
        reading.cancel()


async def test_no_connection_is_free(url: str) -> None:
    """Who waits for a connection too long is told to come again."""
    async with opened(url, pool_size=1, connect_timeout_s=1) as store:
        busy = asyncio.ensure_future(store.transact(sleeping))
        await asyncio.sleep(0.1)
        with pytest.raises(StorageUnavailable, match="in time"):
            await names(store)
        await busy
        assert await names(store) == ["late"]


async def test_server_takes_no_more_connections(server: PostgresServer, url: str) -> None:
    """When the server has enough connections, one that is closed elsewhere is waited for."""
    role = "crowd"
    server.execute(f"CREATE ROLE {role} LOGIN SUPERUSER")
    crowd = url.replace("postgres@", f"{role}@")
    async with opened(crowd, pool_size=1) as first, opened(crowd, pool_size=1) as second:
        await first.transact(inserting("first"))
        server.execute(f"ALTER ROLE {role} NOSUPERUSER CONNECTION LIMIT 1")
        waiting = asyncio.ensure_future(second.schema_version())
        await asyncio.sleep(0.3)
        assert not waiting.done()
        await first.close()
        with pytest.raises(Exception, match="permission denied"):
            await waiting


async def test_server_that_takes_no_writes_any_more(server: PostgresServer, url: str) -> None:
    """A server that became a standby is left, and the one that can be written to is waited for."""
    name = url.rpartition("/")[2].partition("?")[0]
    async with opened(url, connect_timeout_s=1) as store:
        await store.transact(inserting("before"))
        server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        terminate(server, url)
        with pytest.raises(StorageUnavailable, match="cannot be reached"):
            await store.transact(inserting("during"))
        server.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        await store.transact(inserting("after"))
        assert await names(store) == ["after", "before"]


async def test_cancelled_callers_leave_nothing_behind(url: str) -> None:
    """Whoever gives up in the middle of a read or a transaction leaves the connections to others."""
    async with opened(url, pool_size=2) as store:
        for number in range(20):
            for asked in (store.fetch_one("SELECT 1 FROM pg_sleep(1)"), store.transact(sleeping)):
                task = asyncio.ensure_future(asked)
                await asyncio.sleep(number * 0.001)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        async with asyncio.timeout(2):
            assert await names(store) == []


async def test_no_skew_between_transactions(url: str) -> None:
    """Of transactions that each write because they find nothing, one writes, however many run at the same time."""

    def first_of_all(name: str) -> Work:
        async def work(tx: Transaction) -> None:
            if await tx.fetch_one("SELECT 1 FROM repositories") is None:
                await inserting(name)(tx)

        return work

    async with opened(url) as store:
        await asyncio.gather(*(store.transact(first_of_all(str(number))) for number in range(20)))
        assert len(await names(store)) == 1


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
async def test_durability(server: PostgresServer, url: str, *, durable: bool, expected: str) -> None:
    """A durable transaction waits for the disk, whatever the server usually does; another one does not."""
    name = url.rpartition("/")[2].partition("?")[0]
    server.execute(f"ALTER DATABASE {name} SET synchronous_commit = {'off' if durable else 'on'}")

    async def work(tx: Transaction) -> tuple[str, ...] | None:
        return await tx.fetch_one("SELECT current_setting('synchronous_commit')")

    async with opened(url) as store:
        assert await store.transact(work, durable=durable) == (expected,)


async def test_text_with_nul(url: str) -> None:
    """Text that the server does not take is no fault: it equals nothing, and its place in lists is as in SQLite."""
    async with opened(url) as store:
        await store.transact(inserting("a", "a-b", "b"))
        assert await store.fetch_one("SELECT 1 FROM repositories WHERE name = ?", "a\0") is None
        after = await store.fetch_all("SELECT name FROM repositories WHERE name > ? ORDER BY name", "a\0")
        assert after == [("a-b",), ("b",)]
