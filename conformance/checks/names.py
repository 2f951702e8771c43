"""Names of repositories, and tags (spec, "Pulling manifests")."""

from __future__ import annotations

import secrets

from conformance.checks.common import expect_refused, push_parts
from conformance.content import IMAGE, new_image
from conformance.requirement import Category, Checklist, Group, Level, Version
from conformance.session import Session, expect, manifest_path, uploads_path

NAMES = Checklist(Group.SPEC, Category.PUSH, "Pulling manifests", Version.V1_1)


@NAMES.check("push.name.forms", Level.SHOULD, "Repositories can have names of every form that the specification allows")
def name_forms(session: Session) -> None:
    drawn = secrets.token_hex(4)
    like_routes = ("blobs", "tags/list", "manifests/latest", "blobs/uploads", "referrers/tags")
    for form in ("0", "a.b", "a_b", "a__b", "a-b", "a---b", "a.b_c__d-e/f/g/h", "123/456", *like_routes):
        name = f"{session.name}/{drawn}/{form}"
        manifest = new_image(layers=[])
        session.send("POST", uploads_path(name), {"Content-Length": "0"}).expect(202)
        session.manifest(manifest, "1", name)
        session.get_manifest("1", name).expect(200).expect_body(manifest.content)


@NAMES.check("push.name.invalid", Level.MUST, "A repository cannot have a name that the specification does not allow")
def name_invalid(session: Session) -> None:
    for form in ("UPPER", "a..b", "a___b", "-a", "a-", "a._b", "_a", "a:b"):
        path = uploads_path(f"{session.name}/{form}")
        expect_refused(session.send("POST", path, {"Content-Length": "0"}), f"{form} is not allowed in a name")


@NAMES.check("push.tag.forms", Level.MUST, "A tag can have every form that the specification allows")
def tag_forms(session: Session) -> None:
    name, manifest = session.new_name(), new_image()
    for tag in ("_", "0", "A", "a.b-c_D.9", "v1.2.3-rc.1_build.5", "sha256-abc.sig", "x" * 128, "latest..--__"):
        session.manifest(manifest, manifest.digest, name)
        session.put_manifest(manifest, tag, name).expect(201)
        session.get_manifest(tag, name).expect(200).expect_body(manifest.content)


@NAMES.check(
    "push.manifest.malformed-digest",
    Level.MUST,
    "A manifest cannot be pushed to what is neither a tag nor a digest",
    section="Pushing Manifests",
)
def manifest_malformed_digest(session: Session) -> None:
    manifest = new_image()
    push_parts(session, manifest)
    for reference in ("sha256:abc", "sha256:" + "g" * 64, ":" + "a" * 64, "sha256:"):
        for answer in (session.put_manifest(manifest, reference), session.get_manifest(reference)):
            told = (
                f"{answer.method} {answer.path} answered {answer.status}, but {reference} is neither a tag nor a digest"
            )
            expect(answer.status >= 400, told)


@NAMES.check("push.tag.case", Level.MUST, "Tags that differ in nothing but their case are different tags")
def tag_case(session: Session) -> None:
    tags = {"case": new_image(), "Case": new_image(), "CASE": new_image()}
    name = session.new_name()
    for tag, manifest in tags.items():
        session.manifest(manifest, tag, name)
    for tag, manifest in tags.items():
        session.get_manifest(tag, name).expect(200).expect_body(manifest.content)
    session.get_manifest("cASE", name).expect(404)


@NAMES.check("push.tag.invalid", Level.MUST, "A manifest cannot be pushed to what is no tag")
def tag_invalid(session: Session) -> None:
    manifest = new_image()
    push_parts(session, manifest)
    for tag in ("x" * 129, ".a", "-a", "a+b", "a@b", "a%20b", "%C3%A4"):
        answer = session.send("PUT", manifest_path(session.name, tag), {"Content-Type": IMAGE}, manifest.content)
        expect_refused(answer, f"{tag[:40]} is no tag")
