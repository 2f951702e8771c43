"""The registry that all lessons are tried out on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from registry.app.first_start import ADMIN_PASSWORD_VARIABLE
from registry.app.management import build_management
from storage.clock import SystemClock
from tests.api.accounts import PASSWORD, PASSWORDS
from tests.api.lessons.tenancy import Tenancy
from tests.api.server import configured, running


@pytest.fixture
async def tenancy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenancy]:
    """A registry on disk, with tenants."""
    monkeypatch.setenv(ADMIN_PASSWORD_VARIABLE, PASSWORD)
    config = configured({"storage.data": str(tmp_path / "data"), "auth.mode": "builtin"})
    async with running(config, passwords=PASSWORDS) as registry:
        tenancy = Tenancy(registry, build_management(registry.storage.store, SystemClock(), PASSWORDS))
        await tenancy.populate()
        yield tenancy
