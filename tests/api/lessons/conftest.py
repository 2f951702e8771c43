"""The registry that all lessons are tried out on."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from registry.app.first_start import ADMIN_PASSWORD_VARIABLE
from registry.app.management import build_management
from storage.clock import SystemClock
from tests.api.accounts import PASSWORD, PASSWORDS
from tests.api.lessons.tenancy import Tenancy
from tests.api.server import configured, running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with tenants, to be copied."""
    data = tmp_path_factory.mktemp("lessons") / "data"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
        async with begun(data) as tenancy:
            await tenancy.populate()
    return data


@pytest.fixture
async def tenancy(populated: Path, tmp_path: Path) -> AsyncIterator[Tenancy]:
    """A registry on disk, with tenants."""
    shutil.copytree(populated, tmp_path / "data")
    async with begun(tmp_path / "data") as tenancy:
        yield tenancy


@contextlib.asynccontextmanager
async def begun(data: Path) -> AsyncIterator[Tenancy]:
    """A registry with what is in the data folder."""
    config = configured({"storage.data": str(data), "auth.mode": "builtin"})
    async with running(config, passwords=PASSWORDS) as registry:
        yield Tenancy(registry, build_management(registry.storage.store, SystemClock(), PASSWORDS))
