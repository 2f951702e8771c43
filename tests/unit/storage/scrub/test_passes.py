"""When a pass begins, who makes it, and how it goes on after an interruption."""

import pytest

from storage.metadata import runs
from storage.scrub.journal import KIND, Journal, Progress, spoiled_manifests
from tests.unit.storage.scrub.worlds import World

DAY_MS = 24 * 3600 * 1000
MIB = 1 << 20
# So slow that a pass over a few blobs takes minutes.
SLOW = 4096


class Permission:
    """Lets a pass go on so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def __call__(self) -> bool:
        self.left -= 1
        return self.left >= 0


async def test_pass_goes_on_where_it_was_broken_off(world: World) -> None:
    """Another process makes the rest of a pass: it reads twice only what was not written down, and counts it all."""
    digests = await world.blobs(20)
    _, finished = await world.scrub(SLOW).run(may_go_on=Permission(2))
    assert not finished
    done = await world.opened()
    assert done == digests[: len(done)]
    assert 2 < len(done) < 15
    progress, finished = await world.scrub(SLOW).run()
    assert finished
    rest = await world.opened()
    assert rest == digests[-len(rest) :]
    assert 0 <= len(done) + len(rest) - 20 <= 5
    assert (progress.blobs, progress.bytes) == (20, sum(len(b"content %d" % number) for number in range(20)))


async def test_manifests_go_on_too(world: World) -> None:
    """A pass that was broken off among the manifests does not read the blobs again."""
    await world.blobs(2)
    for number in range(20):
        await world.manifest(b"%d" % number)
    await world.scrub(SLOW).run(may_go_on=Permission(2))
    await world.opened()
    progress, finished = await world.scrub(SLOW).run()
    assert (finished, progress.manifests) == (True, 20)
    assert await world.opened() == []


async def test_pass_among_large_blobs(world: World) -> None:
    """While one large blob is read it is still written down that the pass goes on."""
    await world.blob(b"x" * (20 * MIB))
    permission = Permission(100)
    await world.scrub(MIB // 10).run(may_go_on=permission)
    assert 5 < 100 - permission.left < 25


async def test_when_a_pass_is_due(world: World) -> None:
    """A pass begins when there was none, and then as often as is wanted, counted from beginning to beginning."""
    await world.blobs(1)
    scrub, clock = world.scrub(), world.time.clock

    async def run() -> int:
        await scrub.run_when_due(DAY_MS, Permission(100))
        return len(await world.opened())

    assert await run() == 1
    assert await run() == 0
    clock.advance(DAY_MS / 1000 - 1)
    assert await run() == 0
    clock.advance(1)
    assert await run() == 1


async def test_broken_off_pass_is_due_for_others(world: World) -> None:
    """A pass that somebody makes is left to him until he has not been heard of for two minutes; then others go on."""
    await world.blobs(20)
    mine, other = world.scrub(SLOW), world.scrub()
    await mine.run_when_due(DAY_MS, Permission(2))
    await world.opened()
    world.time.clock.advance(100)
    await other.run_when_due(DAY_MS, Permission(100))
    assert await world.opened() == []
    world.time.clock.advance(20)
    await other.run_when_due(DAY_MS, Permission(100))
    assert 0 < len(await world.opened()) < 20
    run = await runs.latest(world.store, KIND)
    assert run is not None
    assert run.ended_at is not None


async def test_own_broken_off_pass_is_due_at_once(world: World) -> None:
    """The process that had to stop goes on as soon as it may."""
    await world.blobs(20)
    mine = world.scrub(SLOW)
    await mine.run_when_due(DAY_MS, Permission(2))
    await world.opened()
    await mine.run_when_due(DAY_MS, Permission(100))
    assert 0 < len(await world.opened()) < 20


@pytest.mark.parametrize("anew", [False, True])
async def test_pass_that_is_taken_over(world: World, anew: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whoever takes a pass, or begins another one, has it: the other one stops at its next note, and harms nothing."""
    digests = await world.blobs(20)
    taker = world.scrub()
    ended: list[tuple[Progress, bool]] = []

    async def take() -> bool:
        if not ended:
            ended.append(await taker.run(anew=anew))
        return True

    progress, finished = await world.scrub(SLOW).run(may_go_on=take)
    assert not finished
    assert progress.blobs < 20
    assert (ended[0][0].blobs, ended[0][1]) == (20, True)
    opened = await world.opened()
    assert opened[-20:] == digests if anew else opened[-1] == digests[-1]
    run = await runs.latest(world.store, KIND)
    assert run is not None
    assert (run.state["blobs"], run.ended_at is not None) == (20, True)
    assert [row.ended_at for row in await runs.before(world.store, KIND, run.id + 1, 9) if row.ended_at is None] == []


async def test_from_the_beginning(world: World) -> None:
    """A pass that begins anew does not care how far the one before got."""
    digests = await world.blobs(20)
    await world.scrub(SLOW).run(may_go_on=Permission(2))
    await world.opened()
    progress, finished = await world.scrub().run(anew=True)
    assert (finished, progress.blobs, await world.opened()) == (True, 20, digests)


async def test_state_of_another_version(world: World) -> None:
    """What another version wrote down besides does no harm, and what it did not know begins at nothing."""
    journal = Journal(world.store, world.time.clock)
    await journal.take(anew=False)
    await world.sql("UPDATE runs SET state = ?", '{"by": "x", "blob": "sha256:5", "colour": "red"}')
    progress = await Journal(world.store, world.time.clock).take(anew=False)
    assert (progress.blob, progress.blobs, progress.spoiled) == ("sha256:5", 0, [])


async def test_old_passes_are_forgotten(world: World) -> None:
    """Passes do not pile up for ever."""
    for _ in range(30):
        await world.scrub().run()
    assert 10 <= len(await runs.before(world.store, KIND, 1 << 60, 100)) <= 21


async def test_damaged_manifests_are_known_until_a_pass_says_otherwise(world: World) -> None:
    """The number of damaged manifests is that of the last whole pass; a new one can only add to it until its end."""
    assert await spoiled_manifests(world.store) == 0
    spoiled = await world.manifest(b"a")
    for number in range(20):
        await world.manifest(b"manifest %d" % number)
    await world.sql("UPDATE manifests SET content = ? WHERE id = ?", b"b", spoiled)
    await world.scrub().run()
    assert await spoiled_manifests(world.store) == 1
    await world.sql("UPDATE manifests SET content = ? WHERE id = ?", b"a", spoiled)
    await world.scrub(SLOW).run(may_go_on=Permission(2))
    assert await spoiled_manifests(world.store) == 1
    await world.scrub().run()
    assert await spoiled_manifests(world.store) == 0


async def test_damage_is_found_on_every_engine(world: World) -> None:
    """What is found in rows, and written there, does not depend on the engine."""
    await world.blob(b"sound")
    await world.spoil(digest := await world.blob(b"content", "other", "app"))
    assert (await world.scrub().run())[0].damaged == 1
    assert await world.damaged() == [digest]
    await world.push_again(digest, b"content")
    assert await world.damaged() == []
    await world.spoil(digest)
    await world.scrub().run()
    await world.spoil(digest)
    assert (await world.scrub().run())[0].restored == 1
    assert await world.damaged() == []
