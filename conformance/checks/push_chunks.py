"""Pushing blobs in chunks (spec, "Pushing a blob in chunks")."""

from __future__ import annotations

from conformance.checks.push_blobs import expect_created
from conformance.content import OCTETS, Blob, new_blob
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Version
from conformance.session import Session, expect, with_query
from conformance.wire import Answer, pieces

CHUNKS = Checklist(Group.SPEC, Category.PUSH, "Pushing a blob in chunks")

CHUNK = 100
_LARGEST = 64 << 20
_MIN_LENGTH = "OCI-Chunk-Min-Length"


class ChunkedUpload:
    """An upload in chunks: where it goes on, how far it is, and how large a chunk has to be."""

    def __init__(self, session: Session, algorithm: str = "sha256") -> None:
        self.session = session
        self.location = session.begin_upload(algorithm=algorithm)
        least = session.exchanges[-1].header(_MIN_LENGTH) or ""
        self.size = max(CHUNK, int(least) if least.isdigit() and len(least) < 10 else 0)
        if self.size > _LARGEST:
            raise NotApplicable(f"chunks have to be of {self.size} bytes: nobody holds that in memory")
        self.offset = 0

    def patch(self, content: bytes, start: int | None = None) -> Answer:
        """Send a chunk, from where the upload is or from somewhere else, and go on where the answer says."""
        begin = self.offset if start is None else start
        headers = {"Content-Type": OCTETS, "Content-Range": f"{begin}-{begin + len(content) - 1}"}
        answer = self.session.send("PATCH", self.location, headers, content)
        if answer.status == 202:
            self.offset += len(content)
            self.location = answer.location()
        return answer

    def need(self, content: bytes) -> None:
        """Send a chunk that another check has to judge."""
        if (answer := self.patch(content)).status != 202:
            raise NotApplicable(f"a chunk cannot be pushed: PATCH {answer.path} answered {answer.status}")

    def put(self, digest: str, content: bytes = b"", start: int | None = None) -> Answer:
        """End the upload, with a last chunk if there is content."""
        headers = {"Content-Type": OCTETS}
        if content:
            begin = self.offset if start is None else start
            headers["Content-Range"] = f"{begin}-{begin + len(content) - 1}"
        path = with_query(self.location, digest=digest)
        return self.session.send("PUT", path, headers, content)

    def status(self) -> Answer:
        return self.session.send("GET", self.location)


