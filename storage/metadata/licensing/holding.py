"""What keeps the bytes of artifacts: their blobs' links have leases without an end, for as long as there are artifacts.

So they stay while a release is a draft, which may be for ever, and when its manifest is deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from storage.metadata.licensing.artifacts import ARTIFACTS
from storage.metadata.store import Queries, Transaction

HELD_MS: Final = 253_402_300_799_999
"""The end of a lease that has none: the end of the year 9999."""

BLOB: Final = "blob"
MANIFEST: Final = "manifest"


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an artifact: a blob that the repository links, or a manifest that it has. `size` is in bytes."""

    repository_id: int
    kind: str
    digest: str
    size: int
    media_type: str | None = None


async def upload(tx: Transaction, artifact_id: int, content: Content, now_ms: int) -> bool:
    """Let the artifact be UPLOADED, with these bytes, and keep them; false if the repository does not have them."""
    if not await _hold(tx, content):
        return False
    return await ARTIFACTS.update(
        tx,
        artifact_id,
        now_ms,
        status="UPLOADED",
        status_at=now_ms,
        upload=None,
        repository_id=content.repository_id,
        kind=content.kind,
        digest=content.digest,
        size=content.size,
        media_type=content.media_type,
    )


async def _hold(tx: Transaction, content: Content) -> bool:
    if content.kind == MANIFEST:
        # Its tag holds it, and it holds its blobs.
        row = await tx.fetch_one(
            "SELECT 1 FROM manifests WHERE repository_id = ? AND digest = ?", content.repository_id, content.digest
        )
        return row is not None
    held = await tx.execute(
        "UPDATE blob_links SET protected_until = ? WHERE repository_id = ? AND digest = ?",
        HELD_MS,
        content.repository_id,
        content.digest,
    )
    return held == 1


async def let_go(tx: Transaction, repository_id: int, digest: str, until_ms: int) -> None:
    """Hold the blob no longer than until then, unless an artifact still needs it. To be called after one has gone."""
    await tx.execute(
        "UPDATE blob_links SET protected_until = ? WHERE repository_id = ? AND digest = ? AND protected_until = ?"
        " AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.repository_id = ? AND a.digest = ?)",
        until_ms,
        repository_id,
        digest,
        HELD_MS,
        repository_id,
        digest,
    )


async def delete(tx: Transaction, artifact_id: int, until_ms: int) -> bool:
    """Remove the artifact, and keep its bytes until then, if nothing else does; false if there is none."""
    row = await tx.fetch_one("SELECT repository_id, digest FROM artifacts WHERE id = ?", artifact_id)
    if row is None:
        return False
    await ARTIFACTS.delete(tx, artifact_id)
    if row[1] is not None:
        await let_go(tx, row[0], row[1], until_ms)
    return True


async def needed_by(queries: Queries, repository_id: int, digest: str) -> str | None:
    """The uuid of an artifact that has these bytes, so that the repository may not give them up."""
    row = await queries.fetch_one(
        "SELECT uuid FROM artifacts WHERE repository_id = ? AND digest = ? LIMIT 1", repository_id, digest
    )
    return None if row is None else str(row[0])
