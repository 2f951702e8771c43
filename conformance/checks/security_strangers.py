"""What strangers must not be able to do: for every route, another user and somebody who has not logged in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from conformance.content import IMAGE, Blob, Manifest, new_blob, new_image
from conformance.login import Credentials
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path, with_query
from conformance.strangers import WHO, Stranger, ask, credentials_of, expect_refused
from conformance.wire import Answer

READING = Checklist(Group.SECURITY, Category.PULL, "UNAUTHORIZED, DENIED")
WRITING = Checklist(Group.SECURITY, Category.PUSH, "UNAUTHORIZED, DENIED")


@dataclass(frozen=True, slots=True)
class Place:
    """A repository of which strangers know everything: an image at a tag, a blob that no image has, an upload.

    All that `second` needs is there, too, and `second` is not.
    """

    name: str
    tag: str
    image: Manifest
    second: Manifest
    loose: Blob
    upload: str

    @property
    def by_tag(self) -> str:
        return manifest_path(self.name, self.tag)

    @property
    def by_digest(self) -> str:
        return manifest_path(self.name, self.image.digest)

    @property
    def blob(self) -> str:
        return blob_path(self.name, self.image.blobs[0].digest)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request of a stranger; `text` says what it does."""

    id: str
    text: str
    method: str
    path: Callable[[Place], str]
    body: Callable[[Place], bytes | None] = lambda _: None
    headers: Mapping[str, str] = field(default_factory=dict)


_OTHER_BLOB = new_blob()
_TYPED = {"Content-Type": IMAGE}

READS = (
    Attempt("read-tag", "read a manifest by its tag", "GET", lambda place: place.by_tag),
    Attempt("read-digest", "read a manifest by its digest", "GET", lambda place: place.by_digest),
    Attempt("head-manifest", "ask with HEAD whether a manifest is there", "HEAD", lambda place: place.by_digest),
    Attempt("read-blob", "read a blob", "GET", lambda place: place.blob),
    Attempt("head-blob", "ask with HEAD whether a blob is there", "HEAD", lambda place: place.blob),
    Attempt("list-tags", "list the tags", "GET", lambda place: f"/v2/{place.name}/tags/list"),
    Attempt(
        "list-referrers", "list referrers", "GET", lambda place: f"/v2/{place.name}/referrers/{place.image.digest}"
    ),
    Attempt("read-upload", "ask how far an upload is", "GET", lambda place: place.upload),
)
WRITES = (
    Attempt("begin-upload", "begin an upload", "POST", lambda place: uploads_path(place.name), lambda _: b""),
    Attempt(
        "push-blob",
        "push a blob in one request",
        "POST",
        lambda place: with_query(uploads_path(place.name), digest=_OTHER_BLOB.digest),
        lambda _: _OTHER_BLOB.content,
    ),
    Attempt("add-chunk", "add to an upload", "PATCH", lambda place: place.upload, lambda _: b"mine"),
    Attempt(
        "end-upload",
        "end an upload",
        "PUT",
        lambda place: with_query(place.upload, digest=_OTHER_BLOB.digest),
        lambda _: _OTHER_BLOB.content,
    ),
    Attempt("cancel-upload", "cancel an upload", "DELETE", lambda place: place.upload),
    Attempt("move-tag", "move a tag", "PUT", lambda place: place.by_tag, lambda place: place.second.content, _TYPED),
    Attempt(
        "push-manifest",
        "push a manifest",
        "PUT",
        lambda place: manifest_path(place.name, place.second.digest),
        lambda place: place.second.content,
        _TYPED,
    ),
    Attempt("delete-tag", "delete a tag", "DELETE", lambda place: place.by_tag),
    Attempt("delete-manifest", "delete a manifest", "DELETE", lambda place: place.by_digest),
    Attempt("delete-blob", "delete a blob", "DELETE", lambda place: blob_path(place.name, place.loose.digest)),
)


