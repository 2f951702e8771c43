"""A standby that takes the place of a crashed primary while clients push and pull: nothing acknowledged is lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults import tally
from tests.faults.on_postgresql import clients_of, daemon_on
from tests.faults.persisting import persisting
from tests.faults.pushing import chance
from tests.replicas import replicated


@pytest.mark.faults
@pytest.mark.parametrize("wait", ["10s", "0.5s"])
def test_standby_takes_over_under_load(tmp_path: Path, wait: str) -> None:
    """Clients wait, or are told to come again, until the standby is promoted; then they have all that they pushed."""
    dice = chance()
    with replicated(durable=True) as pair, daemon_on(pair.url("postgres"), tmp_path / "data", wait) as daemon:
        clients = clients_of([daemon], dice)
        with persisting(clients):
            time.sleep(dice.uniform(0.5, 1.5))
            pair.crash()
            tally.injected("PostgreSQL fail-over")
            time.sleep(dice.uniform(1.0, 1.5))
            pair.promote()
        for client in clients:
            client.verify()
        daemon.check()
    assert sum(client.unavailable for client in clients) > 0 or wait == "10s"
