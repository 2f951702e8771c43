"""Copies that are broken off anywhere: the next one goes on, and until it is whole no Berth starts on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from itertools import chain, cycle
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from storage.metadata.copying import Copied, Copier, Destination, Source
from storage.metadata.migrate import CopyUnfinished
from storage.metadata.postgresql import Database, PostgresStore
from storage.metadata.sqlite import SqliteStore
from tests.contract.installation import (
    NEWEST,
    from_postgres,
    from_sqlite,
    to_postgres,
    to_sqlite,
)
from tests.contract.processes import killed_process, stay
from tests.contract.stopping import Stopped, StoppingStore, stop
from tests.faults import tally

From = Callable[[], AbstractAsyncContextManager[Source]]
To = Callable[[], AbstractAsyncContextManager[Destination]]


async def copy(begin: From, end: To, nth: int, stop: Callable[[], None], *, committed: bool) -> Copied:
    """Copy, and stop at the nth transaction."""
    async with begin() as source, end() as destination:
        store = StoppingStore(destination.store, nth, stop, committed=committed)
        return await Copier(source, Destination(store, destination.dialect, destination.version)).run()


@pytest.fixture(params=["to PostgreSQL", pytest.param("to SQLite", marks=pytest.mark.faults)])
async def ends(
    request: pytest.FixtureRequest, installation: Path, postgres_url: str, tmp_path: Path
) -> tuple[From, To]:
    """A source and an empty destination."""
    out = partial(from_sqlite, installation), partial(to_postgres, postgres_url)
    if request.param == "to PostgreSQL":
        return out
    await whole(*out)
    return partial(from_postgres, postgres_url), partial(to_sqlite, tmp_path / "back")


async def whole(begin: From, end: To) -> Copied:
    """Copy, or go on with a copy, to the end."""
    return await copy(begin, end, 0, stop, committed=False)


async def is_unfinished(url: str, place: Path) -> bool:
    """Whether a daemon that starts on the destination finds half a copy there; else it finds a whole database."""
    try:
        versions = {await PostgresStore.migrate(Database(url))}
        if place.exists():
            versions.add(SqliteStore.migrate(place))
    except CopyUnfinished:
        return True
    assert versions == {NEWEST}
    return False


@pytest.mark.parametrize("nth", [6, pytest.param(2, marks=pytest.mark.faults)])
async def test_broken_off(ends: tuple[From, To], postgres_url: str, tmp_path: Path, nth: int) -> None:
    """Broken off again and again, before and after a commit, a copy goes on, and ends as if it never had been.

    No Berth starts on it as long as it is not whole.
    """
    unfinished, copied = [], None
    for stop_at, committed in chain([(1, False)], cycle([(nth, False), (nth, True)])):
        try:
            copied = await copy(*ends, stop_at, stop, committed=committed)
            break
        except Stopped:
            tally.injected("copy broken off")
            unfinished.append(await is_unfinished(postgres_url, tmp_path / "back"))
    assert not unfinished[0]
    assert len(unfinished[1:-1]) > 20 / nth
    assert all(unfinished[1:-1])
    assert not await is_unfinished(postgres_url, tmp_path / "back")
    assert copied is not None
    assert await whole(*ends) == Copied(copied.tables, was_there=True)


@pytest.mark.parametrize("nth", [9, pytest.param(2, marks=pytest.mark.faults)])
async def test_killed(installation: Path, postgres_url: str, tmp_path: Path, nth: int) -> None:
    """After `kill -9` in a transaction the next process goes on, on both engines, and finds no lock in its way."""
    back = tmp_path / "back"
    with killed_process(copy_out_elsewhere, installation, postgres_url, nth):
        pass
    assert await is_unfinished(postgres_url, back)
    out = await whole(partial(from_sqlite, installation), partial(to_postgres, postgres_url))
    with killed_process(copy_back_elsewhere, postgres_url, back, nth):
        pass
    assert await is_unfinished(postgres_url, back)
    assert await whole(partial(from_postgres, postgres_url), partial(to_sqlite, back)) == out
    tally.injected("kill -9", 2)


def copy_out_elsewhere(place: Path, url: str, nth: int, connection: Connection) -> None:
    """In another process: copy to PostgreSQL, and stay in a transaction."""
    _copy_and_stay(partial(from_sqlite, place), partial(to_postgres, url), nth, connection)


def copy_back_elsewhere(url: str, place: Path, nth: int, connection: Connection) -> None:
    """In another process: copy to SQLite, and stay in a transaction."""
    _copy_and_stay(partial(from_postgres, url), partial(to_sqlite, place), nth, connection)


def _copy_and_stay(begin: From, end: To, nth: int, connection: Connection) -> None:
    asyncio.run(copy(begin, end, nth, partial(stay, connection), committed=False))
