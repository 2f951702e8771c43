"""Small manifests, and ways to spoil them."""

from typing import Any

from registry.oci.media_types import OCI_INDEX, OCI_MANIFEST
from storage.digest import Digest, digest_of

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG, LAYER, CHILD, SUBJECT = (digest_of(name) for name in (b"config", b"layer", b"child", b"subject"))

Json = dict[str, Any]


def descriptor(digest: Digest, media_type: str = LAYER_TYPE, /, **more: object) -> Json:
    """A descriptor of five bytes."""
    return {"mediaType": media_type, "digest": str(digest), "size": 5, **more}


def image(**more: object) -> Json:
    """A small image manifest, changed as told; what is None is left out."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(CONFIG, CONFIG_TYPE),
        "layers": [descriptor(LAYER)],
        **more,
    }
    return {key: value for key, value in document.items() if value is not None}


def index(*children: Json, **more: object) -> Json:
    """An index of these children."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children), **more}
