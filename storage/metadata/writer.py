"""The one thread of a process that writes to SQLite.

Transactions that wait while another one is being committed are committed together, each inside a savepoint of its own:
one fsync makes all of them durable. Between processes an advisory file lock queues the writers in the kernel,
where SQLite's own busy handler would poll and sleep.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from storage.errors import StorageDamaged, StorageFull, StorageUnavailable
from storage.metadata.store import Row, Transaction, Value

T = TypeVar("T")

_BATCH_MAX = 128
_FULL_CODES = {sqlite3.SQLITE_FULL}
_DAMAGED_CODES = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class SqliteTransaction:
    """A `Transaction` whose methods never suspend: rows are at hand when they are called."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch_one(self, sql: str, *values: Value) -> Row | None:
        return cast("Row | None", self._connection.execute(sql, values).fetchone())

    async def fetch_all(self, sql: str, *values: Value) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    async def execute(self, sql: str, *values: Value) -> int:
        return self._connection.execute(sql, values).rowcount


@dataclass(eq=False, slots=True)
class _Job(Generic[T]):
    work: Callable[[Transaction], Awaitable[T]]
    durable: bool
    future: asyncio.Future[T]
    result: T | None = None
    error: BaseException | None = field(default=None)


def run_to_end(awaitable: Awaitable[T]) -> T:
    """Run a coroutine that has nothing to wait for, here and now.

    Raises `RuntimeError` when it does wait: that would hold the transaction over something else's time.
    """
    coroutine = cast("Coroutine[Any, Any, T]", awaitable)
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return cast("T", stop.value)
    coroutine.close()
    raise RuntimeError("a transaction awaited something that is not its own connection")


def translate(error: sqlite3.Error) -> Exception:
    """SQLite's error in the words of `storage.errors`; programming errors stay what they are."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary in _FULL_CODES or (primary == sqlite3.SQLITE_IOERR and _disk_is_full_text(error)):
        return StorageFull()
    if primary in _BUSY_CODES:
        return StorageUnavailable("the metadata database is busy")
    if primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}:
        return StorageUnavailable("the metadata database cannot be read or written")
    if primary in _DAMAGED_CODES:
        return StorageDamaged(f"the metadata database is damaged: {error}")
    return error


def _disk_is_full_text(error: sqlite3.Error) -> bool:
    return "full" in str(error)


class SqliteWriter:
    """Owns the writing connection and its thread. Closed by `close`, which lets queued work finish.

    `committed` is called after each commit, in that thread.
    """

    def __init__(self, connection: sqlite3.Connection, lock_path: Path, committed: Callable[[], None]) -> None:
        self._connection, self._committed = connection, committed
        self._lock = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="berth-metadata-writer", daemon=True)
        self._thread.start()

    async def transact(self, work: Callable[[Transaction], Awaitable[T]], *, durable: bool) -> T:
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, durable, future))
        return await future

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()
        os.close(self._lock)
        self._connection.close()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            batch = [job]
            closing = False
            while len(batch) < _BATCH_MAX:
                try:
                    extra = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if extra is None:
                    closing = True
                    break
                batch.append(extra)
            self._commit_together(batch)
            if closing:
                return

    def _commit_together(self, batch: list[_Job[Any]]) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                self._transaction(batch)
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)
        except BaseException as error:  # noqa: BLE001 - whatever it was, every waiter has to hear of it
            failure = translate(error) if isinstance(error, sqlite3.Error) else error
            for job in batch:
                job.error = failure
        _deliver(batch)

    def _transaction(self, batch: list[_Job[Any]]) -> None:
        run = self._connection.execute
        # Work that nobody will miss after a power cut does not pay for an fsync.
        run(f"PRAGMA synchronous = {'FULL' if any(job.durable for job in batch) else 'NORMAL'}")
        run("BEGIN IMMEDIATE")
        try:
            for job in batch:
                self._run_job(job)
            run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                run("ROLLBACK")
            raise
        self._committed()

    def _run_job(self, job: _Job[Any]) -> None:
        run = self._connection.execute
        run("SAVEPOINT job")
        try:
            job.result = run_to_end(job.work(SqliteTransaction(self._connection)))
        except Exception as error:
            # A full disk or an I/O error may have ended the whole transaction: then nobody's work was kept.
            if not self._connection.in_transaction:
                raise
            run("ROLLBACK TO job")
            job.error = translate(error) if isinstance(error, sqlite3.Error) else error
        run("RELEASE job")


def _deliver(batch: list[_Job[Any]]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job[Any]]] = {}
    for job in batch:
        by_loop.setdefault(job.future.get_loop(), []).append(job)
    for loop, jobs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, jobs)
        except RuntimeError:  # the loop was closed: nobody waits any more
            continue


def _resolve(jobs: list[_Job[Any]]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)
