"""Rows of packages: series of releases of a product, each in a repository of its own."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.licensing.resources import ENVIRONMENT, PRODUCT, ResourceRow, Resources, equal, joined
from storage.metadata.store import Queries


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRow(ResourceRow):
    """`repository` is where its releases are."""

    environment_id: int | None = None
    product_id: int
    name: str
    key: str
    engine: str | None = None
    metadata: str = "{}"
    product: str = joined(PRODUCT)
    environment: str | None = joined(ENVIRONMENT)
    repository: str | None = joined(
        "(SELECT b.repository FROM licensed_repositories b WHERE b.product_id = t.product_id"
        " AND COALESCE(b.package_id, 0) = t.id)"
    )


PACKAGES = Resources("packages", PackageRow)


async def by_key(queries: Queries, project_id: int, key: str) -> PackageRow | None:
    """The project's package of this key."""
    return await PACKAGES.first(queries, equal("project_id", project_id), equal("key", key))


async def key_is_taken(queries: Queries, project_id: int, key: str, except_id: int = 0) -> bool:
    """Whether another package of the project than this one has the key."""
    return await PACKAGES.taken(queries, except_id, equal("project_id", project_id), equal("key", key))
