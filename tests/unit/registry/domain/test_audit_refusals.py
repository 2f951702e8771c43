"""Refusals in the audit log: nobody fills the disk by being refused, and nothing is left out of a count."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.registry.domain.batched import START, Batched, entries, times_of

MINUTE = 60.0


@pytest.fixture
async def batched() -> AsyncIterator[Batched]:
    """An empty batch."""
    made = Batched()
    yield made
    await made.store.close()


async def test_same_refusal(batched: Batched) -> None:
    """A refusal is written at once; what repeats it within a minute is counted, and written as one after that."""
    for _ in range(42):
        batched.refuse()
    assert await batched.details() == ["not allowed"]
    batched.clock.advance(MINUTE - 0.001)
    assert await batched.details() == ["not allowed"]
    batched.clock.advance(0.001)
    assert await batched.details() == ["not allowed", "not allowed (41 times within a minute)"]
    batched.refuse()
    assert (await batched.details())[2:] == ["not allowed"]


async def test_single_refusal(batched: Batched) -> None:
    """A refusal that is not repeated is written once, and the minute after it ends without a word."""
    batched.refuse()
    batched.clock.advance(2 * MINUTE)
    assert await batched.details() == ["not allowed"]


async def test_count_has_the_last_time(batched: Batched) -> None:
    """The entry that stands for many is like the last of them, its time too."""
    batched.refuse()
    batched.clock.advance(20)
    batched.refuse()
    batched.clock.advance(MINUTE)
    await batched.batch.flush()
    assert [entry.at - START for entry in await entries(batched.store)] == [0, 20_000]
    assert len({(entry.principal, entry.action, entry.target) for entry in await entries(batched.store)}) == 1


async def test_different_refusals(batched: Batched) -> None:
    """Refusals of others, of other things or at other addresses are not the same."""
    for _ in range(2):
        batched.refuse()
        batched.refuse(target="app:2")
        batched.refuse(who="bob")
        batched.refuse(address="192.0.2.2")
    assert len(await batched.details()) == 4


async def test_close(batched: Batched) -> None:
    """At the end of the process, counts are written before their minute is over."""
    for _ in range(3):
        batched.refuse()
    await batched.batch.close()
    assert [entry.detail for entry in await entries(batched.store)] == [
        "not allowed",
        "not allowed (2 times within a minute)",
    ]


async def test_clock_set_back(batched: Batched) -> None:
    """A clock that jumps back does not keep refusals from being written for longer."""
    batched.refuse()
    batched.refuse()
    batched.clock.advance(-3600)
    assert len(await batched.details()) == 2
    batched.refuse()
    assert len(await batched.details()) == 3


async def test_many_different_refusals(batched: Batched) -> None:
    """Of many refusals of one principal a hundred are written, then one in five seconds; the rest is counted."""
    for number in range(1000):
        batched.refuse(str(number))
    assert len(await batched.details()) == 100
    batched.clock.advance(10)
    for number in range(1000, 1010):
        batched.refuse(str(number))
    assert (await batched.targets())[100:] == []
    await batched.batch.flush()
    assert (await batched.targets())[100:] == ["1000", "1001"]
    batched.clock.advance(MINUTE)
    await batched.batch.flush()
    last = (await entries(batched.store))[-1]
    assert (last.principal, last.action, last.target, last.address) == ("alice", "audit.limit", "", None)
    assert last.detail == "refused more often than is written down one by one (908 times within a minute)"


async def test_others_are_still_heard(batched: Batched) -> None:
    """Refusals of one principal do not keep those of another from being written."""
    for number in range(1000):
        batched.refuse(str(number), who="anonymous", address=f"192.0.2.{number % 250}")
    batched.refuse("secret", who="bob")
    await batched.batch.flush()
    assert len(await batched.targets()) == 101
    assert (await batched.targets())[-1] == "secret"


@pytest.mark.parametrize("variety", [1, 50, 100_000])
async def test_strangers_cannot_fill_the_disk(batched: Batched, variety: int) -> None:
    """However strangers are refused, few entries are written of it, and none is left out of a count."""
    number = 0
    for _ in range(600):
        for _ in range(20):
            number += 1
            batched.refuse(str(number % variety), who="anonymous", address=f"2001:db8::{number % variety:x}")
        batched.clock.advance(1)
        await batched.batch.flush()
    assert len(await entries(batched.store)) <= 200 + 10 * 25
    await batched.batch.close()
    assert sum(times_of(entry.detail) for entry in await entries(batched.store)) == number


async def test_quiet_principals_are_forgotten(batched: Batched) -> None:
    """Memory of refusals goes when they have stopped, however many were refused."""
    for number in range(500):
        batched.refuse(who=f"user{number % 50}", target=str(number))
    batched.clock.advance(10 * MINUTE)
    await batched.batch.flush()
    assert batched.batch._refusals._counts == {}  # noqa: SLF001
    assert batched.batch._refusals._allowances == {}  # noqa: SLF001
