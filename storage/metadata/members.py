"""Rows of members, and the subjects that rights can be given to."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class MemberRow:
    """`subject` is `user:…`, `robot:…` or `group:…`."""

    subject: str
    role: str
    created_at: int


# A project has as many members as people know each other: they are sorted for every page.
_SELECT = """
    SELECT subject, role, created_at FROM (
        SELECT p.kind || ':' || p.name AS subject, m.role, m.created_at
        FROM members m JOIN principals p ON p.id = m.principal_id WHERE m.project_id = ?
        UNION ALL
        SELECT 'group:' || g.name, m.role, m.created_at
        FROM members m JOIN groups g ON g.id = m.group_id WHERE m.project_id = ?
    ) AS found
"""


async def principal_of(queries: Queries, project_id: int, kind: str, name: str) -> int | None:
    """The id of a user, or of a robot of this project."""
    row = await queries.fetch_one(
        "SELECT id FROM principals WHERE name = ? AND kind = ? AND (project_id IS NULL OR project_id = ?)",
        name,
        kind,
        project_id,
    )
    return None if row is None else int(row[0])


async def group_of(queries: Queries, name: str) -> int | None:
    row = await queries.fetch_one("SELECT id FROM groups WHERE name = ?", name)
    return None if row is None else int(row[0])


async def find(queries: Queries, project_id: int, subject: str) -> MemberRow | None:
    return _member(await queries.fetch_one(f"{_SELECT} WHERE subject = ?", project_id, project_id, subject))


async def rows_after(queries: Queries, project_id: int, last: str, limit: int) -> list[MemberRow]:
    """At most `limit` members of the project with subjects greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE subject > ? ORDER BY subject LIMIT ?", project_id, project_id, last, limit
    )
    return [MemberRow(*row) for row in rows]


def _member(row: Row | None) -> MemberRow | None:
    return None if row is None else MemberRow(*row)


async def put_principal(tx: Transaction, project_id: int, principal_id: int, role: str, now_ms: int) -> None:
    await tx.execute(
        "INSERT INTO members (project_id, principal_id, role, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (project_id, principal_id) DO UPDATE SET role = excluded.role",
        project_id,
        principal_id,
        role,
        now_ms,
    )


async def put_group(tx: Transaction, project_id: int, group_id: int, role: str, now_ms: int) -> None:
    await tx.execute(
        "INSERT INTO members (project_id, group_id, role, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (project_id, group_id) DO UPDATE SET role = excluded.role",
        project_id,
        group_id,
        role,
        now_ms,
    )


async def delete_principal(tx: Transaction, project_id: int, principal_id: int) -> bool:
    return (
        await tx.execute("DELETE FROM members WHERE project_id = ? AND principal_id = ?", project_id, principal_id) == 1
    )


async def delete_group(tx: Transaction, project_id: int, group_id: int) -> bool:
    return await tx.execute("DELETE FROM members WHERE project_id = ? AND group_id = ?", project_id, group_id) == 1
