"""How a connection to the database is made: to which of its hosts, and so that it ends when that one vanishes."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from storage.metadata.postgresql.errors import is_lost

_CLOSE_S = 5.0
_CACHED_STATEMENTS = 500
# Of several hosts one may have vanished: then there has to be time to ask the others again.
_SHARE, _SHARE_LEAST_S = 4, 1.0


@dataclass(frozen=True, slots=True)
class Database:
    """Which database, and how it is used.

    `url` is postgresql://user:password@host:port/name, with everything optional that libpq and asyncpg find elsewhere
    (PGPASSWORD, .pgpass and the like), and with several hosts, separated by commas, where one may take the place of
    another. `connect_timeout_s` is how long anybody waits for a connection, also while the server restarts, and for a
    sign of life of a server that does not even acknowledge what it is sent; `statement_timeout_s` how long for the
    answer to one statement, None for ever. Without `prepared` nothing is kept on a connection between two
    transactions, as poolers want it.
    """

    url: str = field(repr=False)
    pool_size: int = 10
    connect_timeout_s: float = 10.0
    statement_timeout_s: float | None = 30.0
    prepared: bool = True


async def connect(database: Database) -> asyncpg.Connection:
    """A connection of its own, outside of all pools, to a host that takes writes. Raises what asyncpg raises."""
    urls = _one_by_one(database.url)
    if len(urls) == 1:
        return await _dial(database, urls[0], database.connect_timeout_s)
    share_s = min(database.connect_timeout_s, max(database.connect_timeout_s / _SHARE, _SHARE_LEAST_S))
    return await _first_of([_dial(database, url, share_s) for url in urls])


async def close(connection: asyncpg.Connection) -> None:
    """Close the connection, whatever it is doing, within a few seconds."""
    try:
        await connection.close(timeout=_CLOSE_S)
    except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()


def _one_by_one(url: str) -> list[str]:
    """The URL once for each of its hosts: asked one after another, a host that vanished would take all the time."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return [url]
    return [urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")]


async def _first_of(attempts: list[Coroutine[Any, Any, asyncpg.Connection]]) -> asyncpg.Connection:
    """The first connection that is made. If there is none, raises what gives most hope."""
    tasks = [asyncio.ensure_future(attempt) for attempt in attempts]
    errors: list[Exception] = []
    chosen = None
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                chosen = await finished
            except Exception as error:  # noqa: BLE001 - raised below, if no host is better
                errors.append(error)
            else:
                return chosen
        raise next((error for error in errors if is_lost(error)), errors[0])
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, asyncpg.Connection) and result is not chosen:
                result.terminate()


async def _dial(database: Database, url: str, timeout_s: float) -> asyncpg.Connection:
    async with asyncio.timeout(timeout_s):
        try:
            return await _dial_to(SessionAttribute.read_write, database, url)
        except asyncpg.TargetServerAttributeNotMatched:
            # A pooler says what was true when it made its connection.
            return await _dial_to(SessionAttribute.any, database, url)


async def _dial_to(kind: SessionAttribute, database: Database, url: str) -> asyncpg.Connection:
    connection = await _dial_once(kind, database, url, _CACHED_STATEMENTS if database.prepared else 0)
    if not database.prepared or await _holds(connection, f"pg_backend_pid() = {connection.get_server_pid()}"):
        return connection
    # Another process answers than the one that greeted: a pooler. What is prepared on one of its connections would not
    # be found on another, or be a different statement there.
    connection.terminate()
    return await _dial_once(kind, database, url, 0)


async def _dial_once(kind: SessionAttribute, database: Database, url: str, statements: int) -> asyncpg.Connection:
    connection = await asyncpg.connect(
        url,
        timeout=database.connect_timeout_s,
        command_timeout=database.statement_timeout_s,
        statement_cache_size=statements,
        max_cached_statement_lifetime=0,
        server_settings={"application_name": "berth"},
        target_session_attrs=kind,
    )
    _watch(connection, database.connect_timeout_s)
    if await _holds(connection, "current_setting('transaction_read_only') = 'off'"):
        return connection
    # A standby has old rows, and takes no new ones.
    connection.terminate()
    raise asyncpg.ReadOnlySQLTransactionError("the server takes no writes")


async def _holds(connection: asyncpg.Connection, condition: str) -> bool:
    """Whether a condition holds, asked without anything being prepared; if that cannot be said, nothing stays open."""
    try:
        return await connection.execute(f"SELECT WHERE {condition}") == "SELECT 1"
    except BaseException:
        connection.terminate()
        raise


def _watch(connection: asyncpg.Connection, patience_s: float) -> None:
    """Let the system end the connection when for so long the other machine acknowledged nothing, asked or sent."""
    # asyncpg gives its transport to nobody.
    channel: socket.socket = cast("Any", connection)._transport.get_extra_info("socket")  # noqa: SLF001
    if channel.family == socket.AF_UNIX:
        return
    pause = max(1, int(patience_s / 3))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, pause)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, pause)
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(patience_s * 1000))
