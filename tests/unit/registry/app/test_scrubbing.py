"""The scrub of a worker: when it runs, what it reads from, and what it counts."""

from prometheus_client.parser import text_string_to_metric_families

from registry.app.scrubbing import ScheduledScrub
from registry.app.storing import Storage
from registry.config.load import load
from registry.metrics import Metrics
from storage.blobs.caching import CachingDriver
from storage.metadata.sqlite import MemoryStore
from tests.unit.storage.scrub.worlds import World

DAY = 24 * 3600


class Worker:
    """A worker on an installation that others share; it does the work of one while it `is_ours`."""

    def __init__(self, world: World, every: str = "30d") -> None:
        config = load(None, {}, {"storage.ephemeral": True, "scrub.every": every, "scrub.rate": "1TiB"})
        self.metrics, self.driver, self.is_ours = Metrics(), CachingDriver(world.driver, 1 << 20), True
        storage = Storage(world.store, self.driver, None)
        self.scrub = ScheduledScrub(config, storage, world.time.clock, self.metrics, self._is_ours)

    async def _is_ours(self) -> bool:
        return self.is_ours

    def counted(self) -> dict[str, float]:
        """What its metrics say of the scrub."""
        families = text_string_to_metric_families(self.metrics.render().decode())
        return {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if sample.name.startswith("berth_scrub") and sample.name.endswith("_total")
        }


async def test_one_process_scrubs() -> None:
    """The worker that does the work of one scrubs, when it is time; the others do not."""
    world = World(MemoryStore())
    digests = await world.blobs(5)
    ours, other = Worker(world), Worker(world)
    other.is_ours = False
    for day in range(65):
        await other.scrub.run()
        await ours.scrub.run()
        world.time.clock.advance(DAY)
        assert (await world.opened() == digests) == (day % 30 == 0)
    size = 3 * sum(len(b"content %d" % number) for number in range(5))
    assert ours.counted() == {"berth_scrub_blobs_total": 15, "berth_scrub_bytes_total": size}
    assert other.counted() == {"berth_scrub_blobs_total": 0, "berth_scrub_bytes_total": 0}


async def test_bytes_are_read_from_where_they_are() -> None:
    """What is in memory says nothing about what is on the disk."""
    world = World(MemoryStore())
    digest = await world.blob(b"content")
    worker = Worker(world)
    for _ in range(2):
        await (await worker.driver.open(await world.key(digest))).close()
    assert await world.opened() == [digest]
    await worker.scrub.run()
    assert await world.opened() == [digest]
