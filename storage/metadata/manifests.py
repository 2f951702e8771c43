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
    row = await tx.fetch_one(
        "SELECT id, media_type FROM manifests WHERE repository_id = ? AND digest = ?",
        repository_id,
        str(manifest.digest),
    )
    if row is None:
        manifest_id = await _insert_row(tx, repository_id, manifest, now_ms)
    elif row[1] == manifest.media_type:
        return int(row[0])
    else:
        # Bytes that do not say what they are may be pushed as another type, and then need other things.
        manifest_id = int(row[0])
        await _reinterpret(tx, manifest_id, manifest)
    for reference in references:
        await _insert_reference(tx, repository_id, manifest_id, reference)
    return manifest_id


def _facts(manifest: NewManifest) -> tuple[str, str | None, str | None, str | None]:
    subject = None if manifest.subject is None else str(manifest.subject)
    return manifest.media_type, manifest.artifact_type, subject, manifest.descriptor


async def _insert_row(tx: Transaction, repository_id: int, manifest: NewManifest, now_ms: int) -> int:
    await tx.execute(
        "INSERT INTO manifests (media_type, artifact_type, subject, descriptor, repository_id, digest, size,"
        " created_at, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *_facts(manifest),
        repository_id,
        str(manifest.digest),
        len(manifest.content),
        now_ms,
        manifest.content,
    )
    manifest_id = await find_id(tx, repository_id, manifest.digest)
    if manifest_id is None:
        raise RuntimeError("a manifest that was just inserted cannot be found")
    return manifest_id


async def _reinterpret(tx: Transaction, manifest_id: int, manifest: NewManifest) -> None:
    await tx.execute(
        "UPDATE manifests SET media_type = ?, artifact_type = ?, subject = ?, descriptor = ? WHERE id = ?",
        *_facts(manifest),
        manifest_id,
    )
    await tx.execute("DELETE FROM manifest_references WHERE manifest_id = ?", manifest_id)


async def _insert_reference(tx: Transaction, repository_id: int, manifest_id: int, reference: Reference) -> None:
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
        "SELECT m.id, m.descriptor FROM manifests m"  # noqa: S608
        " WHERE m.repository_id = (SELECT id FROM repositories WHERE name = ?)"
        f" AND m.subject = ? AND m.id > ?{wanted} ORDER BY m.id LIMIT ?",
        repository,
        str(subject),
        last,
        *(() if artifact_type is None else (artifact_type,)),
        limit,
    )
    return [Referrer(*row) for row in rows]
