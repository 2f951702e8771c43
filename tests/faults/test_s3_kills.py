"""`kill -9` of a worker after each step of a push into an object store, and what is left of it there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

import pytest

from registry.app.storing import open_storage, run_check
from registry.config import Config, load
from storage.blobs.s3.driver import S3Driver
from storage.check import Report
from tests import s3_store
from tests.faults import tally
from tests.faults.client import Lost, Registry, digest_of
from tests.faults.killing import Step
from tests.faults.killing_requests import LOCKS, MACHINE, PART, STORE, small_options
from tests.faults.pushing import chance
from tests.faults.trapped import TrappedDaemon

MORE_THAN_A_PUSH_TAKES = 1000
_NUMBERS = count(1)
_DICE = chance()


@dataclass
class Push:
    """A blob on its way into a repository of its own. `location` is where its upload is, once that is known."""

    registry: Registry
    size: int
    repository: str = field(default_factory=lambda: f"test/{next(_NUMBERS)}")
    location: str = ""
    acknowledged: bool = False
    content: bytes = field(init=False)

    def __post_init__(self) -> None:
        self.content = _DICE.randbytes(self.size)

    def in_chunks(self) -> None:
        """Begin, send two chunks, finish."""
        self.location = self.registry.start(self.repository)
        middle = PART + PART // 2
        for start, stop in ((0, middle), (middle, self.size)):
            sent = self.registry.append(self.location, self.content[start:stop], start).expect(202)
            self.location = sent.headers["Location"]
        self.registry.finish(self.location, digest_of(self.content)).expect(201)
        self.acknowledged = True

    def at_once(self) -> None:
        """Send everything with one POST."""
        self.registry.push_whole(self.repository, self.content).expect(201)
        self.acknowledged = True

    def go_on(self) -> None:
        """Do what a client does that got no answer."""
        if self.location:
            self.registry.resume(self.location, self.content)
        else:
            self.registry.push(self.repository, self.content)
        assert self.is_there()

    def is_there(self) -> bool:
        """Whether the blob can be read; AssertionError if what can be read is not the blob."""
        answer = self.registry.blob(self.repository, digest_of(self.content)).expect(200, 404)
        assert answer.body == self.content or answer.status == 404
        return answer.status == 200


@dataclass(frozen=True)
class Place:
    """A daemon with a trap whose bytes are in a bucket."""

    daemon: TrappedDaemon
    config: Config

    def check(self) -> Report:
        """What `berth check --bytes` says; AssertionError if it complains."""
        report = asyncio.run(run_check(self.config, with_bytes=True))
        assert [str(problem) for problem in report.problems] == []
        return report

    def push(self, size: int) -> Push:
        return Push(Registry(self.daemon.address), size)

    def steps_of(self, push: Push, run: Callable[[Push], None]) -> int:
        """How many steps a push takes that nobody disturbs."""
        self.daemon.trap.arm(Step.ANY, MORE_THAN_A_PUSH_TAKES)
        run(push)
        left = self.daemon.trap.left
        self.daemon.trap.disarm()
        return MORE_THAN_A_PUSH_TAKES - left

    def die(self, push: Push, run: Callable[[Push], None], nth: int) -> None:
        """Let a worker die at the nth step of a push, look, and let the client go on."""
        workers = self.daemon.workers()
        self.daemon.trap.arm(Step.ANY, nth)
        try:
            run(push)
        except Lost:
            tally.injected("kill -9 at a step of S3")
        assert not self.daemon.trap.armed, "nobody came to the step"
        self.daemon.wait_for_replacement(workers)
        self.check()
        assert push.is_there() or not push.acknowledged
        push.go_on()


@pytest.fixture(scope="module", params=[MACHINE, STORE])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A daemon on the bucket; in the end everything that the dead left is found, and nothing else is there."""
    settings, data = s3_store.settings(), tmp_path_factory.mktemp("kill") / "data"
    config = load(None, {}, {**settings, "storage.data": str(data)})
    environment = {**s3_store.environment(settings), LOCKS: request.param, "BERTH_STORAGE__MEMORY_CACHE": "0"}
    with TrappedDaemon(data, environment) as daemon:
        yield Place(daemon, config)
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()
    asyncio.run(expect_all_is_found(config))


async def expect_all_is_found(config: Config) -> None:
    """Remove what the driver finds and no row names; AssertionError unless just the blobs with rows are left then.

    Locks of the dead may be left: they are found when they are old enough.
    """
    report = await run_check(config, with_bytes=False)
    storage, driver = open_storage(config), S3Driver(small_options(config))
    rows = {str(row[0]) for row in await storage.store.fetch_all("SELECT storage_key FROM blobs")}
    strays = [stored.key async for stored in driver.blobs() if stored.key not in rows]
    assert len(strays) == report.unreferenced
    for key in strays:
        await driver.delete(key)
    async for upload_id in driver.uploads():
        await driver.discard_upload(upload_id)
    if not s3_store.is_real():
        # There multipart uploads are as old as they look, and none is given up in its first hour.
        await driver.reap()
        left = [name for name in s3_store.listed(config.s3.prefix) if not name.startswith(f"{config.s3.prefix}locks/")]
        assert sorted(left) == sorted(f"{config.s3.prefix}blobs/{key}" for key in rows)
    await driver.close()
    await storage.close()


PUSHES = pytest.mark.parametrize(
    ("size", "run"),
    [(3 * PART + 1000, Push.in_chunks), (1000, Push.at_once), (2 * PART + 1000, Push.at_once)],
    ids=["chunks", "small", "large"],
)


@PUSHES
def test_some_deaths(place: Place, size: int, run: Callable[[Push], None]) -> None:
    """Whenever a worker dies, what was acknowledged is there, and a client that got no answer can go on."""
    steps = place.steps_of(place.push(size), run)
    assert steps > 5
    for nth in _DICE.sample(range(1, steps), 2):
        place.die(place.push(size), run, nth)


@pytest.mark.faults
@pytest.mark.timeout(600)
@PUSHES
def test_each_death(place: Place, size: int, run: Callable[[Push], None]) -> None:
    """As before, at every step."""
    steps = place.steps_of(place.push(size), run)
    found = 0
    for nth in range(1, steps):
        place.die(place.push(size), run, nth)
        found = place.check().unreferenced
    # Objects that were made, and that no row came to name, since their worker died in between.
    assert found > 0
