"""The registry that all tests of `/v1` ask."""

from collections.abc import AsyncIterator

import pytest

from tests.api.prepared import Prepared
from tests.api.rest.world import CHEAP, World, populate
from tests.api.server import configured, running

EVERYBODY = Prepared(populate)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A registry with somebody in every role."""
    config = configured({"storage.ephemeral": True, "auth.mode": "builtin"})
    storage, secrets = await EVERYBODY.storage()
    async with running(config, storage, CHEAP) as registry:
        yield World(registry, secrets)
