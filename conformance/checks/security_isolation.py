"""What belongs to one repository is in no other: not by its digest, not by a mount, not by a manifest that names it."""

from __future__ import annotations

from conformance.content import OCTETS, Manifest, new_blob, new_image, new_index
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path, with_query

ISOLATION = Checklist(Group.SECURITY, Category.PULL, "Pulling blobs")
PUSHES = Checklist(Group.SECURITY, Category.PUSH, "Pushing blobs")
DELETES = Checklist(Group.SECURITY, Category.MANAGEMENT, "Deleting blobs")


def _image_here(session: Session) -> tuple[str, Manifest]:
    """The tag and the image of this repository; the other one is there, and has neither."""
    session.blob(new_blob(), session.other)
    tag, image = session.new_tag(), new_image()
    session.manifest(image, tag)
    return tag, image


@ISOLATION.check(
    "security.isolation.blob", Level.MUST, "A blob of one repository cannot be read in another by its digest"
)
def blob_elsewhere(session: Session) -> None:
    blob = new_blob()
    session.blob(new_blob(), session.other)
    session.blob(blob)
    session.get_blob(blob.digest, session.other).expect(404, what="it is in another repository only")


@ISOLATION.check(
    "security.isolation.blob-head",
    Level.MUST,
    "HEAD does not find a blob of one repository in another",
    section="Checking if content exists in the registry",
)
def blob_head_elsewhere(session: Session) -> None:
    blob = new_blob()
    session.blob(new_blob(), session.other)
    session.blob(blob)
    session.get_blob(blob.digest, session.other, method="HEAD").expect(404)
    # Asking has not brought it there.
    session.get_blob(blob.digest, session.other).expect(404, what="it is in another repository only")


@ISOLATION.check(
    "security.isolation.manifest",
    Level.MUST,
    "A manifest of one repository cannot be read in another by its digest",
    section="Pulling manifests",
)
def manifest_elsewhere(session: Session) -> None:
    _, image = _image_here(session)
    session.get_manifest(image.digest, session.other).expect(404, what="it is in another repository only")


@ISOLATION.check(
    "security.isolation.tag",
    Level.MUST,
    "A tag of one repository does not exist in another",
    section="Pulling manifests",
)
def tag_elsewhere(session: Session) -> None:
    tag, _ = _image_here(session)
    session.get_manifest(tag, session.other).expect(404, what="the tag is in another repository only")


@ISOLATION.check(
    "security.isolation.manifest-as-blob",
    Level.SHOULD,
    "The blobs route gives no manifest of another repository either",
)
def manifest_as_blob(session: Session) -> None:
    _, image = _image_here(session)
    session.get_blob(image.digest, session.other).expect(404, what="it is in another repository only")


@ISOLATION.check(
    "security.isolation.referrers",
    Level.MUST,
    "The referrers of a manifest in one repository are not those of the same manifest in another",
    section="Listing Referrers",
)
def referrers_elsewhere(session: Session) -> None:
    image = new_image()
    session.manifest(image)
    session.manifest(image, None, session.other)
    artifact = new_image(subject=image.descriptor, artifact_type="application/vnd.example.test")
    session.manifest(artifact)
    answer = session.referrers(image.digest, session.other)
    if answer.status == 404:
        raise NotApplicable("there is no referrers API")
    expect(
        artifact.digest.encode() not in answer.expect(200).body,
        f"the referrers in {session.other} show what was pushed to {session.name}",
    )


@PUSHES.check(
    "security.isolation.named-blob",
    Level.MUST,
    "A manifest that names a blob of another repository does not make that blob readable",
    section="Pushing Manifests",
)
def named_blob(session: Session) -> None:
    image, config = new_image(), new_image().blobs[0]
    session.blob(image.blobs[1])
    naming = new_image(layers=[image.blobs[1]], config=config)
    session.blob(config, session.other)
    answer = session.put_manifest(naming, session.new_tag(), session.other)
    expect(answer.status < 500, f"{answer.method} {answer.path} answered {answer.status}")
    session.get_blob(image.blobs[1].digest, session.other).expect(404, what="only a manifest names it here")


