"""Several clients at the same time: whatever the order is, all that was acknowledged is there, and nothing is mixed."""

from __future__ import annotations

from functools import partial

from conformance.checks.common import pages
from conformance.content import OCTETS, Blob, Manifest, new_blob, new_image
from conformance.parallel import at_once
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable, Unsupported
from conformance.session import Session, expect
from conformance.wire import Answer

PUSHES = Checklist(Group.CONCURRENCY, Category.PUSH, "Layer Upload De-duplication")
UPLOADS = Checklist(Group.CONCURRENCY, Category.PUSH, "Pushing a blob in chunks")
TAGS = Checklist(Group.CONCURRENCY, Category.PUSH, "Pushing Manifests")
REFERRERS = Checklist(Group.CONCURRENCY, Category.DISCOVERY, "Listing Referrers")

_MANY = 6
_ROUNDS = 3


def _push(session: Session, blob: Blob) -> Answer:
    return session.put_blob(session.begin_upload(), blob)


@PUSHES.check(
    "concurrency.blob.same", Level.MUST, "Several clients that push the same blob at the same time succeed all"
)
def same_blob(session: Session) -> None:
    blob = new_blob(20_000)
    session.blob(new_blob())
    for answer in at_once(session, [partial(_push, session, blob)] * _MANY):
        answer.expect(201)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@PUSHES.check(
    "concurrency.blob.same-in-two-repositories",
    Level.MUST,
    "The same blob, pushed to two repositories at the same time, is in both",
)
def same_blob_twice(session: Session) -> None:
    blob = new_blob(20_000)
    session.blob(new_blob())
    session.blob(new_blob(), session.other)
    names = [session.name, session.other]
    at_once(session, [partial(session.blob, blob, name) for name in names])
    for name in names:
        session.get_blob(blob.digest, name).expect(200).expect_body(blob.content)


@PUSHES.check("concurrency.blob.different", Level.MUST, "Several uploads at the same time do not mix their bytes")
def different_blobs(session: Session) -> None:
    blobs = [new_blob(20_000 + number) for number in range(_MANY)]
    session.blob(new_blob())
    for answer in at_once(session, [partial(_push, session, blob) for blob in blobs]):
        answer.expect(201)
    for blob in blobs:
        session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@UPLOADS.check(
    "concurrency.upload.two-in-turns",
    Level.MUST,
    "Chunks of two uploads that come in turns end up each in its own blob",
)
def two_in_turns(session: Session) -> None:
    blobs = [new_blob(3000), new_blob(3000)]
    locations = [session.begin_upload(), session.begin_upload()]
    for begin in range(0, 3000, 1000):
        for number, blob in enumerate(blobs):
            chunk = blob.content[begin : begin + 1000]
            headers = {"Content-Type": OCTETS, "Content-Range": f"{begin}-{begin + 999}"}
            answer = session.send("PATCH", locations[number], headers, chunk).expect(202)
            locations[number] = answer.location()
    for location, blob in zip(locations, blobs, strict=True):
        session.put_blob(location, blob, b"").expect(201)
        session.get_blob(blob.digest).expect(200).expect_body(blob.content)


def _same_chunk_twice(session: Session) -> tuple[Blob, list[Answer]]:
    """A blob, and the answers to its first 10 kB, which came twice at the same time."""
    blob = new_blob(15_000)
    location = session.begin_upload()
    headers = {"Content-Type": OCTETS, "Content-Range": "0-9999"}
    send = partial(session.send, "PATCH", location, headers, blob.content[:10_000])
    answers = at_once(session, [send, send])
    if not any(answer.status == 202 for answer in answers):
        raise NotApplicable("no chunk was accepted")
    return blob, answers


@UPLOADS.check(
    "concurrency.upload.same-chunk",
    Level.MUST,
    "A chunk that comes twice at the same time does not spoil a blob: its bytes are right, or it is refused",
)
def same_chunk(session: Session) -> None:
    blob, answers = _same_chunk_twice(session)
    location = next(answer for answer in answers if answer.status == 202).location()
    session.put_blob(location, blob, blob.content[10_000:])
    answer = session.get_blob(blob.digest).expect(200, 404)
    if answer.status == 200:
        answer.expect_body(blob.content)


