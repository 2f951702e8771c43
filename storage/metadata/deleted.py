"""Rows of manifests that were deleted and can be brought back, and of the blobs that stay stored for them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.digest import Digest, parse_digest
from storage.metadata.among import parts
from storage.metadata.audit import storable
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class DeletedRow:
    """A manifest that is gone, and who deleted it. Times are in milliseconds since the Unix epoch."""

    id: int
    digest: str
    media_type: str
    size: int
    created_at: int
    deleted_at: int
    principal_kind: str
    principal: str


_COLUMNS = "id, digest, media_type, size, created_at, deleted_at, principal_kind, principal"


async def keep(tx: Transaction, manifest_id: int, now_ms: int, principal_kind: str, principal: str) -> None:
    """Write down a manifest that is about to be deleted, and which blobs it can read through its repository."""
    await tx.execute(
        "INSERT INTO deleted_manifests"
        " (repository_id, digest, media_type, size, created_at, content, deleted_at, principal_kind, principal)"
        " SELECT repository_id, digest, media_type, size, created_at, content, ?, ?, ? FROM manifests WHERE id = ?",
        now_ms,
        principal_kind,
        storable(principal),
        manifest_id,
    )
    await tx.execute(
        "INSERT INTO deleted_references (manifest_id, digest)"
        " SELECT d.id, x.digest FROM manifest_references x JOIN manifests m ON m.id = x.manifest_id"
        " JOIN deleted_manifests d ON d.repository_id = m.repository_id AND d.digest = m.digest"
        " JOIN blob_links l ON l.repository_id = m.repository_id AND l.digest = x.digest"
        " WHERE x.manifest_id = ? AND x.kind = 'blob'",
        manifest_id,
    )


async def find(queries: Queries, repository_id: int, digest: Digest) -> tuple[DeletedRow, bytes] | None:
    """The deleted manifest and its bytes."""
    row = await queries.fetch_one(
        f"SELECT {_COLUMNS}, content FROM deleted_manifests WHERE repository_id = ? AND digest = ?",  # noqa: S608 - a constant
        repository_id,
        str(digest),
    )
    return None if row is None else (DeletedRow(*row[:-1]), row[-1])


async def blobs_of(queries: Queries, deleted_id: int) -> list[Digest]:
    """The blobs that the manifest could read."""
    rows = await queries.fetch_all("SELECT digest FROM deleted_references WHERE manifest_id = ?", deleted_id)
    return [parse_digest(row[0]) for row in rows]


async def newest(queries: Queries, repository_id: int, before: int, limit: int) -> list[DeletedRow]:
    """At most `limit` of them with ids below `before`, those that were deleted last first."""
    rows = await queries.fetch_all(
        f"SELECT {_COLUMNS} FROM deleted_manifests"  # noqa: S608 - a constant
        " WHERE repository_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
        repository_id,
        before,
        limit,
    )
    return [DeletedRow(*row) for row in rows]


async def times(queries: Queries, repository_id: int, digests: list[str]) -> dict[str, int]:
    """When those of the manifests were deleted that can be brought back."""
    found: dict[str, int] = {}
    for part, marks in parts(digests):
        rows = await queries.fetch_all(
            "SELECT digest, deleted_at FROM deleted_manifests"  # noqa: S608 - marks only
            f" WHERE repository_id = ? AND digest IN ({marks})",
            repository_id,
            *part,
        )
        found.update((row[0], row[1]) for row in rows)
    return found


async def forget(tx: Transaction, repository_id: int, digest: Digest) -> None:
    """Remove what was written down, if it was: the manifest is there again."""
    await tx.execute("DELETE FROM deleted_manifests WHERE repository_id = ? AND digest = ?", repository_id, str(digest))
