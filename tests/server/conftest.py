"""What the tests of the daemon and of its commands share."""

import os
from pathlib import Path

import pytest

from tests.server.commands import ADMIN_PASSWORD, Commands


@pytest.fixture
def berth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Runs commands on a new data folder, in which there is nobody but the user admin."""
    for name in list(os.environ):
        if name.startswith("BERTH_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BERTH_STORAGE__DATA", str(tmp_path / "data"))
    commands = Commands(tmp_path / "data")
    monkeypatch.setenv("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD)
    commands("migrate")
    monkeypatch.delenv("BERTH_ADMIN_PASSWORD")
    return commands
