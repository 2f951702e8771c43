"""Pulling manifests, and asking whether they are there (spec, "Pulling manifests")."""

from __future__ import annotations

from dataclasses import replace

from conformance.checks.common import (
    Sample,
    drawn_digest,
    expect_true_digest,
    sample_by_digest,
    sample_by_tag,
)
from conformance.content import ACCEPT, INDEX, digest_of, new_blob, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, Version
from conformance.session import Session, expect, manifest_path

PULL = Checklist(Group.SPEC, Category.PULL, "Pulling manifests")
HEAD = Checklist(Group.SPEC, Category.PULL, "Checking if content exists in the registry")


@PULL.check("pull.manifest.by-tag", Level.MUST, "GET by tag answers 200 with the manifest", writes=False)
def by_tag(session: Session) -> None:
    sample = sample_by_tag(session)
    session.get_manifest(sample.reference).expect(200).expect_body(sample.content)


@PULL.check("pull.manifest.by-digest", Level.MUST, "GET by digest answers 200 with the manifest", writes=False)
def by_digest(session: Session) -> None:
    sample = sample_by_digest(session)
    body = session.get_manifest(sample.reference).expect(200).expect_body(sample.content).body
    found = digest_of(body, sample.reference.partition(":")[0])
    expect(found == sample.reference, f"the manifest's digest is {found}, expected {sample.reference}")


@PULL.check(
    "pull.manifest.without-accept",
    Level.MUST,
    "A client that sends no Accept header, and so takes everything, gets the manifest",
    writes=False,
)
def without_accept(session: Session) -> None:
    sample = sample_by_tag(session)
    session.send("GET", manifest_path(session.name, sample.reference)).expect(200).expect_body(sample.content)


@PULL.check(
    "pull.manifest.any-accept", Level.MUST, "A client that accepts */* gets the manifest as it is", writes=False
)
def any_accept(session: Session) -> None:
    sample = sample_by_digest(session)
    path = manifest_path(session.name, sample.reference)
    session.send("GET", path, {"Accept": "*/*"}).expect(200).expect_body(sample.content)


@PULL.check(
    "pull.manifest.not-compressed",
    Level.SHOULD,
    "A manifest is sent as it was pushed, also to a client that takes compressed answers",
    writes=False,
)
def not_compressed(session: Session) -> None:
    sample = sample_by_digest(session)
    headers = {"Accept": ACCEPT, "Accept-Encoding": "gzip, zstd, br"}
    session.send("GET", manifest_path(session.name, sample.reference), headers).expect(200).expect_body(sample.content)


@PULL.check(
    "pull.manifest.content-type",
    Level.SHOULD,
    "The Content-Type of a manifest is the one that it was pushed with",
    since=Version.V1_1,
)
def content_type(session: Session) -> None:
    image = new_image()
    for manifest in (image, new_index([image])):
        tag = session.new_tag()
        session.manifest(manifest, tag)
        for reference in (tag, manifest.digest):
            found = session.get_manifest(reference).expect(200).expect_header("Content-Type")
            expect(found.partition(";")[0] == manifest.media_type, f"{found}, expected {manifest.media_type}")


@PULL.check(
    "pull.manifest.content-type.present",
    Level.MUST,
    "The Content-Type header indicates the type of the manifest",
    writes=False,
)
def content_type_present(session: Session) -> None:
    sample = sample_by_tag(session)
    session.get_manifest(sample.reference).expect(200).expect_header("Content-Type")


@PULL.check(
    "pull.manifest.content-type.bare",
    Level.SHOULD,
    "The Content-Type of a manifest has no parameters",
    since=Version.V1_1,
    writes=False,
)
def content_type_bare(session: Session) -> None:
    found = session.get_manifest(sample_by_tag(session).reference).expect(200).expect_header("Content-Type")
    expect(";" not in found, f"the Content-Type is {found}, expected no parameters")


