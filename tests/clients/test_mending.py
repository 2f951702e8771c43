"""Pushing an image again with real clients after the registry found one of its layers damaged."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.clients import answers
from tests.clients.conftest import Command
from tests.clients.images import Layout, some_files, tar_of
from tests.clients.programs import require, run
from tests.daemon import Daemon

skopeo = partial(run, "skopeo")


@pytest.fixture(scope="module")
def kept_in() -> dict[str, str]:
    """Rows in SQLite and bytes in files, where the tests can spoil them."""
    return {}


def spoil_layer(berth: Daemon, repository: str) -> str:
    """Flip a bit of the image's last layer on the disk, let the registry find that, and return the layer's digest."""
    digest = str(answers.manifest(berth, repository, "1").content["layers"][-1]["digest"])
    with closing(sqlite3.connect(berth.data / "metadata.db")) as database:
        (key,) = database.execute("SELECT storage_key FROM blobs WHERE digest = ?", (digest,)).fetchone()
    path = berth.data / "blobs" / key
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    assert digest in berth.command("scrub", "--all", code=1)
    return digest


def test_skopeo_mends(berth: Daemon, layout: Layout, tmp_path: Path) -> None:
    """A damaged image is not copied; when it was copied in once more it can be, from every repository that has it."""
    require("skopeo")
    layout.tag("1", layout.add_image(some_files()))
    source = f"oci:{layout.folder}:1"
    images = {name: f"docker://{berth.address}/skopeo/{name}:1" for name in ("mended", "other")}
    for image in images.values():
        skopeo("copy", "--dest-tls-verify=false", source, image)
    spoil_layer(berth, "skopeo/mended")
    with pytest.raises(AssertionError, match="damaged"):
        skopeo("copy", "--src-tls-verify=false", images["mended"], f"dir:{tmp_path / 'damaged'}")
    skopeo("copy", "--dest-tls-verify=false", source, images["mended"])
    for name, image in images.items():
        back = Layout(tmp_path / name)
        skopeo("copy", "--src-tls-verify=false", image, f"oci:{back.folder}:1")
        assert back.digests() == layout.digests()
    assert "nothing is damaged" in berth.command("scrub", "--all")


def test_docker_mends(docker: Command, berth: Daemon) -> None:
    """Docker pushes the damaged layer again, and nothing else; then the image can be pulled."""
    image = f"{berth.address}/docker/mended:1"
    docker("import", "-", image, stdin=tar_of(some_files()))
    docker("push", image)
    assert "Layer already exists" in docker("push", image)
    spoil_layer(berth, "docker/mended")
    output = docker("push", image)
    assert "Pushed" in output, output
    assert "already exists" not in output, output
    docker("rmi", image)
    assert "Pull complete" in docker("pull", image)
    docker("image", "prune", "--all", "--force")
