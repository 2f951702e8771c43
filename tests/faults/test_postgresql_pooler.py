"""A pooler between the daemon and the database: with it everything is as without it, also when it ends."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import tally
from tests.faults.on_postgresql import clients_of, daemon_on
from tests.faults.persisting import persisting
from tests.faults.pushing import chance
from tests.pgbouncer import pooling
from tests.postgres import PostgresServer, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that syncs, and that the tests here may stop."""
    yield from running_server(durable=True)


@pytest.mark.faults
@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_pooler_and_server_end_under_load(server: PostgresServer, tmp_path: Path, mode: str) -> None:
    """Clients push and pull through a pooler, and lose nothing when it is restarted, or the server behind it."""
    dice = chance()
    with pooling(server, mode, size=30) as pooler:
        name = server.create_database()
        with daemon_on(pooler.url(name), tmp_path / "data") as daemon:
            clients = clients_of([daemon], dice)
            with persisting(clients):
                time.sleep(dice.uniform(0.3, 1.0))
                pooler.stop()
                tally.injected("pooler stopped")
                pooler.start()
                time.sleep(dice.uniform(0.3, 1.0))
                server.stop(signal.SIGQUIT)
                tally.injected("PostgreSQL crashed")
                server.start()
            for client in clients:
                client.verify()
            daemon.check()
