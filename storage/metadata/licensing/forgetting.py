"""How many rows of licensed distribution go with what they belong to: a batch in each transaction."""

from __future__ import annotations

from enum import Enum

from storage.metadata.licensing import holding
from storage.metadata.store import Transaction


class Owner(Enum):
    """To whose id in which column rows belong, and in which tables, those first that point to others."""

    PROJECT = (
        "project_id",
        (
            "artifacts",
            "releases",
            "packages",
            "bearer_tokens",
            "licenses",
            "policies",
            "customers",
            "entitlements",
            "products",
            "environments",
            "events",
        ),
    )
    PRODUCT = ("product_id", ("artifacts", "releases", "packages", "bearer_tokens", "licenses", "policies"))
    POLICY = ("policy_id", ("licenses",))
    RELEASE = ("release_id", ("artifacts",))


async def forget(tx: Transaction, owner: Owner, owner_id: int, until_ms: int, limit: int) -> bool:
    """Remove at most `limit` rows of one table; true if there may be more of them, or of others.

    When it is false, whatever it was can be deleted. Bytes that nothing else needs are kept until `until_ms`.
    """
    column, tables = owner.value
    for table in tables:
        if await _remove(tx, table, column, owner_id, until_ms, limit):
            return True
    return owner is Owner.PROJECT and await _forget_downloads(tx, owner_id, limit)


async def _remove(tx: Transaction, table: str, column: str, owner_id: int, until_ms: int, limit: int) -> bool:
    some = f"SELECT id FROM {table} WHERE {column} = ? ORDER BY id LIMIT ?"  # noqa: S608 - constants
    if table != "artifacts":
        return await tx.execute(f"DELETE FROM {table} WHERE id IN ({some})", owner_id, limit) > 0  # noqa: S608
    rows = await tx.fetch_all(some, owner_id, limit)
    for (artifact_id,) in rows:
        await holding.delete(tx, artifact_id, until_ms)
    return bool(rows)


async def _forget_downloads(tx: Transaction, project_id: int, limit: int) -> bool:
    removed = await tx.execute(
        "DELETE FROM downloads WHERE (release_id, day, artifact_id, license_id) IN"
        " (SELECT release_id, day, artifact_id, license_id FROM downloads WHERE project_id = ? LIMIT ?)",
        project_id,
        limit,
    )
    return removed > 0
