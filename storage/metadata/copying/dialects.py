"""What the engines do not say in the same words."""

from __future__ import annotations

from typing import Protocol

from storage.metadata.store import Queries, Transaction


class Dialect(Protocol):
    async def last_number(self, queries: Queries, table: str) -> int:
        """The largest id that the engine has drawn for a numbered table, of rows that are gone too; 0 if none."""
        ...

    async def draw_after(self, tx: Transaction, table: str, number: int) -> None:
        """Let the engine draw larger ids than `number` from now on."""
        ...

    async def set_version(self, tx: Transaction, version: int) -> None:
        """Write down which schema the database has."""
        ...


class SqliteDialect:
    async def last_number(self, queries: Queries, table: str) -> int:
        row = await queries.fetch_one("SELECT seq FROM sqlite_sequence WHERE name = ?", table)
        return 0 if row is None else int(row[0])

    async def draw_after(self, tx: Transaction, table: str, number: int) -> None:
        await tx.execute("DELETE FROM sqlite_sequence WHERE name = ?", table)
        if number:
            await tx.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", table, number)

    async def set_version(self, tx: Transaction, version: int) -> None:
        await tx.execute(f"PRAGMA user_version = {version}")


class PostgresDialect:
    async def last_number(self, queries: Queries, table: str) -> int:
        row = await queries.fetch_one(
            "SELECT last_value FROM pg_sequences WHERE quote_ident(schemaname) || '.' || quote_ident(sequencename)"
            " = pg_get_serial_sequence(quote_ident(?), 'id')",
            table,
        )
        return 0 if row is None or row[0] is None else int(row[0])

    async def draw_after(self, tx: Transaction, table: str, number: int) -> None:
        await tx.fetch_one(
            "SELECT setval(pg_get_serial_sequence(quote_ident(?), 'id'), ?, ?::bigint > 0)",
            table,
            max(number, 1),
            number,
        )

    async def set_version(self, tx: Transaction, version: int) -> None:
        await tx.execute("UPDATE schema_version SET version = ?", version)
