"""Rows of entitlements, and to which policies and licenses they are attached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from storage.metadata.licensing.resources import (
    ENVIRONMENT,
    Condition,
    Page,
    ResourceRow,
    Resources,
    joined,
)
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class EntitlementRow(ResourceRow):
    environment_id: int | None = None
    name: str
    code: str
    code_key: str
    metadata: str = "{}"
    environment: str | None = joined(ENVIRONMENT)


ENTITLEMENTS = Resources("entitlements", EntitlementRow)


class Holder(Enum):
    """What an entitlement can be attached to: the table, and the column that says to which row."""

    POLICY = ("policy_entitlements", "policy_id")
    LICENSE = ("license_entitlements", "license_id")


async def attach(tx: Transaction, holder: Holder, holder_id: int, entitlement_id: int, now_ms: int) -> bool:
    """False if it is attached already."""
    table, column = holder.value
    inserted = await tx.execute(
        f"INSERT INTO {table} ({column}, entitlement_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",  # noqa: S608
        holder_id,
        entitlement_id,
        now_ms,
    )
    return inserted == 1


async def detach(tx: Transaction, holder: Holder, holder_id: int, entitlement_id: int) -> bool:
    """False if it is not attached."""
    table, column = holder.value
    removed = await tx.execute(
        f"DELETE FROM {table} WHERE {column} = ? AND entitlement_id = ?",  # noqa: S608 - constants
        holder_id,
        entitlement_id,
    )
    return removed == 1


async def attached(
    queries: Queries, project_id: int, holder: Holder, holder_id: int, page: Page
) -> list[EntitlementRow]:
    """Those that are attached to this policy or license itself."""
    table, column = holder.value
    return await ENTITLEMENTS.page(
        queries,
        project_id,
        page,
        Condition(f"t.id IN (SELECT a.entitlement_id FROM {table} a WHERE a.{column} = ?)", (holder_id,)),  # noqa: S608
    )


async def of_license(queries: Queries, project_id: int, license_id: int, page: Page) -> list[EntitlementRow]:
    """The license's own, and those of its policy."""
    held = (
        "t.id IN (SELECT a.entitlement_id FROM license_entitlements a WHERE a.license_id = ?"
        " UNION ALL SELECT a.entitlement_id FROM licenses l"
        " JOIN policy_entitlements a ON a.policy_id = l.policy_id WHERE l.id = ?)"
    )
    return await ENTITLEMENTS.page(queries, project_id, page, Condition(held, (license_id, license_id)))
