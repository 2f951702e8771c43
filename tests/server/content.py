"""Content in a data folder, for commands that find something there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from auth.actor import OPERATING
from registry.api.call import Services
from registry.app.services import build_services
from registry.app.storing import open_storage
from registry.domain.manifests import Push
from storage.digest import parse_digest
from storage.names import RepositoryName, parse_tag
from tests.api.content import Document
from tests.api.server import configured


def push(data: Path, repository: str, pushed: Document, *tags: str) -> None:
    """Push a manifest that needs nothing."""
    push = Push(pushed.content, pushed.media_type, parse_digest(pushed.digest), [parse_tag(tag) for tag in tags])
    _work(data, lambda services: services.manifests.put(OPERATING, RepositoryName(repository), push))


def delete(data: Path, repository: str, reference: str) -> None:
    """Delete a tag, or a manifest with its tags."""
    name = RepositoryName(repository)
    if ":" in reference:
        _work(data, lambda services: services.manifests.delete(OPERATING, name, parse_digest(reference)))
    else:
        _work(data, lambda services: services.tags.delete(OPERATING, name, parse_tag(reference)))


def _work(data: Path, work: Callable[[Services], Awaitable[object]]) -> None:
    config = configured({"storage.data": str(data)})

    async def run() -> None:
        storage = open_storage(config)
        try:
            await work(build_services(config, storage))
        finally:
            await storage.close()

    asyncio.run(run())
