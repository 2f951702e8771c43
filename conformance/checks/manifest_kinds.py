"""Manifests of every kind: each is taken, and comes back byte for byte (spec, "Pushing Manifests")."""

from __future__ import annotations

import base64
import gzip
import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from conformance.checks.common import error_codes, push_parts
from conformance.content import (
    DOCKER_IMAGE,
    EMPTY,
    IMAGE,
    Blob,
    Json,
    Manifest,
    digest_of,
    new_blob,
    new_config,
    new_image,
)
from conformance.requirement import Category, Checklist, Group, Level, Unsupported, Version
from conformance.session import Session, expect

IMAGES = Checklist(Group.SPEC, Category.PUSH, "Pushing Manifests")

_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
_NOT_DISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
_DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
_DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
_DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
SBOM = "application/vnd.example.sbom.v1+json"

Build = Callable[[], Manifest]


def _kept(session: Session, manifest: Manifest) -> None:
    """Push a manifest by tag, and pull it by tag and by digest."""
    tag = session.new_tag()
    push_parts(session, manifest)
    session.put_manifest(manifest, tag).expect(201)
    for reference in (tag, manifest.digest):
        found = session.get_manifest(reference).expect(200).expect_body(manifest.content).header("Content-Type") or ""
        expect(found.partition(";")[0] == manifest.media_type, f"it comes back as {found}, not {manifest.media_type}")


def kind(
    checks: Checklist, name: str, text: str, level: Level = Level.MUST, since: Version = Version.V1_0
) -> Callable[[Build], Build]:
    """Make a function that builds a manifest the check that this is kept."""

    def add(build: Build) -> Build:
        checks.check(f"manifest.{name}", level, f"{text} is taken, and kept byte for byte", since=since)(
            lambda session: _kept(session, build())
        )
        return build

    return add


_image = partial(kind, IMAGES)


def rewritten(manifest: Manifest, change: Callable[[Json], object]) -> Manifest:
    """The manifest with something changed in its document."""
    document = manifest.document
    change(document)
    return replace(manifest, content=json.dumps(document).encode())


def _empty_config() -> Blob:
    return Blob(b"{}", EMPTY)


def new_docker_image() -> Manifest:
    config = replace(new_config(), media_type=_DOCKER_CONFIG)
    return new_image(config=config, layers=[compressed(_DOCKER_LAYER)], media_type=DOCKER_IMAGE)


def compressed(media_type: str = _GZIP) -> Blob:
    return Blob(gzip.compress(secrets.token_bytes(100)), media_type)


@_image("image", "An image")
def image() -> Manifest:
    return new_image()


@_image("image.no-layers", "An image without layers")
def no_layers() -> Manifest:
    return new_image(layers=[])


@_image("image.many-layers", "An image of 20 layers")
def many_layers() -> Manifest:
    return new_image(layers=[new_blob() for _ in range(20)])


@_image("image.same-layer-twice", "An image with the same layer twice")
def same_layer_twice() -> Manifest:
    layer = new_blob()
    return new_image(layers=[layer, new_blob(), layer])


@_image("image.gzip", "An image with a layer that gzip has compressed")
def gzip_layer() -> Manifest:
    return new_image(layers=[compressed()])


@_image("image.zstd", "An image with a layer that zstd has compressed")
def zstd_layer() -> Manifest:
    # A frame with one block that is stored as it is: RFC 8878, 3.1.1.
    content = secrets.token_bytes(100)
    block = (len(content) << 3 | 1).to_bytes(3, "little")
    return new_image(layers=[Blob(b"\x28\xb5\x2f\xfd\x20" + bytes([len(content)]) + block + content, _ZSTD)])


@_image("image.empty-layer", "An image with a layer of no bytes")
def empty_layer() -> Manifest:
    return new_image(layers=[Blob(b"")])


@_image("image.sha512", "An image whose layer is named by its sha512")
def sha512_layer() -> Manifest:
    return new_image(layers=[new_blob(algorithm="sha512")])


@_image("image.without-media-type", "An image without mediaType")
def without_media_type() -> Manifest:
    return rewritten(new_image(), lambda document: document.pop("mediaType"))


@_image("image.annotations", "An image with annotations, also of its layers")
def annotated() -> Manifest:
    noted = {"org.opencontainers.image.title": "a title", "org.example.ä": 'ä \\ " \n', "empty": ""}
    return rewritten(
        new_image(annotations=noted), lambda document: document["layers"][0].update(annotations=dict(noted))
    )


@_image("image.data", "An image with the content of its config in the manifest, as data")
def data() -> Manifest:
    manifest = new_image()
    encoded = base64.b64encode(manifest.blobs[0].content).decode()
    return rewritten(manifest, lambda document: document["config"].update(data=encoded))


