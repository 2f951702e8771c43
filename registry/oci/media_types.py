"""Media types that Berth tells apart. Everything else is content that it keeps without looking inside."""

from __future__ import annotations

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"

IMAGES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
# Of the 1.1 release candidates; taken from clients that still send it, with a warning.
DEPRECATED = frozenset({OCI_ARTIFACT})
MANIFESTS = IMAGES | INDEXES | DEPRECATED

_NON_DISTRIBUTABLE_PREFIX = "application/vnd.oci.image.layer.nondistributable."
_DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar"


def is_distributable(media_type: str) -> bool:
    """False for layers that are fetched from elsewhere, so that a registry need not hold them."""
    return not media_type.startswith((_NON_DISTRIBUTABLE_PREFIX, _DOCKER_FOREIGN))


def essence(content_type: str) -> str:
    """The media type without parameters (spec, "Pushing Manifests": the registry ignores them)."""
    return content_type.partition(";")[0].strip().lower()
