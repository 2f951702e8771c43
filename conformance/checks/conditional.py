"""Conditions: ETag and If-None-Match of pulls, If-Match and If-None-Match of pushes (RFC 9110, section 13)."""

from __future__ import annotations

from conformance.checks.common import sample_blob, sample_by_digest, sample_by_tag
from conformance.content import ACCEPT, Manifest, new_image
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Unsupported, Version
from conformance.session import Session, blob_path, expect, manifest_path
from conformance.wire import Answer

PULL = Checklist(Group.SPEC, Category.PULL, "API", Version.V1_2)
STALE = Checklist(Group.SPEC, Category.PULL, "Pulling manifests")
PUSH = Checklist(Group.SPEC, Category.PUSH, "Referrers Tag Schema", Version.V1_1)

_OTHER = '"sha256:0000000000000000000000000000000000000000000000000000000000000000"'


def _get(session: Session, reference: str, method: str = "GET", **conditions: str) -> Answer:
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    return session.send(method, manifest_path(session.name, reference), {"Accept": ACCEPT, **headers})


def _etag(answer: Answer) -> str:
    found = answer.header("ETag")
    if found is None:
        raise NotApplicable(f"{answer.method} {answer.path} answered without ETag")
    return found


@PULL.check("pull.etag.manifest", Level.SHOULD, "A manifest comes with an ETag (RFC 9110, 8.8.3)", writes=False)
def etag_manifest(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        for method in ("GET", "HEAD"):
            _get(session, sample.reference, method).expect(200).expect_header("ETag")


@PULL.check("pull.etag.blob", Level.SHOULD, "A blob comes with an ETag (RFC 9110, 8.8.3)", writes=False)
def etag_blob(session: Session) -> None:
    digest = sample_blob(session).reference
    for method in ("GET", "HEAD"):
        session.get_blob(digest, method=method).expect(200).expect_header("ETag")


@PULL.check(
    "pull.etag.form", Level.MUST, 'An ETag, if there is one, is quoted: "<text>" (RFC 9110, 8.8.3)', writes=False
)
def etag_form(session: Session) -> None:
    for answer in (
        _get(session, sample_by_tag(session).reference),
        session.get_blob(sample_blob(session).reference, method="HEAD"),
    ):
        bare = _etag(answer).removeprefix("W/")
        expect(len(bare) >= 2 and bare[0] == bare[-1] == '"', f"ETag: {answer.header('ETag')} is not quoted")


@PULL.check("pull.etag.moves", Level.MUST, "A tag that is moved has another ETag (RFC 9110, 8.8.1)")
def etag_moves(session: Session) -> None:
    tag = session.new_tag()
    found = []
    for _ in range(2):
        session.manifest(new_image(), tag)
        found.append(_etag(_get(session, tag, "HEAD").expect(200)))
    expect(found[0] != found[1], f"the ETag is {found[0]} before and after")


@PULL.check(
    "pull.if-none-match.manifest",
    Level.SHOULD,
    "A manifest that the client has, as If-None-Match says, answers 304 with nothing",
    writes=False,
)
def if_none_match_manifest(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        etag = _etag(_get(session, sample.reference).expect(200))
        for method in ("GET", "HEAD"):
            _get(session, sample.reference, method, If_None_Match=etag).expect(304).expect_body(b"")


@PULL.check(
    "pull.if-none-match.list",
    Level.SHOULD,
    "If-None-Match can name several ETags, or * for any",
    writes=False,
)
def if_none_match_list(session: Session) -> None:
    sample = sample_by_tag(session)
    etag = _etag(_get(session, sample.reference).expect(200))
    for condition in (f"{_OTHER}, {etag}", f"W/{etag.removeprefix('W/')}", "*"):
        _get(session, sample.reference, If_None_Match=condition).expect(304)


@PULL.check(
    "pull.if-none-match.blob",
    Level.SHOULD,
    "A blob that the client has, as If-None-Match says, answers 304 with nothing",
    writes=False,
)
def if_none_match_blob(session: Session) -> None:
    digest = sample_blob(session).reference
    etag = _etag(session.get_blob(digest, method="HEAD").expect(200))
    session.get_blob(digest, If_None_Match=etag).expect(304).expect_body(b"")


@STALE.check(
    "pull.if-none-match.no-body",
    Level.MUST,
    "A 304 has no body (RFC 9110, 15.4.5): what comes after it would be taken for the next answer",
    writes=False,
)
def if_none_match_no_body(session: Session) -> None:
    for path in (
        manifest_path(session.name, sample_by_tag(session).reference),
        blob_path(session.name, sample_blob(session).reference),
    ):
        etag = _etag(session.send("HEAD", path, {"Accept": ACCEPT}).expect(200))
        answer = session.send("GET", path, {"Accept": ACCEPT, "If-None-Match": etag})
        if answer.status != 304:
            raise NotApplicable(f"GET {answer.path} with If-None-Match answered {answer.status}")
        body = session.wire.after_headers(answer)
        expect(not body, f"GET {answer.path} was answered with 304 and a body that begins with {body[:40]!r}")


@STALE.check(
    "pull.if-none-match.other",
    Level.MUST,
    "What the client does not have, as If-None-Match says, is sent",
    writes=False,
)
def if_none_match_other(session: Session) -> None:
    sample, blob = sample_by_tag(session), sample_blob(session)
    _get(session, sample.reference, If_None_Match=_OTHER).expect(200).expect_body(sample.content)
    session.get_blob(blob.reference, If_None_Match=_OTHER).expect(200).expect_body(blob.content)


@STALE.check(
    "pull.if-none-match.moved", Level.MUST, "A tag that was moved is sent to a client that has what it was before"
)
def if_none_match_moved(session: Session) -> None:
    tag, after = session.new_tag(), new_image()
    session.manifest(new_image(), tag)
    before = _etag(_get(session, tag).expect(200))
    session.manifest(after, tag)
    _get(session, tag, If_None_Match=before).expect(200).expect_body(after.content)


def _put(session: Session, manifest: Manifest, reference: str, **conditions: str) -> Answer:
    """Push a manifest under a condition."""
    for blob in manifest.blobs:
        session.blob(blob)
    headers = {name.replace("_", "-"): value for name, value in conditions.items()}
    headers["Content-Type"] = manifest.media_type
    path = manifest_path(session.name, reference)
    return session.send("PUT", path, headers, manifest.content)


def _tag_with_etag(session: Session) -> tuple[str, str]:
    tag = session.new_tag()
    session.manifest(new_image(), tag)
    etag = _etag(_get(session, tag).expect(200))
    if etag.startswith("W/"):
        raise NotApplicable("the manifest has no strong ETag")
    return tag, etag


def _expect_refused(session: Session, tag: str, **conditions: str) -> None:
    """Push a tag under a condition that does not hold. Raises `Unsupported` if conditions are ignored."""
    manifest = new_image()
    answer = _put(session, manifest, tag, **conditions)
    if answer.status == 201:
        _get(session, tag).expect(200).expect_body(manifest.content)
        # Who heeds one condition has to heed them all: RFC 9110, 13.2.1.
        if _put(session, new_image(), tag, If_None_Match="*").status != 412:
            raise Unsupported("pushes under a condition are not offered: the condition was ignored")
    answer.expect(412)


@PUSH.check("push.conditional", Level.MAY, "A tag can be pushed under a condition, so that nobody's tag is overwritten")
def conditional(session: Session) -> None:
    tag = session.new_tag()
    session.manifest(new_image(), tag)
    _expect_refused(session, tag, If_None_Match="*")


@PUSH.check("push.if-none-match.there", Level.MUST, "If-None-Match: * pushes no tag that is there: 412, where offered")
def if_none_match_there(session: Session) -> None:
    tag, kept = session.new_tag(), new_image()
    session.manifest(kept, tag)
    _expect_refused(session, tag, If_None_Match="*")
    _get(session, tag).expect(200).expect_body(kept.content)


@PUSH.check("push.if-none-match.new", Level.MUST, "If-None-Match: * pushes a tag that is not there: 201")
def if_none_match_new(session: Session) -> None:
    tag, manifest = session.new_tag(), new_image()
    _put(session, manifest, tag, If_None_Match="*").expect(201)
    _get(session, tag).expect(200).expect_body(manifest.content)


@PUSH.check("push.if-match.stale", Level.MUST, "If-Match with an ETag of before pushes nothing: 412, where offered")
def if_match_stale(session: Session) -> None:
    tag, etag = _tag_with_etag(session)
    kept = new_image()
    session.manifest(kept, tag)
    _expect_refused(session, tag, If_Match=etag)
    _get(session, tag).expect(200).expect_body(kept.content)


@PUSH.check("push.if-match.current", Level.MUST, "If-Match with the ETag that the tag has pushes it: 201")
def if_match_current(session: Session) -> None:
    tag, etag = _tag_with_etag(session)
    manifest = new_image()
    _put(session, manifest, tag, If_Match=etag).expect(201)
    _get(session, tag).expect(200).expect_body(manifest.content)


@PUSH.check("push.if-match.not-there", Level.MUST, "If-Match for a tag that is not there answers 412, where offered")
def if_match_not_there(session: Session) -> None:
    tag = session.new_tag()
    _expect_refused(session, tag, If_Match=_OTHER)
    _get(session, tag).expect(404)