@PUSHES.check(
    "security.isolation.named-manifest",
    Level.MUST,
    "An index that names a manifest of another repository does not make that manifest readable",
    section="Pushing Manifests",
)
def named_manifest(session: Session) -> None:
    _, image = _image_here(session)
    answer = session.put_manifest(new_index([image]), session.new_tag(), session.other)
    expect(answer.status < 500, f"{answer.method} {answer.path} answered {answer.status}")
    session.get_manifest(image.digest, session.other).expect(404, what="only an index names it here")


@PUSHES.check(
    "security.isolation.mount-of-nothing",
    Level.MUST,
    "A blob that nobody has pushed cannot be mounted",
    section="Mounting a blob from another repository",
)
def mount_of_nothing(session: Session) -> None:
    blob = new_blob()
    session.blob(new_blob(), session.other)
    path = with_query(uploads_path(session.name), mount=blob.digest, **{"from": session.other})
    answer = session.send("POST", path, {"Content-Length": "0"})
    expect(answer.status != 201, f"{answer.method} {answer.path} answered 201 for a blob that is nowhere")
    session.get_blob(blob.digest).expect(404, what="nobody has pushed it")


@PUSHES.check(
    "security.isolation.claimed-blob",
    Level.MUST,
    "Whoever knows the digest of a blob of another repository, and not its bytes, does not get it by pushing",
)
def claimed_blob(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    session.blob(new_blob(), session.other)
    typed = {"Content-Type": OCTETS}
    for content in (b"", b"something else"):
        ended = session.put_blob(session.begin_upload(session.other), blob, content)
        whole = session.send("POST", with_query(uploads_path(session.other), digest=blob.digest), typed, content)
        for answer in (ended, whole):
            expect(answer.status != 201, f"{answer.method} {answer.path} answered 201 to other bytes than the blob's")
    session.get_blob(blob.digest, session.other).expect(404, what="only another repository has its bytes")


@PUSHES.check(
    "security.isolation.upload",
    Level.MUST,
    "An upload can be ended only in the repository in which it was begun",
)
def upload_elsewhere(session: Session) -> None:
    session.blob(new_blob(), session.other)
    location, blob = session.begin_upload(), new_blob()
    moved = location.replace(f"/v2/{session.name}/", f"/v2/{session.other}/")
    if moved == location:
        raise NotApplicable(f"the location does not name the repository: {location}")
    answer = session.put_blob(moved, blob)
    expect(answer.status >= 400, f"{answer.method} {answer.path} answered {answer.status}: it was begun elsewhere")
    session.get_blob(blob.digest, session.other).expect(404, what="its upload was begun in another repository")


@DELETES.check(
    "security.isolation.delete-blob", Level.MUST, "Deleting a blob in one repository leaves it in every other"
)
def delete_blob(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    session.blob(blob, session.other)
    session.delete(blob_path(session.other, blob.digest)).expect(202)
    session.get_blob(blob.digest).expect(200, what="it was deleted in another repository").expect_body(blob.content)


@DELETES.check(
    "security.isolation.deleted-blob",
    Level.MUST,
    "A blob that was deleted in one repository does not come back when it is read in another",
    section="CVE-2026-35172",
)
def deleted_blob(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    session.blob(blob, session.other)
    session.get_blob(blob.digest, session.other).expect(200)
    session.delete(blob_path(session.other, blob.digest)).expect(202)
    session.get_blob(blob.digest).expect(200)
    for method in ("HEAD", "GET"):
        session.get_blob(blob.digest, session.other, method=method).expect(404, what="it has been deleted here")


@DELETES.check(
    "security.isolation.delete-foreign-blob",
    Level.MUST,
    "A blob cannot be deleted in a repository that does not have it",
)
def delete_foreign_blob(session: Session) -> None:
    blob = new_blob()
    session.blob(new_blob(), session.other)
    session.blob(blob)
    session.delete(blob_path(session.other, blob.digest)).expect(404)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@DELETES.check(
    "security.isolation.delete-manifest",
    Level.MUST,
    "Deleting a manifest in one repository leaves it, and its tag, in every other",
    section="Deleting Manifests",
)
def delete_manifest(session: Session) -> None:
    image, tag = new_image(), session.new_tag()
    session.manifest(image, tag)
    session.manifest(image, tag, session.other)
    session.delete(manifest_path(session.other, image.digest)).expect(202)
    session.get_manifest(tag).expect(200).expect_body(image.content)
    for blob in image.blobs:
        if session.get_blob(blob.digest).body != blob.content:
            raise Failed(f"blob {blob.digest} is gone since its manifest was deleted in another repository")
