"""Codes: short names that people choose, which are equal whatever the case."""

from __future__ import annotations

from storage.metadata.licensing.resources import Condition, R, Resources, equal
from storage.metadata.store import Queries


def code_key(code: str) -> str:
    """What is compared in place of the code."""
    return code.casefold()


async def by_code(resources: Resources[R], queries: Queries, project_id: int, code: str) -> R | None:
    """The project's resource of this code; the table has a `code_key`."""
    return await resources.first(queries, *_of(project_id, code))


async def code_is_taken(
    resources: Resources[R], queries: Queries, project_id: int, code: str, except_id: int = 0
) -> bool:
    """Whether another resource of the project than this one has the code."""
    return await resources.taken(queries, except_id, *_of(project_id, code))


def _of(project_id: int, code: str) -> tuple[Condition, Condition]:
    return equal("project_id", project_id), equal("code_key", code_key(code))
