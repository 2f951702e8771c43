"""What the tests of the daemon and of its commands share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.commands import ADMIN_PASSWORD, Commands
from tests.server.site import Site
from tests.server.workers import Workers


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


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One daemon for all tests of access: each has users of its own."""
    site = Site(tmp_path_factory.mktemp("site"))
    with site.daemon:
        with Workers(site.daemon) as workers:
            site.populate(workers)
        yield site
        site.daemon.check()


@pytest.fixture
def workers(site: Site) -> Iterator[Workers]:
    """All of the daemon's workers."""
    with Workers(site.daemon) as workers:
        assert len(list(workers)) == 2
        yield workers
