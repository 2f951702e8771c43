"""Pushing manifests: what is stored, what is told, what is refused (spec, "Pushing Manifests")."""

from __future__ import annotations

import json
import secrets
from dataclasses import replace

from conformance.checks.common import (
    drawn_digest,
    expect_refused,
    expect_true_digest,
    push_parts,
)
from conformance.content import IMAGE, INDEX, Manifest, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Unsupported, Version
from conformance.session import Session, expect
from conformance.wire import Answer

PUSH = Checklist(Group.SPEC, Category.PUSH, "Pushing Manifests")

FOUR_MEGABYTES = 4_000_000
_FAR_TOO_LARGE = 16 * 1024 * 1024


def push(session: Session, manifest: Manifest, reference: str) -> Answer:
    """Push what a manifest needs, and the manifest. Raises `Failed` unless that is created."""
    push_parts(session, manifest)
    return session.put_manifest(manifest, reference).expect(201)


@PUSH.check("push.manifest.by-tag", Level.MUST, "A manifest can be pushed by tag: 201, and it can be pulled")
def by_tag(session: Session) -> None:
    manifest, tag = new_image(), session.new_tag()
    push(session, manifest, tag)
    session.get_manifest(tag).expect(200).expect_body(manifest.content)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.manifest.by-digest", Level.MUST, "A manifest can be pushed by digest: 201, and it can be pulled")
def by_digest(session: Session) -> None:
    manifest = new_image()
    push(session, manifest, manifest.digest)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.manifest.by-sha512", Level.MUST, "A manifest can be pushed by its sha512, where that is supported")
def by_sha512(session: Session) -> None:
    manifest = replace(new_image(), algorithm="sha512")
    push_parts(session, manifest)
    answer = session.put_manifest(manifest, manifest.digest)
    if answer.status == 400:
        raise Unsupported("PUT answered 400: no manifests named by sha512")
    answer.expect(201)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check("push.manifest.location", Level.MUST, "The Location of a pushed manifest can be pulled")
def location(session: Session) -> None:
    manifest = new_image()
    for reference in (session.new_tag(), manifest.digest):
        answer = push(session, manifest, reference)
        headers = {"Accept": manifest.media_type}
        session.send("GET", answer.location(), headers).expect(200).expect_body(manifest.content)


@PUSH.check(
    "push.manifest.digest-true",
    Level.MUST,
    "The Docker-Content-Digest of a pushed manifest is the digest that the client gave",
    since=Version.V1_1,
)
def digest_true(session: Session) -> None:
    manifest = new_image()
    answer = push(session, manifest, manifest.digest)
    if answer.header("Docker-Content-Digest") is not None:
        answer.expect_header("Docker-Content-Digest", manifest.digest)


@PUSH.check(
    "push.manifest.digest-true.sha512",
    Level.MUST,
    "The Docker-Content-Digest of a manifest that is pushed by its sha512 is that sha512",
    since=Version.V1_1,
)
def digest_true_sha512(session: Session) -> None:
    manifest = replace(new_image(), algorithm="sha512")
    push_parts(session, manifest)
    answer = session.put_manifest(manifest, manifest.digest)
    if answer.status == 400:
        raise Unsupported("PUT answered 400: no manifests named by sha512")
    if answer.expect(201).header("Docker-Content-Digest") is not None:
        answer.expect_header("Docker-Content-Digest", manifest.digest)


@PUSH.check(
    "push.manifest.digest-header",
    Level.SHOULD,
    "The answer to a pushed manifest tells its digest in Docker-Content-Digest",
    since=Version.V1_1,
)
def digest_header(session: Session) -> None:
    manifest = new_image()
    push(session, manifest, session.new_tag()).expect_header("Docker-Content-Digest", manifest.digest)


@PUSH.check("push.manifest.again", Level.MUST, "A manifest that is there already can be pushed again: 201")
def again(session: Session) -> None:
    manifest, tag = new_image(), session.new_tag()
    for reference in (tag, tag, manifest.digest):
        push(session, manifest, reference)


@PUSH.check("push.manifest.many-tags", Level.MUST, "A manifest can have many tags")
def many_tags(session: Session) -> None:
    manifest, tags = new_image(), [session.new_tag() for _ in range(3)]
    for tag in tags:
        push(session, manifest, tag)
    for tag in tags:
        session.get_manifest(tag).expect(200).expect_body(manifest.content)


@PUSH.check(
    "push.manifest.moved-tag",
    Level.MUST,
    "A tag that is pushed again points to the new manifest at once",
    section="Pulling manifests",
)
def moved_tag(session: Session) -> None:
    tag, after = session.new_tag(), new_image()
    push(session, new_image(), tag)
    for method in ("GET", "HEAD"):
        session.get_manifest(tag, method=method).expect(200)
    push(session, after, tag)
    session.get_manifest(tag).expect(200).expect_body(after.content)
    expect_true_digest(session.get_manifest(tag, method="HEAD").expect(200), after.content)


