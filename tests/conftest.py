"""What tests of every kind may ask for."""

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.metadata.sqlite import SqliteStore
from tests.databases import Databases
from tests.postgres import PostgresServer, running_server

pytest_plugins = ["tests.faults.reporting"]


def pytest_configure() -> None:
    """Programs that tests start heed Ctrl-C, also where whoever runs the tests in the background lets it be ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """All that was collected stays until the end: do not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server of PostgreSQL for all tests; the test is skipped, or fails in CI, where it is not installed."""
    yield from running_server()


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer) -> Databases:
    """Databases with the newest schema, to borrow."""
    return Databases(postgres)


@pytest.fixture
def postgres_url(databases: Databases) -> Iterator[str]:
    """A database with the newest schema, for one test."""
    name = databases.lend()
    yield databases.url(name)
    databases.take_back(name)


@pytest.fixture
def empty_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """A database without tables, for one test."""
    name = postgres.create_database()
    yield postgres.url(name)
    postgres.drop_database(name)


@pytest.fixture(scope="session")
def new_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with an empty database of the newest schema, to be copied: to make one takes long."""
    folder = tmp_path_factory.mktemp("new-sqlite")
    SqliteStore.migrate(folder)
    return folder
