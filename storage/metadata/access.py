"""What decides about access, as the policy asks for it; and the count of its changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.metadata.store import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class PrincipalRow:
    """A user or a robot. `epoch` is that of the tokens that are accepted."""

    id: int
    kind: str
    name: str
    system_role: str | None
    password_hash: str | None = field(repr=False)
    disabled: bool
    epoch: int


@dataclass(frozen=True, slots=True)
class RegistryRow:
    id: int
    name: str
    prefix: str
    visibility: str
    project_id: int
    project: str
    redirect: str | None


@dataclass(frozen=True, slots=True)
class RuleRow:
    registry_id: int
    pattern: str
    principal_id: int | None
    group_id: int | None
    actions: str


_PRINCIPAL = "SELECT id, kind, name, system_role, password_hash, disabled, epoch FROM principals"


async def generation(queries: Queries) -> int:
    """A number that is larger after every change of who may do what."""
    row = await queries.fetch_one("SELECT number FROM access_generation")
    return 0 if row is None else int(row[0])


async def changed(tx: Transaction) -> None:
    """To be called in every transaction that changes who may do what, or takes something away."""
    await tx.execute("UPDATE access_generation SET number = number + 1")


async def principal_by_name(queries: Queries, name: str) -> PrincipalRow | None:
    return _principal(await queries.fetch_one(f"{_PRINCIPAL} WHERE name = ?", name))


async def principal_by_id(queries: Queries, principal_id: int) -> PrincipalRow | None:
    return _principal(await queries.fetch_one(f"{_PRINCIPAL} WHERE id = ?", principal_id))


def _principal(row: Row | None) -> PrincipalRow | None:
    if row is None:
        return None
    number, kind, name, system_role, password_hash, disabled, epoch = row
    return PrincipalRow(number, kind, name, system_role, password_hash, bool(disabled), epoch)


async def groups_of(queries: Queries, principal_id: int) -> list[int]:
    rows = await queries.fetch_all("SELECT group_id FROM group_members WHERE principal_id = ?", principal_id)
    return [row[0] for row in rows]


async def roles_of(queries: Queries, principal_id: int) -> list[tuple[int, str]]:
    """(project, role) of every membership, the principal's own and those of its groups."""
    rows = await queries.fetch_all(
        "SELECT project_id, role FROM members WHERE principal_id = ?"
        " UNION ALL SELECT m.project_id, m.role FROM group_members g JOIN members m ON m.group_id = g.group_id"
        " WHERE g.principal_id = ?",
        principal_id,
        principal_id,
    )
    return [(row[0], row[1]) for row in rows]


async def registries(queries: Queries) -> list[RegistryRow]:
    rows = await queries.fetch_all(
        "SELECT r.id, r.name, r.prefix, r.visibility, p.id, p.name, r.redirect FROM registries r"
        " JOIN projects p ON p.id = r.project_id ORDER BY r.id"
    )
    return [RegistryRow(*row) for row in rows]


async def rules(queries: Queries) -> list[RuleRow]:
    rows = await queries.fetch_all(
        "SELECT registry_id, pattern, principal_id, group_id, actions FROM rules ORDER BY id"
    )
    return [RuleRow(*row) for row in rows]


async def project_of(queries: Queries, prefixes: Sequence[str]) -> str | None:
    """The name of the project of a repository, from all prefixes that a registry could take its name by."""
    marks = ", ".join("?" * len(prefixes))
    row = await queries.fetch_one(
        "SELECT p.name FROM registries r JOIN projects p ON p.id = r.project_id"  # noqa: S608 - marks only
        f" WHERE r.prefix IN ({marks}) ORDER BY length(r.prefix) DESC LIMIT 1",
        *prefixes,
    )
    return None if row is None else str(row[0])


async def has_users(queries: Queries) -> bool:
    """Whether anybody was ever given an account, so that this is no first start."""
    return await queries.fetch_one("SELECT 1 FROM principals WHERE kind = 'user' LIMIT 1") is not None
