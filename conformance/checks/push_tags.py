"""Pushing a manifest by digest together with tags (spec, "Pushing Manifests": `tag` parameters)."""

from __future__ import annotations

from conformance.checks.common import push_parts
from conformance.content import Manifest, new_image
from conformance.requirement import Category, Checklist, Failed, Group, Level, Unsupported, Version
from conformance.session import Session, expect, manifest_path, with_query
from conformance.wire import Answer

TAGS = Checklist(Group.SPEC, Category.PUSH, "Pushing Manifests", Version.V1_2)

_MANY = 100
_TOO_MANY = (413, 414, 431)


def _put(session: Session, manifest: Manifest, tags: list[str]) -> Answer:
    push_parts(session, manifest)
    path = with_query(manifest_path(session.name, manifest.digest), tag=tags)
    return session.send("PUT", path, {"Content-Type": manifest.media_type}, manifest.content)


def _told(answer: Answer) -> list[str]:
    """The tags that `OCI-Tag` headers name: several, or several in one."""
    return [one.strip() for value in answer.all("OCI-Tag") for one in value.split(",") if one.strip()]


def _offered(session: Session, manifest: Manifest, tags: list[str]) -> Answer:
    answer = _put(session, manifest, tags)
    ignored = answer.status == 201 and not _told(answer) and not _is_there(session, tags[0])
    if ignored or answer.status in {400, 404, 405, 501}:
        raise Unsupported(f"tag parameters are not taken: PUT answered {answer.status}")
    return answer.expect(201)


def _is_there(session: Session, tag: str) -> bool:
    return session.get_manifest(tag, method="HEAD").status == 200


@TAGS.check("push.manifest.tag-parameter", Level.MAY, "A manifest can be pushed by digest with tags: ?tag=1&tag=2")
def tag_parameter(session: Session) -> None:
    manifest, tags = new_image(), [session.new_tag() for _ in range(3)]
    _offered(session, manifest, tags)
    for reference in (*tags, manifest.digest):
        session.get_manifest(reference).expect(200).expect_body(manifest.content)


@TAGS.check("push.manifest.tag-parameter.ten", Level.SHOULD, "At least 10 tags can be pushed with one request")
def tag_parameter_ten(session: Session) -> None:
    manifest, tags = new_image(), [session.new_tag() for _ in range(10)]
    _offered(session, new_image(), [session.new_tag()])
    _put(session, manifest, tags).expect(201)
    for tag in tags:
        session.get_manifest(tag).expect(200).expect_body(manifest.content)


@TAGS.check("push.manifest.tag-parameter.header", Level.MUST, "OCI-Tag names each tag that was accepted, and no other")
def tag_parameter_header(session: Session) -> None:
    tags = [session.new_tag() for _ in range(4)]
    answer = _offered(session, new_image(), tags)
    told = _told(answer)
    there = [tag for tag in tags if _is_there(session, tag)]
    expect(sorted(told) == sorted(there), f"OCI-Tag names {told}, but the tags that are there are {there}")


@TAGS.check(
    "push.manifest.tag-parameter.moves", Level.MUST, "A tag that is pushed as a parameter is moved, as any other is"
)
def tag_parameter_moves(session: Session) -> None:
    tag, before, after = session.new_tag(), new_image(), new_image()
    session.manifest(before, tag)
    _offered(session, new_image(), [session.new_tag()])
    _put(session, after, [tag]).expect(201)
    session.get_manifest(tag).expect(200).expect_body(after.content)


@TAGS.check(
    "push.manifest.tag-parameter.too-many",
    Level.MAY,
    "A request with too many tags answers 414, or 413 or 431, and stores nothing; or all of them are there",
)
def tag_parameter_too_many(session: Session) -> None:
    manifest, tags = new_image(), [session.new_tag() for _ in range(_MANY)]
    _offered(session, new_image(), [session.new_tag()])
    answer = _put(session, manifest, tags)
    if answer.status == 201:
        expect(len(_told(answer)) == _MANY, f"OCI-Tag names {len(_told(answer))} tags of {_MANY}")
    elif answer.status not in _TOO_MANY:
        raise Failed(f"PUT with {_MANY} tags answered {answer.status}, expected 201 or 414")
    else:
        session.get_manifest(tags[0]).expect(404)
