"""Rows of policies: what licenses of one kind have in common."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.licensing.resources import ENVIRONMENT, PRODUCT, ResourceRow, Resources, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow(ResourceRow):
    """`duration` is in ms, None for licenses that never expire."""

    environment_id: int | None = None
    product_id: int
    name: str
    duration: int | None = None
    expiration_strategy: str
    expiration_basis: str
    renewal_basis: str
    transfer_strategy: str
    authentication_strategy: str
    metadata: str = "{}"
    product: str = joined(PRODUCT)
    environment: str | None = joined(ENVIRONMENT)


POLICIES = Resources("policies", PolicyRow)
