"""What PostgreSQL can say about the soundness of a database."""

from __future__ import annotations

from asyncpg import Connection

_INVALID = (
    "SELECT 'index ' || c.relname || ' is not valid' FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() AND NOT i.indisvalid"
    " UNION ALL"
    " SELECT 'constraint ' || c.conname || ' was not checked' FROM pg_constraint c"
    " JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = current_schema() AND NOT c.convalidated"
)
# All foreign keys are of one column.
_FOREIGN_KEYS = (
    "SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, b.attname FROM pg_constraint c"
    " JOIN pg_namespace n ON n.oid = c.connamespace"
    " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
    " JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1]"
    " WHERE c.contype = 'f' AND n.nspname = current_schema() ORDER BY 1, 2"
)


async def verify(connection: Connection) -> list[str]:
    """Indexes and constraints that do not hold, and rows that point to none: a restored dump can have them."""
    found = [row[0] for row in await connection.fetch(_INVALID)]
    for table, column, other, key in await connection.fetch(_FOREIGN_KEYS):
        dangling = await connection.fetchval(
            f"SELECT COUNT(*) FROM {table} t WHERE t.{column} IS NOT NULL"  # noqa: S608 - names from the catalogue
            f" AND NOT EXISTS (SELECT 1 FROM {other} o WHERE o.{key} = t.{column})"
        )
        if dangling:
            found.append(f"{dangling} rows of {table} point to no row of {other}")
    return found