def three_chunks(upload: ChunkedUpload, algorithm: str = "sha256") -> tuple[Blob, list[bytes]]:
    blob = new_blob(upload.size * 5 // 2, algorithm=algorithm)
    return blob, list(pieces(blob.content, upload.size))


@CHUNKS.check("push.chunk.accepted", Level.MUST, "A chunk is accepted with 202 and the Location of the next")
def accepted(session: Session) -> None:
    upload = ChunkedUpload(session)
    upload.patch(new_blob(upload.size).content).expect(202).expect_header("Location")


@CHUNKS.check(
    "push.chunk.range",
    Level.MUST,
    "The answer to each chunk says how much is there: Range: 0-<end-of-range>",
    since=Version.V1_1,
)
def chunk_range(session: Session) -> None:
    upload = ChunkedUpload(session)
    for _ in range(2):
        answer = upload.patch(new_blob(upload.size).content).expect(202)
        answer.expect_header("Range", f"0-{upload.offset - 1}")


@CHUNKS.check("push.chunk.one", Level.MUST, "A blob can be pushed in one chunk, and a PUT without content")
def one(session: Session) -> None:
    upload, blob = ChunkedUpload(session), new_blob()
    upload.patch(blob.content).expect(202)
    expect_created(session, upload.put(blob.digest), blob)


@CHUNKS.check("push.chunk.all-by-patch", Level.MUST, "The last chunk can be sent with PATCH, and a PUT ends the upload")
def all_by_patch(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    for chunk in chunks:
        upload.patch(chunk).expect(202)
    expect_created(session, upload.put(blob.digest), blob)


@CHUNKS.check("push.chunk.last-by-put", Level.MUST, "The last chunk can be sent with the PUT that ends the upload")
def last_by_put(session: Session) -> None:
    upload = ChunkedUpload(session)
    blob, chunks = three_chunks(upload)
    for chunk in chunks[:-1]:
        upload.patch(chunk).expect(202)
    expect_created(session, upload.put(blob.digest, chunks[-1]), blob)


@CHUNKS.check("push.chunk.only-by-put", Level.MUST, "The only chunk can be sent with the PUT, with its Content-Range")
def only_by_put(session: Session) -> None:
    upload, blob = ChunkedUpload(session), new_blob()
    expect_created(session, upload.put(blob.digest, blob.content), blob)


@CHUNKS.check("push.chunk.sha512", Level.MUST, "A blob named by its sha512 can be pushed in chunks, where supported")
def sha512(session: Session) -> None:
    upload = ChunkedUpload(session, "sha512")
    blob, chunks = three_chunks(upload, "sha512")
    for chunk in chunks[:-1]:
        upload.patch(chunk).expect(202)
    expect_created(session, upload.put(blob.digest, chunks[-1]), blob)


@CHUNKS.check("push.chunk.many", Level.MUST, "A blob can be pushed in many chunks of different sizes")
def many(session: Session) -> None:
    upload = ChunkedUpload(session)
    if upload.size > CHUNK:
        raise NotApplicable(f"chunks have to be of {upload.size} bytes")
    chunks = [new_blob(size).content for size in (1, 700, 2, 64, 333, 1, 9000, 5)]
    for chunk in chunks:
        upload.patch(chunk).expect(202)
    blob = Blob(b"".join(chunks))
    expect_created(session, upload.put(blob.digest), blob)


@CHUNKS.check("push.chunk.location", Level.MUST, "The Location of a blob that was pushed in chunks can be pulled")
def location(session: Session) -> None:
    upload, blob = ChunkedUpload(session), new_blob()
    upload.need(blob.content)
    answer = upload.put(blob.digest).expect(201)
    session.send("GET", answer.location()).expect(200).expect_body(blob.content)


@CHUNKS.check(
    "push.chunk.streamed",
    Level.SHOULD,
    "PATCH takes a stream without Content-Range and Content-Length (Transfer-Encoding: chunked)",
)
def streamed(session: Session) -> None:
    blob, begun_at = new_blob(200_000), session.begin_upload()
    answer = session.send("PATCH", begun_at, {"Content-Type": OCTETS}, list(pieces(blob.content, 30_000))).expect(202)
    expect_created(session, session.put_blob(answer.location(), blob, b""), blob)


@CHUNKS.check("push.chunk.without-range", Level.SHOULD, "PATCH takes a chunk without Content-Range, as the next one")
def without_range(session: Session) -> None:
    blob, headers = new_blob(500), {"Content-Type": OCTETS}
    answer = session.send("PATCH", session.begin_upload(), headers, blob.content[:300]).expect(202)
    answer = session.send("PATCH", answer.location(), headers, blob.content[300:]).expect(202)
    expect_created(session, session.put_blob(answer.location(), blob, b""), blob)


@CHUNKS.check(
    "push.chunk.min-length",
    Level.SHOULD,
    "Whoever refuses small chunks announces OCI-Chunk-Min-Length, and takes chunks of that size",
    since=Version.V1_1,
)
def min_length(session: Session) -> None:
    upload = ChunkedUpload(session)
    least = session.exchanges[-1].header(_MIN_LENGTH)
    expect(
        least is None or (len(least) < 10 and least.isdigit() and int(least) > 0), f"{_MIN_LENGTH}: {least} is no size"
    )
    for size in (int(least or 1), int(least or 2)):
        upload.patch(new_blob(size).content).expect(202)
