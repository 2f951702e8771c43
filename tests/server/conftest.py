"""What the tests of the daemon and of its commands share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.commands import ADMIN_PASSWORD, Commands
from tests.server.site import Site
from tests.server.workers import Workers


@pytest.fixture(scope="session")
def new_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which there is nobody but the user admin, to be copied."""
    data = tmp_path_factory.mktemp("new") / "data"
    with pytest.MonkeyPatch.context() as environment:
        commands = commands_on(data, environment)
        environment.setenv("BERTH_ADMIN_PASSWORD", ADMIN_PASSWORD)
        commands("migrate")
    return data


@pytest.fixture
def berth(new_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """Runs commands on a data folder of the test's own, in which there is nobody but the user admin."""
    shutil.copytree(new_data, tmp_path / "data")
    return commands_on(tmp_path / "data", monkeypatch)


def commands_on(data: Path, environment: pytest.MonkeyPatch) -> Commands:
    """What runs commands on the data folder, which alone the environment names."""
    for name in list(os.environ):
        if name.startswith("BERTH_"):
            environment.delenv(name)
    environment.setenv("BERTH_STORAGE__DATA", str(data))
    return Commands(data)


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
