"""Indexes of every kind: each is taken, and comes back byte for byte (spec, "Pushing Manifests")."""

from __future__ import annotations

from functools import partial

from conformance.checks.manifest_kinds import SBOM, kind, new_docker_image, rewritten
from conformance.content import DOCKER_LIST, IMAGE, INDEX, Json, Manifest, new_image, new_index
from conformance.requirement import Category, Checklist, Failed, Group, Level, Version
from conformance.session import Session

INDEXES = Checklist(Group.SPEC, Category.PUSH, "Pushing Manifests")

_index = partial(kind, INDEXES)


@_index("docker.list", "A manifest list of Docker", Level.SHOULD)
def docker_list() -> Manifest:
    return new_index([new_docker_image(), new_docker_image()], media_type=DOCKER_LIST)


@_index("index", "An index")
def index() -> Manifest:
    def add(document: Json) -> None:
        for entry, architecture in zip(document["manifests"], ("amd64", "arm64"), strict=True):
            entry["platform"] = {"architecture": architecture, "os": "linux"}

    return rewritten(new_index([new_image(), new_image()]), add)


@_index("index.without-platforms", "An index whose entries have no platform")
def index_without_platforms() -> Manifest:
    return new_index([new_image(), new_image()])


@_index("index.platforms", "An index whose platforms have versions, features and variants")
def index_platforms() -> Manifest:
    platform = {
        "architecture": "arm",
        "os": "windows",
        "os.version": "10.0.17763.1",
        "os.features": ["win32k"],
        "variant": "v7",
        "features": ["sse4"],
    }
    return rewritten(new_index([new_image()]), lambda document: document["manifests"][0].update(platform=platform))


@_index("index.empty", "An index without manifests")
def empty_index() -> Manifest:
    return new_index([])


@_index("index.nested", "An index of indexes")
def nested_index() -> Manifest:
    return new_index([new_index([new_image()]), new_index([])])


@_index("index.mixed", "An index of images of OCI and of Docker")
def mixed_index() -> Manifest:
    return new_index([new_image(), new_docker_image()])


@_index("index.artifact-type", "An index with artifactType", since=Version.V1_1)
def index_artifact_type() -> Manifest:
    return new_index([new_image()], artifact_type=SBOM)


@_index("index.without-media-type", "An index without mediaType")
def index_without_media_type() -> Manifest:
    return rewritten(new_index([new_image()]), lambda document: document.pop("mediaType"))


@_index("index.annotated-entries", "An index with annotations and artifact types of its entries", since=Version.V1_1)
def index_annotated_entries() -> Manifest:
    more = {"annotations": {"org.opencontainers.image.ref.name": "1"}, "artifactType": SBOM, "org.example.custom": 1}
    return rewritten(new_index([new_image()]), lambda document: document["manifests"][0].update(more))


@INDEXES.check(
    "manifest.pulled-children",
    Level.MUST,
    "The manifests of an index can be pulled from where it was pushed to",
    section="Pulling manifests",
)
def pulled_children(session: Session) -> None:
    parent = new_index([new_image(), new_index([])])
    session.manifest(parent, session.new_tag())
    for child in parent.manifests:
        found = session.get_manifest(child.digest).expect(200).expect_body(child.content)
        if (found.header("Content-Type") or "").partition(";")[0] not in {IMAGE, INDEX}:
            raise Failed(f"the child comes as {found.header('Content-Type')}, expected {child.media_type}")
