"""How Berth logs in to PostgreSQL, and that a password goes nowhere else."""

import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.app.postgresql import PostgresEngine
from registry.config.load import load
from registry.errors import StartError
from storage.errors import StorageUnavailable
from storage.metadata.postgresql import Database, PostgresStore
from tests.postgres import PostgresServer, running_server

PASSWORD = "hidden-%41"
READ = "SELECT 1"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server with a user `berth` whom it asks for a password."""
    for server in running_server():
        rules = server.folder / "data" / "pg_hba.conf"
        rules.write_text(f"local all berth scram-sha-256\n{rules.read_text()}")
        server.execute(f"CREATE ROLE berth LOGIN PASSWORD '{PASSWORD}'")
        server.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)
        yield server


def url_of(server: PostgresServer, password: str = "") -> str:
    """The URL of the database of all, for the user `berth`."""
    return server.url().replace("postgres@", f"berth:{password}@" if password else "berth@")


async def read(database: Database) -> object:
    """Ask something."""
    store = PostgresStore(database)
    try:
        return await store.fetch_one(READ)
    finally:
        await store.close()


async def test_password_in_the_url(server: PostgresServer) -> None:
    """A password is in the URL, with what is special in URLs as %XX."""
    assert await read(Database(url_of(server, "hidden-%2541"))) == (1,)


async def test_password_in_the_environment(server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is in PGPASSWORD."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert await read(Database(url_of(server))) == (1,)


async def test_password_in_a_file(server: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A password is in a file such as ~/.pgpass."""
    (tmp_path / "pgpass").write_text(f"*:*:*:berth:{PASSWORD}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    assert await read(Database(url_of(server))) == (1,)


async def test_wrong_password(server: PostgresServer) -> None:
    """Who is refused hears so at once, at run time and at start, and nothing that is said has the password."""
    wrong = url_of(server, "mistaken")
    with pytest.raises(StorageUnavailable, match="refuses the login") as caught:
        await read(Database(wrong))
    assert "mistaken" not in "".join(traceback.format_exception(caught.value))
    config = load(None, {}, {"storage.database": wrong})
    with pytest.raises(StartError, match='password authentication failed for user "berth"') as told:
        await PostgresEngine(config.storage).migrate()
    assert "mistaken" not in "".join(traceback.format_exception(told.value))


@pytest.mark.parametrize("url", ["postgresql://berth:mis:taken@:1:2/x", "postgresql://berth:mis/taken@db:5432/x"])
async def test_url_that_makes_no_sense(url: str) -> None:
    """A URL with a mistake is not repeated, since the mistake may be in the password."""
    config = load(None, {}, {"storage.database": url, "storage.connect_timeout": 0.2})
    with pytest.raises(StartError, match="cannot be understood") as caught:
        await PostgresEngine(config.storage).expect()
    assert "taken" not in "".join(traceback.format_exception(caught.value))
