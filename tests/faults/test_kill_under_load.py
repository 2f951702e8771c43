"""`kill -9` of all processes at once while clients push at random."""

from pathlib import Path

from tests.daemon import Daemon
from tests.faults import tally
from tests.faults.client import Registry
from tests.faults.pushing import CLIENTS, Pusher, chance, new_pushers, push_until
from tests.faults.trapped import find_problems

ROUNDS = 4


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    """After a kill of everything in the middle of many pushes, whatever was answered with 201 can be pulled."""
    dice = chance()
    every: list[Pusher] = []
    with Daemon(tmp_path / "data", "--workers", "2") as daemon:
        registry = Registry(daemon.address)
        for number in range(ROUNDS):
            pushers = new_pushers(registry, f"round{number}", dice)
            push_until(daemon.kill, pushers, seconds=dice.uniform(0.3, 1.2))
            tally.injected("kill -9 under load")
            every += pushers
            daemon.start()
            for pusher in pushers:
                pusher.verify()
            assert find_problems(daemon.data) == []
        assert sum(len(pusher.acknowledged) for pusher in every) > CLIENTS
        for pusher in every:
            pusher.verify()
    daemon.check()
