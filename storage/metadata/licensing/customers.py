"""Rows of customers, whom documents call users: people who hold licenses. They are none of Berth's own users."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.metadata.licensing.resources import ENVIRONMENT, Condition, Page, ResourceRow, Resources, equal, joined
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow(ResourceRow):
    """`email` is in lower case."""

    environment_id: int | None = None
    email: str
    first_name: str | None = None
    last_name: str | None = None
    role: str
    banned: bool = False
    password_hash: str | None = field(default=None, repr=False)
    metadata: str = "{}"
    environment: str | None = joined(ENVIRONMENT)


CUSTOMERS = Resources("customers", CustomerRow)


async def by_email(queries: Queries, project_id: int, email: str) -> CustomerRow | None:
    """The project's customer of this address, in lower case."""
    return await CUSTOMERS.first(queries, equal("project_id", project_id), equal("email", email))


async def email_is_taken(queries: Queries, project_id: int, email: str, except_id: int = 0) -> bool:
    """Whether another customer of the project than this one has the address."""
    return await CUSTOMERS.taken(queries, except_id, equal("project_id", project_id), equal("email", email))


async def of_license(queries: Queries, project_id: int, license_id: int, page: Page) -> list[CustomerRow]:
    """The owner of the license, and those who are attached to it."""
    held = (
        "t.id IN (SELECT l.owner_id FROM licenses l WHERE l.id = ? AND l.owner_id IS NOT NULL"
        " UNION ALL SELECT a.customer_id FROM license_customers a WHERE a.license_id = ?)"
    )
    return await CUSTOMERS.page(queries, project_id, page, Condition(held, (license_id, license_id)))


async def attach(tx: Transaction, license_id: int, customer_id: int, now_ms: int) -> bool:
    """False if the customer is attached to the license already."""
    inserted = await tx.execute(
        "INSERT INTO license_customers (license_id, customer_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        license_id,
        customer_id,
        now_ms,
    )
    return inserted == 1


async def detach(tx: Transaction, license_id: int, customer_id: int) -> bool:
    """False if the customer is not attached to the license."""
    removed = await tx.execute(
        "DELETE FROM license_customers WHERE license_id = ? AND customer_id = ?", license_id, customer_id
    )
    return removed == 1
