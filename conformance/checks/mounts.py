"""Mounting blobs of other repositories (spec, "Mounting a blob from another repository")."""

from __future__ import annotations

from conformance.checks.common import drawn_digest, expect_true_digest
from conformance.content import Blob, new_blob
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Unsupported
from conformance.session import Session, blob_path, expect, uploads_path, with_query
from conformance.wire import Answer

MOUNT = Checklist(Group.SPEC, Category.PUSH, "Mounting a blob from another repository")


def _mount(session: Session, digest: str, source: str | None, into: str | None = None) -> Answer:
    """Ask for a mount, which may begin an upload instead."""
    query = {"mount": digest} if source is None else {"mount": digest, "from": source}
    return session.send("POST", with_query(uploads_path(into or session.name), **query), {"Content-Length": "0"})


def _mounted(session: Session, blob: Blob, into: str | None = None) -> Answer:
    session.blob(blob, session.other)
    answer = _mount(session, blob.digest, session.other, into)
    if answer.status == 202:
        raise Unsupported("a mount begins an upload, as the specification allows")
    return answer.expect(201)


@MOUNT.check("push.mount", Level.MAY, "A blob of another repository can be mounted: 201")
def mount(session: Session) -> None:
    _mounted(session, new_blob())


@MOUNT.check("push.mount.pulled", Level.MUST, "A blob that was mounted can be pulled")
def mount_pulled(session: Session) -> None:
    blob = new_blob()
    _mounted(session, blob)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@MOUNT.check("push.mount.sha512", Level.MUST, "A blob that is named by its sha512 can be pulled after a mount, too")
def mount_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    _mounted(session, blob)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@MOUNT.check("push.mount.new-repository", Level.MUST, "A blob can be mounted into a new repository, and pulled there")
def mount_into_new(session: Session) -> None:
    blob, name = new_blob(), session.new_name()
    _mounted(session, blob, name)
    session.get_blob(blob.digest, name).expect(200).expect_body(blob.content)


@MOUNT.check("push.mount.location", Level.MUST, "A mount that succeeds answers 201 with a Location that can be pulled")
def mount_location(session: Session) -> None:
    blob = new_blob()
    session.send("GET", _mounted(session, blob).location()).expect(200).expect_body(blob.content)


@MOUNT.check("push.mount.digest-true", Level.MUST, "The Docker-Content-Digest of a mount is the blob's digest")
def mount_digest(session: Session) -> None:
    blob = new_blob()
    expect_true_digest(_mounted(session, blob), blob.content)


@MOUNT.check(
    "push.mount.answered",
    Level.SHOULD,
    "A mount answers 201, or 202 with the Location of an upload that takes the blob",
)
def mount_answered(session: Session) -> None:
    blob = new_blob()
    session.blob(blob, session.other)
    _expect_there(session, _mount(session, blob.digest, session.other), blob)


@MOUNT.check("push.mount.unknown-blob", Level.SHOULD, "A mount of a blob that is not there begins an upload: 202")
def unknown_blob(session: Session) -> None:
    session.blob(new_blob(), session.other)
    _mount(session, drawn_digest(), session.other).expect(202).expect_header("Location")


@MOUNT.check(
    "push.mount.unknown-repository",
    Level.SHOULD,
    "A mount from a repository that is not there begins an upload: 202",
)
def unknown_repository(session: Session) -> None:
    _mount(session, drawn_digest(), session.new_name()).expect(202).expect_header("Location")


@MOUNT.check("push.mount.proceeds", Level.MUST, "An upload that a mount has begun takes the blob")
def proceeds(session: Session) -> None:
    blob = new_blob()
    answer = _mount(session, blob.digest, session.other)
    if answer.status != 202:
        raise NotApplicable(f"a mount of a blob that is not there answered {answer.status}")
    _expect_there(session, answer, blob)


@MOUNT.check(
    "push.mount.without-from",
    Level.SHOULD,
    "A mount without from answers 201 if the blob was found, and 202 otherwise",
)
def without_from(session: Session) -> None:
    blob = new_blob()
    session.blob(blob, session.other)
    _expect_there(session, _mount(session, blob.digest, None), blob)


@MOUNT.check(
    "push.mount.same-repository",
    Level.SHOULD,
    "A mount of what the repository has itself answers 201, or 202, and the blob stays",
)
def same_repository(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    _mount(session, blob.digest, session.name).expect(201, 202)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@MOUNT.check(
    "push.mount.not-without-blob",
    Level.MUST,
    "A mount of a blob that is not there does not succeed, and does not make it seem to be there",
)
def not_without_blob(session: Session) -> None:
    digest = drawn_digest()
    status = _mount(session, digest, session.other).status
    expect(status != 201, "a blob that is not there was mounted: POST answered 201")
    session.get_blob(digest).expect(404)


@MOUNT.check(
    "push.mount.independent",
    Level.MUST,
    "A mounted blob stays when it is deleted where it came from",
    section="Pulling blobs",
)
def independent(session: Session) -> None:
    blob, source = new_blob(), session.new_name()
    session.blob(blob, source)
    if _mount(session, blob.digest, source).status != 201:
        raise Unsupported("blobs cannot be mounted")
    if session.delete(blob_path(source, blob.digest)).status != 202:
        raise NotApplicable("a blob cannot be deleted")
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


def _expect_there(session: Session, answer: Answer, blob: Blob) -> None:
    """Raises `Failed` unless the blob was mounted, or can be pushed to where the answer says."""
    if answer.expect(201, 202).status == 202:
        session.put_blob(answer.location(), blob).expect(201)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)
