"""Rows of refresh tokens. All that followed from one login are a family; secrets are known by their hashes alone."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class RefreshTokenRow:
    """One token. Times are in ms since the Unix epoch.

    `access_token_id` is that of the access token that was used to log in, if one was; `replaced_at` is when another
    token of the family took its place.
    """

    id: int
    family: str
    principal_id: int
    access_token_id: int | None
    service: str
    client: str | None
    address: str | None
    created_at: int
    used_at: int
    expires_at: int
    replaced_at: int | None = None


@dataclass(frozen=True, slots=True)
class FamilyRow:
    """A login: where and by which client its tokens were used last."""

    family: str
    client: str | None
    address: str | None
    created_at: int
    used_at: int
    expires_at: int


# Of a principal, by how their names compare to another.
_FAMILIES = (
    "SELECT t.family, t.client, t.address, f.created_at, f.used_at, f.expires_at FROM"
    " (SELECT MAX(id) AS newest, MIN(created_at) AS created_at, MAX(used_at) AS used_at,"
    " MAX(expires_at) AS expires_at FROM refresh_tokens WHERE principal_id = ? AND family {} ?"
    " GROUP BY family HAVING MAX(expires_at) > ? ORDER BY family LIMIT ?) f"
    " JOIN refresh_tokens t ON t.id = f.newest ORDER BY t.family"
)


async def insert(tx: Transaction, row: RefreshTokenRow, secret_hash: str) -> None:
    """Add the row. It is given an id of its own, whatever stands in `row`."""
    await tx.execute(
        "INSERT INTO refresh_tokens (family, principal_id, access_token_id, secret_hash, service, client, address,"
        " created_at, used_at, expires_at, replaced_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row.family,
        row.principal_id,
        row.access_token_id,
        secret_hash,
        row.service,
        row.client,
        row.address,
        row.created_at,
        row.used_at,
        row.expires_at,
        row.replaced_at,
    )


async def find_by_hash(queries: Queries, secret_hash: str) -> RefreshTokenRow | None:
    row = await queries.fetch_one(
        "SELECT id, family, principal_id, access_token_id, service, client, address, created_at, used_at, expires_at,"
        " replaced_at FROM refresh_tokens WHERE secret_hash = ?",
        secret_hash,
    )
    return None if row is None else RefreshTokenRow(*row)


async def mark_replaced(tx: Transaction, token_id: int, now_ms: int) -> bool:
    """Say that another token takes its place; false if that was said before, or the token is gone."""
    return (
        await tx.execute(
            "UPDATE refresh_tokens SET replaced_at = ? WHERE id = ? AND replaced_at IS NULL", now_ms, token_id
        )
        == 1
    )


async def touch(
    tx: Transaction, token_id: int, now_ms: int, expires_at: int, address: str | None, client: str | None
) -> None:
    """Remember that the token was used, from where and by which client, and until when it can be now."""
    await tx.execute(
        "UPDATE refresh_tokens SET used_at = ?, expires_at = ?, address = ?, client = ? WHERE id = ?",
        now_ms,
        expires_at,
        address,
        client,
        token_id,
    )


async def families_of(queries: Queries, principal_id: int, now_ms: int, after: str, limit: int) -> list[FamilyRow]:
    """At most `limit` families of the principal greater than `after` that can still be used."""
    rows = await queries.fetch_all(_FAMILIES.format(">"), principal_id, after, now_ms, limit)
    return [FamilyRow(*row) for row in rows]


async def find_family(queries: Queries, principal_id: int, now_ms: int, family: str) -> FamilyRow | None:
    """The family, if it is the principal's and can still be used."""
    row = await queries.fetch_one(_FAMILIES.format("="), principal_id, family, now_ms, 1)
    return None if row is None else FamilyRow(*row)


async def delete_family(tx: Transaction, family: str) -> int:
    """How many tokens there were of the family."""
    return await tx.execute("DELETE FROM refresh_tokens WHERE family = ?", family)


async def delete_family_of(tx: Transaction, principal_id: int, family: str) -> int:
    """How many tokens the principal had of the family: that of somebody else is not touched."""
    return await tx.execute("DELETE FROM refresh_tokens WHERE principal_id = ? AND family = ?", principal_id, family)


async def delete_of_principal(tx: Transaction, principal_id: int) -> int:
    return await tx.execute("DELETE FROM refresh_tokens WHERE principal_id = ?", principal_id)


async def keep_latest(tx: Transaction, principal_id: int, most: int) -> int:
    """Take away what the principal used longest ago, beyond so many tokens; return how many that were."""
    row = await tx.fetch_one(
        "SELECT used_at, id FROM refresh_tokens WHERE principal_id = ? ORDER BY used_at DESC, id DESC LIMIT 1 OFFSET ?",
        principal_id,
        most,
    )
    if row is None:
        return 0
    used_at, last_id = row
    return await tx.execute(
        "DELETE FROM refresh_tokens WHERE principal_id = ? AND (used_at < ? OR (used_at = ? AND id <= ?))",
        principal_id,
        used_at,
        used_at,
        last_id,
    )


async def delete_expired(tx: Transaction, now_ms: int, limit: int) -> int:
    """How many were taken away: at most `limit`, those that expired first."""
    return await tx.execute(
        "DELETE FROM refresh_tokens WHERE id IN"
        " (SELECT id FROM refresh_tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
        now_ms,
        limit,
    )
