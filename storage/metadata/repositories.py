"""Rows of repositories."""

from __future__ import annotations

from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName


async def find(queries: Queries, name: RepositoryName) -> int | None:
    row = await queries.fetch_one("SELECT id FROM repositories WHERE name = ?", name)
    return None if row is None else int(row[0])


async def ensure(tx: Transaction, name: RepositoryName, now_ms: int) -> int:
    """The repository's id; it is created if this is the first thing in it."""
    await tx.execute(
        "INSERT INTO repositories (name, created_at) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", name, now_ms
    )
    found = await find(tx, name)
    if found is None:
        raise RuntimeError("a repository that was just inserted cannot be found")
    return found


async def names_after(queries: Queries, last: str, limit: int) -> list[str]:
    """At most `limit` names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all("SELECT name FROM repositories WHERE name > ? ORDER BY name LIMIT ?", last, limit)
    return [row[0] for row in rows]


async def count(queries: Queries) -> int:
    row = await queries.fetch_one("SELECT COUNT(*) FROM repositories")
    return 0 if row is None else int(row[0])