@PULL.check(
    "pull.manifest.digest-header.advised",
    Level.SHOULD,
    "A manifest comes with its digest in Docker-Content-Digest",
    until=Version.V1_2,
    writes=False,
)
@PULL.check(
    "pull.manifest.digest-header",
    Level.MUST,
    "A manifest comes with its digest in Docker-Content-Digest",
    since=Version.V1_2,
    writes=False,
)
def digest_header(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        session.get_manifest(sample.reference).expect(200).expect_header("Docker-Content-Digest")


@PULL.check(
    "pull.manifest.digest-true",
    Level.MUST,
    "Docker-Content-Digest is a digest of the manifest that is sent",
    writes=False,
)
def digest_true(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        answer = session.get_manifest(sample.reference).expect(200)
        expect_true_digest(answer, answer.body)


@PULL.check(
    "pull.manifest.digest-true.sha512",
    Level.MUST,
    "Docker-Content-Digest is a digest of the manifest that is sent, also if that is asked for by its sha512",
)
def digest_true_sha512(session: Session) -> None:
    manifest = replace(new_image(), algorithm="sha512")
    session.manifest(manifest)
    answer = session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)
    expect_true_digest(answer, manifest.content)


@PULL.check("pull.manifest.unknown-tag", Level.MUST, "GET of a tag that is not there answers 404", writes=False)
def unknown_tag(session: Session) -> None:
    session.get_manifest(session.new_tag()).expect(404)


@PULL.check("pull.manifest.unknown-digest", Level.MUST, "GET of a digest that is not there answers 404", writes=False)
def unknown_digest(session: Session) -> None:
    session.get_manifest(drawn_digest()).expect(404)


@PULL.check(
    "pull.manifest.unknown-repository",
    Level.MUST,
    "An attempt to pull from a repository that is not there answers 404",
    section="Pushing Manifests",
    writes=False,
)
def unknown_repository(session: Session) -> None:
    name = session.new_name()
    session.get_manifest("latest", name).expect(404)
    session.get_manifest(drawn_digest(), name).expect(404)


@PULL.check(
    "pull.manifest.other-repository",
    Level.MUST,
    "A manifest of another repository is not found in this one",
    since=Version.V1_1,
)
def other_repository(session: Session) -> None:
    manifest, there, tag = new_image(), session.new_name(), session.new_tag()
    session.manifest(manifest, tag, there)
    session.get_manifest(manifest.digest).expect(404)
    session.get_manifest(tag).expect(404)


@PULL.check("pull.manifest.of-a-blob", Level.MUST, "The digest of a blob is that of no manifest: 404")
def of_a_blob(session: Session) -> None:
    digest = session.blob(new_blob())
    for method in ("GET", "HEAD"):
        session.get_manifest(digest, method=method).expect(404)


@PULL.check(
    "pull.manifest.malformed-digest",
    Level.MUST,
    "A reference that is neither a tag nor a digest finds nothing: 404, or 400",
    writes=False,
)
def malformed_digest(session: Session) -> None:
    for reference in ("sha256:abc", "sha256:" + "g" * 64, ":" + "a" * 64):
        session.get_manifest(reference).expect(400, 404)


@HEAD.check("pull.manifest.head.by-tag", Level.MUST, "HEAD of a manifest by tag answers 200", writes=False)
def head_by_tag(session: Session) -> None:
    session.get_manifest(sample_by_tag(session).reference, method="HEAD").expect(200)


@HEAD.check("pull.manifest.head.by-digest", Level.MUST, "HEAD of a manifest by digest answers 200", writes=False)
def head_by_digest(session: Session) -> None:
    session.get_manifest(sample_by_digest(session).reference, method="HEAD").expect(200)


@HEAD.check(
    "pull.manifest.head.digest-header.advised",
    Level.SHOULD,
    "HEAD of a manifest tells its digest in Docker-Content-Digest",
    until=Version.V1_2,
    writes=False,
)
@HEAD.check(
    "pull.manifest.head.digest-header",
    Level.MUST,
    "HEAD of a manifest tells its digest in Docker-Content-Digest",
    since=Version.V1_2,
    writes=False,
)
def head_digest_header(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        session.get_manifest(sample.reference, method="HEAD").expect(200).expect_header("Docker-Content-Digest")


@HEAD.check(
    "pull.manifest.head.digest-true",
    Level.MUST,
    "The Docker-Content-Digest of HEAD is a digest of the manifest",
    writes=False,
)
def head_digest_true(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        answer = session.get_manifest(sample.reference, method="HEAD").expect(200)
        expect_true_digest(answer, sample.content)


@HEAD.check(
    "pull.manifest.head.length.advised",
    Level.SHOULD,
    "HEAD of a manifest tells its size in Content-Length",
    since=Version.V1_1,
    until=Version.V1_2,
    writes=False,
)
@HEAD.check(
    "pull.manifest.head.length",
    Level.MUST,
    "HEAD of a manifest tells its size in Content-Length",
    since=Version.V1_2,
    writes=False,
)
def head_length(session: Session) -> None:
    for sample in (sample_by_tag(session), sample_by_digest(session)):
        _expect_length(session, sample)


def _expect_length(session: Session, sample: Sample) -> None:
    answer = session.get_manifest(sample.reference, method="HEAD").expect(200)
    answer.expect_header("Content-Length", str(len(sample.content)))


@HEAD.check(
    "pull.manifest.head.content-type",
    Level.SHOULD,
    "HEAD of a manifest tells its type in Content-Type, as GET does",
    since=Version.V1_1,
)
def head_content_type(session: Session) -> None:
    manifest = new_index([])
    session.manifest(manifest)
    found = session.get_manifest(manifest.digest, method="HEAD").expect(200).expect_header("Content-Type")
    expect(found.partition(";")[0] == INDEX, f"HEAD answered with Content-Type: {found}, expected {INDEX}")


@HEAD.check("pull.manifest.head.unknown", Level.MUST, "HEAD of a manifest that is not there answers 404", writes=False)
def head_unknown(session: Session) -> None:
    for reference in (session.new_tag(), drawn_digest()):
        session.get_manifest(reference, method="HEAD").expect(404)


@HEAD.check("pull.manifest.head.no-body", Level.MUST, "The answer to HEAD has no body (RFC 9110, 9.3.2)", writes=False)
def head_no_body(session: Session) -> None:
    for reference in (sample_by_tag(session).reference, session.new_tag()):
        answer = session.get_manifest(reference, method="HEAD")
        body = session.wire.after_headers(answer)
        expect(not body, f"HEAD {answer.path} was answered with a body that begins with {body[:40]!r}")
