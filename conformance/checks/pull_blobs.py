"""Pulling blobs, and asking whether they are there (spec, "Pulling blobs")."""

from __future__ import annotations

import gzip

from conformance.checks.common import drawn_digest, expect_true_digest, sample_blob
from conformance.content import Blob, new_blob
from conformance.requirement import Category, Checklist, Group, Level, Version
from conformance.session import Session, blob_path, expect

PULL = Checklist(Group.SPEC, Category.PULL, "Pulling blobs")
HEAD = Checklist(Group.SPEC, Category.PULL, "Checking if content exists in the registry")


@PULL.check("pull.blob.get", Level.MUST, "GET of a blob answers 200 with the blob", writes=False)
def get(session: Session) -> None:
    sample = sample_blob(session, 5000)
    session.get_blob(sample.reference).expect(200).expect_body(sample.content)


@PULL.check("pull.blob.get.empty", Level.MUST, "GET of an empty blob answers 200 with nothing")
def get_empty(session: Session) -> None:
    session.get_blob(session.blob(Blob(b""))).expect(200).expect_body(b"")


@PULL.check("pull.blob.get.sha512", Level.MUST, "GET of a blob by its sha512 answers 200 with the blob")
def get_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    session.get_blob(session.blob(blob)).expect(200).expect_body(blob.content)


@PULL.check(
    "pull.blob.not-compressed",
    Level.SHOULD,
    "A blob is sent as it was pushed, also to a client that takes compressed answers",
)
def not_compressed(session: Session) -> None:
    blob = Blob(b'{"repeated": "' + new_blob(8).content.hex().encode() * 200 + b'"}')
    answer = session.get_blob(session.blob(blob), Accept_Encoding="gzip, zstd, br")
    answer.expect(200).expect_body(blob.content)


@PULL.check(
    "pull.blob.content-encoding",
    Level.MUST,
    "A blob that gzip has made is not said to be compressed on the way: clients would unpack it (RFC 9110, 8.4)",
)
def content_encoding(session: Session) -> None:
    blob = Blob(gzip.compress(new_blob().content))
    session.blob(blob)
    for accepted in ("identity", "gzip"):
        answer = session.get_blob(blob.digest, Accept_Encoding=accepted).expect(200)
        coding = answer.header("Content-Encoding")
        labelled = coding not in {None, "identity"} and answer.body == blob.content
        expect(not labelled, f"GET {answer.path} answered with the blob as it is, and Content-Encoding: {coding}")


@PULL.check(
    "pull.blob.digest-header.advised",
    Level.SHOULD,
    "A blob comes with its digest in Docker-Content-Digest",
    until=Version.V1_2,
    writes=False,
)
@PULL.check(
    "pull.blob.digest-header",
    Level.MUST,
    "A blob comes with its digest in Docker-Content-Digest",
    since=Version.V1_2,
    writes=False,
)
def digest_header(session: Session) -> None:
    session.get_blob(sample_blob(session).reference).expect(200).expect_header("Docker-Content-Digest")


@PULL.check("pull.blob.digest-true", Level.MUST, "Docker-Content-Digest matches the blob that is sent", writes=False)
def digest_true(session: Session) -> None:
    sample = sample_blob(session)
    expect_true_digest(session.get_blob(sample.reference).expect(200), sample.content)


@PULL.check(
    "pull.blob.digest-true.sha512",
    Level.MUST,
    "Docker-Content-Digest matches the blob that is sent, also if that is asked for by its sha512",
)
def digest_true_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    expect_true_digest(session.get_blob(session.blob(blob)).expect(200), blob.content)


@PULL.check("pull.blob.unknown", Level.MUST, "GET of a blob that is not there answers 404", writes=False)
def unknown(session: Session) -> None:
    session.get_blob(drawn_digest()).expect(404)


@PULL.check(
    "pull.blob.unknown-repository",
    Level.MUST,
    "GET of a blob of a repository that is not there answers 404",
    writes=False,
)
def unknown_repository(session: Session) -> None:
    session.get_blob(drawn_digest(), session.new_name()).expect(404)


