"""An installation's rows in a database of the other engine."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from registry.app.engines import Engine, SqliteEngine
from registry.app.postgresql import PostgresEngine
from registry.config.storage import StorageConfig
from registry.errors import StartError
from storage.blobs.files import Files
from storage.blobs.folders import Folders, nearest_existing
from storage.errors import DatabaseInUse
from storage.metadata.copying import Copied, Copier, Destination, PostgresDialect, Report, Source, SqliteDialect
from storage.metadata.migrate import CopyUnfinished, expect_known, newest_version
from storage.metadata.postgresql import HeldDatabase
from storage.metadata.sqlite import SoleStore, SqliteStore


@dataclass(frozen=True, slots=True)
class Place:
    """A database as it was asked for: the file in a data folder, or, without one, the database of `storage`.

    `name` is what people call it, and has no password in it.
    """

    name: str
    storage: StorageConfig
    data: Path | None


async def copy_metadata(source: Place, destination: Place, report: Report, *, restart: bool) -> Copied:
    """Copy all rows to a new database, or go on with an earlier copy. See `Copier.run`.

    Raises `StartError` also while anybody uses one of the two, and what `Copier.run` raises.
    """
    async with _source(source) as rows, _destination(destination) as copy:
        return await Copier(rows, copy, report).run(restart=restart)


@asynccontextmanager
async def _source(place: Place) -> AsyncIterator[Source]:
    if place.data is not None:
        if not SqliteStore.exists(place.data):
            raise StartError(f"there is no Berth data in {place.name}")
        store: SoleStore | HeldDatabase = _open_alone(place, place.data)
    else:
        engine = PostgresEngine(place.storage)
        await engine.expect()
        store = await _hold(place, engine, frozen=True)
    try:
        _expect_newest(place, await store.schema_version())
        yield Source(store, PostgresDialect() if place.data is None else SqliteDialect())
    finally:
        await store.close()


@asynccontextmanager
async def _destination(place: Place) -> AsyncIterator[Destination]:
    if place.data is not None:
        _make_folder(place.data)
        await _migrate(SqliteEngine(place.data))
        store = _open_alone(place, place.data)
        try:
            yield Destination(store, SqliteDialect(), newest_version())
        finally:
            await store.close()
        return
    engine = PostgresEngine(place.storage)
    held = await _hold(place, engine, frozen=False)
    pool = engine.open(patient=True)
    try:
        await _migrate(engine)
        yield Destination(pool, PostgresDialect(), newest_version())
    finally:
        await pool.close()
        await held.close()


def _open_alone(place: Place, data: Path) -> SoleStore:
    try:
        return SoleStore(data)
    except DatabaseInUse as error:
        raise _in_use(place) from error


async def _hold(place: Place, engine: PostgresEngine, *, frozen: bool) -> HeldDatabase:
    try:
        return await engine.hold(frozen=frozen)
    except DatabaseInUse as error:
        raise _in_use(place) from error


def _in_use(place: Place) -> StartError:
    return StartError(f"{place.name} is in use: stop the daemons, and all commands, that use it")


def _expect_newest(place: Place, version: int) -> None:
    newest = newest_version()
    expect_known(version, newest)
    if version < newest:
        raise StartError(f"{place.name} has schema version {version}, not {newest}: run `berth migrate` on it first")


async def _migrate(engine: Engine) -> None:
    # An earlier run did it where a copy was begun.
    with suppress(CopyUnfinished):
        await engine.migrate()


def _make_folder(data: Path) -> None:
    try:
        Folders(nearest_existing(data), Files()).make(data)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used: {os.strerror(error.errno or 0)}") from error
