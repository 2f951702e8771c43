"""Pushing blobs in one piece (spec, "Pushing a blob monolithically")."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

from conformance.checks.common import expect_refused
from conformance.content import OCTETS, Blob, new_blob
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Unsupported
from conformance.session import Session, expect, uploads_path, with_query
from conformance.wire import Answer, pieces

PUSH = Checklist(Group.SPEC, Category.PUSH, "POST then PUT")
SINGLE = Checklist(Group.SPEC, Category.PUSH, "Single POST")

LARGE = 16 * 1024 * 1024

# In its text form, or in a token: nobody can see whether there is one in that.
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}|[A-Za-z0-9_-]{22,}")


def expect_created(session: Session, answer: Answer, blob: Blob) -> None:
    """Raises `Failed` unless the blob was taken and can be pulled, `Unsupported` if its algorithm was refused."""
    if blob.algorithm != "sha256" and answer.status == 400:
        raise Unsupported(f"{answer.method} {answer.path} answered 400: no blobs named by {blob.algorithm}")
    answer.expect(201)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


def post_whole(session: Session, blob: Blob, digest: str | None = None) -> Answer:
    """Push a blob with a single POST."""
    path = with_query(uploads_path(session.name), digest=digest or blob.digest)
    return session.send("POST", path, {"Content-Type": OCTETS}, blob.content)


def _post_and_put(session: Session, blob: Blob) -> Answer:
    answer = session.put_blob(session.begin_upload(), blob)
    expect_created(session, answer, blob)
    return answer


@PUSH.check(
    "support.push",
    Level.SHOULD,
    "The registry takes pushes: an upload can be begun",
    section="Requirements",
)
def supported(session: Session) -> None:
    session.send("POST", uploads_path(session.name), {"Content-Length": "0"}).expect(202)


@PUSH.check("push.upload.begun", Level.MUST, "POST begins an upload: 202 with a Location")
def begun(session: Session) -> None:
    answer = session.send("POST", uploads_path(session.name), {"Content-Length": "0"})
    if 400 <= answer.status < 500:
        raise NotApplicable(f"POST {answer.path} answered {answer.status}: the registry takes no pushes")
    answer.expect(202).location()


@PUSH.check("push.upload.uuid", Level.MUST, "The location of an upload contains a UUID")
def uuid(session: Session) -> None:
    parts = urlsplit(session.begin_upload())
    own = f"{parts.path}?{parts.query}".replace(session.name, "")
    expect(_UUID.search(own) is not None, f"the location {own} contains no UUID")


@PUSH.check("push.upload.unique", Level.MUST, "Each upload has a session, and so a location, of its own")
def unique(session: Session) -> None:
    expect(session.begin_upload() != session.begin_upload(), "two uploads have the same location")


@PUSH.check("push.blob.post-put", Level.MUST, "A blob can be pushed with POST and PUT: 201, and it can be pulled")
def post_put(session: Session) -> None:
    _post_and_put(session, new_blob())


@PUSH.check("push.blob.post-put.empty", Level.MUST, "A blob of no bytes can be pushed with POST and PUT")
def post_put_empty(session: Session) -> None:
    _post_and_put(session, Blob(b""))


@PUSH.check("push.blob.post-put.one-byte", Level.MUST, "A blob of one byte can be pushed with POST and PUT")
def post_put_one_byte(session: Session) -> None:
    _post_and_put(session, new_blob(1))


@PUSH.check("push.blob.post-put.large", Level.MUST, "A blob of 16 MiB can be pushed with POST and PUT")
def post_put_large(session: Session) -> None:
    _post_and_put(session, new_blob(LARGE))


@PUSH.check("push.blob.post-put.sha512", Level.MUST, "A blob can be named by its sha512, where that is supported")
def post_put_sha512(session: Session) -> None:
    _post_and_put(session, new_blob(algorithm="sha512"))


@PUSH.check("push.blob.post-put.location", Level.MUST, "The Location of a pushed blob can be pulled")
def location(session: Session) -> None:
    blob = new_blob()
    answer = session.put_blob(session.begin_upload(), blob).expect(201)
    session.send("GET", answer.location()).expect(200).expect_body(blob.content)


@PUSH.check(
    "push.blob.digest-true", Level.MUST, "If a pushed blob's Docker-Content-Digest is told, it is the given one"
)
def digest_true(session: Session) -> None:
    blob = new_blob()
    answer = session.put_blob(session.begin_upload(), blob).expect(201)
    if answer.header("Docker-Content-Digest") is not None:
        answer.expect_header("Docker-Content-Digest", blob.digest)


@PUSH.check("push.blob.again", Level.MUST, "A blob that is there already can be pushed again")
def again(session: Session) -> None:
    blob = new_blob()
    _post_and_put(session, blob)
    _post_and_put(session, blob)


@PUSH.check(
    "push.blob.query-order",
    Level.SHOULD,
    "The digest can come before, and a parameter that nobody knows after, the location's own query",
)
def query_order(session: Session) -> None:
    blob, begun_at = new_blob(), session.begin_upload()
    base, _, query = begun_at.partition("?")
    query = "&".join(part for part in (f"digest={quote(blob.digest, safe='')}", query, "other=1") if part)
    answer = session.send("PUT", f"{base}?{query}", {"Content-Type": OCTETS}, blob.content)
    expect_created(session, answer, blob)


@PUSH.check(
    "push.blob.streamed",
    Level.SHOULD,
    "PUT takes a blob whose length is not announced (Transfer-Encoding: chunked), or asks for it with 411",
)
def streamed(session: Session) -> None:
    blob, begun_at = new_blob(3000), session.begin_upload()
    path = with_query(begun_at, digest=blob.digest)
    answer = session.send("PUT", path, {"Content-Type": OCTETS}, list(pieces(blob.content, 1000)))
    if answer.status != 411:
        expect_created(session, answer, blob)


@PUSH.check(
    "push.blob.not-before-end", Level.MUST, "A blob is not there before its upload has ended", section="Pulling blobs"
)
def not_before_end(session: Session) -> None:
    blob, location = new_blob(), session.begin_upload()
    session.get_blob(blob.digest, method="HEAD").expect(404)
    answer = session.send("PATCH", location, {"Content-Type": OCTETS}, blob.content)
    is_sent = answer.status == 202
    if is_sent:
        location = answer.location()
        for method in ("HEAD", "GET"):
            session.get_blob(blob.digest, method=method).expect(404, what="its upload has not ended")
    expect_created(session, session.put_blob(location, blob, b"" if is_sent else None), blob)


@SINGLE.check("push.blob.single-post", Level.MAY, "A blob can be pushed with a single POST")
def single_post(session: Session) -> None:
    _offered(post_whole(session, new_blob())).expect(201)


@SINGLE.check("push.blob.single-post.empty", Level.MUST, "A single POST of no bytes makes an empty blob")
def single_post_empty(session: Session) -> None:
    blob = Blob(b"")
    expect_created(session, _offered(post_whole(session, blob)), blob)


@SINGLE.check("push.blob.single-post.sha512", Level.MUST, "A single POST takes a sha512, too, where that is supported")
def single_post_sha512(session: Session) -> None:
    blob = new_blob(algorithm="sha512")
    expect_created(session, _offered(post_whole(session, blob)), blob)


@SINGLE.check(
    "push.blob.single-post.created",
    Level.MUST,
    "A single POST that succeeds answers 201 with a Location that can be pulled",
)
def single_post_created(session: Session) -> None:
    blob = new_blob()
    answer = _offered(post_whole(session, blob)).expect(201)
    session.send("GET", answer.location()).expect(200).expect_body(blob.content)


@SINGLE.check(
    "push.blob.single-post.fallback",
    Level.SHOULD,
    "Whoever does not take a blob with a single POST answers 202 with a Location for a PUT",
)
def single_post_fallback(session: Session) -> None:
    blob = new_blob()
    answer = post_whole(session, blob).expect(201, 202)
    if answer.status == 202:
        answer = session.put_blob(answer.location(), blob)
    expect_created(session, answer, blob)


def _offered(answer: Answer) -> Answer:
    if answer.status == 202:
        raise Unsupported("a single POST begins an upload only, as the specification allows")
    return answer


@SINGLE.check(
    "push.blob.single-post.mismatch", Level.MUST, "A single POST of another content than its digest is refused"
)
def single_post_mismatch(session: Session) -> None:
    blob, wrong = new_blob(), new_blob()
    answer = _offered(post_whole(session, blob, wrong.digest))
    expect_refused(answer, "the content does not match the digest")
    session.get_blob(wrong.digest).expect(404)
