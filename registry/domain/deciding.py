"""How use cases ask the policy: what may not be known looks like what is not there."""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor
from auth.policy import prefixes_of
from auth.roles import Action, Permission
from registry.errors import Denied, NotFound
from storage.metadata import registries, repositories
from storage.metadata.store import Queries
from storage.names import RepositoryName


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


def expect_action(actor: Actor, action: Action, repository: RepositoryName) -> None:
    """Raises `NotFound` unless the actor may pull from the repository, `Denied` unless it may also do this to it."""
    for wanted in (Action.PULL, action):
        decision = actor.access.decide(wanted, repository)
        if decision.granted:
            continue
        if wanted is Action.PULL and not decision.own:
            raise NotFound("repository", repository)
        raise Denied(decision.reason)


async def expect_content(queries: Queries, actor: Actor, action: Action, repository: RepositoryName) -> int:
    """The id of a repository in which there is, or was, something, if the actor may do that to it.

    Raises what `expect_action` does, and `NotFound` where there is no such repository.
    """
    expect_action(actor, action, repository)
    repository_id = await repositories.find(queries, repository)
    if repository_id is None:
        raise NotFound("repository", repository)
    return repository_id


@dataclass(frozen=True, slots=True)
class Past:
    """What of a repository's past is for an actor: what was from `since_ms` on, and, with `people`, who did it."""

    since_ms: int
    people: bool


async def past_of(queries: Queries, actor: Actor, repository: RepositoryName) -> Past:
    """What of the repository's past the actor may see.

    Names are for those who may push, or may see who is a member: strangers pull from public registries, too. What was
    before the repository came to its registry is for those alone who may read the whole audit log.
    """
    if actor.access.permits(Permission.SYSTEM_AUDIT_READ).granted:
        return Past(0, people=True)
    owner = await registries.owner_of(queries, prefixes_of(repository))
    pushes = actor.access.decide(Action.PUSH, repository).granted
    if owner is None:
        return Past(0, pushes)
    project_id, since_ms = owner
    return Past(since_ms, pushes or actor.access.permits(Permission.MEMBERS_READ, project_id).granted)
