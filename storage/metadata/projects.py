"""Rows of projects."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class ProjectRow:
    id: int
    name: str
    description: str
    created_at: int


_SELECT = "SELECT id, name, description, created_at FROM projects"


async def find(queries: Queries, name: str) -> ProjectRow | None:
    row = await queries.fetch_one(f"{_SELECT} WHERE name = ?", name)
    return None if row is None else ProjectRow(*row)


async def rows_after(queries: Queries, last: str, limit: int) -> list[ProjectRow]:
    """At most `limit` projects with names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(f"{_SELECT} WHERE name > ? ORDER BY name LIMIT ?", last, limit)
    return [ProjectRow(*row) for row in rows]


async def insert(tx: Transaction, name: str, description: str, now_ms: int) -> bool:
    """Whether there was no project of this name yet."""
    return (
        await tx.execute(
            "INSERT INTO projects (name, description, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            name,
            description,
            now_ms,
        )
        == 1
    )


async def set_description(tx: Transaction, project_id: int, description: str) -> None:
    await tx.execute("UPDATE projects SET description = ? WHERE id = ?", description, project_id)


async def delete(tx: Transaction, project_id: int) -> None:
    """Delete the project with its registries, its robots, and everything that is theirs."""
    await tx.execute("DELETE FROM registries WHERE project_id = ?", project_id)
    await tx.execute("DELETE FROM principals WHERE project_id = ?", project_id)
    await tx.execute("DELETE FROM projects WHERE id = ?", project_id)
