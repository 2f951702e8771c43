"""Clients that push at random, and know what was acknowledged."""

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.faults.client import Lost, Refused, Registry, image

CLIENTS = 6
SECONDS = 60.0
SEED = "FAULTS_SEED"  # the environment variable that repeats a run
LENGTH = "FAULTS_SECONDS"  # and the one that says how long a random run takes


def chance() -> random.Random:
    """A source of random numbers whose seed is shown when the test fails."""
    seed = os.environ.get(SEED) or str(random.SystemRandom().getrandbits(32))
    print(f"{SEED}={seed}")  # noqa: T201
    return random.Random(seed)


def seconds(default: float) -> float:
    """How long a random run shall take: a few seconds for every day, minutes in `make faults`."""
    return float(os.environ.get(LENGTH, default))


@dataclass
class Pusher:
    """A client that pushes one image after the other to its own repository, until one fails.

    `acknowledged` are the tags that were pushed, with their manifests; `latest` holds what the tag
    `latest` may lead to: the manifest that was acknowledged last (None before the first), and the one on its way.
    """

    registry: Registry
    repository: str
    random: random.Random
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    latest: list[bytes | None] = field(default_factory=lambda: [None])

    def run(self) -> None:
        """Push until the registry cannot take it any more; AssertionError if that never happens."""
        deadline = time.monotonic() + SECONDS
        try:
            while time.monotonic() < deadline:
                self._push_image()
        except Lost:
            return
        except Refused as error:
            if error.answer.status >= 500:
                return
            raise
        raise AssertionError("nothing happened to the registry")

    def _push_image(self) -> None:
        layers = [self._push_blob() for _ in range(self.random.randint(1, 3))]
        config = b'{"number": %d}' % self.random.getrandbits(60)
        self.registry.push(self.repository, config)
        manifest, tag = image(config, *layers), f"v{len(self.acknowledged)}"
        self.registry.put_manifest(self.repository, tag, manifest).expect(201)
        self.acknowledged[tag] = manifest
        self.latest.append(manifest)
        self.registry.put_manifest(self.repository, "latest", manifest).expect(201)
        self.latest = [manifest]

    def _push_blob(self) -> bytes:
        content = self.random.randbytes(self.random.choice((10, 50_000, 600_000)))
        if self.random.random() < 0.3:
            self.registry.push_whole(self.repository, content).expect(201)
        else:
            self.registry.push(self.repository, content, chunk=self.random.choice((1 << 18, 1 << 30)))
        return content

    def verify(self) -> None:
        """Pull all that was acknowledged; AssertionError if something is missing or wrong."""
        for tag, manifest in self.acknowledged.items():
            assert self.registry.pull(self.repository, tag) == manifest
        latest = self.registry.manifest(self.repository, "latest").expect(200, 404)
        assert (latest.body if latest.status == 200 else None) in self.latest
        for tag in self.registry.tags(self.repository):
            self.registry.pull(self.repository, tag)


def new_pushers(registry: Registry, prefix: str, dice: random.Random) -> list[Pusher]:
    """As many as are to push at the same time, with repositories below `prefix`."""
    return [Pusher(registry, f"{prefix}/client{n}", random.Random(dice.random())) for n in range(CLIENTS)]


def push_until(disaster: Callable[[], None], pushers: list[Pusher], seconds: float) -> None:
    """Let `pushers` work for so many seconds, let the disaster happen, and return when all of them noticed."""
    with ThreadPoolExecutor(len(pushers)) as threads:
        running = [threads.submit(pusher.run) for pusher in pushers]
        time.sleep(seconds)
        disaster()
        for future in running:
            future.result(timeout=SECONDS)
