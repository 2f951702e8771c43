"""Rows of environments: worlds of their own within a project."""

from __future__ import annotations

from dataclasses import dataclass

from storage.metadata.licensing.resources import ResourceRow, Resources
from storage.metadata.store import Queries

_MEMBERS = (
    "products",
    "packages",
    "releases",
    "artifacts",
    "entitlements",
    "policies",
    "customers",
    "licenses",
    "bearer_tokens",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentRow(ResourceRow):
    name: str
    code: str
    code_key: str
    isolation: str


ENVIRONMENTS = Resources("environments", EnvironmentRow)


async def in_use(queries: Queries, environment_id: int) -> bool:
    """Whether anything is in the environment, so that it cannot be deleted."""
    asked = " UNION ALL ".join(
        f"SELECT 1 WHERE EXISTS (SELECT 1 FROM {table} WHERE environment_id = ?)"  # noqa: S608 - constants
        for table in _MEMBERS
    )
    return await queries.fetch_one(asked, *[environment_id] * len(_MEMBERS)) is not None
