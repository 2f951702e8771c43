"""Rows of manifests, what they reference, and who refers to them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.digest import Digest, parse_digest
from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class StoredManifest:
    digest: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class NewManifest:
    """A manifest about to be stored. `descriptor` is its JSON entry in its subject's referrers list."""

    digest: Digest
    media_type: str
    artifact_type: str | None
    subject: Digest | None
    descriptor: str | None
    content: bytes


@dataclass(frozen=True, slots=True)
class Reference:
    """One edge of a manifest. `kind` is `blob` or `manifest`; what is not `required` may be absent."""

    digest: Digest
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Referrer:
    manifest_id: int
    descriptor: str


_COLUMNS = "m.digest, m.media_type, m.content"


async def by_tag(queries: Queries, repository: RepositoryName, tag: Tag) -> StoredManifest | None:
    row = await queries.fetch_one(
        f"SELECT {_COLUMNS} FROM repositories r"  # noqa: S608 - a constant
        " JOIN tags t ON t.repository_id = r.id"
        " JOIN manifests m ON m.id = t.manifest_id"
        " WHERE r.name = ? AND t.name = ?",
        repository,
        tag,
    )
    return None if row is None else StoredManifest(*row)


async def by_digest(queries: Queries, repository: RepositoryName, digest: Digest) -> StoredManifest | None:
    row = await queries.fetch_one(
        f"SELECT {_COLUMNS} FROM repositories r"  # noqa: S608 - a constant
        " JOIN manifests m ON m.repository_id = r.id"
        " WHERE r.name = ? AND m.digest = ?",
        repository,
        str(digest),
    )
    return None if row is None else StoredManifest(*row)


async def find_id(queries: Queries, repository_id: int, digest: Digest) -> int | None:
    row = await queries.fetch_one(
        "SELECT id FROM manifests WHERE repository_id = ? AND digest = ?", repository_id, str(digest)
    )
    return None if row is None else int(row[0])


async def insert(
    tx: Transaction, repository_id: int, manifest: NewManifest, references: list[Reference], now_ms: int
) -> int:
    """Store the manifest and its edges, or find it stored already; return its id."""
    known = await find_id(tx, repository_id, manifest.digest)
    if known is not None:
        await tx.execute("UPDATE manifests SET media_type = ? WHERE id = ?", manifest.media_type, known)
        return known
    await tx.execute(
        "INSERT INTO manifests (repository_id, digest, media_type, artifact_type, subject, size, created_at,"
        " descriptor, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        repository_id,
        str(manifest.digest),
        manifest.media_type,
        manifest.artifact_type,
        None if manifest.subject is None else str(manifest.subject),
        len(manifest.content),
        now_ms,
        manifest.descriptor,
        manifest.content,
    )
    manifest_id = await find_id(tx, repository_id, manifest.digest)
    if manifest_id is None:
        raise RuntimeError("a manifest that was just inserted cannot be found")
    for reference in references:
        await tx.execute(
            "INSERT INTO manifest_references (manifest_id, digest, kind, required, repository_id)"
            " VALUES (?, ?, ?, ?, ?) ON CONFLICT (manifest_id, digest)"
            " DO UPDATE SET required = CASE WHEN excluded.required = 1 THEN 1 ELSE manifest_references.required END",
            manifest_id,
            str(reference.digest),
            reference.kind,
            int(reference.required),
            repository_id,
        )
    return manifest_id


async def delete(tx: Transaction, manifest_id: int) -> None:
    """Remove the manifest and its edges. Its tags have to be gone already."""
    await tx.execute("DELETE FROM manifest_references WHERE manifest_id = ?", manifest_id)
    await tx.execute("DELETE FROM manifests WHERE id = ?", manifest_id)


async def requiring(queries: Queries, repository_id: int, digest: Digest) -> Digest | None:
    """A manifest of the repository that needs this blob or manifest, if there is one."""
    row = await queries.fetch_one(
        "SELECT m.digest FROM manifest_references x JOIN manifests m ON m.id = x.manifest_id"
        " WHERE x.repository_id = ? AND x.digest = ? AND x.required = 1 LIMIT 1",
        repository_id,
        str(digest),
    )
    return None if row is None else parse_digest(row[0])


async def referrers_after(
    queries: Queries, repository: RepositoryName, subject: Digest, artifact_type: str | None, last: int, limit: int
) -> list[Referrer]:
    """Referrers of the subject pushed after the manifest with id `last`, oldest first."""
    wanted = "" if artifact_type is None else " AND m.artifact_type = ?"
    rows = await queries.fetch_all(
        "SELECT m.id, m.descriptor FROM repositories r JOIN manifests m ON m.repository_id = r.id"  # noqa: S608
        f" WHERE r.name = ? AND m.subject = ? AND m.id > ?{wanted} ORDER BY m.id LIMIT ?",
        repository,
        str(subject),
        last,
        *(() if artifact_type is None else (artifact_type,)),
        limit,
    )
    return [Referrer(*row) for row in rows]
