"""Repositories: the one question that the other nouns ask of them."""

from __future__ import annotations

from registry.errors import NameUnknown
from storage.metadata import repositories
from storage.metadata.store import Queries
from storage.names import RepositoryName


async def expect_repository(queries: Queries, name: RepositoryName) -> int:
    """The id of a repository in which there is, or was, something. Raises `NameUnknown`."""
    repository_id = await repositories.find(queries, name)
    if repository_id is None:
        raise NameUnknown(name)
    return repository_id
