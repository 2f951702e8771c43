"""Manifests of which parts are missing (spec, "Push")."""

from __future__ import annotations

from conformance.checks.common import error_codes, expect_refused, is_json, json_object
from conformance.checks.push_manifests import push
from conformance.content import Manifest, new_image, new_index
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Version
from conformance.session import Session, expect

PARTS = Checklist(Group.SPEC, Category.PUSH, "Push", Version.V1_1)


def _expect_blob_unknown(session: Session, manifest: Manifest) -> None:
    """Push a manifest without its parts: it may be taken, or be refused with the code for that."""
    answer = session.put_manifest(manifest, session.new_tag())
    if answer.status == 201:
        return
    expect_refused(answer, "a part is missing")
    expect(is_json(answer), f"PUT answered {answer.status} without errors in JSON, expected MANIFEST_BLOB_UNKNOWN")
    json_object(answer)
    codes = error_codes(answer)
    expect("MANIFEST_BLOB_UNKNOWN" in codes, f"PUT answered {answer.status} {codes}, expected MANIFEST_BLOB_UNKNOWN")


@PARTS.check(
    "push.manifest.missing-layer",
    Level.MUST,
    "If a manifest is refused because a layer is missing, the error is MANIFEST_BLOB_UNKNOWN",
)
def missing_layer(session: Session) -> None:
    manifest = new_image()
    session.blob(manifest.blobs[0])
    _expect_blob_unknown(session, manifest)


@PARTS.check(
    "push.manifest.missing-config",
    Level.MUST,
    "If a manifest is refused because its config is missing, the error is MANIFEST_BLOB_UNKNOWN",
)
def missing_config(session: Session) -> None:
    manifest = new_image()
    session.blob(manifest.blobs[1])
    _expect_blob_unknown(session, manifest)


@PARTS.check(
    "push.manifest.missing-child",
    Level.MUST,
    "If an index is refused because a manifest is missing, the error is MANIFEST_BLOB_UNKNOWN",
)
def missing_child(session: Session) -> None:
    _expect_blob_unknown(session, new_index([new_image()]))


@PARTS.check(
    "push.manifest.missing-some",
    Level.MUST,
    "A sparse index, of which only some manifests are there, is taken, or refused with MANIFEST_BLOB_UNKNOWN",
)
def missing_some(session: Session) -> None:
    there = new_image()
    session.manifest(there)
    _expect_blob_unknown(session, new_index([there, new_image()]))


@PARTS.check(
    "push.manifest.refused-not-there",
    Level.MUST,
    "A manifest that was refused is not there, and its tag is as it was",
    section="Pulling manifests",
)
def refused_not_there(session: Session) -> None:
    tag, before, refused = session.new_tag(), new_image(), new_image()
    push(session, before, tag)
    if session.put_manifest(refused, tag).status == 201:
        raise NotApplicable("the registry takes manifests whose parts are missing")
    session.get_manifest(refused.digest).expect(404)
    session.get_manifest(tag).expect(200).expect_body(before.content)