@PUSH.check(
    "push.manifest.moved-tag.old-stays", Level.SHOULD, "A manifest stays when its tag is pushed again for another"
)
def moved_tag_old_stays(session: Session) -> None:
    tag, before = session.new_tag(), new_image()
    push(session, before, tag)
    push(session, new_image(), tag)
    session.get_manifest(before.digest).expect(200).expect_body(before.content)


@PUSH.check("push.manifest.wrong-digest", Level.MUST, "A manifest that does not match the digest in its URL is refused")
def wrong_digest(session: Session) -> None:
    manifest, wrong = new_image(), drawn_digest()
    push_parts(session, manifest)
    expect_refused(session.put_manifest(manifest, wrong), "the manifest has another digest")
    session.get_manifest(wrong).expect(404)


@PUSH.check(
    "push.manifest.content-type-parameters",
    Level.SHOULD,
    "Parameters of the Content-Type are ignored when a manifest is pushed",
    since=Version.V1_1,
)
def content_type_parameters(session: Session) -> None:
    manifest = new_image()
    push_parts(session, manifest)
    session.put_manifest(replace(manifest, media_type=f"{IMAGE}; charset=utf-8"), manifest.digest).expect(201)
    found = session.get_manifest(manifest.digest).expect(200).expect_header("Content-Type")
    expect(found.partition(";")[0] == IMAGE, f"the manifest comes back as {found}, expected {IMAGE}")


@PUSH.check(
    "push.manifest.four-megabytes",
    Level.SHOULD,
    "A manifest of 4 megabytes is taken, and comes back as it was",
    since=Version.V1_1,
)
def four_megabytes(session: Session) -> None:
    manifest = _large(FOUR_MEGABYTES)
    push(session, manifest, manifest.digest)
    session.get_manifest(manifest.digest).expect(200).expect_body(manifest.content)


@PUSH.check(
    "push.manifest.limit", Level.SHOULD, "A manifest that is over the registry's limit answers 413", since=Version.V1_1
)
def limit(session: Session) -> None:
    manifest = _large(_FAR_TOO_LARGE)
    push_parts(session, manifest)
    answer = session.put_manifest(manifest, manifest.digest)
    if answer.status == 201:
        raise NotApplicable("the registry takes manifests of 16 MiB: if it has a limit, it is not known here")
    answer.expect(413)


def _large(size: int) -> Manifest:
    manifest = new_image(annotations={"conformance.filler": ""})
    filler = secrets.token_hex((size - len(manifest.content)) // 2).encode()
    content = manifest.content.replace(b'"conformance.filler": ""', b'"conformance.filler": "' + filler + b'"')
    return replace(manifest, content=content)


@PUSH.check("push.manifest.not-json", Level.SHOULD, "What is no JSON is refused as a manifest with 400")
def not_json(session: Session) -> None:
    for content in (b"", b"{", b"no JSON", b'{"schemaVersion": 2,,}'):
        manifest = Manifest(content, IMAGE)
        session.put_manifest(manifest, session.new_tag()).expect(400, what=f"{content!r} is no JSON")


@PUSH.check("push.manifest.not-an-object", Level.SHOULD, "JSON that is no object is refused as a manifest with 400")
def not_an_object(session: Session) -> None:
    for content in (b"[]", b"null", b'"text"', b"7"):
        manifest = Manifest(content, IMAGE)
        session.put_manifest(manifest, session.new_tag()).expect(400, what=f"{content!r} is no manifest")


@PUSH.check(
    "push.manifest.other-media-type",
    Level.SHOULD,
    "A manifest whose mediaType is not its Content-Type is refused",
    since=Version.V1_1,
)
def other_media_type(session: Session) -> None:
    for manifest, claimed in ((new_image(), INDEX), (new_index([]), IMAGE)):
        push_parts(session, manifest)
        answer = session.put_manifest(replace(manifest, media_type=claimed), session.new_tag())
        expect_refused(answer, f"its mediaType is {manifest.media_type}, its Content-Type {claimed}")


@PUSH.check(
    "push.manifest.unknown-type",
    Level.MUST,
    "A manifest of a type that the registry does not know is kept as it is, or refused with a 4XX",
)
def unknown_type(session: Session) -> None:
    kind = "application/vnd.example.conformance.v1+json"
    content = json.dumps({"mediaType": kind, "about": secrets.token_hex(8)}).encode()
    manifest = Manifest(content, kind)
    answer = session.put_manifest(manifest, manifest.digest)
    if answer.status == 201:
        session.get_manifest(manifest.digest).expect(200).expect_body(content)
    else:
        expect_refused(answer, "the type is not known")
