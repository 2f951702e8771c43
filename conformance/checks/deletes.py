"""Deleting tags and manifests, and what follows at once (spec, "Content Management")."""

from __future__ import annotations

from conformance.checks.common import drawn_digest
from conformance.checks.tags import every_tag
from conformance.content import Manifest, new_blob, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Version
from conformance.session import Session, expect, manifest_path

TAGS = Checklist(Group.SPEC, Category.MANAGEMENT, "Deleting tags")
MANIFESTS = Checklist(Group.SPEC, Category.MANAGEMENT, "Deleting Manifests")

# Session.delete raises Unsupported for 400 and 405, which say that deleting is switched off: so something is deleted
# before what is not there. And all is asked for before it is deleted, too, so that answers from memory are found.


def _tagged(session: Session) -> tuple[str, str, Manifest]:
    """A new repository with a tagged manifest: its name, the tag, the manifest."""
    name, tag, manifest = session.new_name(), session.new_tag(), new_image()
    session.manifest(manifest, tag, name)
    return name, tag, manifest


def _seen(session: Session, name: str, *references: str) -> None:
    for reference in references:
        for method in ("GET", "HEAD"):
            session.get_manifest(reference, name, method=method).expect(200)


def deleted(session: Session, path: str) -> None:
    """Delete what another check has to judge the deletion of."""
    if (answer := session.delete(path)).status != 202:
        raise NotApplicable(f"DELETE {answer.path} answered {answer.status}")


@MANIFESTS.check("support.management", Level.SHOULD, "The registry deletes manifests", section="Requirements")
def supported(session: Session) -> None:
    name, _, manifest = _tagged(session)
    session.send("DELETE", manifest_path(name, manifest.digest)).expect(202)


@TAGS.check("delete.tag", Level.MUST, "A tag is deleted with 202; where that is switched off, with 400 or 405")
def tag(session: Session) -> None:
    name, tag, _ = _tagged(session)
    session.delete(manifest_path(name, tag)).expect(202)


@TAGS.check("delete.tag.gone", Level.MUST, "A tag that was deleted answers 404, to GET and to HEAD", since=Version.V1_1)
def tag_gone(session: Session) -> None:
    name, tag, _ = _tagged(session)
    _seen(session, name, tag)
    deleted(session, manifest_path(name, tag))
    for method in ("GET", "HEAD"):
        session.get_manifest(tag, name, method=method).expect(404)