@PULL.check(
    "pull.blob.other-repository",
    Level.MUST,
    "A blob of another repository is not found in this one",
    since=Version.V1_1,
)
def other_repository(session: Session) -> None:
    digest = session.blob(new_blob(), session.new_name())
    session.get_blob(digest).expect(404)
    session.get_blob(digest, method="HEAD").expect(404)


@PULL.check(
    "pull.blob.malformed-digest",
    Level.MUST,
    "What is no digest finds no blob: 404, or 400",
    writes=False,
)
def malformed_digest(session: Session) -> None:
    for digest in ("sha256:abc", "sha256:" + "g" * 64, "a" * 64):
        session.send("GET", blob_path(session.name, digest)).expect(400, 404)


@HEAD.check("pull.blob.head", Level.MUST, "HEAD of a blob answers 200", writes=False)
def head(session: Session) -> None:
    session.get_blob(sample_blob(session).reference, method="HEAD").expect(200)


@HEAD.check(
    "pull.blob.head.digest-header.advised",
    Level.SHOULD,
    "HEAD of a blob tells its digest in Docker-Content-Digest",
    until=Version.V1_2,
    writes=False,
)
@HEAD.check(
    "pull.blob.head.digest-header",
    Level.MUST,
    "HEAD of a blob tells its digest in Docker-Content-Digest",
    since=Version.V1_2,
    writes=False,
)
def head_digest_header(session: Session) -> None:
    answer = session.get_blob(sample_blob(session).reference, method="HEAD")
    answer.expect(200).expect_header("Docker-Content-Digest")


@HEAD.check(
    "pull.blob.head.digest-true", Level.MUST, "The Docker-Content-Digest of HEAD matches the blob", writes=False
)
def head_digest_true(session: Session) -> None:
    sample = sample_blob(session)
    expect_true_digest(session.get_blob(sample.reference, method="HEAD").expect(200), sample.content)


@HEAD.check(
    "pull.blob.head.digest-true.sha512",
    Level.MUST,
    "The Docker-Content-Digest of HEAD matches the blob, also if that is asked for by its sha512",
)
def head_digest_true_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    expect_true_digest(session.get_blob(session.blob(blob), method="HEAD").expect(200), blob.content)


@HEAD.check(
    "pull.blob.head.length.advised",
    Level.SHOULD,
    "HEAD of a blob tells its size in Content-Length",
    since=Version.V1_1,
    until=Version.V1_2,
    writes=False,
)
@HEAD.check(
    "pull.blob.head.length",
    Level.MUST,
    "HEAD of a blob tells its size in Content-Length",
    since=Version.V1_2,
    writes=False,
)
def head_length(session: Session) -> None:
    sample = sample_blob(session)
    answer = session.get_blob(sample.reference, method="HEAD").expect(200)
    answer.expect_header("Content-Length", str(len(sample.content)))


@HEAD.check(
    "pull.blob.head.length.empty.advised",
    Level.SHOULD,
    "HEAD of an empty blob tells its size, too: Content-Length: 0",
    since=Version.V1_1,
    until=Version.V1_2,
)
@HEAD.check(
    "pull.blob.head.length.empty",
    Level.MUST,
    "HEAD of an empty blob tells its size, too: Content-Length: 0",
    since=Version.V1_2,
)
def head_length_empty(session: Session) -> None:
    digest = session.blob(Blob(b""))
    session.get_blob(digest, method="HEAD").expect(200).expect_header("Content-Length", "0")


@HEAD.check("pull.blob.head.unknown", Level.MUST, "HEAD of a blob that is not there answers 404", writes=False)
def head_unknown(session: Session) -> None:
    session.get_blob(drawn_digest(), method="HEAD").expect(404)


@HEAD.check("pull.blob.head.no-body", Level.MUST, "The answer to HEAD has no body (RFC 9110, 9.3.2)", writes=False)
def head_no_body(session: Session) -> None:
    answer = session.get_blob(sample_blob(session).reference, method="HEAD")
    body = session.wire.after_headers(answer)
    expect(not body, f"HEAD {answer.path} was answered with a body that begins with {body[:40]!r}")
