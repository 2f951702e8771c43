"""Rows of products: what a vendor sells licenses of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storage.metadata.licensing.resources import ENVIRONMENT, Condition, ResourceRow, Resources, among, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow(ResourceRow):
    """`platforms` and `metadata` are JSON."""

    environment_id: int | None = None
    name: str
    code: str | None = None
    code_key: str | None = None
    distribution: str
    url: str | None = None
    platforms: str | None = None
    metadata: str = "{}"
    environment: str | None = joined(ENVIRONMENT)


PRODUCTS = Resources("products", ProductRow)


def offered(product_ids: Sequence[int]) -> Condition:
    """Releases or artifacts of these products, and of those that are open to everyone: nobody else has more."""
    own = among("product_id", product_ids)
    is_open = "(SELECT x.distribution FROM products x WHERE x.id = t.product_id) = 'OPEN'"
    return Condition(f"({own.sql} OR {is_open})", own.values)
