"""containerd, by its own command line and by the image service that the kubelet calls."""

from collections.abc import Callable
from functools import partial

from tests.clients import answers
from tests.clients.images import IMAGE, Layout, digest_of, some_files
from tests.daemon import Daemon

Ctr = Callable[..., str]


def push(ctr: Ctr, layout: Layout, repository: str, tag: str) -> None:
    """Import everything in `layout`, push what `tag` refers to, and remove all of it from containerd."""
    everything = ["--all-platforms", "--no-unpack", f"--base-name={repository}"]
    ctr("images", "import", *everything, "-", stdin=layout.tar())
    ctr("images", "push", "--plain-http", f"{repository}:{tag}")
    ctr("images", "rm", "--sync", *ctr("images", "ls", "--quiet").split())
    assert contents(ctr) == set()


def contents(ctr: Ctr) -> set[str]:
    """The digests of everything in containerd's content store."""
    return set(ctr("content", "ls", "--quiet").split())


def test_an_index_is_pushed_and_pulled(ctr: Ctr, berth: Daemon, layout: Layout) -> None:
    """An index of two platforms comes back byte for byte, with every image it lists."""
    index = layout.add_index(*(layout.add_image(some_files(), each) for each in ["amd64", "arm64"]))
    layout.tag("1", index)
    repository = f"{berth.address}/containerd/index"
    push(ctr, layout, repository, "1")
    assert answers.manifest(berth, "containerd/index", "1").digest == index["digest"]
    pull = partial(ctr, "images", "pull", "--snapshotter=native", "--plain-http")
    pull("--all-platforms", f"{repository}:1")
    assert contents(ctr) == layout.digests()
    ctr("images", "rm", "--sync", f"{repository}:1")
    pull("--platform=linux/arm64", f"{repository}@{index['digest']}")
    assert index["digest"] in contents(ctr)


def test_an_artifact_with_a_subject_is_pushed_and_pulled(ctr: Ctr, berth: Daemon, layout: Layout) -> None:
    """An artifact comes back byte for byte, though its subject was never pushed."""
    subject = {"mediaType": IMAGE, "digest": digest_of(b"elsewhere"), "size": 9}
    artifact = layout.add_artifact({"sbom.json": b"{}\n"}, "application/vnd.example.sbom", subject)
    layout.tag("1", artifact)
    repository = f"{berth.address}/containerd/artifact"
    push(ctr, layout, repository, "1")
    assert answers.manifest(berth, "containerd/artifact", "1").digest == artifact["digest"]
    ctr("content", "fetch", "--plain-http", "--all-platforms", f"{repository}:1")
    assert contents(ctr) == layout.digests()


def test_the_kubelet_pulls_an_image(ctr: Ctr, pull_image: Callable[[str], str], berth: Daemon, layout: Layout) -> None:
    """PullImage finds an image by tag and by digest, and answers with the digest of its config."""
    image = layout.add_image(some_files())
    layout.tag("1", image)
    repository = f"{berth.address}/kubernetes/image"
    push(ctr, layout, repository, "1")
    config = answers.manifest(berth, "kubernetes/image", "1").content["config"]["digest"]
    assert pull_image(f"{repository}:1") == config
    assert f"{repository}@{image['digest']}" in ctr("--namespace=k8s.io", "images", "ls", "--quiet").split()
    assert pull_image(f"{repository}@{image['digest']}") == config


def test_the_kubelet_pulls_its_platform_from_an_index(
    ctr: Ctr, pull_image: Callable[[str], str], berth: Daemon, layout: Layout
) -> None:
    """PullImage of an index takes one of its images and records the index's digest."""
    images = [layout.add_image(some_files(), each) for each in ["amd64", "arm64"]]
    index = layout.add_index(*images)
    layout.tag("1", index)
    repository = f"{berth.address}/kubernetes/index"
    push(ctr, layout, repository, "1")
    manifests = [answers.manifest(berth, "kubernetes/index", image["digest"]) for image in images]
    assert pull_image(f"{repository}:1") in [each.content["config"]["digest"] for each in manifests]
    assert f"{repository}@{index['digest']}" in ctr("--namespace=k8s.io", "images", "ls", "--quiet").split()
