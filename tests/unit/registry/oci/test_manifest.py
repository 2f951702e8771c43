"""Manifests: what each kind says."""

import base64
import json

import pytest

from registry.oci.manifest import parse_manifest, referrers_entry
from registry.oci.media_types import DOCKER_LIST, DOCKER_MANIFEST, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST
from storage.digest import Digest, digest_of
from storage.metadata.manifests import Reference
from tests.unit.registry.oci.documents import CHILD, CONFIG, CONFIG_TYPE, LAYER, SUBJECT, Json, descriptor, image, index

FOREIGN_TYPE = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
LAYER_512 = digest_of(b"layer", "sha512")
DATA = base64.b64encode(b"layer").decode()


def blob(digest: Digest, *, required: bool = True) -> Reference:
    return Reference(digest, "blob", required)


def child(digest: Digest) -> Reference:
    return Reference(digest, "manifest", required=True)


IMAGE_PARTS = [blob(CONFIG), blob(LAYER)]


@pytest.mark.parametrize(
    ("document", "media_type", "references", "artifact_type"),
    [
        pytest.param(image(), OCI_MANIFEST, IMAGE_PARTS, CONFIG_TYPE, id="image"),
        pytest.param(image(layers=[]), OCI_MANIFEST, [blob(CONFIG)], CONFIG_TYPE, id="image without layers"),
        pytest.param(
            image(layers=None), OCI_MANIFEST, [blob(CONFIG)], CONFIG_TYPE, id="image without a list of layers"
        ),
        pytest.param(image(mediaType=DOCKER_MANIFEST), DOCKER_MANIFEST, IMAGE_PARTS, CONFIG_TYPE, id="Docker schema 2"),
        pytest.param(
            image(layers=[descriptor(LAYER), descriptor(LAYER_512), descriptor(LAYER)]),
            OCI_MANIFEST,
            [blob(CONFIG), blob(LAYER), blob(LAYER_512), blob(LAYER)],
            CONFIG_TYPE,
            id="image with a layer twice, and one by sha512",
        ),
        pytest.param(
            image(layers=[descriptor(LAYER, FOREIGN_TYPE, urls=["https://example.com/layer"])]),
            OCI_MANIFEST,
            [blob(CONFIG), blob(LAYER, required=False)],
            CONFIG_TYPE,
            id="image with a layer from elsewhere",
        ),
        pytest.param(image(artifactType="a/b"), OCI_MANIFEST, IMAGE_PARTS, "a/b", id="artifact"),
        pytest.param(image(artifactType=""), OCI_MANIFEST, IMAGE_PARTS, CONFIG_TYPE, id="artifact type that is empty"),
        pytest.param(
            image(unknown={"x": [1]}, annotations={"a": "b"}),
            OCI_MANIFEST,
            IMAGE_PARTS,
            CONFIG_TYPE,
            id="unknown fields",
        ),
        pytest.param(image(schemaVersion=None), OCI_MANIFEST, IMAGE_PARTS, CONFIG_TYPE, id="no schema version"),
        pytest.param(index(), OCI_INDEX, [], None, id="empty index"),
        pytest.param(index(descriptor(CHILD, OCI_MANIFEST)), OCI_INDEX, [child(CHILD)], None, id="index of an image"),
        pytest.param(
            index(descriptor(CHILD, OCI_INDEX), artifactType="a/b"), OCI_INDEX, [child(CHILD)], "a/b", id="nested index"
        ),
        pytest.param(
            index(descriptor(CHILD, DOCKER_MANIFEST), mediaType=DOCKER_LIST),
            DOCKER_LIST,
            [child(CHILD)],
            None,
            id="Docker list",
        ),
        pytest.param(
            index(descriptor(LAYER), descriptor(CHILD, OCI_MANIFEST)),
            OCI_INDEX,
            [blob(LAYER), child(CHILD)],
            None,
            id="index of a build cache",
        ),
        pytest.param(
            {"mediaType": OCI_ARTIFACT, "artifactType": "a/b", "blobs": [descriptor(LAYER)]},
            OCI_ARTIFACT,
            [blob(LAYER)],
            "a/b",
            id="artifact of the release candidates",
        ),
        pytest.param({"mediaType": OCI_ARTIFACT}, OCI_ARTIFACT, [], None, id="empty artifact"),
    ],
)
def test_kinds(document: Json, media_type: str, references: list[Reference], artifact_type: str | None) -> None:
    """Each kind of manifest says what it is, what it needs, and as what it is listed."""
    manifest = parse_manifest(json.dumps(document).encode(), media_type)
    assert (manifest.media_type, manifest.references) == (media_type, references)
    assert (manifest.subject, manifest.artifact_type) == (None, artifact_type)


