"""Other processes: what a suite lets them do, started afresh, so that nothing is shared but the store itself."""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_CONTEXT = multiprocessing.get_context("spawn")
_PATIENCE_S = 30.0


async def elsewhere(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Call `function` in another process and return its result, or raise its error."""
    return (await all_elsewhere(1, function, *arguments, **named))[0]


async def all_elsewhere(count: int, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> list[T]:
    """Call `function` in `count` other processes at the same time and return the results."""
    with ProcessPoolExecutor(count, mp_context=_CONTEXT) as pool:
        futures = [asyncio.wrap_future(pool.submit(function, *arguments, **named)) for _ in range(count)]
        async with asyncio.timeout(_PATIENCE_S):
            return await asyncio.gather(*futures)


@contextmanager
def killed_process(function: Callable[..., None], *arguments: object) -> Iterator[Callable[[], None]]:
    """Another process in the middle of something.

    `function` gets the arguments and a connection, and has to send something into it when it has come to the point
    where it can be killed; then this context begins. The value given is what kills it, at the latest at the end.
    """
    mine, its = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=function, args=(*arguments, its), daemon=True)

    def kill() -> None:
        process.kill()
        process.join(_PATIENCE_S)

    process.start()
    its.close()
    try:
        assert mine.poll(_PATIENCE_S), "the other process did not get there in time"
        try:
            mine.recv()
        except EOFError:
            process.join(_PATIENCE_S)
            raise AssertionError(f"the other process ended with {process.exitcode}: see its output") from None
        yield kill
    finally:
        kill()
        process.close()
        mine.close()


def stay(connection: Connection) -> None:
    """Say that this process has got there, and wait to be killed."""
    connection.send("here")
    connection.poll(_PATIENCE_S)
