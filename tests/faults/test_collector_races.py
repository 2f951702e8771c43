"""Requests, deaths and collections between any two steps of a collection, and collections between those of requests.

The registry is in memory, so that every order is tried, and not only those that happen to come about.
"""

from __future__ import annotations

import asyncio
from itertools import combinations_with_replacement

import pytest

from tests.faults import tally
from tests.faults.due import (
    HERE,
    HOUR,
    PART,
    PUSHED,
    REFERRER,
    REQUESTS,
    due_world,
    expect_pulled,
    expect_settled,
)
from tests.faults.stepping import Happening, Killed, Kind, Steps, die
from tests.faults.world import World

AMID = "request amid a collection"
KILLED = "collector killed at a step"
TWO = "two collections at once"


async def steps_of_a_collection() -> list[Kind]:
    """Of what kind the steps are when nothing comes between them."""
    async with due_world() as world:
        steps = Steps()
        await world.stepped(steps).collect()
        return steps.kinds


async def collect_amid(world: World, first: int, then: Happening, second: int, also: Happening) -> None:
    """Collect while `then` happens before the step `first`, and `also` before `second`: after the end if it is over."""
    late = {first: then, second: also}
    if first == second:

        async def both() -> None:
            await then()
            await also()

        late = {first: both}
    steps = Steps(late)
    await world.stepped(steps).collect()
    for number in sorted(late):
        if number >= len(steps.kinds):
            await late[number]()


async def expect_both_served(name: str, first: int, second: int) -> None:
    """AssertionError unless requests before these steps are answered as they may expect, and what they made stays."""
    requests = REQUESTS[name]
    async with due_world() as world:
        await collect_amid(
            world, first, lambda: requests.first(world.hands), second, lambda: requests.second(world.hands)
        )
        tally.injected(AMID, 2)
        await expect_pulled(world, requests.repository, "new", requests.document)
        await expect_settled(world)
        await expect_pulled(world, requests.repository, "new", requests.document)


async def changes_of_a_collection() -> list[int]:
    """Which of its steps change something; and one that it does not come to."""
    kinds = await steps_of_a_collection()
    return [*(number for number, kind in enumerate(kinds) if kind is Kind.CHANGE), len(kinds) + 1]


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_before_each_change(name: str) -> None:
    """Two requests before any change of a collection, or the second one after it, get what they were promised."""
    *changes, after = await changes_of_a_collection()
    for number in changes:
        for second in (number, after):
            await expect_both_served(name, number, second)


@pytest.mark.faults
@pytest.mark.timeout(0)
@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_before_any_two_changes(name: str) -> None:
    """Two requests before any changes of a collection, one after the other, get what they were promised."""
    changes = await changes_of_a_collection()
    for first, second in combinations_with_replacement(changes, 2):
        await expect_both_served(name, first, second)


@pytest.mark.faults
@pytest.mark.parametrize("name", REQUESTS)
async def test_requests_before_each_step(name: str) -> None:
    """Two requests before any step of a collection, be it a read of a listing only, get what they were promised."""
    for number in range(len(await steps_of_a_collection())):
        await expect_both_served(name, number, number)


@pytest.mark.parametrize("name", REQUESTS)
async def test_collections_amid_requests(name: str) -> None:
    """A whole collection between any two steps of two requests does them no harm."""
    requests, number, is_over = REQUESTS[name], 0, False
    while not is_over:
        async with due_world() as world:

            async def collect() -> None:
                await world.hands.collect()

            steps = Steps({number: collect})
            hands = world.stepped(steps)
            await requests.first(hands)
            await requests.second(hands)
            tally.injected(AMID)
            await expect_pulled(world, requests.repository, "new", requests.document)
            await expect_settled(world)
            is_over = len(steps.kinds) <= number
        number += 1


async def test_a_second_collection_at_each_step() -> None:
    """A whole collection between any two steps of another one leaves what one alone would leave."""
    for number in range(len(await steps_of_a_collection())):
        async with due_world() as world:

            async def collect() -> None:
                await world.hands.collect()

            await world.stepped(Steps({number: collect})).collect()
            tally.injected(TWO)
            await expect_settled(world)


async def test_two_collections_in_turns() -> None:
    """Two collections that take their steps in turns leave what one alone would leave."""
    async with due_world() as world:

        async def let_the_other_go_on(_: Kind) -> None:
            await asyncio.sleep(0)

        await asyncio.gather(*(world.stepped(let_the_other_go_on).collect() for _ in range(2)))
        tally.injected(TWO)
        await expect_settled(world)


async def test_a_death_at_each_step() -> None:
    """A collector that dies at any step leaves a sound registry, and the next one finishes its work."""
    for number in range(len(await steps_of_a_collection())):
        async with due_world() as world:
            try:
                await world.stepped(Steps({number: die})).collect()
            except* Killed:
                tally.injected(KILLED)
            else:
                pytest.fail("it came to its end")
            await expect_settled(world)


async def test_each_collection_gives_up_what_has_had_its_time() -> None:
    """What an index or a subject held gets a time of its own when that goes, whether it was due before or not."""
    async with due_world() as world:
        for hours, left in ((0, {PART, REFERRER}), (1.9, {PART, REFERRER}), (0.2, set())):
            world.clock.advance(hours * HOUR)
            await world.hands.collect()
            there = {item for item in PUSHED if await world.hands.pull(HERE, item.digest) is not None}
            assert there == left


async def test_a_dry_run_changes_nothing() -> None:
    """A dry run finds what a run removes, and leaves every row and every byte as it is."""
    async with due_world() as world:
        rows, stored = await world.rows(), dict(world.driver.stored)
        found = await world.hands.collect(dry_run=True)
        assert (await world.rows(), world.driver.stored) == (rows, stored)
        done = await world.hands.collect()
        assert found.manifests == done.manifests == 2
        assert found.tags == done.tags == 1
        assert found.forgotten == done.forgotten == 1
        assert found.stray == done.stray == 1
