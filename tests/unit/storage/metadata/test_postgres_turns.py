"""How many transactions run side by side."""

import asyncio

import pytest

from storage.errors import StorageUnavailable
from storage.metadata.postgresql.turns import Turns


class Running:
    """Tasks that take turns, and end when they are told to."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.names: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, asyncio.Event] = {}

    async def begin(self, *names: str) -> None:
        """Begin tasks that want a turn."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.ensure_future(self._run(name))
        await asyncio.sleep(0.01)

    async def end(self, *names: str) -> None:
        """Let tasks end that have theirs."""
        for name in names:
            self._ends[name].set()
            await self.tasks[name]
        await asyncio.sleep(0.01)

    async def _run(self, name: str) -> None:
        async with self.turns:
            self.names.append(name)
            await self._ends[name].wait()
            self.names.remove(name)


async def test_as_many_as_are_allowed() -> None:
    """So many run side by side; the others wait, and come in their order."""
    running = Running(Turns(2, None))
    await running.begin("a", "b", "c", "d")
    assert running.names == ["a", "b"]
    await running.end("a")
    assert running.names == ["b", "c"]
    await running.end("b", "c")
    assert running.names == ["d"]
    await running.end("d")


async def test_fewer_after_conflicts() -> None:
    """Each conflict halves how many run, down to one; success lets there be more again."""
    turns = Turns(8, None)
    for allowed in (4, 2, 1, 1):
        turns.conflicted()
        assert turns.allowed == allowed
    running = Running(turns)
    await running.begin("a", "b")
    assert running.names == ["a"]
    await running.end("a", "b")
    for _ in range(1000):
        async with turns:
            pass
    assert turns.allowed == 8


async def test_failure_is_no_success() -> None:
    """What fails gives its turn to the next, and lets there be no more of them."""
    turns = Turns(2, None)
    turns.conflicted()
    for _ in range(50):
        with pytest.raises(ValueError, match="no"):
            async with turns:
                raise ValueError("no")
    assert turns.allowed == 1
    async with turns:
        pass


async def test_who_waits_too_long() -> None:
    """Who waits too long is told so, and takes no turn."""
    running = Running(Turns(1, 0.5))
    await running.begin("a", "b")
    with pytest.raises(StorageUnavailable, match="busy"):
        await running.tasks["b"]
    await running.begin("c")
    await running.end("a")
    assert running.names == ["c"]
    await running.end("c")


@pytest.mark.parametrize("at_the_same_time", [True, False])
async def test_who_gives_up(*, at_the_same_time: bool) -> None:
    """The turn of who was cancelled while waiting, even at the moment when it came, goes to the next."""
    running = Running(Turns(1, None))
    await running.begin("a", "b", "c")
    if at_the_same_time:
        ending = asyncio.ensure_future(running.end("a"))
        while not running.tasks["a"].done():  # noqa: ASYNC110 - the very turn of the loop in which it ends
            await asyncio.sleep(0)
        running.tasks["b"].cancel()
        await ending
    else:
        running.tasks["b"].cancel()
        await running.end("a")
    assert running.names == ["c"]
    await running.end("c")
