"""Background tasks: they go on, and they end."""

import asyncio

import pytest

from registry.background import Background


async def test_function_is_called_again_and_again() -> None:
    """A task runs once per interval until the end of the context, and not after it."""
    calls = 0
    enough = asyncio.Event()

    async def work() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            enough.set()

    async with asyncio.timeout(20), Background() as background:
        background.every(0.01, "work", work)
        await enough.wait()
    after = calls
    await asyncio.sleep(0.05)
    assert calls == after


async def test_failure_is_logged_counted_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    """A task that fails is told of, with its traceback, and gets another chance after a second."""
    calls: list[float] = []
    failed: list[str] = []
    enough = asyncio.Event()

    async def work() -> None:
        calls.append(asyncio.get_running_loop().time())
        if len(calls) == 1:
            raise ValueError("it went wrong")
        if len(calls) == 3:
            enough.set()

    async with asyncio.timeout(20), Background(failed.append) as background:
        background.every(0.01, "reaper", work)
        await enough.wait()
    assert failed == ["reaper"]
    assert calls[1] - calls[0] > 0.9
    assert calls[2] - calls[1] < 0.9
    (record,) = caplog.records
    assert record.getMessage() == "task 'reaper' failed, next try in 1 s"
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "it went wrong"


async def test_stop_waits_for_the_tasks_to_end() -> None:
    """At the end of the context each task has been cancelled and has tidied up, even a stubborn one."""
    tidy: list[str] = []
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await asyncio.sleep(0.05)
            tidy.append("tidy")
            raise

    async with asyncio.timeout(20):
        async with Background() as background:
            background.every(0.0, "work", work)
            await started.wait()
        assert tidy == ["tidy"]
