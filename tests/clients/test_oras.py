"""The Python client of oras."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import answers
from tests.clients.images import digest_of, some_files
from tests.clients.programs import require_module
from tests.daemon import Daemon

SBOM = "application/vnd.example.sbom"
SIGNATURE = "application/vnd.example.signature"


@pytest.fixture
def oras(berth: Daemon) -> Iterator[Any]:
    """A client of the registry that nobody has logged in."""
    client = require_module("oras.client").OrasClient(hostname=berth.address, insecure=True)
    yield client
    client.session.close()


def files_in(folder: Path) -> list[str]:
    """Write some files to `folder` and return their paths."""
    folder.mkdir()
    for name, content in some_files().items():
        (folder / name).write_bytes(content)
    return [str(path) for path in sorted(folder.iterdir())]


def push(oras: Any, target: str, files: list[str], **options: Any) -> str:
    """Push `files` as an artifact and return the digest of its manifest, as the client sent it."""
    response = oras.push(target=target, files=files, disable_path_validation=True, quiet=True, **options)
    assert response.status_code == 201
    digest = digest_of(response.request.body)
    assert response.headers["Docker-Content-Digest"] == digest
    return digest


def assert_pulled(oras: Any, target: str, files: list[str], folder: Path) -> None:
    """Pull `target` into `folder` and find the same files there, byte for byte."""
    pulled = sorted(oras.pull(target=target, outdir=str(folder)))
    assert [Path(each).name for each in pulled] == [Path(each).name for each in files]
    assert [Path(each).read_bytes() for each in pulled] == [Path(each).read_bytes() for each in files]


def attach(oras: Any, repository: str, subject: Any, media_type: str, folder: Path) -> str:
    """Push an artifact of the type `media_type` that refers to `subject`, and return its digest."""
    files = files_in(folder)
    config = folder.with_suffix(".json")
    config.write_text("{}")
    tag = folder.name
    return push(oras, f"{repository}:{tag}", files, subject=subject, manifest_config=f"{config}:{media_type}")


def discover(oras: Any, berth: Daemon, repository: str, digest: str, query: str = "") -> Any:
    """What the registry answers the client when asked for the referrers of `digest`."""
    response = oras.do_request(f"{berth.url}/v2/{repository}/referrers/{digest}{query}")
    assert response.status_code == 200
    return response


def test_files_are_pushed_and_pulled(oras: Any, berth: Daemon, tmp_path: Path) -> None:
    """An artifact's files come back byte for byte, under the digest that was pushed."""
    files = files_in(tmp_path / "files")
    digest = push(oras, f"{berth.address}/oras/files:1", files)
    assert answers.manifest(berth, "oras/files", "1").digest == digest
    assert_pulled(oras, f"{berth.address}/oras/files:1", files, tmp_path / "by-tag")
    assert_pulled(oras, f"{berth.address}/oras/files@{digest}", files, tmp_path / "by-digest")


def test_files_are_pushed_in_chunks(oras: Any, berth: Daemon, tmp_path: Path) -> None:
    """A file that is sent in many pieces, each with its Content-Range, comes back whole."""
    files = files_in(tmp_path / "files")
    target = f"{berth.address}/oras/chunks:1"
    push(oras, target, files, do_chunked=True, chunk_size=100_000)
    assert_pulled(oras, target, files, tmp_path / "back")


def test_attached_artifacts_are_discovered(oras: Any, berth: Daemon, tmp_path: Path) -> None:
    """Artifacts that refer to another are listed as its referrers, all of them or those of one type."""
    repository = f"{berth.address}/oras/attached"
    push(oras, f"{repository}:1", files_in(tmp_path / "files"))
    subject_type = require_module("oras.oci").Subject
    subject = subject_type.from_manifest(oras.get_manifest(f"{repository}:1"))
    assert subject.digest == answers.manifest(berth, "oras/attached", "1").digest
    sbom = attach(oras, repository, subject, SBOM, tmp_path / "sbom")
    signature = attach(oras, repository, subject, SIGNATURE, tmp_path / "signature")

    found = discover(oras, berth, "oras/attached", subject.digest).json()["manifests"]
    assert {each["digest"]: each["artifactType"] for each in found} == {sbom: SBOM, signature: SIGNATURE}
    some = discover(oras, berth, "oras/attached", subject.digest, f"?artifactType={SBOM}")
    assert some.headers["OCI-Filters-Applied"] == "artifactType"
    assert [each["digest"] for each in some.json()["manifests"]] == [sbom]
    assert discover(oras, berth, "oras/attached", sbom).json()["manifests"] == []


def test_tags_are_listed_and_deleted(oras: Any, berth: Daemon, tmp_path: Path) -> None:
    """All tags, or as many as asked for, are listed in order, and a deleted one is gone."""
    repository, tags = f"{berth.address}/oras/tags", [f"{number:02}" for number in range(12)]
    for tag in tags:
        files = files_in(tmp_path / tag)
        push(oras, f"{repository}:{tag}", files[:1], manifest_annotations={"tag": tag})
    assert oras.get_tags(repository, N=5) == tags[:5]
    assert oras.get_tags(repository) == tags
    assert oras.delete_tags(repository, tags[3]) == [tags[3]]
    assert oras.get_tags(repository) == tags[:3] + tags[4:]
