"""What several clients need: a registry, a containerd, an image layout, and nobody logged in."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.clients.images import Layout
from tests.clients.programs import require, run, service
from tests.daemon import Daemon

CONTAINERD = """
version = 2
root = "{folder}/root"
state = "{folder}/state"

[grpc]
address = "{folder}/socket"

[plugins."io.containerd.internal.v1.opt"]
path = "{folder}/opt"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
"""


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A running registry, empty at first; afterwards it stops cleanly and its store is found whole."""
    with Daemon(tmp_path_factory.mktemp("berth") / "data") as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture(autouse=True, scope="module")
def logged_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No client finds the logins of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("logged-out")
    logins = folder / "auth.json"
    logins.write_text("{}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_CONFIG", str(folder / "docker"))
        patch.setenv("REGISTRY_AUTH_FILE", str(logins))
        yield


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty image layout."""
    return Layout(tmp_path / "layout")


@pytest.fixture(scope="session")
def containerd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The socket of a containerd that runs for these tests only."""
    require("containerd", "ctr", root=True)
    folder = tmp_path_factory.mktemp("containerd")
    socket, config = folder / "socket", folder / "config.toml"
    config.write_text(CONTAINERD.format(folder=folder))
    ready = partial(run, "ctr", "--address", socket, "version")
    with service("containerd", "--config", config, folder=folder, ready=ready):
        yield socket
