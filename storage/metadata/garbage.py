"""Rows that nothing needs any more: how they are found, and how they go.

What finds them reads without a lock, a slice at a time. What removes them asks everything once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class LinkSeen:
    """A link of a blob. It is `needless` if no manifest of its repository needs the blob, and no lease protects it."""

    repository_id: int
    digest: str
    needless: bool


@dataclass(frozen=True, slots=True)
class BlobSeen:
    """A stored blob. It is `needless` if all its links are, and nothing that can be brought back needs it."""

    digest: str
    size: int
    storage_key: str
    needless: bool


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Bytes that no row named when they were marked, and from when on they may go."""

    due_at: int
    storage_key: str


_IS_REFERENCED = (
    "EXISTS (SELECT 1 FROM manifest_references x WHERE x.repository_id = l.repository_id AND x.digest = l.digest)"
)


async def links_after(queries: Queries, last: tuple[int, str], now_ms: int, limit: int) -> list[LinkSeen]:
    """The next links after that of a repository's id and a digest, in their order."""
    rows = await queries.fetch_all(
        f"SELECT l.repository_id, l.digest, l.protected_until < ? AND NOT {_IS_REFERENCED}"  # noqa: S608 - a constant
        " FROM blob_links l WHERE (l.repository_id, l.digest) > (?, ?) ORDER BY l.repository_id, l.digest LIMIT ?",
        now_ms,
        *last,
        limit,
    )
    return [LinkSeen(row[0], row[1], bool(row[2])) for row in rows]


async def unlink(tx: Transaction, link: LinkSeen, now_ms: int) -> bool:
    """Remove the link; false if it is needed now, or gone."""
    removed = await tx.execute(
        "DELETE FROM blob_links WHERE repository_id = ? AND digest = ? AND protected_until < ?"
        " AND NOT EXISTS (SELECT 1 FROM manifest_references x"
        " WHERE x.repository_id = blob_links.repository_id AND x.digest = blob_links.digest)",
        link.repository_id,
        link.digest,
        now_ms,
    )
    return removed == 1


async def blobs_after(queries: Queries, last: str, now_ms: int, deleted_before_ms: int, limit: int) -> list[BlobSeen]:
    """The next blobs after a digest. What was deleted before `deleted_before_ms` cannot be brought back."""
    rows = await queries.fetch_all(
        "SELECT b.digest, b.size, b.storage_key,"  # noqa: S608 - a constant
        " NOT EXISTS (SELECT 1 FROM blob_links l WHERE l.digest = b.digest"
        f" AND (l.protected_until >= ? OR {_IS_REFERENCED}))"
        " AND NOT EXISTS (SELECT 1 FROM deleted_references d JOIN deleted_manifests m ON m.id = d.manifest_id"
        " WHERE d.digest = b.digest AND m.deleted_at >= ?)"
        " FROM blobs b WHERE b.digest > ? ORDER BY b.digest LIMIT ?",
        now_ms,
        deleted_before_ms,
        last,
        limit,
    )
    return [BlobSeen(row[0], row[1], row[2], bool(row[3])) for row in rows]


async def delete_blob(tx: Transaction, blob: BlobSeen, due_ms: int) -> bool:
    """Remove the row, and mark its bytes as unwanted; false if the blob is needed now, or gone, or has other bytes."""
    removed = await tx.execute(
        "DELETE FROM blobs WHERE digest = ? AND storage_key = ?"
        " AND NOT EXISTS (SELECT 1 FROM blob_links l WHERE l.digest = blobs.digest)"
        " AND NOT EXISTS (SELECT 1 FROM deleted_references d WHERE d.digest = blobs.digest)",
        blob.digest,
        blob.storage_key,
    )
    if removed:
        await mark(tx, blob.storage_key, due_ms)
    return removed == 1


async def forget(tx: Transaction, deleted_before_ms: int, limit: int) -> int:
    """Drop deleted manifests that cannot be brought back any more; return how many of at most `limit`."""
    rows = await tx.fetch_all(
        "SELECT id FROM deleted_manifests WHERE deleted_at < ? ORDER BY deleted_at LIMIT ?", deleted_before_ms, limit
    )
    for (manifest_id,) in rows:
        await tx.execute("DELETE FROM deleted_references WHERE manifest_id = ?", manifest_id)
        await tx.execute("DELETE FROM deleted_manifests WHERE id = ?", manifest_id)
    return len(rows)


async def forgettable(queries: Queries, deleted_before_ms: int) -> int:
    """How many deleted manifests cannot be brought back any more."""
    row = await queries.fetch_one("SELECT COUNT(*) FROM deleted_manifests WHERE deleted_at < ?", deleted_before_ms)
    return 0 if row is None else int(row[0])


async def mark(tx: Transaction, storage_key: str, due_ms: int) -> None:
    """Let the bytes be removed from then on, unless a row names them by then."""
    await tx.execute(
        "INSERT INTO unwanted_bytes (storage_key, due_at) VALUES (?, ?) ON CONFLICT (storage_key) DO NOTHING",
        storage_key,
        due_ms,
    )


async def unmark(tx: Transaction, storage_key: str) -> None:
    await tx.execute("DELETE FROM unwanted_bytes WHERE storage_key = ?", storage_key)


async def due_after(queries: Queries, last: Unwanted, now_ms: int, limit: int) -> list[Unwanted]:
    """The next marks after one of them, of which the time has come."""
    rows = await queries.fetch_all(
        "SELECT due_at, storage_key FROM unwanted_bytes WHERE (due_at, storage_key) > (?, ?) AND due_at <= ?"
        " ORDER BY due_at, storage_key LIMIT ?",
        last.due_at,
        last.storage_key,
        now_ms,
        limit,
    )
    return [Unwanted(*row) for row in rows]


async def named(queries: Queries, storage_keys: list[str]) -> set[str]:
    """Those of a few hundred keys that a blob has."""
    return await _among(queries, "blobs", storage_keys)


async def marked(queries: Queries, storage_keys: list[str]) -> set[str]:
    """Those of a few hundred keys that are marked as unwanted."""
    return await _among(queries, "unwanted_bytes", storage_keys)


async def _among(queries: Queries, table: str, storage_keys: list[str]) -> set[str]:
    marks = ", ".join("?" * len(storage_keys))
    rows = await queries.fetch_all(
        f"SELECT storage_key FROM {table} WHERE storage_key IN ({marks})",  # noqa: S608 - constants
        *storage_keys,
    )
    return {row[0] for row in rows}
