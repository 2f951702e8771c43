"""skopeo, between image layouts on disk and the registry."""

import json
from functools import partial
from pathlib import Path

import pytest

from tests.clients import answers
from tests.clients.images import IMAGE, INDEX, Layout, some_files
from tests.clients.programs import require, run
from tests.daemon import Daemon

ARTIFACT_TYPE = "application/vnd.example.sbom"

skopeo = partial(run, "skopeo")
upload = partial(skopeo, "copy", "--all", "--dest-tls-verify=false")
download = partial(skopeo, "copy", "--all", "--src-tls-verify=false")
inspect = partial(skopeo, "inspect", "--tls-verify=false")
list_tags = partial(skopeo, "list-tags", "--tls-verify=false")


@pytest.fixture(autouse=True)
def installed() -> None:
    """No test without skopeo."""
    require("skopeo")


def two_platforms(layout: Layout, tag: str) -> str:
    """Add an index of two images to `layout`, tag it, and return its digest."""
    index = layout.add_index(*(layout.add_image(some_files(), each) for each in ["amd64", "arm64"]))
    layout.tag(tag, index)
    return str(index["digest"])


def test_an_image_is_copied_in_and_out(berth: Daemon, layout: Layout, tmp_path: Path) -> None:
    """An image comes back from the registry byte for byte."""
    image, digest = f"docker://{berth.address}/skopeo/image:1", tmp_path / "digest"
    layout.tag("1", layout.add_image(some_files()))
    upload(f"--digestfile={digest}", f"oci:{layout.folder}:1", image)
    answer = answers.manifest(berth, "skopeo/image", "1")
    assert layout.tagged("1") == digest.read_text() == answer.digest
    assert answer.media_type == IMAGE
    back = Layout(tmp_path / "back")
    download(image, f"oci:{back.folder}:1")
    assert back.tagged("1") == layout.tagged("1")
    assert back.digests() == layout.digests()


def test_all_platforms_are_copied_in_and_out(berth: Daemon, layout: Layout, tmp_path: Path) -> None:
    """With --all an index comes back byte for byte, with every image it lists."""
    index = two_platforms(layout, "1")
    upload(f"oci:{layout.folder}:1", f"docker://{berth.address}/skopeo/index:1")
    answer = answers.manifest(berth, "skopeo/index", "1")
    assert (answer.digest, answer.media_type) == (index, INDEX)
    back = Layout(tmp_path / "back")
    download(f"docker://{berth.address}/skopeo/index@{index}", f"oci:{back.folder}:1")
    assert back.tagged("1") == index
    assert back.digests() == layout.digests()


def test_an_artifact_with_a_subject_is_copied(berth: Daemon, layout: Layout, tmp_path: Path) -> None:
    """An artifact that refers to an image is stored as it is and becomes a referrer of the image."""
    image = layout.add_image(some_files())
    layout.tag("image", image)
    subject = {key: image[key] for key in ["mediaType", "digest", "size"]}
    artifact = layout.add_artifact({"sbom.json": b"{}\n"}, ARTIFACT_TYPE, subject)
    layout.tag("artifact", artifact)
    repository = f"docker://{berth.address}/skopeo/artifact"
    for tag in ["image", "artifact"]:
        upload(f"oci:{layout.folder}:{tag}", f"{repository}:{tag}")
    answer = answers.manifest(berth, "skopeo/artifact", "artifact")
    assert (answer.digest, answer.content["subject"]) == (artifact["digest"], subject)
    referrers = answers.referrers(berth, "skopeo/artifact", image["digest"])
    assert referrers == [(artifact["digest"], ARTIFACT_TYPE)]
    back = Layout(tmp_path / "back")
    for tag in ["image", "artifact"]:
        download(f"{repository}:{tag}", f"oci:{back.folder}:{tag}")
    assert back.digests() == layout.digests()


def test_an_index_is_copied_within_the_registry(berth: Daemon, layout: Layout) -> None:
    """A copy from repository to repository has the same digests."""
    index = two_platforms(layout, "1")
    source, target = (f"docker://{berth.address}/skopeo/{each}:1" for each in ["source", "target"])
    upload(f"oci:{layout.folder}:1", source)
    skopeo("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false", source, target)
    answer = answers.manifest(berth, "skopeo/target", "1")
    assert answer.digest == index
    for child in answer.content["manifests"]:
        assert answers.manifest(berth, "skopeo/target", child["digest"]).digest == child["digest"]


def test_an_image_is_inspected(berth: Daemon, layout: Layout) -> None:
    """An inspection shows the digest, the platform and the tags, and with --raw the manifest's own bytes."""
    index = two_platforms(layout, "1")
    image = f"docker://{berth.address}/skopeo/inspected:1"
    upload(f"oci:{layout.folder}:1", image)
    shown = json.loads(inspect("--override-arch=arm64", image))
    assert (shown["Digest"], shown["Architecture"], shown["RepoTags"]) == (index, "arm64", ["1"])
    assert json.loads(inspect("--raw", image)) == answers.manifest(berth, "skopeo/inspected", "1").content


def test_a_deleted_image_is_gone(berth: Daemon, layout: Layout) -> None:
    """After a delete the image's tags are not listed and cannot be pulled, and another image's stay."""
    repository = f"docker://{berth.address}/skopeo/deleted"
    for tag in ["kept", "gone"]:
        layout.tag(tag, layout.add_image(some_files()))
        upload(f"oci:{layout.folder}:{tag}", f"{repository}:{tag}")
    assert json.loads(list_tags(repository))["Tags"] == ["gone", "kept"]
    skopeo("delete", "--tls-verify=false", f"{repository}:gone")
    assert json.loads(list_tags(repository))["Tags"] == ["kept"]
    with pytest.raises(AssertionError, match="manifest unknown"):
        inspect(f"{repository}:gone")
    assert json.loads(inspect(f"{repository}:kept"))["Digest"] == layout.tagged("kept")


def test_a_repository_is_synced_out_and_in(berth: Daemon, layout: Layout, tmp_path: Path) -> None:
    """A sync fetches every tag of a repository into a folder and from there fills another repository."""
    digests = {tag: two_platforms(layout, tag) for tag in ["1", "2", "3"]}
    for tag in digests:
        upload(f"oci:{layout.folder}:{tag}", f"docker://{berth.address}/skopeo/synced:{tag}")
    sync = partial(skopeo, "sync", "--all", "--src-tls-verify=false", "--dest-tls-verify=false")
    sync("--src=docker", "--dest=dir", f"{berth.address}/skopeo/synced", tmp_path / "folder")
    sync("--src=dir", "--dest=docker", tmp_path / "folder", f"{berth.address}/skopeo/mirror")
    assert json.loads(list_tags(f"docker://{berth.address}/skopeo/mirror/synced"))["Tags"] == ["1", "2", "3"]
    for tag, digest in digests.items():
        assert answers.manifest(berth, "skopeo/mirror/synced", tag).digest == digest