@_image("image.custom-fields", "An image with fields that nobody knows")
def custom_fields() -> Manifest:
    def add(document: Json) -> None:
        document["org.example.custom"] = {"list": [1, 2.50, None, True, {}], "text": "ä", "large": 12345678901234567}
        document["config"]["org.example.more"] = "more"
        document["layers"][0]["org.example.more"] = [[]]

    return rewritten(new_image(), add)


@_image("image.whitespace", "An image that is written with odd white space")
def whitespace() -> Manifest:
    manifest = new_image()
    text = json.dumps(manifest.document, indent="\t", separators=(" ,", " :  ")).replace("\n", "\r\n")
    return replace(manifest, content=f"\n \t{text}\r\n\r\n ".encode())


@_image("image.escapes", "An image with characters that can be written in many ways")
def escapes() -> Manifest:
    manifest = new_image(annotations={"text": "MARK"})
    written = "\\u00e4 ä \\/ / \\u003c < \\u0026 & \\ud83d\\ude00 😀 \\u2028".encode()
    return replace(manifest, content=manifest.content.replace(b"MARK", written))


@_image("image.field-order", "An image with its fields in another order")
def field_order() -> Manifest:
    manifest = new_image(annotations={"z": "1", "a": "2"})
    turned = dict(reversed(manifest.document.items()))
    return replace(manifest, content=json.dumps(turned, separators=(",", ":")).encode())


@_image("image.artifact-type", "An image with artifactType and a config of its own type", since=Version.V1_1)
def artifact_type() -> Manifest:
    config = Blob(json.dumps({"drawn": secrets.token_hex(8)}).encode(), "application/vnd.example.config.v1+json")
    return new_image(config=config, layers=[new_blob(media_type=SBOM)], artifact_type=SBOM)


@_image("image.empty-config", "An artifact with the empty config", since=Version.V1_1)
def empty_config() -> Manifest:
    return new_image(config=_empty_config(), layers=[new_blob(media_type=SBOM)], artifact_type=SBOM)


@_image("image.empty-layer-and-config", "An artifact with the empty config and the empty layer", since=Version.V1_1)
def empty_layer_and_config() -> Manifest:
    drawn = {"drawn": secrets.token_hex(8)}
    return new_image(config=_empty_config(), layers=[_empty_config()], artifact_type=SBOM, annotations=drawn)


@_image("image.helm", "An artifact without artifactType, with a config of its own type")
def custom_config() -> Manifest:
    config = Blob(json.dumps({"name": secrets.token_hex(8)}).encode(), "application/vnd.cncf.helm.config.v1+json")
    layer = replace(compressed(), media_type="application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    return new_image(config=config, layers=[layer])


@_image("image.sha512-config", "An image whose config is named by its sha512")
def sha512_config() -> Manifest:
    return new_image(config=replace(new_config(), algorithm="sha512"))


@_image("docker", "An image of Docker (version 2, schema 2)", Level.SHOULD)
def docker_image() -> Manifest:
    return new_docker_image()


@IMAGES.check(
    "manifest.not-distributable",
    Level.SHOULD,
    "An image with a layer that only other servers have (urls) is taken, unless MANIFEST_BLOB_UNKNOWN says why not",
)
def not_distributable(session: Session) -> None:
    _kept_without_layer(session, _NOT_DISTRIBUTABLE, IMAGE)


@IMAGES.check(
    "manifest.docker.foreign",
    Level.SHOULD,
    "An image of Docker with a layer that only other servers have is taken, unless MANIFEST_BLOB_UNKNOWN says why not",
)
def docker_foreign(session: Session) -> None:
    _kept_without_layer(session, _DOCKER_FOREIGN, DOCKER_IMAGE)


def _kept_without_layer(session: Session, layer_type: str, media_type: str) -> None:
    config = replace(new_config(), media_type=_DOCKER_CONFIG) if media_type == DOCKER_IMAGE else new_config()
    manifest = new_image(layers=[], config=config, media_type=media_type)
    digest = digest_of(secrets.token_bytes(16))
    layer = {"mediaType": layer_type, "digest": digest, "size": 16, "urls": ["https://layers.example/layer"]}
    manifest = rewritten(manifest, lambda document: document.update(layers=[layer]))
    push_parts(session, manifest)
    answer = session.put_manifest(manifest, manifest.digest)
    if 400 <= answer.status < 500 and "MANIFEST_BLOB_UNKNOWN" in error_codes(answer):
        raise Unsupported("the layer has to be there, as the specification allows")
    answer.expect(201)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@IMAGES.check(
    "manifest.not-distributable.pushed", Level.MUST, "An image with a non-distributable layer that was pushed is taken"
)
def not_distributable_pushed(session: Session) -> None:
    _kept(session, new_image(layers=[compressed(_NOT_DISTRIBUTABLE)]))
