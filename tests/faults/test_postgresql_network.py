"""A network between the daemon and the database that loses everything for a while, without a word."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults import tally
from tests.faults.client import Registry
from tests.faults.on_postgresql import clients_of, daemon_on
from tests.faults.persisting import persisting
from tests.faults.pushing import chance
from tests.network import own_network, silence
from tests.postgres import running_server

PORT = 5432
WAIT_S = 0.5


@pytest.mark.faults
def test_silence_under_load(tmp_path: Path) -> None:
    """Clients are told to come again, in the time that is set, and what they pushed before and after is there."""
    with own_network() as network:
        network.run(lambda: push_through_silence(tmp_path / "data"))


def push_through_silence(data: Path) -> None:
    """Push and pull while nothing gets to the server, and for a while before and after."""
    dice = chance()
    for server in running_server(durable=True, port=PORT):
        name = server.create_database()
        # What a statement may take says nothing here: the system finds out that nobody is there.
        with daemon_on(f"postgresql://postgres@127.0.0.1:{PORT}/{name}", data, f"{WAIT_S}s", "60s") as daemon:
            clients = clients_of([daemon], dice)
            with persisting(clients):
                time.sleep(dice.uniform(0.5, 1.0))
                with silence(PORT):
                    tally.injected("PostgreSQL out of reach")
                    for _ in range(4):
                        expect_refusal(Registry(daemon.address))
            for client in clients:
                client.verify()
            daemon.check()


def expect_refusal(registry: Registry) -> None:
    """Whoever asks hears soon that nobody can say it now, and when to come again."""
    begun = time.monotonic()
    answer = registry.manifest("client0", "latest").expect(503)
    # Until a connection of before is given up, until one is free, and until no new one could be made.
    assert time.monotonic() - begun < 3 * WAIT_S + 2
    assert int(answer.headers["Retry-After"]) > 0
