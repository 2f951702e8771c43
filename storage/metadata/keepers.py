"""What keeps a digest: for people who want to know why it is still there."""

from __future__ import annotations

from storage.metadata.store import Queries
from storage.names import RepositoryName


async def manifests_of(queries: Queries, digest: str, limit: int) -> list[int]:
    """The ids of the manifests of this digest, of which each repository has its own."""
    rows = await queries.fetch_all(
        # There is no index by digest alone: repository by repository, each by its index.
        "SELECT m.id FROM repositories r CROSS JOIN manifests m WHERE m.repository_id = r.id AND m.digest = ? LIMIT ?",
        digest,
        limit,
    )
    return [row[0] for row in rows]


async def tags_of(queries: Queries, manifest_id: int, limit: int) -> list[str]:
    """The tags that point to the manifest."""
    rows = await queries.fetch_all(
        "SELECT name FROM tags WHERE manifest_id = ? ORDER BY name LIMIT ?", manifest_id, limit
    )
    return [row[0] for row in rows]


async def referencing(queries: Queries, repository_id: int, digest: str, limit: int) -> list[tuple[int, str]]:
    """Id and digest of the manifests of a repository that reference the digest."""
    rows = await queries.fetch_all(
        "SELECT m.id, m.digest FROM manifest_references x JOIN manifests m ON m.id = x.manifest_id"
        " WHERE x.repository_id = ? AND x.digest = ? LIMIT ?",
        repository_id,
        digest,
        limit,
    )
    return [(row[0], row[1]) for row in rows]


async def links_of(queries: Queries, digest: str, limit: int) -> list[tuple[int, RepositoryName, int]]:
    """The repositories that have the blob (id and name), and until when its link is protected in each."""
    rows = await queries.fetch_all(
        "SELECT l.repository_id, r.name, l.protected_until FROM blob_links l"
        " JOIN repositories r ON r.id = l.repository_id WHERE l.digest = ? ORDER BY r.name LIMIT ?",
        digest,
        limit,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def deleted_with(queries: Queries, digest: str, limit: int) -> list[tuple[RepositoryName, str, int]]:
    """Deleted manifests that need the blob: repository, digest, and when they were deleted."""
    rows = await queries.fetch_all(
        "SELECT r.name, m.digest, m.deleted_at FROM deleted_references x"
        " JOIN deleted_manifests m ON m.id = x.manifest_id JOIN repositories r ON r.id = m.repository_id"
        " WHERE x.digest = ? LIMIT ?",
        digest,
        limit,
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def deleted_of(queries: Queries, digest: str, limit: int) -> list[tuple[RepositoryName, int]]:
    """Repositories from which a manifest of this digest was deleted, and when."""
    rows = await queries.fetch_all(
        "SELECT r.name, m.deleted_at FROM repositories r CROSS JOIN deleted_manifests m"
        " WHERE m.repository_id = r.id AND m.digest = ? LIMIT ?",
        digest,
        limit,
    )
    return [(row[0], row[1]) for row in rows]