def _place(session: Session) -> Place:
    image, tag, loose = new_image(), session.new_tag(), new_blob()
    config, layer = image.blobs
    session.manifest(image, tag)
    session.blob(loose)
    second = new_image(layers=[layer], config=config, annotations={"of": image.digest})
    return Place(session.name, tag, image, second, loose, session.begin_upload())


def _attempt(attempt: Attempt, session: Session, who: Credentials, place: Place) -> Answer | None:
    return ask(session, who, attempt.method, attempt.path(place), attempt.headers, attempt.body(place))


def _read(stranger: Stranger, attempt: Attempt, session: Session) -> None:
    who, place = credentials_of(stranger, session), _place(session)
    if stranger is Stranger.ANONYMOUS:
        answer = _attempt(READS[0], session, who, place)
        if answer is not None and answer.status == 200:
            raise NotApplicable("everybody may pull here")
    expect_refused(_attempt(attempt, session, who, place))


def _write(stranger: Stranger, attempt: Attempt, session: Session) -> None:
    who, place = credentials_of(stranger, session), _place(session)
    expect_refused(_attempt(attempt, session, who, place))
    # Whatever it was that they tried, all is as it was.
    session.get_manifest(place.tag).expect(200).expect_body(place.image.content)
    session.get_manifest(place.second.digest).expect(404, what="a stranger tried to push it")
    for blob in (*place.image.blobs, place.loose):
        session.get_blob(blob.digest).expect(200).expect_body(blob.content)
    if session.put_blob(place.upload, new_blob()).status != 201:
        raise Failed(f"the upload that a stranger tried to touch ({attempt.text}) cannot be ended")


for _stranger in Stranger:
    for _one in READS:
        READING.check(f"security.{_stranger}.{_one.id}", Level.MUST, f"{WHO[_stranger]} cannot {_one.text}")(
            partial(_read, _stranger, _one)
        )
    for _one in WRITES:
        WRITING.check(f"security.{_stranger}.{_one.id}", Level.MUST, f"{WHO[_stranger]} cannot {_one.text}")(
            partial(_write, _stranger, _one)
        )


@WRITING.check(
    "security.others.mount",
    Level.MUST,
    "Another user gets no blob of this repository by mounting it somewhere else",
    section="Mounting a blob from another repository",
)
def mount(session: Session) -> None:
    who, blob = credentials_of(Stranger.OTHERS, session), new_blob()
    session.blob(blob)
    own = f"{who.user}/conformance"
    # Who looks for the digest wherever it is finds it also if the source is one that they may read.
    for target, source in ((session.other, session.name), (own, session.name), (own, own)):
        path = with_query(uploads_path(target), mount=blob.digest, **{"from": source})
        answer = ask(session, who, "POST", path, {}, b"")
        expect(answer is None or answer.status != 201, f"POST {path} answered 201 to who may not read {session.name}")


@READING.check(
    "security.others.catalog",
    Level.MUST,
    "Another user does not find this repository in the catalog",
    section="Catalog",
)
def catalog(session: Session) -> None:
    who = credentials_of(Stranger.OTHERS, session)
    session.blob(new_blob())
    answer = ask(session, who, "GET", "/v2/_catalog?n=1000")
    if answer is not None and answer.status == 200:
        expect(session.name.encode() not in answer.body, f"the catalog shows {session.name} to a stranger")


@READING.check(
    "security.others.same-answer",
    Level.SHOULD,
    "Another user cannot tell a repository that is hidden from one that is not there",
)
def same_answer(session: Session) -> None:
    who, place = credentials_of(Stranger.OTHERS, session), _place(session)
    missing = f"/v2/{session.new_name()}/manifests/{place.tag}"
    hidden, nothing = ask(session, who, "GET", place.by_tag), ask(session, who, "GET", missing)
    seen = [None if answer is None else (answer.status, _codes(answer)) for answer in (hidden, nothing)]
    expect(seen[0] == seen[1], f"a hidden repository is answered with {seen[0]}, a missing one with {seen[1]}")


def _codes(answer: Answer) -> list[str]:
    try:
        return [error["code"] for error in answer.json()["errors"]]
    except (Failed, KeyError, TypeError):
        return []
