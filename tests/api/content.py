"""Blobs and manifests made up for the tables, and the steps that put them into a registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.api.table import Step

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"

CONFIG = b'{"architecture":"amd64","os":"linux"}'
LAYER = b"a layer"
EMPTY = b"{}"

Json = dict[str, Any]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


UNKNOWN = digest_of(b"nobody ever pushed this")


@dataclass(frozen=True)
class Document:
    """A manifest: its exact bytes, and its type."""

    content: bytes
    media_type: str

    @property
    def digest(self) -> str:
        return digest_of(self.content)

    def descriptor(self, **more: Any) -> Json:
        return {"mediaType": self.media_type, "digest": self.digest, "size": len(self.content), **more}


def descriptor(content: bytes, media_type: str, **more: Any) -> Json:
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content), **more}


def document(media_type: str, fields: Json) -> Document:
    return Document(json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields}).encode(), media_type)


def image(
    config: Json | None = None, layers: Sequence[Json] | None = None, media_type: str = IMAGE, **fields: Any
) -> Document:
    """An image manifest, of `CONFIG` and `LAYER` where nothing else is said."""
    if config is None:
        config = descriptor(CONFIG, CONFIG_TYPE)
    if layers is None:
        layers = [descriptor(LAYER, LAYER_TYPE)]
    return document(media_type, {"config": config, "layers": list(layers), **fields})


def index(children: Sequence[Json], media_type: str = INDEX, **fields: Any) -> Document:
    return document(media_type, {"manifests": list(children), **fields})


def artifact(subject: Json | None, artifact_type: str | None = None, **fields: Any) -> Document:
    """An image manifest of empty content, as attachments are: needs the blob `EMPTY` only."""
    if subject is not None:
        fields["subject"] = subject
    if artifact_type is not None:
        fields["artifactType"] = artifact_type
    return image(descriptor(EMPTY, EMPTY_TYPE), [descriptor(EMPTY, EMPTY_TYPE)], **fields)


def blob(content: bytes, name: str = "app", algorithm: str = "sha256") -> Step:
    """Push a blob."""
    return Step("POST", f"/v2/{name}/blobs/uploads/?digest={digest_of(content, algorithm)}", 201, body=content)


def manifest(pushed: Document, reference: str | None = None, name: str = "app") -> Step:
    """Push a manifest: by a tag, or by its digest."""
    url = f"/v2/{name}/manifests/{reference or pushed.digest}"
    return Step("PUT", url, 201, {"Content-Type": pushed.media_type}, pushed.content)


def upload(*chunks: bytes, name: str = "app") -> list[Step]:
    """Begin an upload, known as `{upload}` from then on, and send the chunks."""
    path = f"/v2/{name}/blobs/uploads/"
    return [
        Step("POST", path, 202),
        *(Step("PATCH", f"{path}{{upload}}", 202, body=chunk) for chunk in chunks),
    ]


BASICS = (blob(CONFIG), blob(LAYER))
"""What `image()` needs in the repository `app`."""
