"""What a manifest's bytes say: its kind, what it needs, what it is about. Checked here, stored verbatim elsewhere."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

import orjson

from registry.errors import ManifestInvalid, ManifestTypeUnsupported
from registry.oci import media_types
from storage.digest import Digest, digest_of, parse_digest
from storage.errors import DigestInvalid
from storage.metadata.manifests import Reference

_SIZE_MAX = (1 << 63) - 1
_NAMES = [
    "schemaVersion",
    "mediaType",
    "config",
    "layers",
    "manifests",
    "blobs",
    "fsLayers",
    "subject",
    "artifactType",
    "annotations",
]
_KNOWN_NAMES = {name.lower(): name for name in _NAMES}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that passed all checks. `artifact_type` is as referrers lists give it (spec, "Listing Referrers")."""

    media_type: str
    references: list[Reference]
    subject: Digest | None
    artifact_type: str | None
    annotations: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Descriptor:
    media_type: str
    digest: Digest
    size: int


def parse_manifest(content: bytes, content_type: str | None) -> Manifest:
    """Read and check a manifest pushed with this `Content-Type`.

    Raises `ManifestInvalid`, saying where, and `ManifestTypeUnsupported`.
    """
    document = _json_object(content)
    media_type = _media_type(document, content_type)
    _refuse_ambiguous(document)
    if document.get("schemaVersion", 2) != 2 or isinstance(document.get("schemaVersion"), bool):
        raise ManifestInvalid("schemaVersion has to be 2")
    if media_type in media_types.INDEXES:
        references = _index_references(document)
    elif media_type == media_types.OCI_ARTIFACT:
        references = _blob_references(_descriptors(document, "blobs"))
    else:
        references = _image_references(document)
    subject = document.get("subject")
    return Manifest(
        media_type,
        references,
        None if subject is None else _descriptor(subject, "subject").digest,
        _artifact_type(document, media_type),
        _annotations(document),
    )


def referrers_entry(manifest: Manifest, digest: Digest, size: int) -> str:
    """The JSON descriptor of this manifest in its subject's referrers list."""
    entry: dict[str, Any] = {"mediaType": manifest.media_type, "digest": str(digest), "size": size}
    if manifest.artifact_type:
        entry["artifactType"] = manifest.artifact_type
    if manifest.annotations:
        entry["annotations"] = manifest.annotations
    return orjson.dumps(entry).decode()


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ManifestInvalid(f"the manifest is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise ManifestInvalid("the manifest has to be a JSON object")
    _refuse_other_readings(content, document)
    return document


def _refuse_other_readings(content: bytes, document: dict[str, Any]) -> None:
    """Some readers take the first of two equal names, some the last, and some do not tell `Layers` from `layers`."""
    for name in document:
        known = _KNOWN_NAMES.get(name.lower())
        if known is not None and known != name:
            raise ManifestInvalid(f"{name!r} can be taken for {known!r}")
    try:
        json.loads(content, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ManifestInvalid("the manifest is nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ManifestInvalid(f"{repeated[:100]!r} appears twice in one object")
    return members


def _media_type(document: dict[str, Any], content_type: str | None) -> str:
    stated = document.get("mediaType")
    if stated is not None and not isinstance(stated, str):
        raise ManifestInvalid("mediaType has to be a string")
    sent = media_types.essence(content_type) if content_type else ""
    if sent in {"", "application/json", "application/octet-stream"}:
        # Clients that do not care about the header: the document itself has to say what it is.
        sent = stated or ""
    if not sent:
        raise ManifestInvalid("neither Content-Type nor mediaType says what kind of manifest this is")
    if sent not in media_types.MANIFESTS:
        raise ManifestTypeUnsupported(sent)
    if stated and stated != sent:
        raise ManifestInvalid(f"mediaType is {stated[:200]!r}, but Content-Type is {sent!r}")
    return sent


def _refuse_ambiguous(document: dict[str, Any]) -> None:
    # One byte string that is both image and index means different things to different clients.
    image_parts = [part for part in ("config", "layers", "fsLayers", "blobs") if part in document]
    if "manifests" in document and image_parts:
        raise ManifestInvalid(f"a manifest cannot have both 'manifests' and {image_parts[0]!r}")


def _image_references(document: dict[str, Any]) -> list[Reference]:
    if "config" not in document:
        raise ManifestInvalid("an image manifest needs a 'config'")
    config = _descriptor(document["config"], "config")
    if not isinstance(document.get("layers", []), list):
        raise ManifestInvalid("layers has to be a list")
    return _blob_references([config, *_descriptors(document, "layers")])


def _index_references(document: dict[str, Any]) -> list[Reference]:
    if "manifests" not in document:
        raise ManifestInvalid("an index needs 'manifests', which may be an empty list")
    # Build caches list layers in an index: a child that is no manifest type is a blob.
    return [
        Reference(child.digest, "manifest" if child.media_type in media_types.MANIFESTS else "blob", required=True)
        for child in _descriptors(document, "manifests")
    ]


def _blob_references(descriptors: list[Descriptor]) -> list[Reference]:
    return [Reference(item.digest, "blob", media_types.is_distributable(item.media_type)) for item in descriptors]


def _descriptors(document: dict[str, Any], key: str) -> list[Descriptor]:
    items = document.get(key)
    if items is None:
        return []
    if not isinstance(items, list):
        raise ManifestInvalid(f"{key} has to be a list")
    return [_descriptor(item, f"{key}[{index}]") for index, item in enumerate(items)]


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        raise ManifestInvalid(f"{where} has to be a descriptor object")
    media_type, digest, size = value.get("mediaType"), value.get("digest"), value.get("size")
    if not isinstance(media_type, str) or not media_type:
        raise ManifestInvalid(f"{where}.mediaType has to be a media type")
    if not isinstance(digest, str):
        raise ManifestInvalid(f"{where}.digest has to be a digest")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _SIZE_MAX:
        raise ManifestInvalid(f"{where}.size has to be a number of bytes")
    try:
        descriptor = Descriptor(media_type, parse_digest(digest), size)
    except DigestInvalid as error:
        raise ManifestInvalid(f"{where}.digest: {error}") from error
    if value.get("data") is not None:
        _check_data(value["data"], descriptor, where)
    return descriptor


def _check_data(data: object, descriptor: Descriptor, where: str) -> None:
    # Embedded content is content: what it claims to be, it has to be.
    try:
        decoded = base64.b64decode(data, validate=True) if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        decoded = None
    if decoded is None:
        raise ManifestInvalid(f"{where}.data has to be base64")
    if len(decoded) != descriptor.size or digest_of(decoded, descriptor.digest.algorithm) != descriptor.digest:
        raise ManifestInvalid(f"{where}.data is not the content that its digest and size describe")


def _artifact_type(document: dict[str, Any], media_type: str) -> str | None:
    stated = document.get("artifactType")
    if stated is not None and not isinstance(stated, str):
        raise ManifestInvalid("artifactType has to be a string")
    if stated:
        return stated
    if media_type in media_types.IMAGES:
        return str(document["config"]["mediaType"])
    return None


def _annotations(document: dict[str, Any]) -> dict[str, Any] | None:
    annotations = document.get("annotations")
    if annotations is None:
        return None
    if not isinstance(annotations, dict) or not all(isinstance(value, str) for value in annotations.values()):
        raise ManifestInvalid("annotations have to be an object of strings")
    return annotations
