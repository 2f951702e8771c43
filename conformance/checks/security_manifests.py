"""Manifests and blobs that are not what they say they are, or that two readers would understand differently."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from conformance.content import IMAGE, INDEX, Blob, Manifest, digest_of, new_blob, new_image, new_index
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable
from conformance.session import Session, expect, uploads_path, with_query

INTEGRITY = Checklist(Group.SECURITY, Category.PUSH, "Pushing blobs")
MANIFESTS = Checklist(Group.SECURITY, Category.PUSH, "Pushing Manifests")

_NESTING = 50_000
_MANY = 20_000


@INTEGRITY.check(
    "security.integrity.blob", Level.MUST, "A blob with other bytes than its digest says is not stored by POST and PUT"
)
def wrong_blob(session: Session) -> None:
    blob = new_blob()
    answer = session.put_blob(session.begin_upload(), blob, b"something else")
    expect(400 <= answer.status < 500, f"PUT {answer.path} answered {answer.status} to bytes of another digest")
    session.get_blob(blob.digest).expect(404, what="its bytes never came")


@INTEGRITY.check(
    "security.integrity.single-post",
    Level.MUST,
    "A blob with other bytes than its digest says is not stored by one POST",
    section="Single POST",
)
def wrong_single_post(session: Session) -> None:
    session.begin_upload()
    blob = new_blob()
    path = with_query(uploads_path(session.name), digest=blob.digest)
    answer = session.send("POST", path, {"Content-Type": "application/octet-stream"}, b"something else")
    expect(answer.status != 201, f"POST {answer.path} answered 201 to bytes of another digest")
    session.get_blob(blob.digest).expect(404, what="its bytes never came")


@INTEGRITY.check(
    "security.integrity.chunks",
    Level.MUST,
    "A blob whose chunks together have another digest is not stored",
    section="Pushing a blob in chunks",
)
def wrong_chunks(session: Session) -> None:
    blob = new_blob()
    answer = session.send("PATCH", session.begin_upload(), {"Content-Type": "application/octet-stream"}, b"one")
    if answer.status != 202:
        raise NotApplicable(f"PATCH {answer.path} answered {answer.status}")
    answer = session.put_blob(answer.location(), blob, b"two")
    expect(400 <= answer.status < 500, f"PUT {answer.path} answered {answer.status} to bytes of another digest")
    session.get_blob(blob.digest).expect(404, what="its bytes never came")


@INTEGRITY.check(
    "security.integrity.truncated",
    Level.MUST,
    "The first half of a blob is not stored under the digest of the whole",
)
def truncated(session: Session) -> None:
    blob = new_blob(2000)
    answer = session.put_blob(session.begin_upload(), blob, blob.content[:1000])
    expect(400 <= answer.status < 500, f"PUT {answer.path} answered {answer.status} to half a blob")
    session.get_blob(blob.digest).expect(404, what="only a half of it came")


@INTEGRITY.check(
    "security.integrity.manifest",
    Level.MUST,
    "A manifest with other bytes than its digest says is not stored",
    section="Pushing Manifests",
)
def wrong_manifest(session: Session) -> None:
    image, other = new_image(), new_image()
    session.manifest(image)
    answer = session.put_manifest(image, other.digest)
    expect(400 <= answer.status < 500, f"PUT {answer.path} answered {answer.status} to bytes of another digest")
    session.get_manifest(other.digest).expect(404, what="its bytes never came")


@INTEGRITY.check(
    "security.integrity.weak-algorithm",
    Level.SHOULD,
    "A blob is not stored under a digest of an algorithm that has been broken (md5, sha1)",
)
def weak_algorithm(session: Session) -> None:
    content = secrets.token_bytes(64)
    for algorithm in ("md5", "sha1"):
        path = with_query(session.begin_upload(), digest=digest_of(content, algorithm))
        answer = session.send("PUT", path, {"Content-Type": "application/octet-stream"}, content)
        expect(400 <= answer.status < 500, f"PUT {answer.path} answered {answer.status}: {algorithm} is broken")


@INTEGRITY.check(
    "security.integrity.swapped-algorithm",
    Level.MUST,
    "A blob is not stored under a digest that has the value of another algorithm",
)
def swapped_algorithm(session: Session) -> None:
    content = secrets.token_bytes(64)
    value = digest_of(content, "sha512").partition(":")[2]
    for digest in (f"sha256:{value}", f"sha256:{value[:64]}", f"sha512:{digest_of(content).partition(':')[2]}"):
        path = with_query(session.begin_upload(), digest=digest)
        answer = session.send("PUT", path, {"Content-Type": "application/octet-stream"}, content)
        expect(answer.status >= 400, f"PUT {answer.path} answered {answer.status} to a digest of another algorithm")


@INTEGRITY.check("security.integrity.poisoned", Level.MUST, "A blob that is there cannot be replaced by other bytes")
def poisoned(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    session.put_blob(session.begin_upload(), blob, b"something else")
    session.get_blob(blob.digest).expect(200).expect_body(blob.content)


def _documents(image: Manifest, index: Manifest) -> Mapping[str, tuple[str, str, bytes]]:
    """Doubtful manifests: what they are, what they are sent as, and their bytes."""
    one, both = image.document, image.document | {"manifests": index.document["manifests"]}
    keys = json.dumps(one)[:-1] + ', "config": ' + json.dumps(one["layers"][0]) + "}"
    sized = json.dumps(_with_size(one, 10**400)).encode()
    return {
        "both-kinds": ("that is an image and an index at once", IMAGE, json.dumps(both).encode()),
        "other-type": ("whose mediaType is not its Content-Type", INDEX, image.content),
        "two-configs": ("with the same key twice", IMAGE, keys.encode()),
        "not-json": ("that is not JSON", IMAGE, b"not JSON at all"),
        "not-utf-8": ("that is not UTF-8", IMAGE, image.content.replace(b"schema", b"\xff\xfe")),
        "array": ("that is a list", IMAGE, b"[" + image.content + b"]"),
        "deep": ("of fifty thousand lists in one another", IMAGE, b"[" * _NESTING + b"]" * _NESTING),
        "negative-size": ("with a negative size", IMAGE, json.dumps(_with_size(one, -1)).encode()),
        "huge-size": ("with a size of four hundred digits", IMAGE, sized),
        "bad-digest": ("that names a digest with a path in it", IMAGE, _with_digest(one)),
    }


def _with_size(document: Mapping[str, Any], size: int) -> dict[str, Any]:
    return {**document, "layers": [{**document["layers"][0], "size": size}]}


def _with_digest(document: Mapping[str, Any]) -> bytes:
    layer = {**document["layers"][0], "digest": "sha256:../../../../etc/passwd"}
    return json.dumps({**document, "layers": [layer]}).encode()


def _doubtful(name: str, session: Session) -> None:
    image = new_image()
    index = new_index([image])
    session.manifest(index)
    what, media_type, content = _documents(image, index)[name]
    tag = session.new_tag()
    answer = session.put_manifest(Manifest(content, media_type), tag)
    if not 400 <= answer.status < 500:
        raise Failed(f"PUT {answer.path} answered {answer.status} to a manifest {what}, expected 400")
    session.get_manifest(tag).expect(404, what="its manifest was refused")


_SAMPLE = new_image()
for _name, _document in _documents(_SAMPLE, new_index([_SAMPLE])).items():
    MANIFESTS.check(f"security.manifest.{_name}", Level.SHOULD, f"A manifest {_document[0]} is refused")(
        partial(_doubtful, _name)
    )


@MANIFESTS.check(
    "security.manifest.many-descriptors",
    Level.SHOULD,
    "A manifest with twenty thousand layers that are not there is refused below 500, or stored as it is",
)
def many_descriptors(session: Session) -> None:
    layers = [Blob(str(number).encode()) for number in range(_MANY)]
    image = new_image(layers=layers[:1])
    session.blob(image.blobs[0])
    document = {**image.document, "layers": [layer.descriptor for layer in layers]}
    content = json.dumps(document, separators=(",", ":")).encode()
    answer = session.put_manifest(Manifest(content, IMAGE), session.new_tag())
    expect(answer.status < 500, f"PUT {answer.path} answered {answer.status}")


@MANIFESTS.check(
    "security.manifest.no-markup",
    Level.SHOULD,
    "A manifest that is pushed as a web page is refused, or not served as one",
)
def no_markup(session: Session) -> None:
    image, tag = new_image(annotations={"x": "<script>alert(1)</script>"}), session.new_tag()
    session.manifest(image)
    answer = session.put_manifest(Manifest(image.content, "text/html"), tag)
    if answer.status == 201:
        served = session.get_manifest(tag)
        kind = (served.header("Content-Type") or "").partition(";")[0].strip().lower()
        expect(kind not in {"text/html", "image/svg+xml"}, f"GET {served.path} is served as {kind}")
