"""Manifests with a subject (spec, "Pushing Manifests with Subject")."""

from __future__ import annotations

from dataclasses import replace

from conformance.checks.common import drawn_digest, push_parts
from conformance.content import IMAGE, Json, Manifest, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, Unsupported, Version
from conformance.session import Session, expect
from conformance.wire import Answer

PUSH = Checklist(Group.SPEC, Category.PUSH, "Push", Version.V1_1)
SUBJECT = Checklist(Group.SPEC, Category.PUSH, "Pushing Manifests with Subject", Version.V1_1)


def _missing(algorithm: str = "sha256") -> Json:
    """The descriptor of a manifest that is not there."""
    return replace(new_image(), algorithm=algorithm).descriptor


def _push(session: Session, manifest: Manifest, reference: str | None = None) -> Answer:
    push_parts(session, manifest)
    return session.put_manifest(manifest, reference or manifest.digest).expect(201)


def expect_referrers(session: Session) -> None:
    """Raises `Unsupported` if there is no referrers API, which a registry need not have.

    Whoever knows the referrers of one manifest has it, and may not answer 404 for another.
    """
    if session.referrers(drawn_digest()).status != 404:
        return
    subject = new_image()
    if not session.scope.read_only:
        session.manifest(subject)
        session.manifest(new_image(subject=subject.descriptor))
    if session.scope.read_only or session.referrers(subject.digest).status == 404:
        raise Unsupported("there is no referrers API: it answers 404")


@PUSH.check("push.subject.missing", Level.MUST, "An image is taken before the subject that it refers to")
def missing(session: Session) -> None:
    manifest = new_image(subject=_missing())
    _push(session, manifest)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.subject.missing.index", Level.MUST, "An index is taken before the subject that it refers to")
def missing_index(session: Session) -> None:
    manifest = new_index([new_image()], subject=_missing())
    _push(session, manifest)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.subject.missing.sha512", Level.MUST, "An image is taken whose missing subject is named by its sha512")
def missing_sha512(session: Session) -> None:
    manifest = new_image(subject=_missing("sha512"))
    _push(session, manifest)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.subject.present", Level.MUST, "An image is taken after the subject that it refers to, and kept")
def present(session: Session) -> None:
    subject = new_image()
    session.manifest(subject)
    manifest, tag = new_image(subject=subject.descriptor), session.new_tag()
    _push(session, manifest, tag)
    session.get_manifest(tag).expect(200).expect_body(manifest.content)


@PUSH.check("push.subject.later", Level.MUST, "A subject is taken after what refers to it")
def later(session: Session) -> None:
    subject = new_image()
    session.manifest(new_image(subject=subject.descriptor))
    _push(session, subject, session.new_tag())
    session.get_manifest(subject.digest).expect(200).expect_body(subject.content)


@SUBJECT.check(
    "push.subject.header", Level.MUST, "OCI-Subject tells that the subject of an image was noted: its digest"
)
def header(session: Session) -> None:
    expect_referrers(session)
    subject = new_image()
    session.manifest(subject)
    _push(session, new_image(subject=subject.descriptor)).expect_header("OCI-Subject", subject.digest)


@SUBJECT.check(
    "push.subject.header.by-tag", Level.MUST, "OCI-Subject is also told when an image with a subject is pushed by tag"
)
def header_by_tag(session: Session) -> None:
    expect_referrers(session)
    subject = new_image()
    session.manifest(subject)
    manifest = new_image(subject=subject.descriptor)
    _push(session, manifest, session.new_tag()).expect_header("OCI-Subject", subject.digest)


@SUBJECT.check(
    "push.subject.header.missing", Level.MUST, "OCI-Subject is also told when the subject of an image is not there"
)
def header_missing(session: Session) -> None:
    expect_referrers(session)
    subject = _missing()
    _push(session, new_image(subject=subject)).expect_header("OCI-Subject", subject["digest"])


@SUBJECT.check(
    "push.subject.header.sha512", Level.MUST, "OCI-Subject is also told when the subject is named by its sha512"
)
def header_sha512(session: Session) -> None:
    expect_referrers(session)
    subject = _missing("sha512")
    _push(session, new_image(subject=subject)).expect_header("OCI-Subject", subject["digest"])


@SUBJECT.check(
    "push.subject.header.index", Level.SHOULD, "OCI-Subject is also told when an index with a subject is pushed"
)
def header_index(session: Session) -> None:
    expect_referrers(session)
    subject = _missing()
    _push(session, new_index([], subject=subject)).expect_header("OCI-Subject", subject["digest"])


@SUBJECT.check("push.subject.header.again", Level.MUST, "OCI-Subject is told each time an image is pushed")
def header_again(session: Session) -> None:
    expect_referrers(session)
    subject = _missing()
    manifest = new_image(subject=subject)
    for _ in range(2):
        _push(session, manifest).expect_header("OCI-Subject", subject["digest"])


@SUBJECT.check("push.subject.header.none", Level.SHOULD, "A manifest without a subject is answered without OCI-Subject")
def header_none(session: Session) -> None:
    found = _push(session, new_image()).header("OCI-Subject")
    expect(found is None, f"the answer has OCI-Subject: {found}, but the manifest has no subject")


@SUBJECT.check(
    "push.subject.malformed", Level.SHOULD, "A manifest whose subject has a malformed digest is refused with 400"
)
def malformed(session: Session) -> None:
    expect_referrers(session)
    manifest = new_image(subject={"mediaType": IMAGE, "digest": "sha256:abc", "size": 3})
    push_parts(session, manifest)
    session.put_manifest(manifest, manifest.digest).expect(400)
