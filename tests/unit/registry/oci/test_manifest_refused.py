"""Every reason to refuse a manifest."""

import base64
import json

import pytest

from registry.errors import ManifestInvalid, ManifestTypeUnsupported
from registry.oci.manifest import parse_manifest
from registry.oci.media_types import DOCKER_MANIFEST, OCI_ARTIFACT, OCI_INDEX, OCI_MANIFEST
from tests.unit.registry.oci.documents import CHILD, CONFIG, CONFIG_TYPE, LAYER, SUBJECT, Json, descriptor, image, index


@pytest.mark.parametrize(
    ("stated", "content_type", "reason"),
    [
        (None, None, "neither Content-Type nor mediaType"),
        (None, "application/json", "neither Content-Type nor mediaType"),
        (OCI_MANIFEST, OCI_INDEX, "mediaType is .* but Content-Type is"),
        (DOCKER_MANIFEST, OCI_MANIFEST, "mediaType is .* but Content-Type is"),
        (5, OCI_MANIFEST, "mediaType has to be a string"),
        ([OCI_MANIFEST], OCI_MANIFEST, "mediaType has to be a string"),
    ],
)
def test_contradictory_type(stated: object, content_type: str | None, reason: str) -> None:
    """A document that says nothing of its type, or something else than the header, is refused."""
    with pytest.raises(ManifestInvalid, match=reason):
        parse_manifest(json.dumps(image(mediaType=stated)).encode(), content_type)


@pytest.mark.parametrize(
    ("stated", "content_type"),
    [
        (None, "text/html"),
        (None, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        ("application/vnd.docker.distribution.manifest.v1+json", None),
        (CONFIG_TYPE, "application/json"),
        (None, "x" * 100_000),
    ],
)
def test_unsupported_type(stated: str | None, content_type: str | None) -> None:
    """What is no type of a manifest is refused as such, in a sentence of bounded length."""
    with pytest.raises(ManifestTypeUnsupported) as caught:
        parse_manifest(json.dumps(image(mediaType=stated)).encode(), content_type)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"{} {}", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        (b'{"a": "\xff"}', "not valid JSON"),
        (b'\xef\xbb\xbf{"a": 1}', "not valid JSON"),
        (b'{"a": NaN}', "not valid JSON"),
        (b'{"a": "\\ud800"}', "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"a":' * 100_000, "not valid JSON"),
        (b"[]", "has to be a JSON object"),
        (b'"manifest"', "has to be a JSON object"),
        (b"null", "has to be a JSON object"),
        (b"5", "has to be a JSON object"),
    ],
)
def test_not_a_document(content: bytes, reason: str) -> None:
    """What is no JSON object is no manifest."""
    with pytest.raises(ManifestInvalid, match=reason) as caught:
        parse_manifest(content, OCI_MANIFEST)
    assert len(str(caught.value)) < 500


DATA = base64.b64encode(b"layer").decode()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (image(schemaVersion=1), "schemaVersion"),
        (image(schemaVersion="2"), "schemaVersion"),
        (image(schemaVersion=True), "schemaVersion"),
        (image(config=None), "needs a 'config'"),
        (image(config=[]), "config has to be a descriptor"),
        (image(config="sha256:x"), "config has to be a descriptor"),
        (image(layers={}), "layers has to be a list"),
        (image(layers="x"), "layers has to be a list"),
        (image(layers=[None]), r"layers\[0\] has to be a descriptor"),
        (image(layers=[descriptor(LAYER), "x"]), r"layers\[1\] has to be a descriptor"),
        (image(layers=[descriptor(LAYER, "")]), r"layers\[0\].mediaType"),
        (image(layers=[descriptor(LAYER, mediaType=5)]), r"layers\[0\].mediaType"),
        (image(layers=[{"digest": str(LAYER), "size": 5}]), r"layers\[0\].mediaType"),
        (image(layers=[descriptor(LAYER, digest=None)]), r"layers\[0\].digest has to be"),
        (image(layers=[descriptor(LAYER, digest="x")]), r"layers\[0\].digest: .*malformed"),
        (image(layers=[descriptor(LAYER, digest="md5:00")]), r"layers\[0\].digest: .*not supported"),
        (image(layers=[descriptor(LAYER, digest=str(LAYER).upper())]), r"layers\[0\].digest: .*malformed"),
        (image(layers=[descriptor(LAYER, size=-1)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size="5")]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size=5.0)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size=True)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size=None)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size=1 << 63)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, size=10**30)]), r"layers\[0\].size"),
        (image(layers=[descriptor(LAYER, data="!")]), r"layers\[0\].data has to be base64"),
        (image(layers=[descriptor(LAYER, data=5)]), r"layers\[0\].data has to be base64"),
        (image(layers=[descriptor(LAYER, data="é")]), r"layers\[0\].data has to be base64"),
        (image(layers=[descriptor(LAYER, data=DATA[:-1])]), r"layers\[0\].data has to be base64"),
        (image(layers=[descriptor(CONFIG, data=DATA)]), r"layers\[0\].data is not the content"),
        (image(layers=[descriptor(LAYER, data=DATA, size=6)]), r"layers\[0\].data is not the content"),
        (image(layers=[descriptor(LAYER, data="")]), r"layers\[0\].data is not the content"),
        (image(config=descriptor(CONFIG, CONFIG_TYPE, data=DATA)), "config.data is not the content"),
        (image(subject={}), "subject.mediaType"),
        (image(subject="x"), "subject has to be a descriptor"),
        (image(subject=descriptor(SUBJECT, digest="x")), "subject.digest"),
        (image(artifactType=5), "artifactType has to be a string"),
        (image(annotations=[]), "annotations have to be"),
        (image(annotations={"a": 5}), "annotations have to be"),
        (image(annotations={"a": None}), "annotations have to be"),
        (image(manifests=[]), "both 'manifests' and 'config'"),
        (image(manifests=[], config=None), "both 'manifests' and 'layers'"),
        (index(layers=[]), "both 'manifests' and 'layers'"),
        (index(config=descriptor(CONFIG)), "both 'manifests' and 'config'"),
        (index(fsLayers=[]), "both 'manifests' and 'fsLayers'"),
        (index(blobs=[]), "both 'manifests' and 'blobs'"),
        ({"mediaType": OCI_INDEX, "schemaVersion": 2}, "needs 'manifests'"),
        (index(manifests={}), "manifests has to be a list"),
        (index({"digest": str(CHILD)}), r"manifests\[0\].mediaType"),
        (index(descriptor(CHILD, OCI_MANIFEST), descriptor(CHILD, size=-5)), r"manifests\[1\].size"),
        (index(artifactType=[]), "artifactType has to be a string"),
        ({"mediaType": OCI_ARTIFACT, "blobs": {}}, "blobs has to be a list"),
        ({"mediaType": OCI_ARTIFACT, "blobs": [5]}, r"blobs\[0\] has to be a descriptor"),
    ],
)
def test_refused(document: Json, reason: str) -> None:
    """A manifest that does not hold together is refused, with the place that is wrong, in a bounded sentence."""
    with pytest.raises(ManifestInvalid, match=reason) as caught:
        parse_manifest(json.dumps(document).encode(), None)
    assert len(str(caught.value)) < 600
