"""Rows of rules: what a principal, a group or everyone may do to the repositories that a pattern matches."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class NewRule:
    """With neither `principal_id` nor `group_id` it is about everyone."""

    registry_id: int
    pattern: str
    principal_id: int | None
    group_id: int | None
    actions: str
    created_at: int


@dataclass(frozen=True, slots=True)
class RuleRow:
    """`kind` and `name` are those of the subject; both are None for everyone."""

    id: int
    pattern: str
    kind: str | None
    name: str | None
    actions: str
    created_at: int


_SELECT = (
    "SELECT r.id, r.pattern, CASE WHEN r.group_id IS NULL THEN p.kind ELSE 'group' END, COALESCE(p.name, g.name),"
    " r.actions, r.created_at FROM rules r LEFT JOIN principals p ON p.id = r.principal_id"
    " LEFT JOIN groups g ON g.id = r.group_id"
)


async def find(queries: Queries, registry_id: int, rule_id: int) -> RuleRow | None:
    row = await queries.fetch_one(f"{_SELECT} WHERE r.registry_id = ? AND r.id = ?", registry_id, rule_id)
    return None if row is None else RuleRow(*row)


async def rows_after(queries: Queries, registry_id: int, last: int, limit: int) -> list[RuleRow]:
    """At most `limit` rules of the registry with ids greater than `last`."""
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE r.registry_id = ? AND r.id > ? ORDER BY r.id LIMIT ?", registry_id, last, limit
    )
    return [RuleRow(*row) for row in rows]


async def count(queries: Queries, registry_id: int) -> int:
    row = await queries.fetch_one("SELECT COUNT(*) FROM rules WHERE registry_id = ?", registry_id)
    return 0 if row is None else int(row[0])


async def insert(tx: Transaction, rule: NewRule) -> int:
    """Store the rule and return its id."""
    await tx.execute(
        "INSERT INTO rules (registry_id, pattern, principal_id, group_id, actions, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        rule.registry_id,
        rule.pattern,
        rule.principal_id,
        rule.group_id,
        rule.actions,
        rule.created_at,
    )
    # Ids only grow: no other row of this transaction, nor one that it can see, has a larger one.
    row = await tx.fetch_one("SELECT MAX(id) FROM rules WHERE registry_id = ?", rule.registry_id)
    if row is None:
        raise RuntimeError("a rule that was just inserted cannot be found")
    return int(row[0])


async def delete(tx: Transaction, registry_id: int, rule_id: int) -> None:
    await tx.execute("DELETE FROM rules WHERE registry_id = ? AND id = ?", registry_id, rule_id)
