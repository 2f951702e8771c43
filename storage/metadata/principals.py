"""Rows of users and robots. What one is follows from `kind`, never from its name."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.metadata.store import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class UserRow:
    id: int
    name: str
    system_role: str | None
    description: str
    disabled: bool
    password_hash: str | None = field(repr=False)
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class RobotRow:
    """`role` is what the robot is in its own project, None where it is no member any more."""

    id: int
    name: str
    project: str
    role: str | None
    description: str
    disabled: bool
    created_at: int
    updated_at: int


_USER = (
    "SELECT id, name, system_role, description, disabled, password_hash, created_at, updated_at FROM principals"
    " WHERE kind = 'user'"
)
_ROBOT = (
    "SELECT p.id, p.name, j.name, m.role, p.description, p.disabled, p.created_at, p.updated_at"
    " FROM principals p JOIN projects j ON j.id = p.project_id"
    " LEFT JOIN members m ON m.project_id = p.project_id AND m.principal_id = p.id"
    " WHERE p.kind = 'robot' AND p.project_id = ?"
)


async def insert_user(
    tx: Transaction, name: str, system_role: str | None, description: str, password_hash: str | None, now_ms: int
) -> bool:
    """False if the name is taken."""
    inserted = await tx.execute(
        "INSERT INTO principals (kind, name, system_role, description, password_hash, created_at, updated_at)"
        " VALUES ('user', ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        name,
        system_role,
        description,
        password_hash,
        now_ms,
        now_ms,
    )
    return inserted == 1


async def find_user(queries: Queries, name: str) -> UserRow | None:
    return _user(await queries.fetch_one(f"{_USER} AND name = ?", name))


async def users_after(queries: Queries, last: str, limit: int) -> list[UserRow]:
    """At most `limit` users with names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(f"{_USER} AND name > ? ORDER BY name LIMIT ?", last, limit)
    return [user for user in map(_user, rows) if user is not None]


async def other_admins(queries: Queries, principal_id: int) -> int:
    """How many enabled administrators there are besides this one."""
    row = await queries.fetch_one(
        "SELECT COUNT(*) FROM principals WHERE kind = 'user' AND system_role = 'admin' AND disabled = 0 AND id <> ?",
        principal_id,
    )
    return 0 if row is None else int(row[0])


async def update_user(
    tx: Transaction, principal_id: int, system_role: str | None, description: str, *, disabled: bool, now_ms: int
) -> None:
    await tx.execute(
        "UPDATE principals SET system_role = ?, description = ?, disabled = ?, updated_at = ? WHERE id = ?",
        system_role,
        description,
        int(disabled),
        now_ms,
        principal_id,
    )


async def set_password_hash(tx: Transaction, principal_id: int, password_hash: str) -> None:
    await tx.execute("UPDATE principals SET password_hash = ? WHERE id = ?", password_hash, principal_id)


async def begin_epoch(tx: Transaction, principal_id: int, now_ms: int) -> None:
    """From now on no token is accepted that was made before."""
    await tx.execute("UPDATE principals SET epoch = epoch + 1, updated_at = ? WHERE id = ?", now_ms, principal_id)


async def insert_robot(tx: Transaction, project_id: int, name: str, description: str, now_ms: int) -> bool:
    """False if the name is taken."""
    inserted = await tx.execute(
        "INSERT INTO principals (kind, name, project_id, description, created_at, updated_at)"
        " VALUES ('robot', ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING",
        name,
        project_id,
        description,
        now_ms,
        now_ms,
    )
    return inserted == 1


async def find_robot(queries: Queries, project_id: int, name: str) -> RobotRow | None:
    """The robot, if it is one of this project. `name` is the full one."""
    return _robot(await queries.fetch_one(f"{_ROBOT} AND p.name = ?", project_id, name))


async def robots_after(queries: Queries, project_id: int, last: str, limit: int) -> list[RobotRow]:
    """At most `limit` robots of the project with full names greater than `last`, in ASCII order."""
    rows = await queries.fetch_all(f"{_ROBOT} AND p.name > ? ORDER BY p.name LIMIT ?", project_id, last, limit)
    return [robot for robot in map(_robot, rows) if robot is not None]


async def update_robot(tx: Transaction, principal_id: int, description: str, *, disabled: bool, now_ms: int) -> None:
    await tx.execute(
        "UPDATE principals SET description = ?, disabled = ?, updated_at = ? WHERE id = ?",
        description,
        int(disabled),
        now_ms,
        principal_id,
    )


async def delete(tx: Transaction, principal_id: int) -> None:
    """Take the principal away, with its tokens, its memberships and the rules about it."""
    await tx.execute("DELETE FROM principals WHERE id = ?", principal_id)


def _user(row: Row | None) -> UserRow | None:
    if row is None:
        return None
    number, name, system_role, description, disabled, password_hash, created_at, updated_at = row
    return UserRow(number, name, system_role, description, bool(disabled), password_hash, created_at, updated_at)


def _robot(row: Row | None) -> RobotRow | None:
    if row is None:
        return None
    number, name, project, role, description, disabled, created_at, updated_at = row
    return RobotRow(number, name, project, role, description, bool(disabled), created_at, updated_at)
