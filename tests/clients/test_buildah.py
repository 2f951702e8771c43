"""buildah, with image storage of its own."""

from collections.abc import Callable
from pathlib import Path

from tests.clients import answers
from tests.clients.images import INDEX, some_files
from tests.daemon import Daemon

Buildah = Callable[..., str]


def commit(buildah: Buildah, folder: Path, image: str, architecture: str = "amd64") -> str:
    """Make `image` of some files and return its id, the digest of its config."""
    container = buildah("from", "scratch")
    for name, content in some_files().items():
        (folder / name).write_bytes(content)
        buildah("copy", container, folder / name, f"/{name}")
    buildah("config", f"--arch={architecture}", container)
    return buildah("commit", "--quiet", "--rm", container, image)


def image_ids(buildah: Buildah) -> list[str]:
    """The ids of all images that buildah has."""
    return buildah("images", "--quiet", "--no-trunc").split()


def test_an_image_is_pushed_and_pulled(buildah: Buildah, berth: Daemon, tmp_path: Path) -> None:
    """An image comes back from the registry under the digest it was pushed with."""
    image, digest = f"{berth.address}/buildah/image:1", tmp_path / "digest"
    before = commit(buildah, tmp_path, image)
    buildah("push", "--tls-verify=false", f"--digestfile={digest}", image)
    assert answers.manifest(berth, "buildah/image", "1").digest == digest.read_text()
    buildah("rmi", image)
    assert buildah("pull", "--quiet", "--tls-verify=false", image) == before
    pulled = buildah("inspect", "--type=image", "--format={{.FromImageDigest}}", image)
    assert pulled == digest.read_text()


def test_an_index_is_pushed_and_pulled(buildah: Buildah, berth: Daemon, tmp_path: Path) -> None:
    """An index that buildah makes of two images is stored as it is, and a pull takes the platform's image."""
    index, digest, ids = f"{berth.address}/buildah/index:1", tmp_path / "digest", {}
    buildah("manifest", "create", "index")
    for architecture in ["amd64", "arm64"]:
        ids[architecture] = commit(buildah, tmp_path, architecture, architecture)
        buildah("manifest", "add", "index", architecture)
    target = f"docker://{index}"
    buildah("manifest", "push", "--all", "--tls-verify=false", f"--digestfile={digest}", "index", target)
    answer = answers.manifest(berth, "buildah/index", "1")
    assert (answer.digest, answer.media_type) == (digest.read_text(), INDEX)
    buildah("rmi", "--all", "--force")
    assert image_ids(buildah) == []
    for architecture, before in ids.items():
        assert buildah("pull", "--quiet", "--tls-verify=false", f"--arch={architecture}", index) == before


def test_a_build_starts_from_a_pushed_image(buildah: Buildah, berth: Daemon, tmp_path: Path) -> None:
    """A build pulls its base from the registry, and its own image is pushed without the base's layer."""
    base, image = f"{berth.address}/buildah/base:1", f"{berth.address}/buildah/built:1"
    commit(buildah, tmp_path, base)
    buildah("push", "--tls-verify=false", base)
    buildah("rmi", base)
    container = buildah("from", "--tls-verify=false", base)
    buildah("copy", container, tmp_path / "hello.txt", "/more.txt")
    buildah("commit", "--quiet", container, image)
    buildah("push", "--tls-verify=false", image)
    layers = answers.manifest(berth, "buildah/base", "1").content["layers"]
    assert answers.manifest(berth, "buildah/built", "1").content["layers"][:-1] == layers
