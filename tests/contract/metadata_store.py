"""What every metadata engine promises (`storage.metadata.store`): one suite, subclassed once per engine."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from storage.errors import StorageFull
from storage.metadata.store import MetadataStore, Transaction, Value
from tests.contract.open_files import open_files_below
from tests.contract.rows import INSERT, Work, counting_up, inserting, names, number_of

Waiting = Callable[[asyncio.Future[None]], Awaitable[None]]


class MetadataStoreSuite:
    """How a suite gets its store. A subclass for an engine says how to open one.

    class TestSomeStore(MetadataStoreContract):
        async def open_store(self, place: Path) -> MetadataStore:
            return SomeStore(place)

    `place` is a new folder for each test. Two stores opened on one place are what two processes would have.
    """

    async def open_store(self, place: Path) -> MetadataStore:
        """A store with the newest schema, which keeps its rows at `place`."""
        raise NotImplementedError

    async def fill(self, tx: Transaction) -> None:
        """What makes the transaction fail for want of room: here, in SQLite."""
        await tx.execute("PRAGMA max_page_count = 60")
        await tx.execute(INSERT, "x" * 4_000_000, 0)

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[MetadataStore]:
        """A store without rows. After the test it has to be sound, and nothing may stay open."""
        store = await self.open_store(tmp_path)
        yield store
        assert await store.verify() == []
        await store.close()
        assert open_files_below(tmp_path) == []
        assert asyncio.all_tasks() == {asyncio.current_task()}


class MetadataStoreContract(MetadataStoreSuite):
    """Transactions and queries of one store."""

    async def test_result_comes_back(self, store: MetadataStore) -> None:
        """What the work returns is what the caller gets."""

        async def work(tx: Transaction) -> str:
            return "result"

        assert await store.transact(work) == "result"

    @pytest.mark.parametrize("durable", [True, False])
    async def test_own_writes_are_read(self, store: MetadataStore, *, durable: bool) -> None:
        """Work sees what it wrote, and after the commit every query does."""

        async def work(tx: Transaction) -> list[str]:
            await inserting("a", "b")(tx)
            return await names(tx)

        assert await store.transact(work, durable=durable) == ["a", "b"]
        assert await names(store) == ["a", "b"]

    async def test_error_rolls_back(self, store: MetadataStore) -> None:
        """An error of the work comes through as it is, and nothing of what the work wrote stays."""
        error = ValueError("no")

        async def work(tx: Transaction) -> None:
            await inserting("a")(tx)
            raise error

        await store.transact(inserting("before"))
        with pytest.raises(ValueError, match="no") as caught:
            await store.transact(work)
        assert caught.value is error
        assert await names(store) == ["before"]

    async def test_broken_constraint_rolls_back(self, store: MetadataStore) -> None:
        """A statement that the engine refuses is an error of the work like any other."""
        with pytest.raises(Exception, match=r"(?i)unique|duplicate"):
            await store.transact(inserting("a", "b", "a"))
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            await store.transact(linking_nothing)
        assert await names(store) == []

    async def test_caught_error_rolls_nothing_back(self, store: MetadataStore) -> None:
        """Work that deals with an error of its own is committed."""

        async def work(tx: Transaction) -> None:
            await inserting("a")(tx)
            with contextlib.suppress(ValueError):
                raise ValueError
            await inserting("b")(tx)

        await store.transact(work)
        assert await names(store) == ["a", "b"]

    async def test_writers_are_isolated(self, store: MetadataStore) -> None:
        """Transactions that read before they write do not lose one another's writes."""
        await store.transact(inserting("counter"))
        async with asyncio.timeout(20):
            await asyncio.gather(*(store.transact(counting_up("counter"), durable=n % 3 > 0) for n in range(300)))
        assert await number_of(store, "counter") == 300

    async def test_each_caller_hears_of_its_own_error(self, store: MetadataStore) -> None:
        """Of transactions that run at the same time, each is stored or fails by itself."""

        def work(number: int) -> Work:
            async def run(tx: Transaction) -> None:
                await inserting(f"{number:03}")(tx)
                if number % 7 == 0:
                    raise LookupError(number)

            return run

        async with asyncio.timeout(20):
            results = await asyncio.gather(
                *(store.transact(work(number)) for number in range(200)), return_exceptions=True
            )
        errors = {number: repr(result) for number, result in enumerate(results) if result is not None}
        assert errors == {number: repr(LookupError(number)) for number in range(0, 200, 7)}
        assert await names(store) == [f"{number:03}" for number in range(200) if number % 7]

    @pytest.mark.parametrize(
        "wait",
        [lambda _: asyncio.sleep(0), lambda _: asyncio.sleep(0.01), lambda future: future],
        ids=["turn", "sleep", "future"],
    )
    async def test_waiting_for_something_else(self, store: MetadataStore, wait: Waiting) -> None:
        """Work that awaits anything but the transaction fails and stores nothing; its neighbours do not notice."""
        future = asyncio.get_running_loop().create_future()

        async def work(tx: Transaction) -> None:
            await inserting("a")(tx)
            await wait(future)
            await inserting("b")(tx)

        async with asyncio.timeout(20):
            results = await asyncio.gather(
                store.transact(inserting("before")),
                store.transact(work),
                store.transact(inserting("after")),
                return_exceptions=True,
            )
        assert [type(result) for result in results] == [type(None), RuntimeError, type(None)]
        assert await names(store) == ["after", "before"]

    async def test_full(self, store: MetadataStore) -> None:
        """When there is no room, the caller hears `StorageFull`, and so does everybody whose work was not stored."""
        await store.transact(inserting("before"))
        full, beside = await asyncio.gather(
            store.transact(self.fill), store.transact(inserting("beside")), return_exceptions=True
        )
        assert isinstance(full, StorageFull)
        assert beside is None or isinstance(beside, StorageFull)
        await store.transact(inserting("later"))
        assert await names(store) == ["before", *(["beside"] if beside is None else []), "later"]

    async def test_cancelled_caller(self, store: MetadataStore) -> None:
        """A cancelled caller's work takes effect as a whole or not at all, and others are not disturbed."""
        for number in range(30):
            task = asyncio.ensure_future(store.transact(inserting(f"{number}-a", f"{number}-b")))
            beside = asyncio.ensure_future(store.transact(inserting(f"{number}-beside")))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await beside
        await store.transact(inserting("last"))
        found = await names(store)
        for number in range(30):
            assert f"{number}-beside" in found
            assert (f"{number}-a" in found) == (f"{number}-b" in found)

    @pytest.mark.parametrize("durable", [True, False])
    async def test_close_lets_queued_work_finish(self, tmp_path: Path, *, durable: bool) -> None:
        """Work that was asked for before `close` is done when `close` returns, and its callers hear of it."""
        store = await self.open_store(tmp_path)
        tasks = [asyncio.ensure_future(store.transact(inserting(str(n)), durable=durable)) for n in range(50)]
        await asyncio.sleep(0)
        await store.close()
        async with asyncio.timeout(5):
            assert await asyncio.gather(*tasks) == [None] * 50

    async def test_text_compares_byte_by_byte(self, store: MetadataStore) -> None:
        """Lists come in ASCII order, and comparisons agree with it."""
        ordered = ["-", ".", "0", "10", "2", "A", "Z", "_", "a", "a-b", "a.b", "a/b", "ab", "b", "é"]
        await store.transact(inserting(*reversed(ordered)))
        assert await names(store) == ordered
        rows = await store.fetch_all("SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT 3", "Z")
        assert rows == [("_",), ("a",), ("a-b",)]

    async def test_statements_say_how_many_rows_they_changed(self, store: MetadataStore) -> None:
        """`execute` counts changed rows: none, one or many."""

        async def work(tx: Transaction) -> list[int]:
            return [
                await tx.execute(INSERT, "a", 0),
                await tx.execute(INSERT, "b", 0),
                await tx.execute(f"{INSERT} ON CONFLICT (name) DO NOTHING", "b", 0),
                await tx.execute("UPDATE repositories SET created_at = ?", 5),
                await tx.execute("DELETE FROM repositories WHERE name = ?", "c"),
                await tx.execute("DELETE FROM repositories"),
            ]

        assert await store.transact(work) == [1, 1, 0, 2, 0, 2]

    @pytest.mark.parametrize("value", [0, -1, (1 << 63) - 1, -(1 << 63)])
    async def test_numbers_come_back(self, store: MetadataStore, value: int) -> None:
        """All whole numbers of 64 bits are kept exactly."""

        async def work(tx: Transaction) -> None:
            await tx.execute(INSERT, "a", value)

        await store.transact(work)
        assert await number_of(store, "a") == value

    @pytest.mark.parametrize("content", [b"", b"\x00\xff", bytes(range(256)) * 16 * 1024], ids=["empty", "two", "4MiB"])
    async def test_content_comes_back(self, store: MetadataStore, content: bytes) -> None:
        """Manifests' bytes are kept verbatim, and absent values stay absent."""
        columns = "repository_id, digest, media_type, artifact_type, subject, size, created_at, descriptor, content"
        values: tuple[Value, ...] = ("sha256:x", "type/é", None, None, len(content), 1, None, content)

        async def work(tx: Transaction) -> None:
            await inserting("a")(tx)
            row = await tx.fetch_one("SELECT id FROM repositories")
            assert row is not None
            marks = ", ".join("?" * 9)
            await tx.execute(f"INSERT INTO manifests ({columns}) VALUES ({marks})", row[0], *values)

        await store.transact(work)
        assert await store.fetch_one("SELECT digest, media_type, artifact_type, content FROM manifests") == (
            "sha256:x",
            "type/é",
            None,
            content,
        )

    async def test_no_row(self, store: MetadataStore) -> None:
        """What is not there is None or an empty list."""
        assert await store.fetch_one("SELECT name FROM repositories WHERE name = ?", "a") is None
        assert await store.fetch_all("SELECT name FROM repositories") == []

    async def test_soundness_and_version(self, store: MetadataStore) -> None:
        """A store that was just opened is sound and has a schema."""
        assert await store.verify() == []
        assert await store.schema_version() >= 1


async def linking_nothing(tx: Transaction) -> None:
    """Work that links a blob that is not there into a repository that is."""
    await inserting("a")(tx)
    await tx.execute("INSERT INTO blob_links (repository_id, digest, created_at) SELECT id, 'x', 0 FROM repositories")
