"""The copier: claims the destination, copies table by table, compares, and only then gives the copy away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from storage.metadata.copying import marker
from storage.metadata.copying.dialects import Dialect
from storage.metadata.copying.errors import CopyDiffers, CopyRefused, refused
from storage.metadata.copying.fingerprints import Fingerprint, fingerprint, fingerprint_of_all
from storage.metadata.copying.progress import Progress, Report
from storage.metadata.copying.rows import ROWS_MAX, Key, Slice, insert, slices
from storage.metadata.copying.tables import Table, count, largest_id, new_counts, quoted, tables_of_schema
from storage.metadata.migrate import UNFINISHED
from storage.metadata.store import MetadataStore, Queries, Transaction


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of the newest schema, that nobody changes meanwhile."""

    queries: Queries
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Destination:
    """A database of the newest schema, new or with an unfinished copy in it, that nobody else changes meanwhile.

    `version` is that of the schema.
    """

    store: MetadataStore
    dialect: Dialect
    version: int


@dataclass(frozen=True, slots=True)
class Copied:
    """What is in the copy, by the names of the tables, and whether all of it was there before."""

    tables: dict[str, Fingerprint]
    was_there: bool


def _say_nothing(_progress: Progress) -> None:
    """Nobody waits."""


class Copier:
    """Makes one copy. Each transaction has at most `rows_max` rows and a few megabytes."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        report: Report = _say_nothing,
        rows_max: int = ROWS_MAX,
    ) -> None:
        self._source, self._destination, self._store = source, destination, destination.store
        self._report, self._rows_max = report, rows_max

    async def run(self, *, restart: bool = False) -> Copied:
        """Copy all rows, or what an earlier run left to do; with `restart` throw away what that one did.

        Raises `CopyRefused` if the destination has other things in it, `CopyDiffers` if the copy is not right, and what
        the two stores raise. Whenever it does not end well, the next run goes on.
        """
        tables = await tables_of_schema()
        found = {table.name: await self._fingerprint(self._source.queries, table, "reading") for table in tables}
        numbers = await self._numbers(tables)
        done = await self._begin(tables, found, restart=restart)
        if done is None:
            return Copied(found, was_there=True)
        for table in tables:
            await self._copy(table, done, found[table.name].rows)
        await self._store.transact(lambda tx: self._draw_after(tx, numbers))
        await self._verify(tables, found, numbers)
        await self._store.transact(self._finish)
        return Copied(found, was_there=False)

    async def _begin(
        self, tables: list[Table], found: dict[str, Fingerprint], *, restart: bool
    ) -> dict[str, Key] | None:
        """How far each table is copied; None if the copy was made before, and is whole."""
        source, version = fingerprint_of_all(found), await self._store.schema_version()
        if version == self._destination.version:
            if await self._counts(tables) != await new_counts(tables):
                await self._expect_same(tables, found)
                return None
        elif version != UNFINISHED + self._destination.version:
            raise CopyRefused("there is an unfinished copy of another version of Berth in the destination: empty it")
        elif not restart:
            begun = await marker.find(self._store)
            if begun is None or begun.source != source:
                raise CopyRefused(
                    "there is an unfinished copy of something else in the destination, or the source was changed since"
                    " it was begun: --restart throws it away and begins again"
                )
            return begun.done
        await self._store.transact(lambda tx: self._claim(tx, tables, source))
        return {}

    async def _claim(self, tx: Transaction, tables: list[Table], source: str) -> None:
        """From now on no Berth starts on the destination."""
        for table in reversed(tables):
            await tx.execute(f"DELETE FROM {quoted(table.name)}")  # noqa: S608 - a name of the schema
        await marker.create(tx, source)
        await self._destination.dialect.set_version(tx, UNFINISHED + self._destination.version)

    async def _finish(self, tx: Transaction) -> None:
        await marker.remove(tx)
        await self._destination.dialect.set_version(tx, self._destination.version)

    async def _copy(self, table: Table, done: dict[str, Key], of: int) -> None:
        rows = await count(self._store, table) if table.name in done else 0
        async for part in slices(self._source.queries, table, done.get(table.name), self._rows_max):
            done[table.name] = part.after
            with refused(table.name):
                # What is missing after a power cut is copied again.
                await self._store.transact(_adding(table, part, done), durable=False)
            rows += len(part.rows)
            self._report(Progress("copying", table.name, rows, of))

    async def _numbers(self, tables: list[Table]) -> dict[str, int]:
        """After which number the ids go on, by the names of the tables."""
        source, numbers = self._source, {}
        for table in tables:
            if table.numbered:
                drawn = await source.dialect.last_number(source.queries, table.name)
                numbers[table.name] = max(drawn, await largest_id(source.queries, table))
        return numbers

    async def _draw_after(self, tx: Transaction, numbers: dict[str, int]) -> None:
        for name, number in numbers.items():
            await self._destination.dialect.draw_after(tx, name, number)

    async def _verify(self, tables: list[Table], found: dict[str, Fingerprint], numbers: dict[str, int]) -> None:
        problems = await self._differences(tables, found)
        for name, number in numbers.items():
            if await self._destination.dialect.last_number(self._store, name) != number:
                problems.append(f"the ids of {name} would not go on after {number}")
        problems += await self._store.verify()
        if problems:
            raise CopyDiffers(problems)

    async def _differences(self, tables: list[Table], found: dict[str, Fingerprint]) -> list[str]:
        problems = []
        for table in tables:
            copy, right = await self._fingerprint(self._store, table, "verifying"), found[table.name]
            if copy != right:
                problems.append(f"{table.name} has {right.rows} rows in the source and {copy.rows} in the copy")
                problems[-1] += ", or others" if copy.rows == right.rows else ""
        return problems

    async def _expect_same(self, tables: list[Table], found: dict[str, Fingerprint]) -> None:
        counts = await self._counts(tables)
        same = counts == {name: right.rows for name, right in found.items()}
        if not same or await self._differences(tables, found):
            there = ", ".join(f"{rows} rows of {name}" for name, rows in counts.items() if rows)
            raise CopyRefused(f"the destination is not empty, it has {there}: give a new database")

    async def _counts(self, tables: list[Table]) -> dict[str, int]:
        return {table.name: await count(self._store, table) for table in tables}

    async def _fingerprint(self, queries: Queries, table: Table, doing: str) -> Fingerprint:
        return await fingerprint(queries, table, doing, self._report)


def _adding(table: Table, part: Slice, done: dict[str, Key]) -> Callable[[Transaction], Awaitable[None]]:
    async def add(tx: Transaction) -> None:
        await insert(tx, table, part.rows)
        await marker.advance(tx, done)

    return add
