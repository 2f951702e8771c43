"""Audit entries that wait in memory: none is lost, and none written twice."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain import audit_batch
from registry.domain.audit_batch import AuditBatch
from storage.clock import FakeClock
from storage.errors import StorageFull
from storage.metadata.sqlite import SqliteStore
from tests.unit.registry.domain.batched import START, Batched, entries, times_of
from tests.unit.storage.audit_rows import a_row


@pytest.fixture
async def batched() -> AsyncIterator[Batched]:
    """An empty batch."""
    made = Batched()
    yield made
    await made.store.close()


async def test_nothing_to_write(batched: Batched) -> None:
    """Where nothing waits the store is left alone."""
    await batched.batch.flush()
    await batched.batch.close()
    assert batched.store.durable == []


async def test_rows_are_written_together(batched: Batched) -> None:
    """Rows wait for the flush, and are then written as they are, in one transaction that no disk is waited for."""
    rows = [a_row(at=START), a_row(at=START + 1, outcome="refused", detail="no"), a_row(at=START + 2, client=None)]
    for row in rows:
        batched.batch.add(row)
    assert await entries(batched.store) == []
    await batched.batch.flush()
    written = await entries(batched.store)
    assert [(one.at, one.outcome, one.detail, one.client) for one in written] == [
        (one.at, one.outcome, one.detail, one.client) for one in rows
    ]
    assert batched.store.durable == [False]
    await batched.batch.flush()
    assert len(await entries(batched.store)) == 3


async def test_many_rows_leave_room_for_others(batched: Batched) -> None:
    """Thousands of rows are written in parts: between them other writers get their turn."""
    for number in range(2500):
        batched.allow(str(number))
    await batched.batch.flush()
    assert await batched.targets() == list(map(str, range(2500)))
    assert len(batched.store.durable) == 5


async def test_allowed_is_never_left_out(batched: Batched) -> None:
    """What was done is written each time, however often it is the same."""
    for _ in range(300):
        batched.allow()
    await batched.batch.flush()
    assert len(await entries(batched.store)) == 300


async def test_failed_flush(batched: Batched) -> None:
    """Rows that could not be written are kept, in their order, for the next flush."""
    batched.allow("a")
    batched.store.failing = {0, 1}
    with pytest.raises(StorageFull):
        await batched.batch.flush()
    batched.allow("b")
    with pytest.raises(StorageFull):
        await batched.batch.flush()
    await batched.batch.flush()
    assert await batched.targets() == ["a", "b"]


async def test_failure_in_the_middle(batched: Batched) -> None:
    """Of many parts those that were written are not written again after a failure."""
    for number in range(1200):
        batched.allow(str(number))
    batched.store.failing = {1}
    with pytest.raises(StorageFull):
        await batched.batch.flush()
    assert len(await batched.targets()) == 500
    await batched.batch.flush()
    assert await batched.targets() == list(map(str, range(1200)))


async def test_bound(batched: Batched, caplog: pytest.LogCaptureFixture) -> None:
    """What does not fit is lost, and how much that was is logged once."""
    for number in range(audit_batch.ROWS_MAX + 7):
        batched.allow(str(number))
    with caplog.at_level(logging.WARNING):
        await batched.batch.flush()
        await batched.batch.flush()
    assert len(await entries(batched.store)) == audit_batch.ROWS_MAX
    assert [record.getMessage() for record in caplog.records] == [
        "7 entries of the audit log were lost: too many waited to be written"
    ]
    batched.allow("later")
    await batched.batch.flush()
    assert (await batched.targets())[-1] == "later"


async def test_cancelled_flush(batched: Batched) -> None:
    """A flush that nobody waits for any more goes on; the next one writes the rest, and nothing twice."""
    batched.allow("a")
    batched.store.open.clear()
    flushing = asyncio.create_task(batched.batch.flush())
    await asyncio.sleep(0.01)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    batched.allow("b")
    last = asyncio.create_task(batched.batch.close())
    await asyncio.sleep(0.01)
    assert await batched.targets() == []
    batched.store.open.set()
    await last
    assert await batched.targets() == ["a", "b"]


async def test_cancelled_flush_that_fails(batched: Batched) -> None:
    """An error that comes when nobody waits any more disturbs nobody, and loses nothing."""
    loop, complaints = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    batched.allow("a")
    batched.store.failing = {0}
    batched.store.open.clear()
    flushing = asyncio.create_task(batched.batch.flush())
    await asyncio.sleep(0.01)
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    batched.store.open.set()
    await batched.batch.flush()
    assert await batched.targets() == ["a"]
    assert complaints == []


async def test_flushes_at_the_same_time(batched: Batched) -> None:
    """Several flushes at once write each row once."""
    for number in range(1100):
        batched.allow(str(number))
    await asyncio.gather(*(batched.batch.flush() for _ in range(5)))
    assert await batched.targets() == list(map(str, range(1100)))


async def test_on_a_disk(tmp_path: Path) -> None:
    """With a real writer, and flushes that are cancelled at any moment, each row is there once."""
    SqliteStore.migrate(tmp_path)
    store = SqliteStore(tmp_path)
    batch = AuditBatch(store, FakeClock(START))
    for number in range(60):
        batch.add(a_row(target=str(number)))
        flushing = asyncio.create_task(batch.flush())
        await asyncio.sleep(0.0001 * (number % 5))
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
    await batch.close()
    assert [entry.target for entry in await entries(store)] == list(map(str, range(60)))
    await store.close()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["allow", "refuse", "flush", "fail", "cancel"]),
            st.integers(0, 150),
            st.sampled_from([0.0, 1.0, 30.0, 61.0]),
        ),
        max_size=40,
    )
)
def test_every_event_is_accounted_for(steps: list[tuple[str, int, float]]) -> None:
    """Whatever happens in whatever order, each allowed row is written once, and each refusal is a row or counted."""

    async def run() -> None:
        batched = Batched()
        allowed, refused = 0, 0
        for step, number, seconds in steps:
            batched.clock.advance(seconds)
            if step == "allow":
                batched.allow(str(allowed))
                allowed += 1
            elif step == "refuse":
                for one in range(number):
                    batched.refuse(str(one % 130))
                refused += number
            else:
                await _flush(batched, step)
        await batched.batch.close()
        written = await entries(batched.store)
        done = [entry.target for entry in written if entry.outcome == "allowed"]
        assert sorted(done, key=int) == list(map(str, range(allowed)))
        assert sum(times_of(entry.detail) for entry in written if entry.outcome == "refused") == refused
        await batched.store.close()

    asyncio.run(run())


async def _flush(batched: Batched, how: str) -> None:
    """Flush; or let that fail, or be cancelled."""
    if how == "fail":
        batched.store.failing.add(len(batched.store.durable))
    flushing = asyncio.create_task(batched.batch.flush())
    if how == "cancel":
        await asyncio.sleep(0)
        flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    batched.store.failing.clear()
