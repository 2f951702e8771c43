"""Digests of blobs that are pushed: wrong ones, malformed ones, and their algorithms (spec, "Pushing blobs")."""

from __future__ import annotations

from conformance.checks.common import expect_refused
from conformance.checks.push_blobs import expect_created, post_whole
from conformance.content import OCTETS, Blob, new_blob
from conformance.requirement import Category, Checklist, Failed, Group, Level, Unsupported, Version
from conformance.session import Session, uploads_path, with_query

DIGESTS = Checklist(Group.SPEC, Category.PUSH, "Pushing blobs")

_OCTETS = {"Content-Type": OCTETS}


@DIGESTS.check(
    "push.digest.mismatch", Level.MUST, "A blob whose content does not match the digest is refused, and not there"
)
def mismatch(session: Session) -> None:
    blob, wrong = new_blob(), new_blob()
    answer = session.send("PUT", with_query(session.begin_upload(), digest=wrong.digest), _OCTETS, blob.content)
    expect_refused(answer, "the content does not match the digest")
    session.get_blob(wrong.digest).expect(404)


@DIGESTS.check(
    "push.digest.mismatch.sha512", Level.MUST, "A blob whose content does not match its sha512 is refused, too"
)
def mismatch_sha512(session: Session) -> None:
    blob, wrong = new_blob(), new_blob(algorithm="sha512")
    begun_at = session.begin_upload(algorithm="sha512")
    answer = session.send("PUT", with_query(begun_at, digest=wrong.digest), _OCTETS, blob.content)
    expect_refused(answer, "the content does not match the digest")
    session.get_blob(wrong.digest).expect(400, 404)


@DIGESTS.check(
    "push.digest.mismatch.status",
    Level.SHOULD,
    "A digest that the content does not match answers 400",
    since=Version.V1_2,
)
def mismatch_status(session: Session) -> None:
    digest = new_blob().digest
    session.send("PUT", with_query(session.begin_upload(), digest=digest), _OCTETS, new_blob().content).expect(400)
    if (answer := post_whole(session, new_blob(), digest)).status != 202:
        answer.expect(400)


_MALFORMED = ("sha256:abc", "sha256:" + "g" * 64, "sha256:" + "A" * 64, "a" * 64, "sha256", "")


@DIGESTS.check("push.digest.malformed", Level.MUST, "A blob with a digest that is none is refused")
def malformed(session: Session) -> None:
    for digest in _MALFORMED:
        answer = session.send("PUT", with_query(session.begin_upload(), digest=digest), _OCTETS, b"content")
        expect_refused(answer, f"{digest!r} is no digest")


@DIGESTS.check("push.digest.malformed.status", Level.SHOULD, "A digest that is none answers 400", since=Version.V1_2)
def malformed_status(session: Session) -> None:
    for digest in _MALFORMED:
        path = with_query(session.begin_upload(), digest=digest)
        session.send("PUT", path, _OCTETS, b"content").expect(400, what=f"{digest!r} is no digest")
        if digest and (answer := post_whole(session, Blob(b"content"), digest)).status != 202:
            answer.expect(400, what=f"{digest!r} is no digest")


@DIGESTS.check(
    "push.digest.unsupported-algorithm",
    Level.SHOULD,
    "A digest of an algorithm that is not supported answers 400",
    since=Version.V1_2,
)
def unsupported_algorithm(session: Session) -> None:
    digest = f"nosuch256:{'a' * 64}"
    session.send("PUT", with_query(session.begin_upload(), digest=digest), _OCTETS, b"content").expect(400)


@DIGESTS.check(
    "push.digest-algorithm.sha512",
    Level.MUST,
    "An upload that is announced with digest-algorithm=sha512 ends with a sha512 digest, where that is supported",
    section="Pushing a blob in chunks",
    since=Version.V1_2,
)
def digest_algorithm_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    expect_created(session, session.put_blob(_announced(session, "sha512"), blob), blob)


@DIGESTS.check(
    "push.digest-algorithm.sha256",
    Level.MUST,
    "An upload can be announced with digest-algorithm=sha256",
    section="Pushing a blob in chunks",
    since=Version.V1_2,
)
def digest_algorithm_sha256(session: Session) -> None:
    blob = new_blob()
    expect_created(session, session.put_blob(_announced(session, "sha256"), blob), blob)


@DIGESTS.check(
    "push.digest-algorithm.unsupported",
    Level.SHOULD,
    "An algorithm that is not supported answers 400, at the beginning or at the end of the upload",
    section="Pushing blobs",
    since=Version.V1_2,
)
def digest_algorithm_unsupported(session: Session) -> None:
    path = with_query(uploads_path(session.name), **{"digest-algorithm": "nosuch256"})
    answer = session.send("POST", path, {"Content-Length": "0"}).expect(202, 400)
    if answer.status == 202:
        path = with_query(answer.location(), digest=f"nosuch256:{'a' * 64}")
        session.send("PUT", path, _OCTETS, b"content").expect(400)


def _announced(session: Session, algorithm: str) -> str:
    path = with_query(uploads_path(session.name), **{"digest-algorithm": algorithm})
    answer = session.send("POST", path, {"Content-Length": "0"})
    if answer.status == 400 and algorithm != "sha256":
        raise Unsupported(f"POST answered 400: no blobs named by {algorithm}")
    if answer.status != 202:
        raise Failed(f"POST {answer.path} answered {answer.status}, expected 202")
    return answer.location()
