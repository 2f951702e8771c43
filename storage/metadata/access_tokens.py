"""Rows of access tokens, of users and of robots. Secrets are known by their hashes alone."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Row, Transaction


@dataclass(frozen=True, slots=True)
class AccessTokenRow:
    """`actions` are words with commas between them, `patterns` with spaces; times are in ms since the Unix epoch."""

    id: int
    principal_id: int
    name: str
    actions: str
    patterns: str
    created_at: int
    expires_at: int | None
    last_used_at: int | None = None
    last_used_from: str | None = None
    last_used_client: str | None = None


_SELECT = (
    "SELECT id, principal_id, name, actions, patterns, created_at, expires_at, last_used_at, last_used_from,"
    " last_used_client FROM access_tokens"
)


async def insert(tx: Transaction, row: AccessTokenRow, secret_hash: str) -> int | None:
    """The id of the new row, which is not looked for in `row`; None if its owner has a token of this name."""
    inserted = await tx.execute(
        "INSERT INTO access_tokens (principal_id, name, secret_hash, actions, patterns, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (principal_id, name) DO NOTHING",
        row.principal_id,
        row.name,
        secret_hash,
        row.actions,
        row.patterns,
        row.created_at,
        row.expires_at,
    )
    found = await find_by_hash(tx, secret_hash) if inserted else None
    return None if found is None else found.id


async def find_by_hash(queries: Queries, secret_hash: str) -> AccessTokenRow | None:
    return _token(await queries.fetch_one(f"{_SELECT} WHERE secret_hash = ?", secret_hash))


async def find(queries: Queries, principal_id: int, token_id: int) -> AccessTokenRow | None:
    """The token, if it is one of this principal: an id alone opens nothing."""
    return _token(await queries.fetch_one(f"{_SELECT} WHERE id = ? AND principal_id = ?", token_id, principal_id))


async def page(queries: Queries, principal_id: int, after: int, limit: int) -> list[AccessTokenRow]:
    """At most `limit` tokens of the principal with ids greater than `after`, the oldest first."""
    rows = await queries.fetch_all(
        f"{_SELECT} WHERE principal_id = ? AND id > ? ORDER BY id LIMIT ?", principal_id, after, limit
    )
    return [AccessTokenRow(*row) for row in rows]


async def count(queries: Queries, principal_id: int) -> int:
    row = await queries.fetch_one("SELECT COUNT(*) FROM access_tokens WHERE principal_id = ?", principal_id)
    return 0 if row is None else int(row[0])


async def touch(tx: Transaction, token_id: int, now_ms: int, address: str | None, client: str | None) -> None:
    """Remember that the token was used, from where and by which client."""
    await tx.execute(
        "UPDATE access_tokens SET last_used_at = ?, last_used_from = ?, last_used_client = ? WHERE id = ?",
        now_ms,
        address,
        client,
        token_id,
    )


async def delete(tx: Transaction, principal_id: int, token_id: int) -> bool:
    """Take the token away, and the refresh tokens that came from it."""
    return await tx.execute("DELETE FROM access_tokens WHERE id = ? AND principal_id = ?", token_id, principal_id) == 1


def _token(row: Row | None) -> AccessTokenRow | None:
    return None if row is None else AccessTokenRow(*row)