@TAGS.check(
    "delete.tag.not-listed", Level.MUST, "A tag that was deleted is not in the list of tags", section="Listing Tags"
)
def tag_not_listed(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    session.manifest(manifest, "stays", name)
    every_tag(session, name)
    deleted(session, manifest_path(name, tag))
    found = every_tag(session, name)
    expect(found == ["stays"], f"the tags are {found}, expected ['stays']")


@TAGS.check(
    "delete.tag.others-stay",
    Level.MUST,
    "When a tag is deleted, other tags of the same manifest stay",
    section="Pulling manifests",
)
def tag_others_stay(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    session.manifest(manifest, "stays", name)
    deleted(session, manifest_path(name, tag))
    session.get_manifest("stays", name).expect(200).expect_body(manifest.content)


@TAGS.check(
    "delete.tag.elsewhere-stays",
    Level.MUST,
    "When a tag is deleted, that of the same name stays in other repositories",
    section="Pulling manifests",
)
def tag_elsewhere_stays(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    other = session.new_name()
    session.manifest(manifest, tag, other)
    deleted(session, manifest_path(name, tag))
    session.get_manifest(tag, other).expect(200).expect_body(manifest.content)


@TAGS.check("delete.tag.manifest-stays", Level.SHOULD, "When a tag is deleted, its manifest stays")
def tag_manifest_stays(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    deleted(session, manifest_path(name, tag))
    session.get_manifest(manifest.digest, name).expect(200).expect_body(manifest.content)


@TAGS.check("delete.tag.unknown", Level.SHOULD, "Deleting a tag that is not there answers 404", section="Endpoints")
def tag_unknown(session: Session) -> None:
    name, tag, _ = _tagged(session)
    deleted(session, manifest_path(name, tag))
    for unknown in (session.new_tag(), tag):
        session.send("DELETE", manifest_path(name, unknown)).expect(404)


@TAGS.check("delete.tag.again", Level.MUST, "A tag that was deleted can be pushed again")
def tag_again(session: Session) -> None:
    name, tag, _ = _tagged(session)
    deleted(session, manifest_path(name, tag))
    manifest = new_image()
    session.manifest(manifest, None, name)
    session.put_manifest(manifest, tag, name).expect(201)
    session.get_manifest(tag, name).expect(200).expect_body(manifest.content)


@MANIFESTS.check(
    "delete.manifest", Level.MUST, "A manifest is deleted with 202; where that is switched off, with 400 or 405"
)
def manifest(session: Session) -> None:
    name, _, manifest = _tagged(session)
    session.delete(manifest_path(name, manifest.digest)).expect(202)


@MANIFESTS.check("delete.manifest.index", Level.MUST, "An index is deleted with 202, as an image is")
def index(session: Session) -> None:
    parent = new_index([new_image()])
    session.manifest(parent)
    session.delete(manifest_path(session.name, parent.digest)).expect(202)
    session.get_manifest(parent.digest).expect(404)


@MANIFESTS.check(
    "delete.manifest.gone",
    Level.MUST,
    "A manifest that was deleted answers 404, to GET and to HEAD",
    since=Version.V1_1,
)
def manifest_gone(session: Session) -> None:
    name, _, manifest = _tagged(session)
    _seen(session, name, manifest.digest)
    deleted(session, manifest_path(name, manifest.digest))
    for method in ("GET", "HEAD"):
        session.get_manifest(manifest.digest, name, method=method).expect(404)


@MANIFESTS.check(
    "delete.manifest.tags-gone",
    Level.MUST,
    "The tags of a manifest that was deleted answer 404",
    since=Version.V1_1,
)
def manifest_tags_gone(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    session.manifest(manifest, "second", name)
    _seen(session, name, tag, "second")
    deleted(session, manifest_path(name, manifest.digest))
    for one in (tag, "second"):
        session.get_manifest(one, name).expect(404)
        session.get_manifest(one, name, method="HEAD").expect(404)


@MANIFESTS.check(
    "delete.manifest.tags-not-listed",
    Level.SHOULD,
    "The tags of a manifest that was deleted are not in the list of tags",
    section="Listing Tags",
)
def manifest_tags_not_listed(session: Session) -> None:
    name, _, manifest = _tagged(session)
    session.manifest(new_image(), "stays", name)
    every_tag(session, name)
    deleted(session, manifest_path(name, manifest.digest))
    found = every_tag(session, name)
    expect(found == ["stays"], f"the tags are {found}, expected ['stays']")


@MANIFESTS.check(
    "delete.manifest.others-stay",
    Level.MUST,
    "When a manifest is deleted, others with the same layers stay, and so do the layers",
    section="Pulling manifests",
)
def manifest_others_stay(session: Session) -> None:
    name, layer = session.new_name(), new_blob()
    goes, stays = (new_image(layers=[layer]) for _ in range(2))
    session.manifest(goes, "goes", name)
    session.manifest(stays, "stays", name)
    deleted(session, manifest_path(name, goes.digest))
    session.get_manifest("stays", name).expect(200).expect_body(stays.content)
    session.get_blob(layer.digest, name).expect(200).expect_body(layer.content)


@MANIFESTS.check(
    "delete.manifest.elsewhere-stays",
    Level.MUST,
    "When a manifest is deleted, it stays in other repositories",
    section="Pulling manifests",
)
def manifest_elsewhere_stays(session: Session) -> None:
    name, _, manifest = _tagged(session)
    other = session.new_name()
    session.manifest(manifest, "stays", other)
    deleted(session, manifest_path(name, manifest.digest))
    for reference in ("stays", manifest.digest):
        session.get_manifest(reference, other).expect(200).expect_body(manifest.content)


@MANIFESTS.check("delete.manifest.children-stay", Level.SHOULD, "When an index is deleted, its manifests stay")
def manifest_children_stay(session: Session) -> None:
    child = new_image()
    parent = new_index([child])
    session.manifest(parent)
    deleted(session, manifest_path(session.name, parent.digest))
    session.get_manifest(child.digest).expect(200).expect_body(child.content)


@MANIFESTS.check(
    "delete.manifest.unknown",
    Level.SHOULD,
    "Deleting a manifest that is not there answers 404, also the second time",
    section="Endpoints",
)
def manifest_unknown(session: Session) -> None:
    name, _, manifest = _tagged(session)
    deleted(session, manifest_path(name, manifest.digest))
    for unknown in (drawn_digest(), manifest.digest):
        session.send("DELETE", manifest_path(name, unknown)).expect(404)


@MANIFESTS.check(
    "delete.manifest.unknown-repository",
    Level.MUST,
    "Deleting a manifest of a repository that is not there answers 404",
)
def manifest_unknown_repository(session: Session) -> None:
    name, _, manifest = _tagged(session)
    deleted(session, manifest_path(name, manifest.digest))
    session.send("DELETE", manifest_path(session.new_name(), drawn_digest())).expect(404)


@MANIFESTS.check("delete.manifest.again", Level.MUST, "A manifest that was deleted can be pushed again")
def manifest_again(session: Session) -> None:
    name, tag, manifest = _tagged(session)
    deleted(session, manifest_path(name, manifest.digest))
    for blob in manifest.blobs:
        session.blob(blob, name)
    session.put_manifest(manifest, tag, name).expect(201)
    session.get_manifest(tag, name).expect(200).expect_body(manifest.content)


@MANIFESTS.check(
    "delete.all.tags",
    Level.MUST,
    "When all manifests were deleted, the list of tags is empty, or the repository is gone: 404",
    section="Listing Tags",
)
def all_tags(session: Session) -> None:
    name, _, manifest = _tagged(session)
    every_tag(session, name)
    deleted(session, manifest_path(name, manifest.digest))
    if session.tags(name).expect(200, 404).status == 200:
        found = every_tag(session, name)
        expect(found == [], f"the tags are {found}, expected none")
