"""Rows of a table: read in the order of its key, so many at a time as memory has room for, and written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import accumulate, chain

from storage.metadata.copying.tables import Table, quoted
from storage.metadata.store import Queries, Row, Transaction

Key = tuple[int | str, ...]

# More values than these do not fit into one statement.
_VALUES_MAX = 30_000
_BYTES_MAX = 8 * 2**20
ROWS_MAX = 500


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that follow one another. Those after it begin after the key `after`."""

    rows: list[Row]
    after: Key


async def slices(
    queries: Queries, table: Table, after: Key | None = None, rows_max: int = ROWS_MAX
) -> AsyncIterator[Slice]:
    """All rows of the table, or those after a key."""
    places = [table.columns.index(column) for column in table.key]
    while rows := await _read(queries, table, after, rows_max):
        after = tuple(rows[-1][place] for place in places)
        # PostgreSQL has \1 for a NUL (see its store), so that two keys could become one. Only logins that failed, of
        # accounts that nobody can have, have a NUL in their keys; nothing is lost with them.
        yield Slice([row for row in rows if not any("\0" in str(row[place]) for place in places)], after)


async def insert(tx: Transaction, table: Table, rows: list[Row]) -> None:
    """Add the rows, ids and all."""
    if not rows:
        return
    places = f"({', '.join('?' * len(table.columns))})"
    await tx.execute(
        f"INSERT INTO {quoted(table.name)} ({quoted(*table.columns)}) VALUES {', '.join([places] * len(rows))}",  # noqa: S608
        *chain.from_iterable(rows),
    )


async def _read(queries: Queries, table: Table, after: Key | None, rows_max: int) -> list[Row]:
    if not table.key:
        return [] if after is not None else await queries.fetch_all(_select(table, quoted(*table.columns)))
    rest, values = _rest(table, after)
    limit = min(rows_max, _VALUES_MAX // len(table.columns))
    if table.large:
        sizes = " + ".join(f"COALESCE(LENGTH({quoted(column)}), 0)" for column in table.large)
        found = await queries.fetch_all(f"{_select(table, sizes)} {rest} LIMIT {limit}", *values)
        limit = max(1, sum(total <= _BYTES_MAX for total in accumulate(size for (size,) in found)))
    return await queries.fetch_all(f"{_select(table, quoted(*table.columns))} {rest} LIMIT {limit}", *values)


def _select(table: Table, what: str) -> str:
    return f"SELECT {what} FROM {quoted(table.name)}"  # noqa: S608 - names of the schema


def _rest(table: Table, after: Key | None) -> tuple[str, Key]:
    order = f"ORDER BY {quoted(*table.key)}"
    if after is None:
        return order, ()
    return f"WHERE ({quoted(*table.key)}) > ({', '.join('?' * len(after))}) {order}", after
