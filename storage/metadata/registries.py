"""Rows of registries, and which repositories belong to which."""

from __future__ import annotations

from collections.abc import Sequence
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
    """The last three are None where the registry does as is configured for all. Times in ms, 0 is never."""

    id: int
    name: str
    prefix: str
    kind: str
    visibility: str
    description: str
    created_at: int
    untagged_after: int | None
    orphaned_after: int | None
    redirect: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """After how many ms what is not needed goes from a registry: 0 is never, None as is configured for all."""

    prefix: str
    untagged_after: int | None
    orphaned_after: int | None


_SELECT = (
    "SELECT id, name, prefix, kind, visibility, description, created_at, untagged_after, orphaned_after, redirect"
    " FROM registries"
)


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


async def policies(queries: Queries) -> list[Policy]:
    """Those of all registries: a repository has that of the longest prefix of its name."""
    rows = await queries.fetch_all("SELECT prefix, untagged_after, orphaned_after FROM registries")
    return [Policy(*row) for row in rows]


async def prefix_is_taken(queries: Queries, prefix: str) -> bool:
    return await queries.fetch_one("SELECT 1 FROM registries WHERE prefix = ?", prefix) is not None


async def has_content(queries: Queries, prefix: str) -> bool:
    """Whether a repository holds anything that belongs to the registry with this prefix, or would if it was there."""
    for first, end in await _ranges(queries, prefix):
        if await _has_content_between(queries, first, end):
            return True
    return False


async def forget(tx: Transaction, prefix: str, limit: int) -> bool:
    """Remove what is remembered of the registry's repositories: deleted manifests, and the history of tags.

    Of each at most `limit` rows are removed at once; true if there may be more.
    """
    more = False
    for first, end in await _ranges(tx, prefix):
        for table in ("deleted_manifests", "tag_history"):
            removed = await tx.execute(
                f"DELETE FROM {table} WHERE id IN (SELECT x.id FROM repositories r"  # noqa: S608 - the two above
                f" JOIN {table} x ON x.repository_id = r.id WHERE r.name >= ? AND r.name < ? LIMIT ?)",
                first,
                end,
                limit,
            )
            more = more or removed == limit
    return more


async def owner_of(queries: Queries, prefixes: Sequence[str]) -> tuple[int, int] | None:
    """The project of a repository's registry, and since when (in ms) there is that registry.

    `prefixes` are all by which a registry could take the repository's name.
    """
    marks = ", ".join("?" * len(prefixes))
    row = await queries.fetch_one(
        f"SELECT project_id, created_at FROM registries WHERE prefix IN ({marks})"  # noqa: S608 - marks only
        " ORDER BY length(prefix) DESC LIMIT 1",
        *prefixes,
    )
    return None if row is None else (row[0], row[1])


async def _ranges(queries: Queries, prefix: str) -> list[tuple[str, str]]:
    """Ranges of names, each without its end, that belong to the registry with this prefix, or would."""
    # ' ' comes before all characters of a name, '0' after '/'; all names lie between '0' and '~'.
    first, end = (f"{prefix}/", f"{prefix}0") if prefix else ("0", "~")
    found = [(prefix, f"{prefix} ")]
    for start, stop in [*await _taken_between(queries, first, end), (end, end)]:
        if first < start:
            found.append((first, start))
        first = max(first, stop)
    return found


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


async def update(tx: Transaction, row: RegistryRow) -> None:
    """Write what of the registry can be changed."""
    await tx.execute(
        "UPDATE registries SET visibility = ?, description = ?, untagged_after = ?, orphaned_after = ?, redirect = ?"
        " WHERE id = ?",
        row.visibility,
        row.description,
        row.untagged_after,
        row.orphaned_after,
        row.redirect,
        row.id,
    )


async def delete(tx: Transaction, registry_id: int) -> None:
    """Delete the registry with its rules."""
    await tx.execute("DELETE FROM registries WHERE id = ?", registry_id)
