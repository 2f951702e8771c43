"""Rows of upload sessions. How far an upload got is known by the blob driver, not here."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction
from storage.names import RepositoryName


@dataclass(frozen=True, slots=True)
class UploadRow:
    id: str
    algorithm: str
    touched_at: int


async def insert(tx: Transaction, upload: UploadRow, repository: RepositoryName, principal: str) -> None:
    await tx.execute(
        "INSERT INTO uploads (id, repository, principal, algorithm, created_at, touched_at) VALUES (?, ?, ?, ?, ?, ?)",
        upload.id,
        repository,
        principal,
        upload.algorithm,
        upload.touched_at,
        upload.touched_at,
    )


async def find(queries: Queries, upload_id: str, repository: RepositoryName, principal: str) -> UploadRow | None:
    """The session, if this principal began it in this repository: an id alone opens nothing."""
    row = await queries.fetch_one(
        "SELECT id, algorithm, touched_at FROM uploads WHERE id = ? AND repository = ? AND principal = ?",
        upload_id,
        repository,
        principal,
    )
    return None if row is None else UploadRow(*row)


async def touched_at(queries: Queries, upload_id: str) -> int | None:
    """When the session was touched last; None if it has ended."""
    row = await queries.fetch_one("SELECT touched_at FROM uploads WHERE id = ?", upload_id)
    return None if row is None else int(row[0])


async def touch(tx: Transaction, upload_id: str, now_ms: int) -> None:
    await tx.execute("UPDATE uploads SET touched_at = ? WHERE id = ?", now_ms, upload_id)


async def delete(tx: Transaction, upload_id: str) -> bool:
    return await tx.execute("DELETE FROM uploads WHERE id = ?", upload_id) == 1


async def untouched_since(queries: Queries, before_ms: int, limit: int) -> list[UploadRow]:
    """The sessions that nobody has touched since, longest idle first."""
    rows = await queries.fetch_all(
        "SELECT id, algorithm, touched_at FROM uploads WHERE touched_at < ? ORDER BY touched_at LIMIT ?",
        before_ms,
        limit,
    )
    return [UploadRow(*row) for row in rows]
