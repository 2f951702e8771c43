"""Rows of blobs and manifests as the scrub goes over them, and of blobs whose bytes are damaged."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.among import parts
from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob, whoever links it. `damaged_at` is when its bytes were found to be wrong, if they were."""

    digest: str
    size: int
    storage_key: str
    damaged_at: int | None


@dataclass(frozen=True, slots=True)
class NamedManifest:
    id: int
    digest: str
    repository: RepositoryName


_COLUMNS = "digest, size, storage_key, damaged_at"


async def blobs_after(queries: Queries, last: str, limit: int) -> list[StoredBlob]:
    """The next blobs after a digest, in the order of digests."""
    rows = await queries.fetch_all(
        f"SELECT {_COLUMNS} FROM blobs WHERE digest > ? ORDER BY digest LIMIT ?",  # noqa: S608 - a constant
        last,
        limit,
    )
    return [StoredBlob(*row) for row in rows]


async def damaged_after(queries: Queries, last: str, limit: int) -> list[StoredBlob]:
    """The next damaged blobs after a digest, in the order of digests."""
    rows = await queries.fetch_all(
        f"SELECT {_COLUMNS} FROM blobs WHERE damaged_at IS NOT NULL"  # noqa: S608 - a constant
        " AND digest > ? ORDER BY digest LIMIT ?",
        last,
        limit,
    )
    return [StoredBlob(*row) for row in rows]


async def find(queries: Queries, digest: str) -> StoredBlob | None:
    row = await queries.fetch_one(f"SELECT {_COLUMNS} FROM blobs WHERE digest = ?", digest)  # noqa: S608 - a constant
    return None if row is None else StoredBlob(*row)


async def mark(tx: Transaction, blob: StoredBlob, damaged_at: int | None) -> bool:
    """Write down that the blob's bytes are damaged, or are not; false if it has other bytes by now, or is gone."""
    marked = await tx.execute(
        "UPDATE blobs SET damaged_at = ? WHERE digest = ? AND storage_key = ?",
        damaged_at,
        blob.digest,
        blob.storage_key,
    )
    return marked == 1


async def among(queries: Queries, digests: list[str]) -> set[str]:
    """Those of the digests whose bytes are damaged."""
    found: set[str] = set()
    for part, marks in parts(digests):
        rows = await queries.fetch_all(
            f"SELECT digest FROM blobs WHERE damaged_at IS NOT NULL AND digest IN ({marks})",  # noqa: S608 - marks only
            *part,
        )
        found.update(row[0] for row in rows)
    return found


async def count(queries: Queries) -> int:
    """How many blobs are damaged."""
    row = await queries.fetch_one("SELECT COUNT(*) FROM blobs WHERE damaged_at IS NOT NULL")
    return 0 if row is None else int(row[0])


async def repositories(queries: Queries, digest: str, limit: int) -> list[str]:
    """Some repositories that link the blob, in ASCII order."""
    rows = await queries.fetch_all(
        "SELECT r.name FROM blob_links l JOIN repositories r ON r.id = l.repository_id WHERE l.digest = ? LIMIT ?",
        digest,
        limit,
    )
    return sorted(row[0] for row in rows)


async def tags_needing(queries: Queries, digest: str, limit: int) -> list[str]:
    """Some tags that cannot be pulled without this blob, each as `repository:tag`; those of indexes too."""
    rows = await queries.fetch_all(
        "WITH RECURSIVE needing (id, digest, repository_id) AS ("
        " SELECT m.id, m.digest, m.repository_id FROM blob_links l"
        " JOIN manifest_references x ON x.repository_id = l.repository_id AND x.digest = l.digest"
        " JOIN manifests m ON m.id = x.manifest_id WHERE l.digest = ?"
        " UNION SELECT m.id, m.digest, m.repository_id FROM needing n"
        " JOIN manifest_references x ON x.repository_id = n.repository_id AND x.digest = n.digest"
        " JOIN manifests m ON m.id = x.manifest_id)"
        " SELECT r.name, t.name FROM needing n JOIN tags t ON t.manifest_id = n.id"
        " JOIN repositories r ON r.id = n.repository_id ORDER BY r.name, t.name LIMIT ?",
        digest,
        limit,
    )
    return [f"{repository}:{tag}" for repository, tag in rows]


async def manifests_after(queries: Queries, last: int, limit: int) -> list[NamedManifest]:
    """The next manifests after an id, in the order of ids."""
    rows = await queries.fetch_all(
        "SELECT m.id, m.digest, r.name FROM manifests m JOIN repositories r ON r.id = m.repository_id"
        " WHERE m.id > ? ORDER BY m.id LIMIT ?",
        last,
        limit,
    )
    return [NamedManifest(row[0], row[1], RepositoryName(row[2])) for row in rows]


async def content(queries: Queries, manifest_id: int) -> bytes | None:
    """The bytes of a manifest; None when it is gone."""
    row = await queries.fetch_one("SELECT content FROM manifests WHERE id = ?", manifest_id)
    return None if row is None else bytes(row[0])