@pytest.mark.parametrize(
    "document",
    [
        image(subject=descriptor(SUBJECT, OCI_MANIFEST)),
        index(subject=descriptor(SUBJECT, OCI_MANIFEST)),
        {"mediaType": OCI_ARTIFACT, "subject": descriptor(SUBJECT, OCI_MANIFEST)},
    ],
    ids=["image", "index", "artifact"],
)
def test_subject(document: Json) -> None:
    """Every kind may be about another manifest, which need not be there."""
    manifest = parse_manifest(json.dumps(document).encode(), document["mediaType"])
    assert manifest.subject == SUBJECT
    assert SUBJECT not in [reference.digest for reference in manifest.references]


@pytest.mark.parametrize(
    ("stated", "content_type"),
    [
        (OCI_MANIFEST, OCI_MANIFEST),
        (OCI_MANIFEST, f"{OCI_MANIFEST}; charset=utf-8"),
        (OCI_MANIFEST, OCI_MANIFEST.upper()),
        (OCI_MANIFEST, None),
        (OCI_MANIFEST, ""),
        (OCI_MANIFEST, "application/json"),
        (OCI_MANIFEST, "application/octet-stream"),
        (None, OCI_MANIFEST),
        ("", OCI_MANIFEST),
    ],
)
def test_type(stated: str | None, content_type: str | None) -> None:
    """The type is in the header, in the document, or in both alike."""
    document = json.dumps(image(mediaType=stated)).encode()
    assert parse_manifest(document, content_type).media_type == OCI_MANIFEST


def test_embedded_data() -> None:
    """Content in a descriptor is accepted when it is what the descriptor says, by either algorithm."""
    layers = [
        descriptor(LAYER, data=DATA),
        descriptor(LAYER_512, data=DATA),
        descriptor(digest_of(b""), size=0, data=""),
    ]
    manifest = parse_manifest(json.dumps(image(layers=layers)).encode(), None)
    assert [reference.digest for reference in manifest.references] == [CONFIG, LAYER, LAYER_512, digest_of(b"")]


def test_absent_values() -> None:
    """Clients write null where they have nothing."""
    document = image(layers=[descriptor(LAYER, data=None, annotations=None)])
    document.update(subject=None, annotations=None, artifactType=None)
    manifest = parse_manifest(json.dumps(document).encode(), None)
    assert (manifest.subject, manifest.annotations, manifest.artifact_type) == (None, None, CONFIG_TYPE)


def test_large_manifest() -> None:
    """Thousands of layers are read in the order in which they stand."""
    digests = [digest_of(str(number).encode()) for number in range(5000)]
    content = json.dumps(image(layers=[descriptor(digest) for digest in digests])).encode()
    assert [reference.digest for reference in parse_manifest(content, None).references] == [CONFIG, *digests]


@pytest.mark.parametrize(
    ("document", "more"),
    [
        (image(), {"artifactType": CONFIG_TYPE}),
        (image(artifactType="a/b"), {"artifactType": "a/b"}),
        (image(annotations={"é": "ü\n"}), {"artifactType": CONFIG_TYPE, "annotations": {"é": "ü\n"}}),
        (image(annotations={}), {"artifactType": CONFIG_TYPE}),
        (index(), {}),
        (index(artifactType="a/b", annotations={"a": "b"}), {"artifactType": "a/b", "annotations": {"a": "b"}}),
    ],
)
def test_entry_among_referrers(document: Json, more: Json) -> None:
    """A list of referrers has type, digest, size, artifact type and annotations of each, and nothing that is absent."""
    content = json.dumps(document).encode()
    digest = digest_of(content)
    entry = json.loads(referrers_entry(parse_manifest(content, None), digest, len(content)))
    assert entry == {"mediaType": document["mediaType"], "digest": str(digest), "size": len(content), **more}
