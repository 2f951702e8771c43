"""Rows of manifests, what they reference, and who refers to them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.digest import Digest, parse_digest
from storage.metadata import deleted
from storage.metadata.store import Queries, Row, Transaction
from storage.names import RepositoryName, Tag


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it was pushed. `held_at` is when something last held it, in milliseconds since the Unix epoch."""

    digest: str
    media_type: str
    content: bytes
    held_at: int


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


_COLUMNS = "m.digest, m.media_type, CASE WHEN m.digest = ? THEN NULL ELSE m.content END, m.held_at"
_NOTHING = ("", b"")


async def by_tag(
    queries: Queries, repository: RepositoryName, tag: Tag, known: tuple[str, bytes] | None = None
) -> StoredManifest | None:
    """The manifest that the tag leads to. If its digest is the one in `known`, its bytes are taken from there, too."""
    known = known or _NOTHING
    row = await queries.fetch_one(
        f"SELECT {_COLUMNS} FROM repositories r"  # noqa: S608 - a constant
        " JOIN tags t ON t.repository_id = r.id"
        " JOIN manifests m ON m.id = t.manifest_id"
        " WHERE r.name = ? AND t.name = ?",
        known[0],
        repository,
        tag,
    )
    return _stored(row, known)


async def by_digest(
    queries: Queries, repository: RepositoryName, digest: Digest, known: tuple[str, bytes] | None = None
) -> StoredManifest | None:
    """The manifest, if the repository has it; with its bytes as `by_tag` has them."""
    known = known or _NOTHING
    row = await queries.fetch_one(
        f"SELECT {_COLUMNS} FROM repositories r"  # noqa: S608 - a constant
        " JOIN manifests m ON m.repository_id = r.id"
        " WHERE r.name = ? AND m.digest = ?",
        known[0],
        repository,
        str(digest),
    )
    return _stored(row, known)


def _stored(row: Row | None, known: tuple[str, bytes]) -> StoredManifest | None:
    if row is None:
        return None
    digest, media_type, content, held_at = row
    return StoredManifest(digest, media_type, known[1] if content is None else content, held_at)


async def find_id(queries: Queries, repository_id: int, digest: Digest) -> int | None:
    row = await queries.fetch_one(
        "SELECT id FROM manifests WHERE repository_id = ? AND digest = ?", repository_id, str(digest)
    )
    return None if row is None else int(row[0])


async def insert(
    tx: Transaction,
    repository_id: int,
    manifest: NewManifest,
    references: list[Reference],
    now_ms: int,
    created_ms: int | None = None,
) -> int:
    """Store the manifest and its edges, or find it stored already; return its id.

    It, and the parts of an index, are held from now on. `created_ms` is when it was pushed first, if that is not now.
    """
    row = await tx.fetch_one(
        "SELECT id, media_type FROM manifests WHERE repository_id = ? AND digest = ?",
        repository_id,
        str(manifest.digest),
    )
    if row is None:
        manifest_id = await _insert_row(tx, repository_id, manifest, now_ms, created_ms)
        await deleted.forget(tx, repository_id, manifest.digest)
    else:
        manifest_id = int(row[0])
        await hold(tx, manifest_id, now_ms)
        if row[1] != manifest.media_type:
            # Bytes that do not say what they are may be pushed as another type, and then need other things.
            await _reinterpret(tx, manifest_id, manifest)
    if row is None or row[1] != manifest.media_type:
        for reference in references:
            await _insert_reference(tx, repository_id, manifest_id, reference)
    if any(reference.kind == "manifest" for reference in references):
        await _hold_parts(tx, repository_id, manifest_id, now_ms)
    return manifest_id


def _facts(manifest: NewManifest) -> tuple[str, str | None, str | None, str | None]:
    subject = None if manifest.subject is None else str(manifest.subject)
    return manifest.media_type, manifest.artifact_type, subject, manifest.descriptor


async def _insert_row(
    tx: Transaction, repository_id: int, manifest: NewManifest, now_ms: int, created_ms: int | None
) -> int:
    await tx.execute(
        "INSERT INTO manifests (media_type, artifact_type, subject, descriptor, repository_id, digest, size,"
        " created_at, held_at, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *_facts(manifest),
        repository_id,
        str(manifest.digest),
        len(manifest.content),
        now_ms if created_ms is None else created_ms,
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


# So exact is the time at which something was held: when many push the same at once, they do not all change its row.
_PRECISION_MS = 60_000

# The parts of an index.
_PARTS = "(SELECT digest FROM manifest_references WHERE manifest_id = ? AND kind = 'manifest')"


async def hold(tx: Transaction, manifest_id: int, now_ms: int) -> None:
    """Something holds the manifest, or held it until now."""
    await tx.execute(
        "UPDATE manifests SET held_at = ?, orphaned = 0 WHERE id = ? AND (held_at < ? OR orphaned = 1)",
        now_ms,
        manifest_id,
        now_ms - _PRECISION_MS,
    )


async def renew(tx: Transaction, repository: RepositoryName, digest: Digest, now_ms: int) -> bool:
    """Note that somebody relies on the manifest now; false if it is not there."""
    renewed = await tx.execute(
        "UPDATE manifests SET held_at = ?"
        " WHERE digest = ? AND repository_id = (SELECT id FROM repositories WHERE name = ?)",
        now_ms,
        str(digest),
        repository,
    )
    return renewed == 1


async def _hold_parts(tx: Transaction, repository_id: int, index_id: int, now_ms: int) -> None:
    await tx.execute(
        "UPDATE manifests SET held_at = ?, orphaned = 0"  # noqa: S608 - a constant
        f" WHERE repository_id = ? AND digest IN {_PARTS} AND (held_at < ? OR orphaned = 1)",
        now_ms,
        repository_id,
        index_id,
        now_ms - _PRECISION_MS,
    )


async def let_go(tx: Transaction, repository_id: int, manifest_id: int, digest: Digest, now_ms: int) -> None:
    """Note when that manifest, which is about to be deleted, last held its parts, its referrers and its attachments.

    Parts are orphaned when neither a tag nor another index holds them.
    """
    await tx.execute(
        "UPDATE manifests SET held_at = ?, orphaned = CASE"  # noqa: S608 - a constant
        " WHEN EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = manifests.id)"
        " OR EXISTS (SELECT 1 FROM manifest_references x WHERE x.repository_id = manifests.repository_id"
        " AND x.digest = manifests.digest AND x.kind = 'manifest' AND x.manifest_id <> ?)"
        f" THEN orphaned ELSE 1 END WHERE repository_id = ? AND digest IN {_PARTS}",
        now_ms,
        manifest_id,
        repository_id,
        manifest_id,
    )
    await tx.execute(
        "UPDATE manifests SET held_at = ? WHERE repository_id = ? AND subject = ?", now_ms, repository_id, str(digest)
    )
    # What clients keep under tags of its digest: signatures, and lists of referrers. '/' is what comes after '.'.
    attached = f"{digest.algorithm}-{digest.hex[:64]}"
    await tx.execute(
        "UPDATE manifests SET held_at = ?"
        " WHERE id IN (SELECT manifest_id FROM tags WHERE repository_id = ? AND name >= ? AND name < ?)",
        now_ms,
        repository_id,
        attached,
        f"{attached}/",
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
