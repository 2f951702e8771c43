"""Rows of licenses. Of a key there is only the hash, and by which characters its holder knows it again."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.metadata.licensing.resources import (
    ENVIRONMENT,
    PRODUCT,
    Condition,
    ResourceRow,
    Resources,
    equal,
    joined,
)
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseRow(ResourceRow):
    """`expiry` and `used_at`, when something was last downloaded with it, are in ms. `product_id` is the policy's."""

    environment_id: int | None = None
    product_id: int
    policy_id: int
    owner_id: int | None = None
    key_hash: str = field(repr=False)
    key_hint: str
    name: str | None = None
    expiry: int | None = None
    suspended: bool = False
    used_at: int | None = None
    metadata: str = "{}"
    product: str = joined(PRODUCT)
    policy: str = joined("(SELECT x.uuid FROM policies x WHERE x.id = t.policy_id)")
    owner: str | None = joined("(SELECT x.uuid FROM customers x WHERE x.id = t.owner_id)")
    owner_banned: int = joined("COALESCE((SELECT x.banned FROM customers x WHERE x.id = t.owner_id), 0)")
    environment: str | None = joined(ENVIRONMENT)


LICENSES = Resources("licenses", LicenseRow)


async def key_is_taken(queries: Queries, project_id: int, key_hash: str) -> bool:
    """Whether a license of the project has the key; in another project it may be there, too."""
    return await LICENSES.taken(queries, 0, equal("key_hash", key_hash), equal("project_id", project_id))


def of_customer(customer_id: int) -> Condition:
    """The licenses that the customer owns or is attached to."""
    return Condition(
        "t.id IN (SELECT l.id FROM licenses l WHERE l.owner_id = ?"
        " UNION ALL SELECT a.license_id FROM license_customers a WHERE a.customer_id = ?)",
        (customer_id, customer_id),
    )


async def downloaded(tx: Transaction, license_id: int, now_ms: int) -> None:
    """Remember that something was downloaded with the license."""
    await tx.execute(
        "UPDATE licenses SET used_at = ? WHERE id = ? AND COALESCE(used_at, 0) < ?", now_ms, license_id, now_ms
    )


async def begin(tx: Transaction, license_id: int, expiry: int, now_ms: int) -> bool:
    """Let the license end at `expiry`, in ms, unless it has an end; whether this was the first to give it one."""
    changed = await tx.execute(
        "UPDATE licenses SET expiry = ?, updated_at = ? WHERE id = ? AND expiry IS NULL", expiry, now_ms, license_id
    )
    return changed == 1
