"""Rows of the history of tags. They are appended, never changed, and forgotten when they are old."""

from __future__ import annotations

from dataclasses import dataclass, fields

from storage.metadata.audit import storable
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class NewTagChange:
    """Where a tag pointed before and after, and who moved it; None where there was, or is, no such tag.

    `at` is in milliseconds since the Unix epoch; `token` names the access token that was used, if one was.
    """

    tag: str
    at: int
    old_digest: str | None
    new_digest: str | None
    principal_kind: str
    principal: str
    token: str | None


@dataclass(frozen=True, slots=True)
class TagChange(NewTagChange):
    """A change that was written down, and its number."""

    id: int


@dataclass(frozen=True, slots=True)
class ChangeSeen:
    """A change that may be forgotten: if it is old, and there is a newer one of the same tag."""

    id: int
    is_old: bool
    is_superseded: bool


_CHANGE = ", ".join(field.name for field in fields(TagChange))
_SELECT = f"SELECT {_CHANGE} FROM tag_history"  # noqa: S608 - names of fields only


async def append(tx: Transaction, repository_id: int, change: NewTagChange) -> None:
    await tx.execute(
        "INSERT INTO tag_history (repository_id, tag, at, old_digest, new_digest, principal_kind, principal, token)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        repository_id,
        change.tag,
        change.at,
        change.old_digest,
        change.new_digest,
        change.principal_kind,
        storable(change.principal),
        storable(change.token),
    )


async def newest(queries: Queries, repository_id: int, tag: str | None, before: int, limit: int) -> list[TagChange]:
    """At most `limit` changes with ids below `before`, of that tag or of all, the newest first."""
    wanted = "" if tag is None else " AND tag = ?"
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE repository_id = ?{wanted} AND id < ? ORDER BY id DESC LIMIT ?",
        repository_id,
        *(() if tag is None else (tag,)),
        before,
        limit,
    )
    return [TagChange(*row) for row in rows]


async def last_by_tag(queries: Queries, repository_id: int, after: str, limit: int) -> list[TagChange]:
    """The last change of each of at most `limit` tags with names after `after`, in ASCII order.

    However often a tag was moved: its changes are not read, but jumped over.
    """
    rows = await queries.fetch_all(
        "WITH RECURSIVE names (tag) AS ("
        "SELECT MIN(tag) FROM tag_history WHERE repository_id = ? AND tag > ?"
        " UNION ALL SELECT (SELECT MIN(h.tag) FROM tag_history h WHERE h.repository_id = ? AND h.tag > names.tag)"
        " FROM names WHERE names.tag IS NOT NULL)"
        " SELECT (SELECT MAX(h.id) FROM tag_history h WHERE h.repository_id = ? AND h.tag = names.tag)"
        " FROM names WHERE names.tag IS NOT NULL LIMIT ?",
        repository_id,
        after,
        repository_id,
        repository_id,
        limit,
    )
    if not rows:
        return []
    marks = ", ".join("?" * len(rows))
    found = await queries.fetch_all(f"{_SELECT} WHERE id IN ({marks}) ORDER BY tag", *(row[0] for row in rows))
    return [TagChange(*row) for row in found]


async def after(queries: Queries, last: int, before_ms: int, limit: int) -> list[ChangeSeen]:
    """At most `limit` changes after the one with the id `last`, in their order; old are those from before that time."""
    rows = await queries.fetch_all(
        "SELECT h.id, h.at < ?, EXISTS (SELECT 1 FROM tag_history n"
        " WHERE n.repository_id = h.repository_id AND n.tag = h.tag AND n.id > h.id)"
        " FROM tag_history h WHERE h.id > ? ORDER BY h.id LIMIT ?",
        before_ms,
        last,
        limit,
    )
    return [ChangeSeen(row[0], bool(row[1]), bool(row[2])) for row in rows]


async def forget(tx: Transaction, ids: list[int]) -> int:
    """Remove at most a few hundred changes; return how many were still there."""
    marks = ", ".join("?" * len(ids))
    return await tx.execute(f"DELETE FROM tag_history WHERE id IN ({marks})", *ids)  # noqa: S608 - marks only
