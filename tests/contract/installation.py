"""An installation with rows in every table, and the two ends of a copy of it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from auth.actor import OPERATING
from auth.principals import parse_subject
from auth.roles import Action
from registry.app.services import build_services
from registry.app.storing import open_storage
from registry.config import load
from registry.domain.access_tokens import NewToken
from registry.domain.throttle import Throttle
from storage.metadata import garbage, projects, repositories, runs
from storage.metadata.copying import Destination, PostgresDialect, Source, SqliteDialect
from storage.metadata.licensing import holding
from storage.metadata.licensing.holding import Content
from storage.metadata.migrate import migrations
from storage.metadata.postgresql import Database, HeldDatabase, PostgresStore
from storage.metadata.sqlite import SoleStore, SqliteStore
from storage.metadata.store import Row, Transaction
from storage.names import parse_repository_name
from tests.unit.registry.domain.people import PASSWORDS
from tests.unit.registry.domain.tenants import Tenants
from tests.unit.storage.metadata.licensing.vendor import add_everything
from tests.unit.storage.sound_store import SoundStore, make_sound_store

NEWEST = len(migrations("sqlite"))
FILE = "metadata.db"
LARGEST = 2**63 - 1
EVERY_BYTE = bytes(range(256))
BEYOND_ASCII = "ключ 鍵 \U0001f511"
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"


async def make_installation(place: Path) -> None:
    """Fill a new data folder by the use cases, with something in every table, and with values that are hard to copy."""
    sound = await make_sound_store(place)
    storage = open_storage(load(None, {}, {"storage.data": str(place)}))
    try:
        tenants = Tenants(storage.store)
        await tenants.begin()
        await tenants.groups.add(OPERATING, "devs", "stranger")
        await tenants.rules.create(
            OPERATING, "acme", "main", "acme/**", parse_subject("group:devs"), frozenset({Action.PULL})
        )
        await tenants.immutable_tags.create(OPERATING, "acme", "main", "acme/**", "v*")
        await tenants.tokens.create(OPERATING, "stranger", NewToken("laptop", frozenset({Action.PULL}), ("**",)))
        await tenants.login("stranger", "a family")
        await Throttle(storage.store, tenants.clock).failed("stranger", "192.0.2.7")
        services = build_services(load(None, {}, {"storage.data": str(place)}), storage, PASSWORDS, tenants.clock)
        app = parse_repository_name("app")
        await services.uploads.start(OPERATING, app)
        await services.manifests.delete(OPERATING, app, sound.digests["referrer"])
        await storage.store.transact(_add_rest)
        await storage.store.transact(lambda tx: _add_licensing(tx, sound))
    finally:
        await storage.close()
    _add_what_is_hard(place)


async def _add_rest(tx: Transaction) -> None:
    await garbage.mark(tx, "sha256/00/unwanted", 1)
    await runs.begin(tx, "collector", 1, {"phase": "links"})


async def _add_licensing(tx: Transaction, sound: SoundStore) -> None:
    project, repository = await projects.find(tx, "acme"), await repositories.find(tx, parse_repository_name("app"))
    assert project is not None
    assert repository is not None
    layer = Content(repository, holding.BLOB, str(sound.digests["layer"]), 9)
    await add_everything(tx, project.id, "app", layer, str(sound.digests["index"]))


def _add_what_is_hard(place: Path) -> None:
    with closing(sqlite3.connect(place / FILE)) as connection, connection:
        run = connection.execute
        run("UPDATE blobs SET size = ? WHERE digest = (SELECT MIN(digest) FROM blobs)", (LARGEST,))
        run("UPDATE manifests SET content = ? WHERE id = 1", (EVERY_BYTE,))
        run("UPDATE projects SET description = ? WHERE name = 'acme'", (BEYOND_ASCII,))
        run("UPDATE audit SET client = 'a' || char(0) || 'b' WHERE id = 1")
        run("INSERT INTO login_failures SELECT char(0) || 'x', address, 1, 1 FROM login_failures LIMIT 1")
        run("INSERT INTO login_failures SELECT char(1) || 'x', address, 1, 1 FROM login_failures LIMIT 1")
        # Their numbers are never drawn again.
        run("DELETE FROM audit WHERE id = (SELECT MAX(id) FROM audit)")
        run("INSERT INTO runs (id, kind, started_at, updated_at, state) VALUES (7000000000, 'gone', 0, 0, '{}')")
        run("DELETE FROM runs WHERE id = 7000000000")


def rows_of(place: Path) -> dict[str, list[Row]]:
    """All rows of a data folder, by table; the numbers that were drawn are a table, too."""
    with closing(sqlite3.connect(place / FILE)) as connection:
        names = [name for (name,) in connection.execute(_TABLES)]
        return {
            name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)
            for name in [*names, "sqlite_sequence"]
        }


def numbers_of(place: Path) -> dict[str, int]:
    """The last number that was drawn for each table."""
    with closing(sqlite3.connect(place / FILE)) as connection:
        return dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))


def change(place: Path, sql: str) -> None:
    """Change rows of a data folder, whatever they point to."""
    with closing(sqlite3.connect(place / FILE)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


@asynccontextmanager
async def from_sqlite(place: Path) -> AsyncIterator[Source]:
    """A data folder, to copy from."""
    store = SoleStore(place)
    try:
        yield Source(store, SqliteDialect())
    finally:
        await store.close()


@asynccontextmanager
async def to_sqlite(place: Path) -> AsyncIterator[Destination]:
    """A data folder, to copy to."""
    place.mkdir(exist_ok=True)
    if not SqliteStore.exists(place):
        SqliteStore.migrate(place)
    store = SoleStore(place)
    try:
        yield Destination(store, SqliteDialect(), NEWEST)
    finally:
        await store.close()


@asynccontextmanager
async def from_postgres(url: str) -> AsyncIterator[Source]:
    """A database, to copy from."""
    held = await HeldDatabase.hold(Database(url), frozen=True, wait_s=5)
    try:
        yield Source(held, PostgresDialect())
    finally:
        await held.close()


@asynccontextmanager
async def to_postgres(url: str) -> AsyncIterator[Destination]:
    """A database with tables, to copy to."""
    store = PostgresStore(Database(url))
    try:
        yield Destination(store, PostgresDialect(), NEWEST)
    finally:
        await store.close()
