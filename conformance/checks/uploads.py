"""Asking how far an upload got, and cancelling it (spec, "Pushing a blob in chunks", "Cancel a blob upload")."""

from __future__ import annotations

from conformance.checks.push_blobs import expect_created
from conformance.checks.push_chunks import ChunkedUpload, three_chunks
from conformance.content import new_blob
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable, Version
from conformance.session import Session

STATUS = Checklist(Group.SPEC, Category.PUSH, "Pushing a blob in chunks", Version.V1_1)
CANCEL = Checklist(Group.SPEC, Category.PUSH, "Cancel a blob upload", Version.V1_2)


@STATUS.check(
    "push.status",
    Level.MUST,
    "GET of an upload answers 204 with Location and Range: 0-<end-of-range>",
)
def status(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob(upload.size).content)
    answer = upload.status().expect(204)
    answer.expect_header("Location")
    answer.expect_header("Range", f"0-{upload.size - 1}")


@STATUS.check("push.status.begun", Level.MUST, "GET of an upload that was only begun answers 204")
def status_begun(session: Session) -> None:
    ChunkedUpload(session).status().expect(204).expect_header("Location")


@STATUS.check(
    "push.status.location",
    Level.MUST,
    "The Location that GET of an upload names takes the next chunk",
)
def status_location(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    upload.need(chunks[0])
    upload.location = upload.status().expect(204).location()
    upload.patch(chunks[1]).expect(202)
    expect_created(session, upload.put(blob.digest, chunks[2]), blob)


@STATUS.check(
    "push.status.ended",
    Level.SHOULD,
    "GET of an upload that has ended answers 404",
    section="Endpoints",
)
def status_ended(session: Session) -> None:
    upload, blob = ChunkedUpload(session), new_blob()
    upload.need(blob.content)
    if upload.put(blob.digest).status != 201:
        raise NotApplicable("a blob cannot be pushed in chunks")
    upload.status().expect(404)


@CANCEL.check("push.cancel", Level.SHOULD, "An upload can be cancelled with DELETE: 204")
def cancel(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob(upload.size).content)
    session.send("DELETE", upload.location, {"Content-Length": "0"}).expect(204)


@CANCEL.check("push.cancel.begun", Level.SHOULD, "An upload that was only begun can be cancelled: 204")
def cancel_begun(session: Session) -> None:
    session.send("DELETE", session.begin_upload(), {"Content-Length": "0"}).expect(204)


@CANCEL.check("push.cancel.gone", Level.SHOULD, "An upload that was cancelled is gone: 404 to GET, PATCH and PUT")
def cancel_gone(session: Session) -> None:
    upload, blob = ChunkedUpload(session), new_blob()
    session.send("DELETE", upload.location, {"Content-Length": "0"}).expect(204)
    upload.status().expect(404)
    upload.patch(blob.content).expect(404)
    upload.put(blob.digest, blob.content).expect(404)


@CANCEL.check("push.cancel.unknown", Level.SHOULD, "Cancelling an upload that is not there answers 404, or 400")
def cancel_unknown(session: Session) -> None:
    begun_at = session.begin_upload()
    if session.send("DELETE", begun_at, {"Content-Length": "0"}).status != 204:
        raise NotApplicable("an upload cannot be cancelled")
    answer = session.send("DELETE", begun_at, {"Content-Length": "0"})
    if answer.status not in {400, 404}:
        raise Failed(f"DELETE {answer.path} answered {answer.status} the second time, expected 404 or 400")
