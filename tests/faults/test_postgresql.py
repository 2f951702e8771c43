"""A database that ends, crashes and cuts connections while clients push and pull: nothing acknowledged is lost."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import tally
from tests.faults.client import Registry
from tests.faults.on_postgresql import CLIENTS, clients_of, daemon_on
from tests.faults.persisting import persisting
from tests.faults.pushing import chance
from tests.postgres import PostgresServer, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that syncs, and that the tests here may stop."""
    yield from running_server(durable=True)


@pytest.fixture
def database(server: PostgresServer) -> Iterator[str]:
    """The name of an empty database."""
    name = server.create_database()
    yield name
    server.drop_database(name)


@pytest.mark.parametrize(
    ("how", "wait"),
    [
        pytest.param(signal.SIGINT, "10s", id="restart"),
        pytest.param(signal.SIGQUIT, "0.3s", id="crash-impatient"),
        pytest.param(signal.SIGINT, "0.3s", id="restart-impatient", marks=pytest.mark.faults),
        pytest.param(signal.SIGQUIT, "10s", id="crash", marks=pytest.mark.faults),
    ],
)
def test_server_ends_under_load(
    server: PostgresServer, database: str, tmp_path: Path, how: signal.Signals, wait: str
) -> None:
    """While the server is away clients wait, or are told to come again; what was acknowledged is there, and whole."""
    dice = chance()
    with daemon_on(server.url(database), tmp_path / "data", wait) as daemon:
        clients = clients_of([daemon], dice)
        with persisting(clients):
            for _ in range(3):
                time.sleep(dice.uniform(0.5, 1.5))
                server.stop(how)
                tally.injected("PostgreSQL stopped" if how is signal.SIGINT else "PostgreSQL crashed")
                time.sleep(dice.uniform(0.5, 1.5))
                server.start()
        for client in clients:
            client.verify()
        daemon.check()
        refused = sum(client.unavailable for client in clients)
        assert refused > 0 if wait == "0.3s" else refused <= 3 * CLIENTS  # commits of which nobody knows the outcome


def test_connections_are_cut_under_load(server: PostgresServer, database: str, tmp_path: Path) -> None:
    """Connections that end at any moment cost clients at most an answer of 503."""
    dice = chance()
    cut = (
        f"SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{database}' AND random() < 0.5"
    )
    with daemon_on(server.url(database), tmp_path / "data") as daemon:
        clients = clients_of([daemon], dice)
        with persisting(clients):
            ended = 0
            for _ in range(40):
                time.sleep(dice.uniform(0.02, 0.2))
                ended += int(server.execute(cut))
        for client in clients:
            client.verify()
        daemon.check()
    tally.injected("PostgreSQL connection cut", ended)
    assert ended > 40


def test_two_daemons_share_a_database(server: PostgresServer, database: str, tmp_path: Path) -> None:
    """Two daemons serve the same uploads and images in turns, and when one is killed the other has everything."""
    dice = chance()
    with daemon_on(server.url(database), tmp_path / "data") as first:
        with daemon_on(server.url(database), tmp_path / "data") as second:
            upload_in_turns([Registry(first.address), Registry(second.address)], dice.randbytes(600_000))
            clients = clients_of([first, second], dice)
            with persisting(clients):
                time.sleep(2)
            staying, leaving = clients[::2], clients[1::2]
            with persisting(staying):
                second.kill()
                tally.injected("kill -9 under load")
                for client in leaving:
                    client.registry = Registry(first.address)
                    client.verify()
            for client in clients:
                client.verify()
            second.start()
            for client in clients:
                client.registry = Registry(second.address)
                client.verify()
        first.check()


@pytest.mark.faults
def test_server_of_two_daemons_crashes(server: PostgresServer, database: str, tmp_path: Path) -> None:
    """What either of two daemons acknowledged before their database crashed, the other one has."""
    dice = chance()
    with (
        daemon_on(server.url(database), tmp_path / "data") as first,
        daemon_on(server.url(database), tmp_path / "data") as second,
    ):
        clients = clients_of([first, second], dice)
        with persisting(clients):
            for _ in range(3):
                time.sleep(dice.uniform(0.2, 0.8))
                server.stop(signal.SIGQUIT)
                tally.injected("PostgreSQL crashed")
                server.start()
        for number, client in enumerate(clients):
            client.registry = Registry((second, first)[number % 2].address)
            client.verify()
        first.check()


def upload_in_turns(registries: list[Registry], content: bytes) -> None:
    """Push a blob of which every chunk goes to another daemon, and pull it from each."""
    location = registries[0].start("turns")
    for number, begin in enumerate(range(0, len(content), 100_000)):
        answer = registries[number % 2].append(location, content[begin : begin + 100_000], begin).expect(202)
        location = answer.headers["Location"]
    digest = registries[0].push("turns", content)
    registries[1].finish(location, digest).expect(201)
    for registry in registries:
        assert registry.blob("turns", digest).expect(200).body == content


def test_start_without_a_server(tmp_path: Path) -> None:
    """A daemon that finds no database says so, and ends; the password in the URL is nowhere."""
    folder = tmp_path / "nowhere"
    daemon = daemon_on(f"postgresql://berth:hidden@/berth?host={folder}", tmp_path / "data", "0.3s")
    with pytest.raises(AssertionError, match="ended with 1"):
        daemon.start()
    log = daemon.log.read_text()
    assert "the database cannot be used" in log
    assert "hidden" not in log


def test_commands(server: PostgresServer, database: str, tmp_path: Path) -> None:
    """The commands work on the database that is configured, beside a daemon or without one."""
    daemon = daemon_on(server.url(database), tmp_path / "data")
    for words in (["user", "list"], ["check"]):
        assert "there is no Berth data in the database" in daemon.command(*words, code=1)
    assert "schema version" in daemon.command("migrate")
    with daemon:
        daemon.command("project", "create", "acme")
        assert daemon.command("project", "list", "--quiet").split() == ["acme", "default"]
    assert "nothing is wrong" in daemon.command("check")
