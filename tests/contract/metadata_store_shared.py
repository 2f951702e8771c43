"""What a metadata engine promises where several processes share its rows."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from pathlib import Path

from storage.metadata.store import MetadataStore, Transaction
from tests.contract.metadata_store import MetadataStoreSuite
from tests.contract.processes import all_elsewhere, elsewhere, killed_process, stay
from tests.contract.rows import counting_up, inserting, names, number_of

OpenStore = Callable[[Path], Awaitable[MetadataStore]]


def count_there(open_store: OpenStore, place: Path, times: int) -> None:
    """In another process: count a row up, several transactions at a time."""

    async def run() -> None:
        store = await open_store(place)
        try:
            for _ in range(times // 10):
                await asyncio.gather(*(store.transact(counting_up("counter")) for _ in range(10)))
        finally:
            await store.close()

    asyncio.run(run())


def names_there(open_store: OpenStore, place: Path) -> list[str]:
    """In another process: all names."""

    async def run() -> list[str]:
        store = await open_store(place)
        try:
            return await names(store)
        finally:
            await store.close()

    return asyncio.run(run())


def write_until_killed(open_store: OpenStore, place: Path, connection: Connection) -> None:
    """In another process: one transaction that is committed, and one that never ends."""

    async def work(tx: Transaction) -> None:
        await inserting("half")(tx)
        stay(connection)

    async def run() -> None:
        store = await open_store(place)
        await store.transact(inserting("whole"))
        await store.transact(work)

    asyncio.run(run())


class SharedMetadataStoreContract(MetadataStoreSuite):
    """Two stores, and several processes, on one place."""

    async def test_writers_in_several_processes(self, store: MetadataStore, tmp_path: Path) -> None:
        """Transactions of several processes are isolated from one another, and all of them get their turn."""
        await store.transact(inserting("counter"))
        there = asyncio.ensure_future(all_elsewhere(3, count_there, self.open_store, tmp_path, 100))
        here = 0
        while not there.done():
            await store.transact(counting_up("counter"), durable=here % 2 == 0)
            await asyncio.sleep(0.005)
            here += 1
        await there
        assert here > 0
        assert await number_of(store, "counter") == 300 + here

    async def test_commits_are_seen_everywhere(self, store: MetadataStore, tmp_path: Path) -> None:
        """What one store committed, the next query of any other sees, durable or not."""
        other = await self.open_store(tmp_path)
        for number in range(20):
            await store.transact(inserting(f"{number:02}"), durable=number % 2 == 0)
            assert len(await names(other)) == number + 1
        assert await elsewhere(names_there, self.open_store, tmp_path) == await names(store)
        await other.close()

    async def test_nobody_sees_half_a_transaction(self, store: MetadataStore, tmp_path: Path) -> None:
        """While a transaction runs, others read what was there before it, without waiting for it."""
        other = await self.open_store(tmp_path)
        written, go_on = threading.Event(), threading.Event()

        async def work(tx: Transaction) -> None:
            await inserting("a")(tx)
            written.set()
            assert go_on.wait(10)

        async def write() -> None:
            third = await self.open_store(tmp_path)
            await third.transact(work)
            await third.close()

        # Work holds up the loop that it runs in.
        writing = asyncio.ensure_future(asyncio.to_thread(asyncio.run, write()))
        assert await asyncio.to_thread(written.wait, 10)
        # The writer goes on by itself later than that.
        async with asyncio.timeout(5):
            assert await names(store) == await names(other) == []
        go_on.set()
        await writing
        assert await names(store) == await names(other) == ["a"]
        await other.close()

    async def test_writer_whose_process_dies(self, store: MetadataStore, tmp_path: Path) -> None:
        """A killed process leaves what it committed, nothing else, and holds up nobody who wants the same."""
        with killed_process(write_until_killed, self.open_store, tmp_path) as kill:
            waiting = asyncio.ensure_future(store.transact(inserting("half")))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            kill()
            async with asyncio.timeout(20):
                await waiting
        assert await names(store) == ["half", "whole"]

    async def test_closed_store_can_be_opened_again(self, store: MetadataStore, tmp_path: Path) -> None:
        """What was committed is there for the next one who opens the store."""
        other = await self.open_store(tmp_path)
        await asyncio.gather(*(other.transact(inserting(str(number))) for number in range(10)))
        await other.close()
        again = await self.open_store(tmp_path)
        assert await names(again) == await names(store) == [str(number) for number in range(10)]
        await again.close()
