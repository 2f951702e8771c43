"""The lease of the one process that does background work."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.lease import FileLease, Lease
from storage.metadata.postgresql import Database, DatabaseLease
from tests.postgres import PostgresServer


@pytest.fixture(params=["file", "database"])
def lease(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Lease]:
    """What gives each process its own look at one lease."""
    if request.param == "file":
        return lambda: FileLease(tmp_path / "lease")
    url = request.getfixturevalue("postgres_url")
    return lambda: DatabaseLease(Database(url))


async def test_one_holder(lease: Callable[[], Lease]) -> None:
    """The first who asks has the lease, keeps it however often it asks, and nobody else gets it."""
    first, second = lease(), lease()
    assert [await each.held() for each in (first, second, first, second)] == [True, False, True, False]
    await first.close()
    await second.close()


async def test_next_holder(lease: Callable[[], Lease]) -> None:
    """When the holder closes the lease, the next one who asks has it."""
    first, second = lease(), lease()
    assert await first.held()
    assert not await second.held()
    await first.close()
    async with asyncio.timeout(5):
        while not await second.held():  # noqa: ASYNC110 - a server that lets go of a lock tells nobody
            await asyncio.sleep(0.01)
    await second.close()


async def test_lease_file_is_private(tmp_path: Path) -> None:
    """Other users of the machine cannot open the file and so cannot take the lease away."""
    lease = FileLease(tmp_path / "lease")
    assert (tmp_path / "lease").stat().st_mode & 0o077 == 0
    await lease.close()


async def test_holder_that_was_cut_off(postgres: PostgresServer, postgres_url: str) -> None:
    """Who lost the connection that held the lease knows it, and does not go on as if nothing had been."""
    first, second = DatabaseLease(Database(postgres_url)), DatabaseLease(Database(postgres_url))
    assert await first.held()
    postgres.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE state = 'idle in transaction'"
        f" AND datname = '{postgres_url.rpartition('/')[2].partition('?')[0]}'"
    )
    assert await second.held()
    assert not await first.held()
    await first.close()
    await second.close()


async def test_no_server(tmp_path: Path) -> None:
    """Without a server nobody has the lease."""
    lease = DatabaseLease(Database(f"postgresql:///x?host={tmp_path}"))
    assert not await lease.held()
    await lease.close()
