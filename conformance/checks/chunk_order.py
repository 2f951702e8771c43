"""Chunks that come in the wrong order, or do not fit (spec, "Pushing a blob in chunks")."""

from __future__ import annotations

from conformance.checks.common import expect_refused
from conformance.checks.push_blobs import expect_created
from conformance.checks.push_chunks import CHUNK, ChunkedUpload, three_chunks
from conformance.content import OCTETS, Blob, new_blob
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Version
from conformance.session import Session

ORDER = Checklist(Group.SPEC, Category.PUSH, "Pushing a blob in chunks")


@ORDER.check("push.chunk.first-not-zero", Level.MUST, "A first chunk that does not begin at 0 answers 416")
def first_not_zero(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.patch(new_blob(upload.size).content, start=upload.size).expect(416)


@ORDER.check("push.chunk.gap", Level.MUST, "A chunk that leaves a gap answers 416")
def gap(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob(upload.size).content)
    upload.patch(new_blob(upload.size).content, start=upload.size + 1).expect(416)


@ORDER.check("push.chunk.repeated", Level.MUST, "A chunk that is sent twice answers 416 the second time")
def repeated(session: Session) -> None:
    upload = ChunkedUpload(session)
    chunk = new_blob(upload.size).content
    upload.need(chunk)
    upload.patch(chunk, start=0).expect(416)


@ORDER.check("push.chunk.overlap", Level.MUST, "A chunk that begins before the end of the last one answers 416")
def overlap(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob(upload.size).content)
    upload.patch(new_blob(upload.size).content, start=upload.size // 2).expect(416)


@ORDER.check(
    "push.chunk.put-out-of-order",
    Level.MUST,
    "A last chunk that is sent out of order with PUT answers 416",
    since=Version.V1_2,
)
def put_out_of_order(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    upload.need(chunks[0])
    upload.put(blob.digest, chunks[2], start=2 * upload.size).expect(416)


@ORDER.check(
    "push.chunk.put-out-of-order.refused",
    Level.MUST,
    "A blob whose last chunk is sent out of order is not created",
)
def put_out_of_order_refused(session: Session) -> None:
    upload = ChunkedUpload(session)
    _, chunks = three_chunks(upload)
    upload.need(chunks[0])
    # Whoever ignored the positions would find that the content matches.
    digest = Blob(chunks[0] + chunks[2]).digest
    expect_refused(upload.put(digest, chunks[2], start=2 * upload.size), "the chunk leaves a gap")
    session.get_blob(digest).expect(404)


@ORDER.check(
    "push.chunk.resumed",
    Level.MUST,
    "After a 416 the upload goes on from where GET says that it is",
    since=Version.V1_1,
)
def resumed(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    upload.need(chunks[0])
    if upload.patch(chunks[2], start=2 * upload.size).status == 202:
        raise NotApplicable("a chunk out of order is not refused")
    answer = upload.status().expect(204)
    answer.expect_header("Range", f"0-{upload.size - 1}")
    upload.location = answer.location()
    upload.patch(chunks[1]).expect(202)
    expect_created(session, upload.put(blob.digest, chunks[2]), blob)


@ORDER.check("push.chunk.mismatch", Level.MUST, "Chunks that do not match the digest do not become a blob")
def mismatch(session: Session) -> None:
    upload, wrong = ChunkedUpload(session), new_blob()
    upload.need(new_blob(upload.size).content)
    expect_refused(upload.put(wrong.digest), "the content does not match the digest")
    session.get_blob(wrong.digest).expect(404)


@ORDER.check(
    "push.chunk.malformed-digest",
    Level.SHOULD,
    "A closing PUT with a digest that is none answers 400",
    since=Version.V1_2,
)
def malformed_digest(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob(upload.size).content)
    upload.put("sha256:abc").expect(400)


@ORDER.check("push.chunk.missing", Level.MUST, "A blob of which a chunk was never sent is not created")
def missing(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    upload.need(chunks[0])
    expect_refused(upload.put(blob.digest), "only the first chunk was sent")
    session.get_blob(blob.digest).expect(404)


@ORDER.check("push.chunk.without-digest", Level.SHOULD, "A closing PUT without a digest is refused")
def without_digest(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.need(new_blob().content)
    expect_refused(session.send("PUT", upload.location, {"Content-Length": "0"}), "the digest is missing")


@ORDER.check(
    "push.chunk.wrong-length", Level.SHOULD, "A chunk whose Content-Range and Content-Length differ is refused"
)
def wrong_length(session: Session) -> None:
    headers = {"Content-Type": OCTETS, "Content-Range": f"0-{CHUNK - 1}"}
    answer = session.send("PATCH", session.begin_upload(), headers, new_blob(CHUNK // 2).content)
    expect_refused(answer, "50 bytes came for a range of 100")


@ORDER.check("push.chunk.malformed-range", Level.SHOULD, "A chunk with a Content-Range that is none is refused")
def malformed_range(session: Session) -> None:
    for stated in ("a-b", "9-3", "-5"):
        headers = {"Content-Type": OCTETS, "Content-Range": stated}
        answer = session.send("PATCH", session.begin_upload(), headers, b"five!")
        expect_refused(answer, f"{stated} is no range")
