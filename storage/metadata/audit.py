"""Rows of the audit log. They are appended, never changed, and in the end expire."""

from __future__ import annotations

from dataclasses import dataclass, fields

from storage.metadata.store import Queries, Transaction, Value


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did what to what, from where. `at` is in milliseconds since the Unix epoch.

    `action` is a word such as `manifest.push`; `target` a reference such as `app:1` or a name such as `user:alice`;
    `outcome` is `allowed` or `refused`; `detail` says what was changed, or why it was refused.
    """

    at: int
    principal_kind: str
    principal: str
    token: str | None
    action: str
    project: str | None
    target: str
    outcome: str
    detail: str | None
    address: str | None
    client: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry(AuditRow):
    """A row that was written, and its number."""

    id: int


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What entries are wanted: those that equal every value that is given, from `since_ms` on, before `until_ms`."""

    principal: str | None = None
    action: str | None = None
    project: str | None = None
    target: str | None = None
    outcome: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None

    def matches(self, row: AuditRow) -> bool:
        if self.since_ms is not None and row.at < self.since_ms:
            return False
        if self.until_ms is not None and row.at >= self.until_ms:
            return False
        return all(value is None or getattr(row, name) == value for name, value in self.values())

    def values(self) -> list[tuple[str, str | None]]:
        """(column, value) of what has to be equal, that of which there are usually the fewest rows first."""
        return [
            ("target", self.target),
            ("principal", self.principal),
            ("project", self.project),
            ("action", self.action),
            ("outcome", self.outcome),
        ]


# (at, id): where an entry stands among all.
Position = tuple[int, int]

BEGIN: Position = (0, 0)
END: Position = (2**63 - 1, 0)

_ROW = ", ".join(field.name for field in fields(AuditRow))
_MARKS = ", ".join("?" for _ in fields(AuditRow))
_ENTRY = ", ".join(field.name for field in fields(AuditEntry))


async def append(tx: Transaction, row: AuditRow) -> None:
    values = [storable(getattr(row, field.name)) for field in fields(AuditRow)]
    await tx.execute(f"INSERT INTO audit ({_ROW}) VALUES ({_MARKS})", *values)  # noqa: S608 - names of fields only


def storable(value: Value) -> Value:
    """What clients send need not be text: no engine takes lone surrogates, and some take no NUL."""
    return value.encode(errors="replace").decode().replace("\0", "?") if isinstance(value, str) else value


async def find(queries: Queries, entry_id: int) -> AuditEntry | None:
    row = await queries.fetch_one(f"SELECT {_ENTRY} FROM audit WHERE id = ?", entry_id)  # noqa: S608 - the same
    return None if row is None else AuditEntry(*row)


async def newest(queries: Queries, wanted: AuditFilter, before: Position, limit: int) -> list[AuditEntry]:
    """Entries before that position, the newest first.

    At most `limit` are read, and all of them returned: among them is every one that the filter wants, so callers
    look at each with `matches`, and go on from the last one until they get fewer than `limit`. That way the time of
    one query is bounded, however few of very many rows are wanted.
    """
    return await _read(queries, wanted, (BEGIN, before), limit, "at DESC, id DESC")


async def oldest(queries: Queries, wanted: AuditFilter, after: Position, limit: int) -> list[AuditEntry]:
    """As `newest`, for entries after that position, the oldest first."""
    at, entry_id = after
    return await _read(queries, wanted, ((at, entry_id + 1), END), limit, "at, id")


async def _read(
    queries: Queries, wanted: AuditFilter, between: tuple[Position, Position], limit: int, order: str
) -> list[AuditEntry]:
    begin, end = between
    if wanted.since_ms is not None:
        begin = max(begin, (wanted.since_ms, 0))
    if wanted.until_ms is not None:
        end = min(end, (wanted.until_ms, 0))
    # Equality of one column only: there is an index for each of them, but none for two.
    column, value = next(((name, value) for name, value in wanted.values() if value is not None), ("", ""))
    equal = f"{column} = ? AND " if column else ""
    rows = await queries.fetch_all(
        f"SELECT {_ENTRY} FROM audit WHERE {equal}(at, id) >= (?, ?) AND (at, id) < (?, ?)"  # noqa: S608 - the same
        f" ORDER BY {order} LIMIT ?",
        *([storable(value)] if column else []),
        *begin,
        *end,
        limit,
    )
    return [AuditEntry(*row) for row in rows]


async def delete_before(tx: Transaction, before_ms: int, limit: int) -> int:
    """Remove at most `limit` entries from before that time, the oldest first; return how many they were."""
    return await tx.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY at, id LIMIT ?)", before_ms, limit
    )
