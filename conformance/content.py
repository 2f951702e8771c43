"""What is pushed: blobs and manifests of every kind, each different from all others."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"
ACCEPT = f"{IMAGE}, {INDEX}, {DOCKER_IMAGE}, {DOCKER_LIST}, */*"

Json = dict[str, Any]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of the content, as the specification writes it."""
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes with what a descriptor says of them."""

    content: bytes
    media_type: str = LAYER
    algorithm: str = "sha256"

    @property
    def digest(self) -> str:
        return digest_of(self.content, self.algorithm)

    @property
    def descriptor(self) -> Json:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest's bytes and type, and what has to be there before it."""

    content: bytes
    media_type: str
    blobs: Sequence[Blob] = field(default_factory=tuple)
    manifests: Sequence[Manifest] = field(default_factory=tuple)
    algorithm: str = "sha256"

    @property
    def digest(self) -> str:
        return digest_of(self.content, self.algorithm)

    @property
    def descriptor(self) -> Json:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content)}

    @property
    def document(self) -> Json:
        """The manifest, read."""
        document: Json = json.loads(self.content)
        return document


def new_blob(size: int = 64, *, media_type: str = LAYER, algorithm: str = "sha256") -> Blob:
    """A blob of so many bytes that nobody has pushed before, unless it is too small for that."""
    return Blob(secrets.token_bytes(size), media_type, algorithm)


def new_config() -> Blob:
    """A config of an image that nobody has pushed before."""
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}
    return Blob(json.dumps({**config, "author": secrets.token_hex(16)}).encode(), CONFIG)


def new_image(
    *,
    layers: Sequence[Blob] | None = None,
    config: Blob | None = None,
    subject: Mapping[str, Any] | None = None,
    artifact_type: str | None = None,
    annotations: Mapping[str, str] | None = None,
    media_type: str = IMAGE,
    more: Mapping[str, Any] | None = None,
) -> Manifest:
    """An image manifest; without `layers` it has one of its own, without `config` one of its own, too."""
    layers = [new_blob()] if layers is None else layers
    config = config or new_config()
    document: Json = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.descriptor,
        "layers": [layer.descriptor for layer in layers],
    }
    optional = {"subject": subject, "artifactType": artifact_type, "annotations": annotations, **(more or {})}
    document |= {name: value for name, value in optional.items() if value is not None}
    return Manifest(json.dumps(document, indent=2).encode(), media_type, (config, *layers))


def new_index(
    manifests: Sequence[Manifest],
    *,
    subject: Mapping[str, Any] | None = None,
    artifact_type: str | None = None,
    annotations: Mapping[str, str] | None = None,
    media_type: str = INDEX,
) -> Manifest:
    """An index of these manifests, with an annotation that makes it different from all others."""
    document: Json = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "manifests": [manifest.descriptor for manifest in manifests],
        "annotations": {"conformance.drawn": secrets.token_hex(8), **(annotations or {})},
    }
    optional = {"subject": subject, "artifactType": artifact_type}
    document |= {name: value for name, value in optional.items() if value is not None}
    return Manifest(json.dumps(document, indent=2).encode(), media_type, (), tuple(manifests))
