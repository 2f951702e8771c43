"""Deleting blobs, and what follows at once (spec, "Content Management")."""

from __future__ import annotations

from conformance.checks.common import drawn_digest
from conformance.checks.deletes import deleted
from conformance.content import new_blob
from conformance.requirement import Category, Checklist, Group, Level
from conformance.session import Session, blob_path

BLOBS = Checklist(Group.SPEC, Category.MANAGEMENT, "Deleting Blobs")


@BLOBS.check("delete.blob", Level.MUST, "A blob is deleted with 202; where that is switched off, with 400 or 405")
def blob(session: Session) -> None:
    session.delete(blob_path(session.name, session.blob(new_blob()))).expect(202)


@BLOBS.check("delete.blob.gone", Level.MUST, "A blob that was deleted answers 404", section="Pulling blobs")
def blob_gone(session: Session) -> None:
    digest = session.blob(new_blob())
    for method in ("GET", "HEAD"):
        session.get_blob(digest, method=method).expect(200)
    deleted(session, blob_path(session.name, digest))
    for method in ("GET", "HEAD"):
        session.get_blob(digest, method=method).expect(404)


@BLOBS.check("delete.blob.unknown", Level.MUST, "Deleting a blob that is not there answers 404, also the second time")
def blob_unknown(session: Session) -> None:
    digest = session.blob(new_blob())
    deleted(session, blob_path(session.name, digest))
    for unknown in (drawn_digest(), digest):
        session.send("DELETE", blob_path(session.name, unknown)).expect(404)


@BLOBS.check(
    "delete.blob.elsewhere-stays",
    Level.MUST,
    "When a blob is deleted, it stays in other repositories",
    section="Pulling blobs",
)
def blob_elsewhere_stays(session: Session) -> None:
    blob, other = new_blob(), session.new_name()
    session.blob(blob, other)
    session.blob(blob)
    deleted(session, blob_path(session.name, blob.digest))
    session.get_blob(blob.digest, other).expect(200).expect_body(blob.content)


@BLOBS.check("delete.blob.again", Level.MUST, "A blob that was deleted can be pushed again")
def blob_again(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    deleted(session, blob_path(session.name, blob.digest))
    session.put_blob(session.begin_upload(), blob).expect(201)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)
