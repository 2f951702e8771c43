"""Deleting while others push, pull and mount."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from conformance.checks.concurrency_lists import listed_tags
from conformance.content import OCTETS, Blob, new_blob, new_image
from conformance.parallel import at_once
from conformance.requirement import Category, Checklist, Group, Level, Unsupported
from conformance.session import DISABLED, Session, blob_path, expect, manifest_path, uploads_path, with_query
from conformance.wire import Answer

DELETES = Checklist(Group.CONCURRENCY, Category.MANAGEMENT, "Deleting Blobs")

_ROUNDS = 4


def _expect_offered(session: Session) -> None:
    """Raises `Unsupported` if nothing can be deleted here."""
    blob, image = new_blob(), new_image()
    session.blob(blob)
    session.manifest(image)
    for path in (blob_path(session.name, blob.digest), manifest_path(session.name, image.digest)):
        answer = session.send("DELETE", path)
        if answer.status in DISABLED:
            raise Unsupported(f"DELETE {answer.path} answered {answer.status}: deleting is switched off")


def _push(session: Session, blob: Blob) -> Answer:
    return session.put_blob(session.begin_upload(), blob)


def _is_there(answer: Answer, content: bytes) -> bool:
    """Whether it is there, and whole. Raises `Failed` if it is neither there nor missing."""
    if answer.expect(200, 404).status == 404:
        return False
    answer.expect_body(content)
    return True


@DELETES.check(
    "concurrency.delete.blob-and-manifest",
    Level.MUST,
    "A blob that is deleted while a manifest with it is pushed: what was acknowledged is so, and nothing breaks",
)
def blob_and_manifest(session: Session) -> None:
    _expect_offered(session)
    for _ in range(_ROUNDS):
        image, tag = new_image(), session.new_tag()
        for blob in image.blobs:
            session.blob(blob)
        layer = image.blobs[1]
        delete = partial(session.send, "DELETE", blob_path(session.name, layer.digest))
        deleted, pushed = at_once(session, [delete, partial(session.put_manifest, image, tag)])
        is_tagged = _is_there(session.get_manifest(tag), image.content)
        expect(is_tagged or pushed.status != 201, f"PUT {pushed.path} answered 201, and the tag is not there")
        is_blob = _is_there(session.get_blob(layer.digest), layer.content)
        expect(not is_blob or deleted.status != 202, f"DELETE {deleted.path} answered 202, and the blob is still there")


@DELETES.check(
    "concurrency.delete.manifest-and-pull",
    Level.MUST,
    "A manifest that is deleted while it is pulled comes whole or not at all, and not any more afterwards",
    section="Deleting Manifests",
)
def manifest_and_pull(session: Session) -> None:
    _expect_offered(session)
    image, tag = new_image(), session.new_tag()
    session.manifest(image, tag)
    for reference in (tag, image.digest):
        session.get_manifest(reference).expect(200)

    def pull(reference: str) -> None:
        for _ in range(8):
            _is_there(session.get_manifest(reference), image.content)

    def delete() -> None:
        session.send("DELETE", manifest_path(session.name, image.digest)).expect(202)

    pulls: list[Callable[[], None]] = [partial(pull, tag), partial(pull, image.digest)]
    at_once(session, [*pulls, delete])
    session.get_manifest(tag).expect(404, what="it has been deleted")
    session.get_manifest(image.digest).expect(404, what="it has been deleted")


@DELETES.check(
    "concurrency.delete.blob-and-pull",
    Level.MUST,
    "A blob that is deleted while it is pulled comes whole or not at all",
)
def blob_and_pull(session: Session) -> None:
    _expect_offered(session)
    blob = new_blob(200_000)
    session.blob(blob)
    session.get_blob(blob.digest).expect(200)

    def pull() -> None:
        for _ in range(6):
            _is_there(session.get_blob(blob.digest), blob.content)

    def delete() -> None:
        session.send("DELETE", blob_path(session.name, blob.digest)).expect(202)

    at_once(session, [pull, pull, delete])
    session.get_blob(blob.digest).expect(404, what="it has been deleted")


@DELETES.check(
    "concurrency.delete.mount",
    Level.MUST,
    "A blob that is mounted while it is deleted where it comes from: if the mount is acknowledged, it is there",
    section="Mounting a blob from another repository",
)
def mount(session: Session) -> None:
    _expect_offered(session)
    for _ in range(_ROUNDS):
        blob = new_blob(5000)
        session.blob(blob, session.other)
        path = with_query(uploads_path(session.name), mount=blob.digest, **{"from": session.other})
        mounted, _ = at_once(
            session,
            [
                partial(session.send, "POST", path, {"Content-Length": "0"}),
                partial(session.send, "DELETE", blob_path(session.other, blob.digest)),
            ],
        )
        if mounted.status == 201:
            session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@DELETES.check(
    "concurrency.delete.push-again",
    Level.MUST,
    "A blob that is deleted while it is pushed again can be pushed afterwards, and then it is there",
)
def push_again(session: Session) -> None:
    _expect_offered(session)
    for _ in range(_ROUNDS):
        blob = new_blob(5000)
        session.blob(blob)
        delete = partial(session.send, "DELETE", blob_path(session.name, blob.digest))
        _, pushed = at_once(session, [delete, partial(_push, session, blob)])
        pushed.expect(201)
        _is_there(session.get_blob(blob.digest), blob.content)
        _push(session, blob).expect(201)
        session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@DELETES.check(
    "concurrency.delete.twice",
    Level.MUST,
    "What several clients delete at the same time is gone, and none of them breaks anything",
)
def twice(session: Session) -> None:
    _expect_offered(session)
    blob, image = new_blob(), new_image()
    session.blob(blob)
    session.manifest(image)
    for path in (blob_path(session.name, blob.digest), manifest_path(session.name, image.digest)):
        answers = at_once(session, [partial(session.send, "DELETE", path)] * 4)
        for answer in answers:
            answer.expect(202, 404)
        expect(any(answer.status == 202 for answer in answers), f"DELETE {path} was never answered with 202")
        session.send("GET", path).expect(404, what="it has been deleted")


@DELETES.check(
    "concurrency.delete.tag-and-push",
    Level.SHOULD,
    "A tag that is pushed while its manifest is deleted: tag and list agree afterwards",
    section="Deleting Manifests",
)
def tag_and_push(session: Session) -> None:
    _expect_offered(session)
    name = session.new_name()
    for _ in range(_ROUNDS):
        image, tag = new_image(), session.new_tag()
        session.manifest(image, None, name)
        delete = partial(session.send, "DELETE", manifest_path(name, image.digest))
        at_once(session, [delete, partial(session.put_manifest, image, tag, name)])
        is_there = _is_there(session.get_manifest(tag, name), image.content)
        listed = tag in listed_tags(session.tags(name))
        expect(is_there == listed, f"the tag {tag} is {'' if is_there else 'not '}there, and the list says otherwise")


@DELETES.check(
    "concurrency.delete.shared-layer",
    Level.MUST,
    "Deleting one image leaves the layer that an image has which is pushed at the same time",
    section="Deleting Manifests",
)
def shared_layer(session: Session) -> None:
    _expect_offered(session)
    for _ in range(_ROUNDS):
        old = new_image()
        session.manifest(old)
        layer, config = old.blobs[1], new_image().blobs[0]
        session.blob(config)
        image, tag = new_image(layers=[layer], config=config), session.new_tag()
        delete = partial(session.send, "DELETE", manifest_path(session.name, old.digest))
        deleted, pushed = at_once(session, [delete, partial(session.put_manifest, image, tag)])
        deleted.expect(202)
        pushed.expect(201)
        session.get_manifest(tag).expect(200).expect_body(image.content)
        session.get_blob(layer.digest).expect(200, what="an image has it").expect_body(layer.content)


def _races(session: Session) -> Iterator[list[Callable[[], Answer]]]:
    """What two clients do to the same thing."""
    send = partial(partial, session.send)
    location, blob = session.begin_upload(), new_blob(10_000)
    yield [partial(session.put_blob, location, blob), send("DELETE", location)]
    location, blob = session.begin_upload(), new_blob(10_000)
    yield [partial(session.put_blob, location, blob), partial(session.put_blob, location, blob)]
    location, chunk = session.begin_upload(), {"Content-Type": OCTETS, "Content-Range": "0-9999"}
    yield [send("PATCH", location, chunk, blob.content), send("PATCH", location, chunk, blob.content)]
    image = new_image()
    for one in image.blobs:
        session.blob(one)
    delete = send("DELETE", blob_path(session.name, image.blobs[1].digest))
    yield [delete, partial(session.put_manifest, image, session.new_tag())]
    session.blob(blob, session.other)
    path = with_query(uploads_path(session.name), mount=blob.digest, **{"from": session.other})
    yield [send("DELETE", blob_path(session.other, blob.digest)), send("POST", path, {"Content-Length": "0"})]
    session.manifest(image, tag := session.new_tag())
    delete = send("DELETE", manifest_path(session.name, image.digest))
    yield [delete, partial(session.get_manifest, tag), partial(session.put_manifest, image, tag)]


@DELETES.check(
    "concurrency.delete.no-crash",
    Level.SHOULD,
    "When several clients push, end, cancel, mount and delete the same thing at the same time, none of them gets a 5xx",
    section="Error Codes",
)
def no_crash(session: Session) -> None:
    for _ in range(_ROUNDS):
        for race in _races(session):
            for answer in at_once(session, race):
                expect(answer.status < 500, f"{answer.method} {answer.path} answered {answer.status}")
