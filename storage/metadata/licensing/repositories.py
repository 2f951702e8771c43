"""Which repositories hold releases, and of what: of a package, or of a product's releases that are in no package."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.store import Queries, Transaction


@dataclass(frozen=True, slots=True)
class LicensedRepository:
    repository: str
    project_id: int
    product_id: int
    package_id: int | None
    created_at: int


_SELECT = "SELECT repository, project_id, product_id, package_id, created_at FROM licensed_repositories"


async def find(queries: Queries, repository: str) -> LicensedRepository | None:
    """What the repository holds; None where it is like any other."""
    row = await queries.fetch_one(f"{_SELECT} WHERE repository = ?", repository)
    return None if row is None else LicensedRepository(*row)


async def of_package(queries: Queries, product_id: int, package_id: int | None) -> LicensedRepository | None:
    """Where the releases of the package are, or those of the product that are in none."""
    row = await queries.fetch_one(
        f"{_SELECT} WHERE product_id = ? AND COALESCE(package_id, 0) = ?", product_id, package_id or 0
    )
    return None if row is None else LicensedRepository(*row)


async def bind(tx: Transaction, row: LicensedRepository) -> bool:
    """False if the repository holds other releases, or these releases are in another one."""
    inserted = await tx.execute(
        "INSERT INTO licensed_repositories (repository, project_id, product_id, package_id, created_at)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        row.repository,
        row.project_id,
        row.product_id,
        row.package_id,
        row.created_at,
    )
    return inserted == 1


async def unbind(tx: Transaction, repository: str) -> bool:
    """Let the repository be like any other. Whoever may read it has all that is in it, from now on."""
    return await tx.execute("DELETE FROM licensed_repositories WHERE repository = ?", repository) == 1
