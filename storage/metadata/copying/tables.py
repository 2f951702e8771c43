"""What there is to copy: the tables of the schema, in an order in which no row comes before one that it points to.

The migrations alone say what they are, so that none is ever forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import TopologicalSorter

from storage.metadata.sqlite import MemoryStore
from storage.metadata.store import Queries

_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
_COLUMNS = "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid"
_PARENTS = 'SELECT DISTINCT "table" FROM pragma_foreign_key_list(?) ORDER BY "table"'


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the names of its columns.

    `key` are those of the primary key; a table without one has few rows. `large` may hold megabytes each. The ids of a
    table that is `numbered` are drawn by the engine, in the column id, and no number is drawn twice.
    """

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    large: tuple[str, ...]
    numbered: bool


def quoted(*names: str) -> str:
    """The names as SQL writes them, with commas between them, even if they are its words."""
    return ", ".join(f'"{name}"' for name in names)


async def tables_of_schema() -> list[Table]:
    """All tables of the newest schema. Rows of each point only to rows of those before it."""
    store = MemoryStore()
    try:
        names = [name for (name,) in await store.fetch_all(_TABLES)]
        parents = {name: [row[0] for row in await store.fetch_all(_PARENTS, name)] for name in names}
        return [await _table(store, name) for name in TopologicalSorter(parents).static_order()]
    finally:
        await store.close()


async def new_counts(tables: list[Table]) -> dict[str, int]:
    """How many rows of each table are there from the first, since the migrations insert them."""
    store = MemoryStore()
    try:
        return {table.name: await count(store, table) for table in tables}
    finally:
        await store.close()


async def count(queries: Queries, table: Table) -> int:
    row = await queries.fetch_one(f"SELECT COUNT(*) FROM {quoted(table.name)}")  # noqa: S608 - a name of the schema
    return 0 if row is None else int(row[0])


async def largest_id(queries: Queries, table: Table) -> int:
    """0 if there is no row."""
    row = await queries.fetch_one(f"SELECT COALESCE(MAX(id), 0) FROM {quoted(table.name)}")  # noqa: S608 - see above
    return 0 if row is None else int(row[0])


async def _table(queries: Queries, name: str) -> Table:
    columns = await queries.fetch_all(_COLUMNS, name)
    key = tuple(column for column, _, place in sorted(columns, key=lambda row: row[2]) if place)
    kinds = {column: kind for column, kind, _ in columns}
    return Table(
        name,
        tuple(kinds),
        key,
        tuple(column for column, kind in kinds.items() if kind == "BLOB"),
        numbered=key == ("id",) and kinds["id"] == "INTEGER",
    )
