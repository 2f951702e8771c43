"""Rows of registries, and which repositories belong to which."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class NewRegistry:
    project_id: int
    name: str
    prefix: str
    kind: str
    visibility: str
    description: str
    created_at: int


@dataclass(frozen=True, slots=True)
class RegistryRow:
    id: int
    name: str
    prefix: str
    kind: str
    visibility: str
    description: str
    created_at: int


_SELECT = "SELECT id, name, prefix, kind, visibility, description, created_at FROM registries"


async def find(queries: Queries, project_id: int, name: str) -> RegistryRow | None:
    row = await queries.fetch_one(f"{_SELECT} WHERE project_id = ? AND name = ?", project_id, name)
    return None if row is None else RegistryRow(*row)


async def rows_after(queries: Queries, project_id: int, last: str, limit: int) -> list[RegistryRow]:
    """At most `limit` registries of the project with names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE project_id = ? AND name > ? ORDER BY name LIMIT ?", project_id, last, limit
    )
    return [RegistryRow(*row) for row in rows]


async def prefixes_of_project(queries: Queries, project_id: int) -> list[str]:
    rows = await queries.fetch_all("SELECT prefix FROM registries WHERE project_id = ?", project_id)
    return [row[0] for row in rows]


async def prefix_is_taken(queries: Queries, prefix: str) -> bool:
    return await queries.fetch_one("SELECT 1 FROM registries WHERE prefix = ?", prefix) is not None


async def has_content(queries: Queries, prefix: str) -> bool:
    """Whether a repository holds anything that belongs to the registry with this prefix, or would if it was there."""
    # ' ' comes before all characters of a name, '0' after '/'; all names lie between '0' and '~'.
    first, end = (f"{prefix}/", f"{prefix}0") if prefix else ("0", "~")
    if await _has_content_between(queries, prefix, f"{prefix} "):
        return True
    for start, stop in [*await _taken_between(queries, first, end), (end, end)]:
        if first < start and await _has_content_between(queries, first, start):
            return True
        first = max(first, stop)
    return False


async def _taken_between(queries: Queries, first: str, end: str) -> list[tuple[str, str]]:
    """Ranges of names, in order, that belong to registries with prefixes between the two."""
    rows = await queries.fetch_all("SELECT prefix FROM registries WHERE prefix >= ? AND prefix < ?", first, end)
    return sorted(found for (prefix,) in rows for found in [(prefix, f"{prefix} "), (f"{prefix}/", f"{prefix}0")])


async def _has_content_between(queries: Queries, first: str, end: str) -> bool:
    row = await queries.fetch_one(
        "SELECT 1 FROM repositories r WHERE r.name >= ? AND r.name < ?"
        " AND (EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id)"
        " OR EXISTS (SELECT 1 FROM blob_links l WHERE l.repository_id = r.id)) LIMIT 1",
        first,
        end,
    )
    return row is not None


async def count(queries: Queries, project_id: int) -> int:
    row = await queries.fetch_one("SELECT COUNT(*) FROM registries WHERE project_id = ?", project_id)
    return 0 if row is None else int(row[0])


async def insert(tx: Transaction, registry: NewRegistry) -> None:
    await tx.execute(
        "INSERT INTO registries (project_id, name, prefix, kind, visibility, description, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        registry.project_id,
        registry.name,
        registry.prefix,
        registry.kind,
        registry.visibility,
        registry.description,
        registry.created_at,
    )


async def update(tx: Transaction, registry_id: int, visibility: str, description: str) -> None:
    await tx.execute(
        "UPDATE registries SET visibility = ?, description = ? WHERE id = ?", visibility, description, registry_id
    )


async def delete(tx: Transaction, registry_id: int) -> None:
    """Delete the registry with its rules."""
    await tx.execute("DELETE FROM registries WHERE id = ?", registry_id)
