"""Rows of the tokens of licensed distribution. Secrets are known by their hashes alone."""

from __future__ import annotations

from dataclasses import dataclass, field

from storage.metadata.licensing.resources import ENVIRONMENT, ResourceRow, Resources, equal, joined
from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow(ResourceRow):
    """A token of one bearer: the one of which there is an id. `bearer` is its uuid, or the name of a principal.

    `permissions` are JSON, None for all that the bearer has. Times are in ms.
    """

    environment_id: int | None = None
    kind: str
    customer_id: int | None = None
    product_id: int | None = None
    license_id: int | None = None
    bearer_environment_id: int | None = None
    principal_id: int | None = None
    name: str | None = None
    secret_hash: str = field(repr=False)
    permissions: str | None = None
    expires_at: int | None = None
    used_at: int | None = None
    environment: str | None = joined(ENVIRONMENT)
    bearer: str = joined(
        "COALESCE((SELECT x.uuid FROM customers x WHERE x.id = t.customer_id),"
        " (SELECT x.uuid FROM products x WHERE x.id = t.product_id),"
        " (SELECT x.uuid FROM licenses x WHERE x.id = t.license_id),"
        " (SELECT x.uuid FROM environments x WHERE x.id = t.bearer_environment_id),"
        " (SELECT x.name FROM principals x WHERE x.id = t.principal_id))"
    )


TOKENS = Resources("bearer_tokens", TokenRow)


async def by_hash(queries: Queries, secret_hash: str) -> TokenRow | None:
    """The token, whichever project it is of, and whether it has expired or not."""
    return await TOKENS.first(queries, equal("secret_hash", secret_hash))


async def used(tx: Transaction, token_id: int, now_ms: int) -> None:
    """Remember when the token was used last."""
    await tx.execute(
        "UPDATE bearer_tokens SET used_at = ? WHERE id = ? AND COALESCE(used_at, 0) < ?", now_ms, token_id, now_ms
    )


async def delete_of_customer(tx: Transaction, customer_id: int) -> int:
    """Remove the tokens of a customer, whose role has changed for instance; return how many they were."""
    return await tx.execute("DELETE FROM bearer_tokens WHERE customer_id = ?", customer_id)
