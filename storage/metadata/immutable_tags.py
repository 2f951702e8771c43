"""Rows of the rules that say which tags are immutable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class ImmutableTagRow:
    id: int
    repository_pattern: str
    tag_pattern: str
    created_at: int


_SELECT = "SELECT id, repository_pattern, tag_pattern, created_at FROM immutable_tags"


async def patterns_for(queries: Queries, prefixes: Sequence[str]) -> list[tuple[str, str]]:
    """(repository, tag) of all patterns of the registry with the longest of the prefixes."""
    marks = ", ".join("?" * len(prefixes))
    longest = f"SELECT id FROM registries WHERE prefix IN ({marks}) ORDER BY length(prefix) DESC LIMIT 1"  # noqa: S608
    rows = await queries.fetch_all(
        f"SELECT repository_pattern, tag_pattern FROM immutable_tags WHERE registry_id = ({longest})",  # noqa: S608
        *prefixes,
    )
    return [(row[0], row[1]) for row in rows]


async def find(queries: Queries, registry_id: int, rule_id: int) -> ImmutableTagRow | None:
    row = await queries.fetch_one(f"{_SELECT} WHERE registry_id = ? AND id = ?", registry_id, rule_id)
    return None if row is None else ImmutableTagRow(*row)


async def find_by_patterns(
    queries: Queries, registry_id: int, repository_pattern: str, tag_pattern: str
) -> ImmutableTagRow | None:
    row = await queries.fetch_one(
        f"{_SELECT} WHERE registry_id = ? AND repository_pattern = ? AND tag_pattern = ?",
        registry_id,
        repository_pattern,
        tag_pattern,
    )
    return None if row is None else ImmutableTagRow(*row)


async def rows_after(queries: Queries, registry_id: int, last: int, limit: int) -> list[ImmutableTagRow]:
    """At most `limit` rows of the registry with ids greater than `last`."""
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE registry_id = ? AND id > ? ORDER BY id LIMIT ?", registry_id, last, limit
    )
    return [ImmutableTagRow(*row) for row in rows]


async def count(queries: Queries, registry_id: int) -> int:
    row = await queries.fetch_one("SELECT COUNT(*) FROM immutable_tags WHERE registry_id = ?", registry_id)
    return 0 if row is None else int(row[0])


async def insert(tx: Transaction, registry_id: int, repository_pattern: str, tag_pattern: str, now_ms: int) -> None:
    await tx.execute(
        "INSERT INTO immutable_tags (registry_id, repository_pattern, tag_pattern, created_at) VALUES (?, ?, ?, ?)",
        registry_id,
        repository_pattern,
        tag_pattern,
        now_ms,
    )


async def delete(tx: Transaction, registry_id: int, rule_id: int) -> None:
    await tx.execute("DELETE FROM immutable_tags WHERE registry_id = ? AND id = ?", registry_id, rule_id)
