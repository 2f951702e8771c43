"""Clients that go on when the registry says that it cannot just now."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.faults.client import Answer, Refused
from tests.faults.pushing import SECONDS, Pusher


@dataclass
class Persistent(Pusher):
    """A pusher, and puller, that goes on after every 503. All other refusals are wrong answers.

    A database that crashed may have forgotten that an upload began, and says so: then it is begun anew.
    """

    ended: threading.Event = field(default_factory=threading.Event)
    unavailable: int = 0
    forgotten: int = 0

    def run(self) -> None:
        """Push and pull until `ended` is set."""
        while not self.ended.is_set():
            try:
                self._push_image()
                self._pull_one()
            except Refused as error:
                self._count(error.answer)

    def _pull_one(self) -> None:
        tag = self.random.choice(list(self.acknowledged))
        assert self.registry.pull(self.repository, tag) == self.acknowledged[tag]

    def _count(self, answer: Answer) -> None:
        if answer.status == 404:
            assert answer.code == "BLOB_UPLOAD_UNKNOWN", answer
            self.forgotten += 1
            return
        assert answer.status == 503, answer
        assert int(answer.headers["Retry-After"]) > 0
        self.unavailable += 1
        time.sleep(0.1)


@contextmanager
def persisting(pushers: Sequence[Persistent]) -> Iterator[None]:
    """Let the pushers work for as long as the context is open, and for one more push, which has to succeed."""
    with ThreadPoolExecutor(len(pushers)) as threads:
        for pusher in pushers:
            pusher.ended.clear()
        running = [threads.submit(pusher.run) for pusher in pushers]
        try:
            yield
            _await_progress(pushers, running)
        finally:
            for pusher in pushers:
                pusher.ended.set()
            for future in running:
                future.result(timeout=SECONDS)


def _await_progress(pushers: Sequence[Persistent], running: Sequence[Future[None]]) -> None:
    """Return when each has pushed one thing more, since everything goes on by itself, or when one has failed."""
    before = [len(pusher.acknowledged) for pusher in pushers]
    deadline = time.monotonic() + SECONDS
    while any(len(pusher.acknowledged) <= count for pusher, count in zip(pushers, before, strict=True)):
        if any(future.done() for future in running):
            return
        assert time.monotonic() < deadline, "the registry did not recover by itself"
        time.sleep(0.05)
