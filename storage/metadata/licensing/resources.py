"""What the rows of all resources have in common: how they are found, listed, added and changed.

A resource belongs to a project. Documents name it by its `uuid`, which the caller draws; its `id` is the engine's, and
larger than those of all that were made before. No two rows may have what an index says is unique: inserting tells so,
and whoever changes a row asks first, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar

from storage.metadata.store import Queries, Row, Transaction, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceRow:
    """What every resource has. Times are in ms since the Unix epoch. The id is 0 until the row is inserted."""

    uuid: str
    project_id: int
    created_at: int
    updated_at: int
    id: int = 0


R = TypeVar("R", bound=ResourceRow)


def joined(sql: str) -> Any:
    """A field that is read from another table, and never written."""
    return field(default=None, metadata={"sql": sql})


ENVIRONMENT = "(SELECT x.uuid FROM environments x WHERE x.id = t.environment_id)"
PRODUCT = "(SELECT x.uuid FROM products x WHERE x.id = t.product_id)"


@dataclass(frozen=True, slots=True)
class Condition:
    """A part of WHERE with its values; the resource's table is `t` in it."""

    sql: str
    values: tuple[Value, ...] = ()


def equal(column: str, value: Value) -> Condition:
    """`value` may be None, for rows without one."""
    return Condition(f"t.{column} IS NULL") if value is None else Condition(f"t.{column} = ?", (value,))


def among(column: str, values: Sequence[Value]) -> Condition:
    """One of a few values; of none, no row is."""
    marks = ", ".join("?" * len(values))
    return Condition(f"t.{column} IN ({marks})", tuple(values)) if values else Condition("1 = 0")


def visible(environment_id: int | None, *, shared: bool) -> Condition:
    """What is in the environment, or in none; with `shared`, both."""
    if environment_id is None or not shared:
        return equal("environment_id", environment_id)
    return Condition("(t.environment_id = ? OR t.environment_id IS NULL)", (environment_id,))


@dataclass(frozen=True, slots=True)
class Page:
    """At most `limit` rows, the newest first unless `oldest_first`: after the row with the id `after`, if one is given.

    `offset` rows of these are passed over.
    """

    limit: int
    after: int | None = None
    offset: int = 0
    oldest_first: bool = False


class Resources(Generic[R]):
    """The rows of one table."""

    def __init__(self, table: str, row: type[R]) -> None:
        self._table, self._row = table, row
        self._written = [one.name for one in fields(row) if one.name != "id" and "sql" not in one.metadata]
        # Annotations are text here; the engines have numbers for what is true or false.
        self._booleans = {one.name for one in fields(row) if one.type == "bool"}
        self._names = [one.name for one in fields(row)]
        columns = ", ".join(str(one.metadata.get("sql", f"t.{one.name}")) for one in fields(row))
        self.select = f"SELECT {columns} FROM {table} t"  # noqa: S608 - names of fields, and constants

    def read(self, row: Row) -> R:
        """The row of a query that begins with `select`."""
        values: dict[str, Any] = dict(zip(self._names, row, strict=True))
        values |= {name: bool(values[name]) for name in self._booleans}
        return self._row(**values)

    async def find(self, queries: Queries, project_id: int, uuid: str) -> R | None:
        """The resource of this uuid, if it is the project's."""
        return await self.first(queries, equal("uuid", uuid), equal("project_id", project_id))

    async def by_id(self, queries: Queries, row_id: int) -> R | None:
        return await self.first(queries, equal("id", row_id))

    async def first(self, queries: Queries, *conditions: Condition, order: str = "t.id") -> R | None:
        """The oldest row that fulfils all of them, or the first in another order."""
        rows = await self.listed(queries, order, 1, *conditions)
        return rows[0] if rows else None

    async def listed(
        self, queries: Queries, order: str, limit: int, *conditions: Condition, offset: int = 0
    ) -> list[R]:
        """At most `limit` rows that fulfil all of them, in that order, after the first `offset`."""
        where, values = _where(conditions)
        rows = await queries.fetch_all(
            f"{self.select}{where} ORDER BY {order} LIMIT ? OFFSET ?", *values, limit, offset
        )
        return [self.read(row) for row in rows]

    async def page(self, queries: Queries, project_id: int, page: Page, *conditions: Condition) -> list[R]:
        """Those of the project that fulfil all conditions, in the order in which they were made, or against it."""
        wanted = [equal("project_id", project_id), *conditions]
        if page.after is not None:
            wanted.append(Condition(f"t.id {'>' if page.oldest_first else '<'} ?", (page.after,)))
        order = "t.id" if page.oldest_first else "t.id DESC"
        return await self.listed(queries, order, page.limit, *wanted, offset=page.offset)

    async def count(self, queries: Queries, project_id: int, *conditions: Condition) -> int:
        where, values = _where([equal("project_id", project_id), *conditions])
        row = await queries.fetch_one(f"SELECT COUNT(*) FROM {self._table} t{where}", *values)  # noqa: S608 - constants
        return 0 if row is None else int(row[0])

    async def insert(self, tx: Transaction, row: R) -> int | None:
        """The new row's id; None, and nothing happened, if something of it is taken."""
        marks = ", ".join("?" * len(self._written))
        inserted = await tx.execute(
            f"INSERT INTO {self._table} ({', '.join(self._written)}) VALUES ({marks}) ON CONFLICT DO NOTHING",  # noqa: S608
            *(_stored(getattr(row, name)) for name in self._written),
        )
        found = await tx.fetch_one(f"SELECT id FROM {self._table} WHERE uuid = ?", row.uuid)  # noqa: S608 - a constant
        return None if inserted == 0 or found is None else int(found[0])

    async def update(self, tx: Transaction, row_id: int, now_ms: int, **changes: Value) -> bool:
        """Write these columns; false if there is no such row. What is unique was asked for before."""
        if not changes.keys() <= set(self._written):
            raise ValueError(f"{self._table} has not all of {', '.join(changes)}")
        columns = ", ".join(f"{name} = ?" for name in [*changes, "updated_at"])
        values = [*map(_stored, changes.values()), now_ms]
        return await tx.execute(f"UPDATE {self._table} SET {columns} WHERE id = ?", *values, row_id) == 1  # noqa: S608

    async def delete(self, tx: Transaction, row_id: int) -> bool:
        """Remove the row, and what is only about it; what is made of it has to be gone before."""
        return await tx.execute(f"DELETE FROM {self._table} WHERE id = ?", row_id) == 1  # noqa: S608 - a constant

    async def taken(self, queries: Queries, except_id: int, *conditions: Condition) -> bool:
        """Whether another row fulfils all of them."""
        return await self.first(queries, *conditions, Condition("t.id <> ?", (except_id,))) is not None


def _where(conditions: Sequence[Condition]) -> tuple[str, list[Value]]:
    if not conditions:
        return "", []
    text = " AND ".join(condition.sql for condition in conditions)
    return f" WHERE {text}", [value for condition in conditions for value in condition.values]


def _stored(value: Value) -> Value:
    return int(value) if isinstance(value, bool) else value
