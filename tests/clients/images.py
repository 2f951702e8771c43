"""Images made on the spot: a tar of a few files, and OCI image layouts written to a folder."""

import gzip
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Descriptor = dict[str, Any]
"""A descriptor of the image spec: `mediaType`, `digest`, `size` and what else belongs to it."""

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
TITLE = "org.opencontainers.image.title"


def some_files() -> dict[str, bytes]:
    """A small text, and a mebibyte that does not compress and that no other image has."""
    return {"hello.txt": b"hello\n", "noise.bin": os.urandom(1 << 20)}


def digest_of(data: bytes) -> str:
    """The sha256 digest of `data`, as the spec writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar_of(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed tar with `files` (name to content); the same files give the same bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


class Layout:
    """An OCI image layout in `folder`, made there when it is missing, that grows by what is added to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs" / "sha256"
        if not self._blobs.is_dir():
            self._blobs.mkdir(parents=True)
            (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
            self._write_tags([])

    def add(self, data: bytes, media_type: str) -> Descriptor:
        """Store `data` as a blob and return its descriptor."""
        digest = digest_of(data)
        (self._blobs / digest.removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    def add_image(self, files: Mapping[str, bytes], architecture: str = "amd64") -> Descriptor:
        """Store a Linux image of one gzip layer with `files`; its descriptor names the platform."""
        tar = tar_of(files)
        platform = {"architecture": architecture, "os": "linux"}
        config = {**platform, "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_of(tar)]}}
        manifest = {
            "config": self.add(json.dumps(config).encode(), CONFIG),
            "layers": [self.add(gzip.compress(tar, mtime=0), LAYER)],
        }
        return {**self._add_manifest(IMAGE, manifest), "platform": platform}

    def add_index(self, *manifests: Descriptor) -> Descriptor:
        """Store an image index of `manifests`, which are in this layout already."""
        return self._add_manifest(INDEX, {"manifests": list(manifests)})

    def add_artifact(
        self, files: Mapping[str, bytes], artifact_type: str, subject: Descriptor | None = None
    ) -> Descriptor:
        """Store an artifact with one layer per file, titled with its name, that refers to `subject`."""
        layers = [
            {**self.add(content, "application/octet-stream"), "annotations": {TITLE: name}}
            for name, content in files.items()
        ]
        manifest = {"artifactType": artifact_type, "config": self.add(b"{}", EMPTY), "layers": layers}
        return self._add_manifest(IMAGE, manifest | ({"subject": subject} if subject else {}))

    def tag(self, name: str, manifest: Descriptor) -> None:
        """Let `name` refer to `manifest`."""
        annotations = {"org.opencontainers.image.ref.name": name}
        self._write_tags([*self._tags(), {**manifest, "annotations": annotations}])

    def tagged(self, name: str) -> str:
        """The digest that `name` refers to; KeyError when it refers to none."""
        tags = {each["annotations"]["org.opencontainers.image.ref.name"]: each for each in self._tags()}
        return str(tags[name]["digest"])

    def digests(self) -> set[str]:
        """The digests of all blobs here, computed from their bytes."""
        return {digest_of(blob.read_bytes()) for blob in self._blobs.iterdir()}

    def tar(self) -> bytes:
        """The layout in a tar, as clients import it."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return tar_of({str(path.relative_to(self.folder)): path.read_bytes() for path in files})

    def _add_manifest(self, media_type: str, content: Mapping[str, Any]) -> Descriptor:
        manifest = {"schemaVersion": 2, "mediaType": media_type, **content}
        return self.add(json.dumps(manifest).encode(), media_type)

    def _tags(self) -> list[Descriptor]:
        tags: list[Descriptor] = json.loads((self.folder / "index.json").read_text())["manifests"]
        return tags

    def _write_tags(self, tags: list[Descriptor]) -> None:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": tags}
        (self.folder / "index.json").write_text(json.dumps(index))
