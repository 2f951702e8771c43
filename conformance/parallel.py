"""Doing several things at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from conformance.session import Session

T = TypeVar("T")

_START_SECONDS = 30.0


def at_once(session: Session, actions: Sequence[Callable[[], T]]) -> list[T]:
    """Run the actions at the same time, each on connections of its own, and return what they return, in their order.

    Raises what the first of them raises that failed, when all have ended.
    """
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], T]) -> T:
        start.wait(_START_SECONDS)
        try:
            return action()
        finally:
            session.wire.hang_up()

    with ThreadPoolExecutor(len(actions)) as threads:
        futures = [threads.submit(run, action) for action in actions]
    return [future.result() for future in futures]