@UPLOADS.check(
    "concurrency.upload.same-chunk-once",
    Level.SHOULD,
    "Of a chunk that comes twice at the same time one is taken, and the upload goes on after it",
)
def same_chunk_once(session: Session) -> None:
    blob, answers = _same_chunk_twice(session)
    taken = next(answer for answer in answers if answer.status == 202)
    taken.expect_header("Range", "0-9999")
    session.put_blob(taken.location(), blob, blob.content[10_000:]).expect(201)
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@UPLOADS.check(
    "concurrency.upload.ended-twice",
    Level.MUST,
    "An upload that is ended twice at the same time succeeds at least once, and its blob is there",
)
def ended_twice(session: Session) -> None:
    blob = new_blob(10_000)
    end = partial(session.put_blob, session.begin_upload(), blob)
    answers = at_once(session, [end, end])
    expect(any(answer.status == 201 for answer in answers), "no request that ended the upload was answered with 201")
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@UPLOADS.check(
    "concurrency.upload.cancelled",
    Level.MUST,
    "An upload that is ended and cancelled at the same time: if the end is answered with 201, the blob is there",
    section="Cancel a blob upload",
)
def cancelled(session: Session) -> None:
    for _ in range(_ROUNDS):
        blob, location = new_blob(10_000), session.begin_upload()
        end, _ = at_once(
            session, [partial(session.put_blob, location, blob), partial(session.send, "DELETE", location)]
        )
        if end.status == 201:
            session.get_blob(blob.digest).expect(200).expect_body(blob.content)


@TAGS.check(
    "concurrency.manifest.same", Level.MUST, "Several clients that push the same manifest at the same time succeed all"
)
def same_manifest(session: Session) -> None:
    image, tag = new_image(), session.new_tag()
    session.manifest(new_image(layers=[image.blobs[1]], config=image.blobs[0], annotations={"one": "other"}))
    for answer in at_once(session, [partial(session.put_manifest, image, tag)] * _MANY):
        answer.expect(201)
    session.get_manifest(tag).expect(200).expect_body(image.content)


def _images(session: Session, count: int) -> list[Manifest]:
    """Images of the same blobs, which are there; the images are not."""
    first = new_image()
    config, layer = first.blobs
    session.manifest(first)
    return [
        new_image(layers=[layer], config=config, annotations={"number": str(number), "of": first.digest})
        for number in range(count)
    ]


@TAGS.check(
    "concurrency.tag.moved",
    Level.MUST,
    "A tag that several clients move at the same time is one of theirs afterwards, and all manifests are there",
)
def moved(session: Session) -> None:
    images, tag = _images(session, _MANY), session.new_tag()
    for answer in at_once(session, [partial(session.put_manifest, image, tag) for image in images]):
        answer.expect(201)
    found = session.get_manifest(tag).expect(200).body
    expect(found in [image.content for image in images], f"the tag {tag} is none of the manifests that were pushed")
    head = session.get_manifest(tag, method="HEAD").expect(200)
    head.expect_header("Docker-Content-Digest", next(image.digest for image in images if image.content == found))
    for image in images:
        session.get_manifest(image.digest).expect(200).expect_body(image.content)


@TAGS.check("concurrency.tag.last", Level.MUST, "The last one to move a tag, after all others were answered, has it")
def last(session: Session) -> None:
    *images, final = _images(session, 4)
    tag = session.new_tag()
    for _ in range(_ROUNDS):
        at_once(session, [partial(session.put_manifest, image, tag) for image in images])
        session.put_manifest(final, tag).expect(201)
        session.get_manifest(tag).expect(200).expect_body(final.content)


@TAGS.check(
    "concurrency.tag.read",
    Level.MUST,
    "A tag that is moved while it is read is always there, and always a whole manifest",
)
def read_while_moved(session: Session) -> None:
    images, tag = _images(session, 4), session.new_tag()
    session.put_manifest(images[0], tag).expect(201)
    whole = {image.digest: image.content for image in images}

    def move() -> None:
        for image in images * 2:
            session.put_manifest(image, tag).expect(201)

    def read() -> None:
        for _ in range(10):
            answer = session.get_manifest(tag).expect(200, what="the tag was there all the time")
            expect(answer.body in whole.values(), f"GET {answer.path} gave no whole manifest")
            digest = answer.header("Docker-Content-Digest")
            expect(digest is None or whole.get(digest) == answer.body, f"GET {answer.path} gave another one's digest")

    at_once(session, [move, read, read])


@REFERRERS.check(
    "concurrency.referrers.many", Level.MUST, "Referrers that several clients attach at the same time are all listed"
)
def many_referrers(session: Session) -> None:
    subject, config, layer = new_image(), new_image().blobs[0], new_blob()
    session.manifest(subject)
    session.manifest(new_image(layers=[layer], config=config))
    if session.referrers(subject.digest).status == 404:
        raise Unsupported("there is no referrers API")
    attached = [
        new_image(layers=[layer], config=config, subject=subject.descriptor, annotations={"number": str(number)})
        for number in range(_MANY)
    ]
    for answer in at_once(session, [partial(session.put_manifest, one, one.digest) for one in attached]):
        answer.expect(201)
    listed = b"".join(page.body for page in pages(session, session.referrers(subject.digest)))
    for one in attached:
        expect(one.digest.encode() in listed, f"the referrers lack {one.digest}, which was acknowledged")
