"""How the use cases of management ask the policy: what may not be known looks like what is not there."""

from __future__ import annotations

from auth.actor import Actor
from auth.roles import Permission
from registry.errors import Denied, NotFound
from storage.metadata.store import Queries


async def expect_project(queries: Queries, actor: Actor, name: str, permission: Permission) -> int:
    """The id of the project, if the actor may do that in it.

    Raises `NotFound` when there is no such project, or the actor may not even know of it; `Denied` when it may not do
    this to it.
    """
    row = await queries.fetch_one("SELECT id FROM projects WHERE name = ?", name)
    if row is None or not actor.access.permits(Permission.PROJECT_READ, row[0]).granted:
        raise NotFound("project", name)
    decision = actor.access.permits(permission, row[0])
    if not decision.granted:
        raise Denied(decision.reason)
    return int(row[0])


def expect_permission(actor: Actor, permission: Permission) -> None:
    """Raises `Denied` unless the actor may do that in the whole installation."""
    decision = actor.access.permits(permission)
    if not decision.granted:
        raise Denied(decision.reason)
