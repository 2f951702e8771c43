"""Rows of blobs, and the links that make a blob readable through a repository."""

from __future__ import annotations

from dataclasses import dataclass

from storage.digest import Digest
from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName


@dataclass(frozen=True, slots=True)
class BlobRow:
    """Where the bytes are. Those of a `damaged` blob are not what its digest says, and nobody may get them."""

    size: int
    storage_key: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class LinkedBlob(BlobRow):
    """A blob as one repository has it: the link stays until `protected_until`, whether something needs it or not."""

    protected_until: int = 0


async def linked(queries: Queries, repository: RepositoryName, digest: Digest) -> LinkedBlob | None:
    """The blob, if this repository links it. Knowing a digest is not enough to get at its bytes."""
    row = await queries.fetch_one(
        "SELECT b.size, b.storage_key, b.damaged_at IS NOT NULL, l.protected_until FROM repositories r"
        " JOIN blob_links l ON l.repository_id = r.id"
        " JOIN blobs b ON b.digest = l.digest"
        " WHERE r.name = ? AND l.digest = ?",
        repository,
        str(digest),
    )
    return None if row is None else LinkedBlob(row[0], row[1], bool(row[2]), row[3])


async def find(queries: Queries, digest: Digest) -> BlobRow | None:
    """The stored bytes of a digest, whoever links them. Never tell a client what this answers."""
    row = await queries.fetch_one(
        "SELECT size, storage_key, damaged_at IS NOT NULL FROM blobs WHERE digest = ?", str(digest)
    )
    return None if row is None else BlobRow(row[0], row[1], bool(row[2]))


async def insert(tx: Transaction, digest: Digest, blob: BlobRow, now_ms: int) -> bool:
    """Record stored bytes; false if the digest is stored already (the row then keeps the key that it has)."""
    inserted = await tx.execute(
        "INSERT INTO blobs (digest, size, storage_key, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (digest) DO NOTHING",
        str(digest),
        blob.size,
        blob.storage_key,
        now_ms,
    )
    return inserted == 1


async def move(tx: Transaction, digest: Digest, old_key: str, new: BlobRow) -> bool:
    """Let the digest's bytes be those that were stored anew; false if they are not those under the old key any more."""
    moved = await tx.execute(
        "UPDATE blobs SET size = ?, storage_key = ?, damaged_at = NULL WHERE digest = ? AND storage_key = ?",
        new.size,
        new.storage_key,
        str(digest),
        old_key,
    )
    return moved == 1


async def link(tx: Transaction, repository_id: int, digest: Digest, now_ms: int, until_ms: int) -> None:
    """Link the blob, or keep its link, at least until then."""
    await tx.execute(
        "INSERT INTO blob_links (repository_id, digest, created_at, protected_until) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (repository_id, digest) DO UPDATE SET protected_until ="
        " CASE WHEN excluded.protected_until > blob_links.protected_until"
        " THEN excluded.protected_until ELSE blob_links.protected_until END",
        repository_id,
        str(digest),
        now_ms,
        until_ms,
    )


async def protect(tx: Transaction, repository: RepositoryName, digest: Digest, until_ms: int) -> bool:
    """Keep the link at least until then; false if there is none."""
    protected = await tx.execute(
        "UPDATE blob_links SET protected_until = CASE WHEN protected_until < ? THEN ? ELSE protected_until END"
        " WHERE digest = ? AND repository_id = (SELECT id FROM repositories WHERE name = ?)",
        until_ms,
        until_ms,
        str(digest),
        repository,
    )
    return protected == 1


async def unlink(tx: Transaction, repository_id: int, digest: Digest) -> bool:
    removed = await tx.execute(
        "DELETE FROM blob_links WHERE repository_id = ? AND digest = ?", repository_id, str(digest)
    )
    return removed == 1


async def totals(queries: Queries) -> tuple[int, int]:
    """How many blobs are stored, and their sizes' sum in bytes."""
    row = await queries.fetch_one("SELECT COUNT(*), COALESCE(SUM(size), 0) FROM blobs")
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


async def repositories_linking(queries: Queries, digest: Digest, limit: int) -> list[RepositoryName]:
    """Some repositories that link the blob. Callers filter them by what their principal may read."""
    rows = await queries.fetch_all(
        "SELECT r.name FROM blob_links l JOIN repositories r ON r.id = l.repository_id WHERE l.digest = ? LIMIT ?",
        str(digest),
        limit,
    )
    return [RepositoryName(row[0]) for row in rows]
