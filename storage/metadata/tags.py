"""Rows of tags. Only `registry.domain.tags` may change them: it is where every change of a tag is decided."""

from __future__ import annotations

from storage.digest import Digest, parse_digest
from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName, Tag


async def target(queries: Queries, repository_id: int, tag: Tag) -> tuple[int, Digest] | None:
    """The manifest (id and digest) that the tag points to now."""
    row = await queries.fetch_one(
        "SELECT m.id, m.digest FROM tags t JOIN manifests m ON m.id = t.manifest_id"
        " WHERE t.repository_id = ? AND t.name = ?",
        repository_id,
        tag,
    )
    return None if row is None else (row[0], parse_digest(row[1]))


async def put(tx: Transaction, repository_id: int, tag: Tag, manifest_id: int, now_ms: int) -> None:
    await tx.execute(
        "INSERT INTO tags (repository_id, name, manifest_id, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (repository_id, name)"
        " DO UPDATE SET manifest_id = excluded.manifest_id, updated_at = excluded.updated_at",
        repository_id,
        tag,
        manifest_id,
        now_ms,
    )


async def delete(tx: Transaction, repository_id: int, tag: Tag) -> None:
    await tx.execute("DELETE FROM tags WHERE repository_id = ? AND name = ?", repository_id, tag)


async def names_of(queries: Queries, manifest_id: int) -> list[Tag]:
    """All tags that point to the manifest."""
    rows = await queries.fetch_all("SELECT name FROM tags WHERE manifest_id = ? ORDER BY name", manifest_id)
    return [Tag(row[0]) for row in rows]


async def names_after(queries: Queries, repository: RepositoryName, last: str, limit: int) -> list[str]:
    """At most `limit` tags greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(
        # No join: of a join PostgreSQL does not see that it is in the order of the index already.
        "SELECT name FROM tags WHERE repository_id = (SELECT id FROM repositories WHERE name = ?)"
        " AND name > ? ORDER BY name LIMIT ?",
        repository,
        last,
        limit,
    )
    return [row[0] for row in rows]
