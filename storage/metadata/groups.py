"""Rows of groups, and of the users in them."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class GroupRow:
    """`members` is how many users are in it."""

    id: int
    name: str
    description: str
    created_at: int
    members: int


_SELECT = (
    "SELECT g.id, g.name, g.description, g.created_at,"
    " (SELECT COUNT(*) FROM group_members m WHERE m.group_id = g.id) FROM groups g"
)


async def insert(tx: Transaction, name: str, description: str, now_ms: int) -> bool:
    """False if the name is taken."""
    inserted = await tx.execute(
        "INSERT INTO groups (name, description, created_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
        name,
        description,
        now_ms,
    )
    return inserted == 1


async def find(queries: Queries, name: str) -> GroupRow | None:
    row = await queries.fetch_one(f"{_SELECT} WHERE g.name = ?", name)
    return None if row is None else GroupRow(*row)


async def rows_after(queries: Queries, last: str, limit: int) -> list[GroupRow]:
    """At most `limit` groups with names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(f"{_SELECT} WHERE g.name > ? ORDER BY g.name LIMIT ?", last, limit)
    return [GroupRow(*row) for row in rows]


async def delete(tx: Transaction, group_id: int) -> None:
    """Take the group away, with its memberships and the rules about it."""
    await tx.execute("DELETE FROM groups WHERE id = ?", group_id)


async def add(tx: Transaction, group_id: int, principal_id: int) -> bool:
    """False if the user is in the group already."""
    inserted = await tx.execute(
        "INSERT INTO group_members (group_id, principal_id) VALUES (?, ?)"
        " ON CONFLICT (group_id, principal_id) DO NOTHING",
        group_id,
        principal_id,
    )
    return inserted == 1


async def remove(tx: Transaction, group_id: int, principal_id: int) -> bool:
    """False if the user is not in the group."""
    deleted = await tx.execute(
        "DELETE FROM group_members WHERE group_id = ? AND principal_id = ?", group_id, principal_id
    )
    return deleted == 1


async def members_after(queries: Queries, group_id: int, last: str, limit: int) -> list[str]:
    """At most `limit` names of users in the group greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(
        "SELECT p.name FROM group_members m JOIN principals p ON p.id = m.principal_id"
        " WHERE m.group_id = ? AND p.name > ? ORDER BY p.name LIMIT ?",
        group_id,
        last,
        limit,
    )
    return [row[0] for row in rows]
