"""Rows of constraints: the entitlements that a license needs to have a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class ConstraintRow:
    """`entitlement` is its uuid, `code` its code."""

    id: int
    uuid: str
    entitlement_id: int
    entitlement: str
    code: str
    created_at: int


_SELECT = (
    "SELECT c.id, c.uuid, c.entitlement_id, e.uuid, e.code, c.created_at FROM constraints c"
    " JOIN entitlements e ON e.id = c.entitlement_id WHERE c.release_id = ?"
)


async def insert(tx: Transaction, uuid: str, release_id: int, entitlement_id: int, now_ms: int) -> bool:
    """False if the release has a constraint with this entitlement."""
    inserted = await tx.execute(
        "INSERT INTO constraints (uuid, release_id, entitlement_id, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        uuid,
        release_id,
        entitlement_id,
        now_ms,
    )
    return inserted == 1


async def find(queries: Queries, release_id: int, uuid: str) -> ConstraintRow | None:
    row = await queries.fetch_one(f"{_SELECT} AND c.uuid = ?", release_id, uuid)
    return None if row is None else ConstraintRow(*row)


async def of_release(queries: Queries, release_id: int) -> list[ConstraintRow]:
    """The newest first; a release has few."""
    rows = await queries.fetch_all(f"{_SELECT} ORDER BY c.id DESC", release_id)
    return [ConstraintRow(*row) for row in rows]


async def required(queries: Queries, release_ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """The codes that each of a few hundred releases asks for; those that ask for none are not in it."""
    if not release_ids:
        return {}
    marks = ", ".join("?" * len(release_ids))
    rows = await queries.fetch_all(
        "SELECT c.release_id, e.code FROM constraints c JOIN entitlements e ON e.id = c.entitlement_id"  # noqa: S608
        f" WHERE c.release_id IN ({marks})",
        *release_ids,
    )
    codes: dict[int, set[str]] = {}
    for release_id, code in rows:
        codes.setdefault(release_id, set()).add(code)
    return {release_id: frozenset(found) for release_id, found in codes.items()}


async def delete(tx: Transaction, release_id: int, uuid: str) -> bool:
    """False if the release has no such constraint."""
    return await tx.execute("DELETE FROM constraints WHERE release_id = ? AND uuid = ?", release_id, uuid) == 1
