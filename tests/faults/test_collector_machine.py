"""After any pushes, deletes, waits and collections, one amid another, there is what was promised, and nothing else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.faults.acting import (
    Act,
    Collect,
    Delete,
    DeleteBlob,
    LookForBlob,
    LookForManifest,
    Mount,
    Operation,
    PushBlob,
    Put,
    Restore,
    Untag,
    expect_kept,
)
from tests.faults.promises import Promises
from tests.faults.pushing import seconds
from tests.faults.world import World, image, index

T = TypeVar("T")

HOUR = 3600.0
STEPS = 40
EXAMPLES = 20

# Few of each, so that operations meet.
REPOSITORIES = ["one", "two"]
CONTENTS = [b"nil", b"first", b"second", b"third"]
ONE = image("one", *CONTENTS[:2])
TWO = image("two", *CONTENTS[1:3])
REFERRER = image("referrer", CONTENTS[3], subject=ONE)
INDEX = index("index", TWO)
OUTER = index("outer index", INDEX, ONE)
SIGNATURE = image("signature of one", CONTENTS[0])
PARTS = {ONE: (), TWO: (), REFERRER: (), SIGNATURE: (), INDEX: (TWO,), OUTER: (INDEX, TWO, ONE)}
SIGNATURE_OF_ONE = f"sha256-{ONE.digest.hex}.sig"
TAGS = ["v1", "latest", SIGNATURE_OF_ONE]

repositories = st.sampled_from(REPOSITORIES)
contents = st.sampled_from(CONTENTS)
documents = st.sampled_from(list(PARTS))
tags = st.lists(st.sampled_from(TAGS), max_size=1).map(tuple)
times = st.sampled_from([0.0, 0.0, 0.0, 0.0, 60.0, 0.9 * HOUR, 1.1 * HOUR, 2.5 * HOUR, 30 * HOUR])
steps = st.integers(0, 30)

requests: st.SearchStrategy[Operation] = st.one_of(
    st.builds(PushBlob, repositories, contents),
    st.builds(LookForBlob, repositories, contents),
    st.builds(Mount, repositories, contents, repositories),
    st.builds(DeleteBlob, repositories, contents),
    st.builds(Put, repositories, documents, tags),
    st.builds(LookForManifest, repositories, documents),
    st.builds(Untag, repositories, st.sampled_from(TAGS)),
    st.builds(Delete, repositories, documents),
    documents.flatmap(lambda item: st.builds(Restore, repositories, st.just(item), st.just(PARTS[item]), tags)),
)
collections = st.builds(Collect, st.just(""), st.sampled_from([False, False, False, True]))


def acts(amid: st.SearchStrategy[Act]) -> st.SearchStrategy[Act]:
    """Operations with others amid them; collections often, since they have many steps."""
    others = st.lists(st.tuples(steps, amid), max_size=4).map(tuple)
    collecting = st.builds(Act, collections, others, st.none() | steps, times)
    return st.one_of(st.builds(Act, requests, others, st.none(), times), collecting, collecting)


plain = st.builds(Act, requests | collections, wait_s=times)
amid_one = acts(plain)
amid_two = acts(plain | amid_one)


class CollectorMachine(RuleBasedStateMachine):
    """A registry in memory. After each step everything that was promised is read, and the oracle is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.world: World
        self.promises: Promises

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(asyncio.wait_for(work, 60))

    @initialize(
        untagged=st.sampled_from(["0s", "2h"]),
        orphaned=st.sampled_from(["0s", "2h"]),
        kept=st.sampled_from(["0s", "3h"]),
    )
    def begin(self, untagged: str, orphaned: str, kept: str) -> None:
        self.world = World(
            {
                "collector.grace": "1h",
                "collector.untagged_after": untagged,
                "collector.orphaned_after": orphaned,
                "collector.keep_deleted": kept,
            }
        )
        self.promises = Promises(self.world, CONTENTS)
        # Most of what can be done needs something to be there.
        for content in CONTENTS:
            self.do(Act(PushBlob(REPOSITORIES[0], content)))
        for document, *names in ((ONE, "v1"), (TWO,), (REFERRER,), (INDEX,), (SIGNATURE, SIGNATURE_OF_ONE)):
            self.do(Act(Put(REPOSITORIES[0], document, tuple(names))))

    def do(self, act: Act) -> None:
        self.run(act.perform(self.world, self.promises))

    @rule(act=plain)
    def do_one(self, act: Act) -> None:
        self.do(act)
        self.expect_sound()

    @rule(act=amid_one)
    def do_some_amid_one(self, act: Act) -> None:
        self.do(act)
        self.expect_sound()

    @rule(act=amid_two)
    def do_some_amid_others(self, act: Act) -> None:
        self.do(act)
        self.expect_sound()

    @rule()
    def collect_dry(self) -> None:
        """A dry run changes nothing."""
        before = self.run(self.world.rows()), dict(self.world.driver.stored)
        self.do(Act(Collect("", dry_run=True)))
        assert (self.run(self.world.rows()), self.world.driver.stored) == before

    @rule()
    def let_all_times_pass(self) -> None:
        """What is garbage now is gone after all graces have passed, and two collections."""
        before = self.run(self.world.garbage())
        for _ in range(2):
            self.do(Act(Collect(""), wait_s=30 * HOUR))
        assert not before & self.run(self.world.garbage())
        self.expect_sound()

    def expect_sound(self) -> None:
        self.run(expect_kept(self.promises))
        assert self.run(self.world.problems()) == []

    def teardown(self) -> None:
        try:
            if hasattr(self, "world"):
                self.run(self.settle())
        finally:
            self.loop.close()

    async def settle(self) -> None:
        """In the end a few collections leave nothing that is not needed: each gives a next thing up."""
        for _ in range(6):
            self.world.clock.advance(30 * HOUR)
            await self.world.hands.collect()
            await expect_kept(self.promises)
        assert await self.world.garbage() == set()
        found = await self.world.hands.collect(dry_run=True)
        assert (found.manifests, found.tags, found.links, found.blobs, found.stray) == (0, 0, 0, 0, 0)
        await self.world.close()


def run_machine(examples: int) -> None:
    run_state_machine_as_test(
        CollectorMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_what_was_promised_is_kept() -> None:
    """Sequences of operations, one amid another, neither lose what was promised nor leave what nothing needs."""
    run_machine(EXAMPLES)


@pytest.mark.faults
@pytest.mark.timeout(0)
def test_what_was_promised_is_kept_for_long() -> None:
    """The same for as many sequences as there is time for."""
    end = time.monotonic() + seconds(0)
    while time.monotonic() < end:
        run_machine(25)
