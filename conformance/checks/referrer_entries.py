"""What a list of referrers says of each of them (spec, "Listing Referrers")."""

from __future__ import annotations

from conformance.checks.referrers import SBOM, SIGNATURE, entry_of, new_subject
from conformance.content import CONFIG, EMPTY, Blob, Manifest, new_blob, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, Version
from conformance.session import Session, expect

ENTRIES = Checklist(Group.SPEC, Category.DISCOVERY, "Listing Referrers", Version.V1_1)

_NOTED = {
    "org.example.one": "1",
    "org.opencontainers.image.created": "2024-01-01T00:00:00Z",
    "org.example.ä": 'ä " \\ <&>',
    "e": "",
}


@ENTRIES.check("referrers.descriptor", Level.MUST, "An entry has mediaType, digest and size of the manifest")
def descriptor(session: Session) -> None:
    subject = new_subject(session).descriptor
    for referrer in (new_image(subject=subject), new_index([], subject=subject)):
        entry = entry_of(session, referrer)
        found = {name: entry.get(name) for name in ("mediaType", "digest", "size")}
        expect(found == referrer.descriptor, f"the entry is {found}, expected {referrer.descriptor}")


@ENTRIES.check("referrers.artifact-type", Level.MUST, "An entry has the artifactType of the image, where that has one")
def artifact_type(session: Session) -> None:
    subject = new_subject(session).descriptor
    _expect_type(session, new_image(subject=subject, artifact_type=SBOM), SBOM)


@ENTRIES.check(
    "referrers.artifact-type.config",
    Level.MUST,
    "An entry of an image without artifactType has the mediaType of its config instead",
)
def artifact_type_config(session: Session) -> None:
    subject = new_subject(session).descriptor
    _expect_type(session, new_image(subject=subject), CONFIG)
    config = Blob(new_blob(9).content.hex().encode(), SIGNATURE)
    _expect_type(session, new_image(subject=subject, config=config), SIGNATURE)


@ENTRIES.check(
    "referrers.artifact-type.empty",
    Level.MUST,
    "An entry of an image whose artifactType is empty has the mediaType of its config instead",
)
def artifact_type_empty(session: Session) -> None:
    subject = new_subject(session).descriptor
    _expect_type(session, new_image(subject=subject, artifact_type=""), CONFIG)


@ENTRIES.check(
    "referrers.artifact-type.empty-config",
    Level.MUST,
    "An entry of an artifact with the empty config has its artifactType",
)
def artifact_type_empty_config(session: Session) -> None:
    subject, config = new_subject(session).descriptor, Blob(b"{}", EMPTY)
    _expect_type(session, new_image(subject=subject, config=config, artifact_type=SBOM), SBOM)


@ENTRIES.check(
    "referrers.artifact-type.index", Level.MUST, "An entry has the artifactType of the index, where that has one"
)
def artifact_type_index(session: Session) -> None:
    subject = new_subject(session).descriptor
    _expect_type(session, new_index([], subject=subject, artifact_type=SBOM), SBOM)


@ENTRIES.check(
    "referrers.artifact-type.index.omitted",
    Level.MUST,
    "An entry of an index without artifactType, or with an empty one, has none",
)
def artifact_type_index_omitted(session: Session) -> None:
    subject = new_subject(session).descriptor
    for stated in (None, ""):
        entry = entry_of(session, new_index([new_image()], subject=subject, artifact_type=stated))
        expect("artifactType" not in entry, f"the artifactType is {entry.get('artifactType')!r}, expected none")


def _expect_type(session: Session, referrer: Manifest, wanted: str) -> None:
    found = entry_of(session, referrer).get("artifactType")
    expect(found == wanted, f"the artifactType is {found!r}, expected {wanted!r}")


@ENTRIES.check("referrers.annotations", Level.MUST, "An entry has the annotations of the image")
def image_annotations(session: Session) -> None:
    found = entry_of(session, new_image(subject=new_subject(session).descriptor, annotations=_NOTED)).get("annotations")
    expect(found == _NOTED, f"the annotations are {found!r}, expected {_NOTED!r}")


@ENTRIES.check("referrers.annotations.index", Level.MUST, "An entry has the annotations of the index")
def annotations_index(session: Session) -> None:
    referrer = new_index([], subject=new_subject(session).descriptor, annotations=_NOTED)
    found, wanted = entry_of(session, referrer).get("annotations"), referrer.document["annotations"]
    expect(found == wanted, f"the annotations are {found!r}, expected {wanted!r}")
