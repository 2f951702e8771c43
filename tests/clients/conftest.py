"""What several clients need: a registry, with login and without, their own daemons, and nobody logged in."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests import backends
from tests.clients.accounts import ADMIN_PASSWORD, Accounts
from tests.clients.images import Layout
from tests.clients.programs import require, require_module, run, service
from tests.daemon import Daemon

Command = Callable[..., str]

IMAGE_SERVICE = "tests/clients/image_service.proto"

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


@pytest.fixture(
    scope="module",
    params=[
        "sqlite-files",
        pytest.param("sqlite-s3", marks=pytest.mark.thorough),
        pytest.param("postgresql-files", marks=pytest.mark.thorough),
        "postgresql-s3",
    ],
)
def kept_in(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The environment of a registry that keeps rows and bytes there."""
    with backends.kept_in(request.param, request) as environment:
        yield environment


@pytest.fixture(scope="module")
def berth(tmp_path_factory: pytest.TempPathFactory, kept_in: dict[str, str]) -> Iterator[Daemon]:
    """A running registry, empty at first; afterwards it stops cleanly and its store is found whole."""
    with Daemon(tmp_path_factory.mktemp("berth") / "data", environment=kept_in) as daemon:
        yield daemon
        assert daemon.stop() == 0, daemon.tail()
    daemon.check()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """The accounts of a registry that asks for login, which ends as `berth` does."""
    environment = {"BERTH_ADMIN_PASSWORD": ADMIN_PASSWORD}
    with Daemon(tmp_path_factory.mktemp("login") / "data", auth="builtin", environment=environment) as daemon:
        yield Accounts(daemon)
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


@pytest.fixture
def ctr(containerd: Path) -> Command:
    """The ctr command line in its default namespace."""
    return partial(run, "ctr", "--address", containerd)


@pytest.fixture
def pull_image(containerd: Path) -> Command:
    """The kubelet's call: pull an image by its reference and return its id, the digest of its config.

    What else is given are fields of the login that a pull secret holds. AssertionError when the pull fails.
    """
    require_module("grpc_tools")
    grpc = require_module("grpc")
    messages, services = grpc.protos_and_services(IMAGE_SERVICE)

    def pull(image: str, **login: str) -> str:
        request = messages.PullImageRequest(image=messages.ImageSpec(image=image), auth=messages.AuthConfig(**login))
        with grpc.insecure_channel(f"unix://{containerd}") as channel:
            try:
                answer = services.ImageServiceStub(channel).PullImage(request, timeout=60)
            except grpc.RpcError as error:
                raise AssertionError(error.details()) from error
        return str(answer.image_ref)

    return pull


@pytest.fixture(scope="session")
def docker(containerd: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Command]:
    """The docker command line, connected to a dockerd that runs for these tests only."""
    require("dockerd", "docker", root=True)
    folder = tmp_path_factory.mktemp("docker")
    socket = f"unix://{folder}/socket"
    command = partial(run, "docker", "--host", socket)
    places = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    network = ["--iptables=false", "--ip6tables=false", "--bridge=none"]
    dockerd = ["dockerd", "--host", socket, f"--containerd={containerd}", "--storage-driver=vfs"]
    with service(*dockerd, *places, *network, folder=folder, ready=partial(command, "version")):
        yield command


@pytest.fixture
def podman() -> Iterator[Command]:
    """The podman command line, with no images."""
    require("podman")
    # podman takes only short paths here, which those of pytest are not when tests run side by side.
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        places = [f"--root={folder}/root", f"--runroot={folder}/run", f"--tmpdir={folder}/tmp"]
        drivers = ["--storage-driver=vfs", "--cgroup-manager=cgroupfs", "--events-backend=file"]
        yield partial(run, "podman", *places, *drivers)


@pytest.fixture
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """The buildah command line, with no images."""
    require("buildah")
    folder = tmp_path_factory.mktemp("buildah")
    return partial(run, "buildah", f"--root={folder}/root", f"--runroot={folder}/run", "--storage-driver=vfs")


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """podman, skopeo and buildah remember what they can mount in a file of this test.

    The one that all of root's processes share forgets now and then what several of them write at the same time.
    """
    monkeypatch.setenv("_CONTAINERS_ROOTLESS_UID", "1")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "cache"))
