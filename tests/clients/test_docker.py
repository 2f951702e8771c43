"""docker, with a daemon of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients import answers
from tests.clients.images import Layout, some_files, tar_of
from tests.clients.programs import require, run
from tests.daemon import Daemon

Docker = Callable[..., str]


@pytest.fixture(autouse=True)
def no_images_left(docker: Docker) -> Iterator[None]:
    """Each test starts with a dockerd that has no images, so that what it pulls is downloaded."""
    yield
    docker("image", "prune", "--all", "--force")
    assert not docker("images", "--all", "--quiet")


def pushed(docker: Docker, image: str) -> str:
    """Push `image` and return the digest that docker says it has."""
    last = docker("push", image).splitlines()[-1]
    return last.split("digest: ")[1].split()[0]


def pulled(docker: Docker, image: str, *flags: str) -> str:
    """Pull `image`, of which no layer is here, and return the digest that docker says it has."""
    output = docker("pull", *flags, image)
    assert "Pull complete" in output, output
    return output.split("Digest: ")[1].split()[0]


def image_id(docker: Docker, image: str) -> str:
    """The digest of the image's config, which names all its layers."""
    return docker("image", "inspect", "--format", "{{.Id}}", image)


def build(docker: Docker, folder: Path, image: str, *instructions: str) -> None:
    """Build `image` from nothing: one layer for each file of `some_files`, then `instructions`."""
    files = some_files()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    copies = [f"COPY {name} /" for name in files]
    (folder / "Dockerfile").write_text("\n".join(["FROM scratch", *copies, *instructions]))
    docker("build", "--quiet", "--tag", image, folder)


def test_an_imported_image_is_pushed_and_pulled(docker: Docker, berth: Daemon) -> None:
    """An image comes back from the registry under the digest it was pushed with."""
    image = f"{berth.address}/library/imported:1"
    docker("import", "-", image, stdin=tar_of(some_files()))
    before = image_id(docker, image)
    digest = pushed(docker, image)
    assert answers.manifest(berth, "library/imported", "1").digest == digest
    docker("rmi", image)
    assert pulled(docker, image) == digest
    assert image_id(docker, image) == before


def test_an_image_is_pulled_by_digest(docker: Docker, berth: Daemon) -> None:
    """A digest names the image as well as its tag does."""
    image = f"{berth.address}/by-digest"
    docker("import", "-", image, stdin=tar_of(some_files()))
    before = image_id(docker, image)
    digest = pushed(docker, image)
    docker("rmi", image)
    assert pulled(docker, f"{image}@{digest}") == digest
    assert image_id(docker, f"{image}@{digest}") == before


def test_layers_are_pushed_once(docker: Docker, berth: Daemon, tmp_path: Path) -> None:
    """A second repository mounts the layers of the first, and a second push finds them there."""
    first, second = f"{berth.address}/first:1", f"{berth.address}/second:1"
    build(docker, tmp_path, first)
    digest = pushed(docker, first)
    docker("tag", first, second)
    output = docker("push", second)
    assert output.count("Mounted from first") == len(some_files()), output
    assert answers.manifest(berth, "second", "1").digest == digest
    output = docker("push", first)
    assert output.count("Layer already exists") == len(some_files()), output
    docker("rmi", first, second)
    assert pulled(docker, second) == digest


def test_a_manifest_list_is_pushed_and_pulled(docker: Docker, berth: Daemon, tmp_path: Path) -> None:
    """A list that docker makes of two images is stored as it is, and a pull takes the platform's image."""
    listed, ids = f"{berth.address}/listed:1", {}
    for architecture in ["amd64", "arm64"]:
        image = f"{berth.address}/listed:{architecture}"
        build(docker, tmp_path, image, f"LABEL built.for={architecture}")
        pushed(docker, image)
        ids[architecture] = image_id(docker, image)
        docker("manifest", "create", "--insecure", "--amend", listed, image)
        docker("manifest", "annotate", "--os=linux", f"--arch={architecture}", listed, image)
    digest = docker("manifest", "push", "--insecure", listed).splitlines()[-1]
    answer = answers.manifest(berth, "listed", "1")
    assert (answer.digest, answer.media_type) == (digest, answers.DOCKER_LIST)
    docker("rmi", *ids.values())
    assert pulled(docker, listed, "--platform=linux/arm64") == digest
    assert image_id(docker, listed) == ids["arm64"]


def test_an_image_of_an_oci_index_is_pulled(docker: Docker, berth: Daemon, layout: Layout) -> None:
    """A pull of an OCI index that skopeo pushed gives the platform that was asked for."""
    require("skopeo")
    images = {each: layout.add_image(some_files(), each) for each in ["amd64", "arm64"]}
    index = layout.add_index(*images.values())
    layout.tag("1", index)
    image = f"{berth.address}/index:1"
    run("skopeo", "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1", f"docker://{image}")
    for architecture, descriptor in images.items():
        assert pulled(docker, image, f"--platform=linux/{architecture}") == index["digest"]
        config = answers.manifest(berth, "index", descriptor["digest"]).content["config"]
        assert image_id(docker, image) == config["digest"]
