"""Daemons whose rows are in a database, and clients that go on when it is away."""

import random
from pathlib import Path

from tests.daemon import Daemon
from tests.faults.client import Registry
from tests.faults.persisting import Persistent

CLIENTS = 4


def daemon_on(url: str, data: Path, wait: str = "10s", statement: str = "30s") -> Daemon:
    """A daemon of two workers whose rows are in the database. Requests wait so long for it, and for its answers."""
    environment = {
        "BERTH_STORAGE__DATABASE": url,
        "BERTH_STORAGE__CONNECT_TIMEOUT": wait,
        "BERTH_STORAGE__STATEMENT_TIMEOUT": statement,
    }
    return Daemon(data, "--workers", "2", environment=environment)


def clients_of(daemons: list[Daemon], dice: random.Random) -> list[Persistent]:
    """Clients with repositories of their own, spread over the daemons."""
    return [
        Persistent(Registry(daemons[number % len(daemons)].address), f"client{number}", random.Random(dice.random()))
        for number in range(CLIENTS)
    ]
