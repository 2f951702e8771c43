"""The registry that all tests of `/v1` ask."""

from collections.abc import AsyncIterator

import pytest

from registry.app.storing import open_storage
from tests.api.rest.world import World, populate
from tests.api.server import configured, running


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A registry with somebody in every role."""
    config = configured({"storage.ephemeral": True, "auth.mode": "builtin"})
    storage = open_storage(config)
    secrets = await populate(storage.store)
    async with running(config, storage) as registry:
        yield World(registry, secrets)
