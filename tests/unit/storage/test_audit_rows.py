"""Rows of the audit log: what is read, in which order, with which index, and what expires."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.metadata import audit
from storage.metadata.audit import BEGIN, END, AuditEntry, AuditFilter, AuditRow, Position
from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import MetadataStore, Row, Transaction, Value
from tests.unit.storage.audit_rows import FILTERS, ROW, ROWS, a_row, sieve, write

ALL = AuditFilter()


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    """A store without rows."""
    opened = MemoryStore()
    yield opened
    await opened.close()


async def all_of(store: MetadataStore) -> list[AuditEntry]:
    """Every entry, the oldest first."""
    return await audit.oldest(store, ALL, BEGIN, 1000)


async def walk(store: MetadataStore, wanted: AuditFilter, limit: int, *, newest: bool) -> list[AuditEntry]:
    """What is wanted, read in parts as callers are told to."""
    found: list[AuditEntry] = []
    position: Position = END if newest else BEGIN
    while True:
        read = audit.newest if newest else audit.oldest
        part = await read(store, wanted, position, limit)
        assert len(part) <= limit
        found += [entry for entry in part if wanted.matches(entry)]
        if len(part) < limit:
            return found
        position = part[-1].at, part[-1].id


async def delete(store: MetadataStore, before_ms: int, limit: int) -> int:
    """Let entries expire."""

    async def work(tx: Transaction) -> int:
        return await audit.delete_before(tx, before_ms, limit)

    return await store.transact(work)


def columns(row: AuditRow) -> list[object]:
    """The values of a row, without the number that it gets."""
    return [getattr(row, field.name) for field in fields(AuditRow)]


async def test_row_is_kept(store: MemoryStore) -> None:
    """Every field comes back as it was written, absent ones as None."""
    sparse = a_row(project=None, address=None, client=None, request_id=None)
    full = a_row(token="ci", detail="because", outcome="refused")
    await write(store, [ROW, sparse, full])
    assert [columns(entry) for entry in await all_of(store)] == [columns(row) for row in (ROW, sparse, full)]


async def test_find(store: MemoryStore) -> None:
    """An entry is found by its number; there is none of another number."""
    await write(store, [ROW, a_row(target="app:2")])
    second = (await all_of(store))[1]
    assert await audit.find(store, second.id) == second
    assert await audit.find(store, second.id + 1) is None


async def test_text_that_is_none(store: MemoryStore) -> None:
    """Bytes of clients that are not text are written as question marks, and asking for such bytes is no error."""
    await write(store, [a_row(client="a\udcffb\0c", target="é")])
    (entry,) = await all_of(store)
    assert (entry.client, entry.target) == ("a?b?c", "é")
    assert await walk(store, AuditFilter(target="\udcff\0"), 10, newest=True) == []


async def test_order(store: MemoryStore) -> None:
    """Entries come by time, and those of one time by number, in both directions."""
    await write(store, [a_row(at=at) for at in (5, 3, 5, 4)])
    assert [entry.id for entry in await audit.newest(store, ALL, END, 10)] == [3, 1, 4, 2]
    assert [entry.id for entry in await audit.oldest(store, ALL, BEGIN, 10)] == [2, 4, 1, 3]


async def test_times_of_a_filter(store: MemoryStore) -> None:
    """The first millisecond of a filter is in it, the last is not."""
    await write(store, [a_row(at=at) for at in (9, 10, 19, 20)])
    assert [entry.at for entry in await walk(store, AuditFilter(since_ms=10, until_ms=20), 10, newest=False)] == [
        10,
        19,
    ]


async def test_rarest_decides(store: MemoryStore) -> None:
    """Of several values the one with the fewest rows says what is read at all: the target before the principal."""
    await write(store, [*[a_row(target="app:2")] * 5, a_row(principal="bob"), ROW])
    read = await audit.newest(store, AuditFilter(target="app:1", principal="alice", outcome="allowed"), END, 10)
    assert [entry.principal for entry in read] == ["alice", "bob"]


@settings(deadline=None)
@given(rows=ROWS, wanted=FILTERS, limit=st.integers(1, 10), newest=st.booleans())
def test_any_filter(rows: list[AuditRow], wanted: AuditFilter, limit: int, newest: bool) -> None:  # noqa: FBT001
    """Whatever is asked for, in parts of whatever size, is what a plain filter finds among all rows."""

    async def compare() -> None:
        store = MemoryStore()
        await write(store, rows)
        found = await walk(store, wanted, limit, newest=newest)
        expected = sieve(await all_of(store), wanted)
        assert found == (expected if newest else expected[::-1])
        await store.close()

    asyncio.run(compare())


async def test_expiry(store: MemoryStore) -> None:
    """Entries from before the time go, the oldest first and no more than so many; others stay."""
    await write(store, [a_row(at=at) for at in (30, 10, 20, 10)])
    assert [await delete(store, 10, 5), await delete(store, 30, 2)] == [0, 2]
    assert sorted(entry.at for entry in await all_of(store)) == [20, 30]
    assert [await delete(store, 30, 5), await delete(store, 30, 5)] == [1, 0]
    assert [entry.at for entry in await all_of(store)] == [30]


async def test_numbers_are_not_used_again(store: MemoryStore) -> None:
    """A new entry never gets the number of one that expired: a page after that one is not mixed up with it."""
    await write(store, [ROW, ROW])
    assert await delete(store, ROW.at + 1, 10) == 2
    await write(store, [ROW])
    assert [entry.id for entry in await all_of(store)] == [3]


class Explaining:
    """Queries that find no rows, and keep how the engine would have looked for them."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self.plans: list[str] = []

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        steps = await self._store.fetch_all(f"EXPLAIN QUERY PLAN {sql}", *values)
        self.plans += [str(step[3]) for step in steps]
        return []

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        await self.fetch_all(sql, *values)
        return None

    async def execute(self, sql: str, *values: Value) -> int:
        await self.fetch_all(sql, *values)
        return 0


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (ALL, "audit_at (at>? AND at<?)"),
        (AuditFilter(since_ms=1, until_ms=9), "audit_at (at>? AND at<?)"),
        (AuditFilter(target="x"), "audit_target (target=? AND at>? AND at<?)"),
        (AuditFilter(principal="x", since_ms=1), "audit_principal (principal=? AND at>? AND at<?)"),
        (AuditFilter(project="x", until_ms=9), "audit_project (project=? AND at>? AND at<?)"),
        (AuditFilter(action="x"), "audit_action (action=? AND at>? AND at<?)"),
        (AuditFilter(outcome="x"), "audit_outcome (outcome=? AND at>? AND at<?)"),
        (AuditFilter(project="x", outcome="x"), "audit_project (project=? AND at>? AND at<?)"),
        (AuditFilter("x", "x", "x", "x", "x", 1, 9), "audit_target (target=? AND at>? AND at<?)"),
    ],
)
async def test_plan_of_reading(store: MemoryStore, wanted: AuditFilter, expected: str) -> None:
    """Every filter is read from an index, in its order: nothing is scanned and nothing sorted."""
    explaining = Explaining(store)
    await audit.newest(explaining, wanted, (5, 5), 10)
    await audit.oldest(explaining, wanted, (5, 5), 10)
    assert explaining.plans == [f"SEARCH audit USING INDEX {expected}"] * 2


async def test_plan_of_other_queries(store: MemoryStore) -> None:
    """Entries are found by their number, and expire, without a look at others."""
    explaining = Explaining(store)
    await audit.find(explaining, 1)
    await audit.delete_before(explaining, 5, 10)
    searched = [plan for plan in explaining.plans if plan.startswith("SEARCH audit USING ")]
    assert "SEARCH audit USING COVERING INDEX audit_at (at<?)" in searched
    assert [plan for plan in explaining.plans if plan not in searched] == ["LIST SUBQUERY 1"]
