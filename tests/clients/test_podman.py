"""podman, with image storage of its own."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.clients import answers
from tests.clients.images import INDEX, some_files, tar_of
from tests.daemon import Daemon

Podman = Callable[..., str]


def inspect(podman: Podman, image: str, field: str) -> str:
    """What podman knows of `image`: its `Digest` in the registry, or its `Id`, the digest of its config."""
    return podman("image", "inspect", "--format", f"{{{{.{field}}}}}", image)


def test_an_image_is_pushed_and_pulled(podman: Podman, berth: Daemon, tmp_path: Path) -> None:
    """An image comes back from the registry under the digest it was pushed with."""
    image, digest = f"{berth.address}/podman/image:1", tmp_path / "digest"
    podman("import", "-", image, stdin=tar_of(some_files()))
    before = inspect(podman, image, "Id")
    podman("push", "--tls-verify=false", f"--digestfile={digest}", image)
    assert answers.manifest(berth, "podman/image", "1").digest == digest.read_text()
    podman("rmi", image)
    podman("pull", "--tls-verify=false", image)
    assert inspect(podman, image, "Digest") == digest.read_text()
    assert inspect(podman, image, "Id") == before


def test_an_image_is_pushed_in_dockers_format(podman: Podman, berth: Daemon, tmp_path: Path) -> None:
    """An image that podman converts to Docker's schema 2 keeps the digest and the media type it was given."""
    image, digest = f"{berth.address}/podman/schema2:1", tmp_path / "digest"
    podman("import", "-", image, stdin=tar_of(some_files()))
    podman("push", "--tls-verify=false", "--format=v2s2", f"--digestfile={digest}", image)
    answer = answers.manifest(berth, "podman/schema2", "1")
    assert (answer.digest, answer.media_type) == (digest.read_text(), answers.DOCKER_IMAGE)
    podman("rmi", image)
    podman("pull", "--tls-verify=false", f"{berth.address}/podman/schema2@{answer.digest}")
    assert podman("images", "--quiet", "--no-trunc") == answer.content["config"]["digest"]


def test_an_index_is_pushed_and_pulled(podman: Podman, berth: Daemon, tmp_path: Path) -> None:
    """An index that podman makes of two images is stored as it is, and a pull takes the platform's image."""
    index, digest, ids = f"{berth.address}/podman/index:1", tmp_path / "digest", {}
    podman("manifest", "create", index)
    for architecture in ["amd64", "arm64"]:
        image = f"localhost/{architecture}"
        podman("import", f"--arch={architecture}", "-", image, stdin=tar_of(some_files()))
        ids[architecture] = inspect(podman, image, "Id")
        podman("manifest", "add", index, f"containers-storage:{image}:latest")
    target = f"docker://{index}"
    podman("manifest", "push", "--all", "--tls-verify=false", f"--digestfile={digest}", index, target)
    answer = answers.manifest(berth, "podman/index", "1")
    assert (answer.digest, answer.media_type) == (digest.read_text(), INDEX)
    podman("rmi", "--all", "--force")
    for architecture, before in ids.items():
        podman("pull", "--tls-verify=false", f"--arch={architecture}", index)
        assert inspect(podman, index, "Digest") == answer.digest
        assert inspect(podman, index, "Id") == before


def test_repositories_and_tags_are_found(podman: Podman, berth: Daemon) -> None:
    """A search finds a repository in the catalog, and then its tags."""
    podman("import", "-", "localhost/found", stdin=tar_of(some_files()))
    repository = f"{berth.address}/podman/found"
    for tag in ["1", "2"]:
        podman("push", "--tls-verify=false", "localhost/found", f"docker://{repository}:{tag}")
    search = partial(podman, "search", "--tls-verify=false")
    assert repository in search("--format={{.Name}}", f"{berth.address}/podman").splitlines()
    assert search("--list-tags", repository).split() == ["NAME", "TAG", repository, "1", repository, "2"]
