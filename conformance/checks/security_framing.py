"""Bodies whose ends two parties could see in different places (RFC 9112), or that never end."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.content import Blob, new_blob, new_image
from conformance.raw import Heard, send_raw
from conformance.requirement import Category, Checklist, Failed, Group, Level
from conformance.session import Session, blob_path, expect, manifest_path, with_query

FRAMING = Checklist(Group.SECURITY, Category.PUSH, "RFC 9112, 6.3: Message Body Length")

_CLOSE = "Connection: close"


def _begin(session: Session) -> str:
    """The target of an upload that has begun, for a request line."""
    location = session.begin_upload()
    return "/" + location.partition("://")[2].partition("/")[2]


def _with_bad_chunks(session: Session, blob: Blob) -> Iterator[Heard]:
    """The answers to the blob in a chunk of a wrong size, each in an upload of its own."""
    for size in (b"zz", b"-a", b"ffffffffffffffffffff", b"0xa"):
        path = with_query(_begin(session), digest=blob.digest)
        body = size + b"\r\n" + blob.content + b"\r\n0\r\n\r\n"
        yield send_raw(session, f"PUT {path} HTTP/1.1", ["Transfer-Encoding: chunked", _CLOSE], body, end=True)


def _expect_not_stored(session: Session, digest: str) -> None:
    answer = session.get_blob(digest, method="HEAD")
    if answer.status == 200:
        raise Failed(f"{answer.path} is there, although its upload was broken")


@FRAMING.check(
    "security.framing.two-lengths",
    Level.MUST,
    "A request with two different Content-Length headers is refused",
    section="RFC 9112, 6.3: Message Body Length",
)
def two_lengths(session: Session) -> None:
    blob = new_blob(10)
    path = with_query(_begin(session), digest=blob.digest)
    headers = ["Content-Length: 10", "Content-Length: 20", _CLOSE]
    send_raw(session, f"PUT {path} HTTP/1.1", headers, blob.content + b"0123456789").expect_refusal()
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.listed-lengths",
    Level.MUST,
    "A Content-Length with two different numbers in it is refused",
)
def listed_lengths(session: Session) -> None:
    blob = new_blob(10)
    path = with_query(_begin(session), digest=blob.digest)
    headers = ["Content-Length: 10, 20", _CLOSE]
    send_raw(session, f"PUT {path} HTTP/1.1", headers, blob.content + b"0123456789").expect_refusal()
    _expect_not_stored(session, blob.digest)


@FRAMING.check("security.framing.bad-length", Level.MUST, "A Content-Length that is no number is refused")
def bad_length(session: Session) -> None:
    blob = new_blob(10)
    for value in ("-10", "0x0a", "10 10", "+10"):
        path = with_query(_begin(session), digest=blob.digest)
        send_raw(session, f"PUT {path} HTTP/1.1", [f"Content-Length: {value}", _CLOSE], blob.content).expect_refusal()
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.length-and-chunks",
    Level.SHOULD,
    "After a request with both Content-Length and Transfer-Encoding nothing else is read from the connection",
    section="RFC 9112, 6.1: Transfer-Encoding",
)
def length_and_chunks(session: Session) -> None:
    path = _begin(session)
    hidden = b"GET /v2/ HTTP/1.1\r\nHost: hidden\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    headers = [f"Content-Length: {len(body)}", "Transfer-Encoding: chunked"]
    heard = send_raw(session, f"PATCH {path} HTTP/1.1", headers, body)
    heard.expect_no_crash()
    expect(len(heard.statuses) <= 1, f"{heard.what}: the request that was hidden in the body was answered, too")


@FRAMING.check(
    "security.framing.bad-chunk-size",
    Level.MUST,
    "A body in chunks whose size is no number, negative or too large is not stored",
    section="RFC 9112, 7.1: Chunked Transfer Coding",
)
def bad_chunk_size(session: Session) -> None:
    blob = new_blob(10)
    for heard in _with_bad_chunks(session, blob):
        heard.expect_no_success()
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.bad-chunk-status",
    Level.SHOULD,
    "A body in chunks whose size is no number, negative or too large is refused with a status below 500",
    section="RFC 9112, 7.1: Chunked Transfer Coding",
)
def bad_chunk_status(session: Session) -> None:
    for heard in _with_bad_chunks(session, new_blob(10)):
        heard.expect_refusal()


@FRAMING.check(
    "security.framing.unknown-coding",
    Level.MUST,
    "A body in a transfer coding that the server does not know is not stored",
    section="RFC 9112, 6.1: Transfer-Encoding",
)
def unknown_coding(session: Session) -> None:
    blob = new_blob(10)
    for coding in ("xchunked", "chunked, xgzip"):
        path = with_query(_begin(session), digest=blob.digest)
        body = b"a\r\n" + blob.content + b"\r\n0\r\n\r\n"
        headers = [f"Transfer-Encoding: {coding}", _CLOSE]
        send_raw(session, f"PUT {path} HTTP/1.1", headers, body, end=True).expect_no_success()
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.cut-off",
    Level.MUST,
    "A body that ends before its Content-Length is not stored",
    section="RFC 9112, 8: Handling Incomplete Messages",
)
def cut_off(session: Session) -> None:
    blob = new_blob(50)
    path = with_query(_begin(session), digest=blob.digest)
    heard = send_raw(session, f"PUT {path} HTTP/1.1", ["Content-Length: 100", _CLOSE], blob.content, end=True)
    expect(201 not in heard.statuses, f"{heard.what}: answered 201 to half of the body that was announced")
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.cut-off-chunks",
    Level.MUST,
    "A body in chunks that ends without its last chunk is not stored",
    section="RFC 9112, 8: Handling Incomplete Messages",
)
def cut_off_chunks(session: Session) -> None:
    blob = new_blob(10)
    path = with_query(_begin(session), digest=blob.digest)
    body = b"a\r\n" + blob.content + b"\r\n"
    heard = send_raw(session, f"PUT {path} HTTP/1.1", ["Transfer-Encoding: chunked", _CLOSE], body, end=True)
    expect(201 not in heard.statuses, f"{heard.what}: answered 201 to a body without its end")
    _expect_not_stored(session, blob.digest)


@FRAMING.check(
    "security.framing.cut-off-manifest",
    Level.MUST,
    "A manifest that ends before its Content-Length does not get a tag",
    section="RFC 9112, 8: Handling Incomplete Messages",
)
def cut_off_manifest(session: Session) -> None:
    image, tag = new_image(), session.new_tag()
    session.manifest(image)
    path = manifest_path(session.name, tag)
    headers = [f"Content-Type: {image.media_type}", f"Content-Length: {len(image.content) + 10}", _CLOSE]
    heard = send_raw(session, f"PUT {path} HTTP/1.1", headers, image.content, end=True)
    expect(201 not in heard.statuses, f"{heard.what}: answered 201 to a part of the body that was announced")
    session.get_manifest(tag).expect(404, what="its body was never whole")


@FRAMING.check(
    "security.framing.unread-body",
    Level.MUST,
    "What is left of the body of a refused request is not taken for another request",
)
def unread_body(session: Session) -> None:
    session.begin_upload()
    hidden = b"GET /v2/ HTTP/1.1\r\nHost: hidden\r\nConnection: close\r\n\r\n"
    path = blob_path(session.name, "sha256:bad")
    heard = send_raw(session, f"PUT {path} HTTP/1.1", [f"Content-Length: {len(hidden)}"], hidden)
    heard.expect_no_crash()
    expect(len(heard.statuses) <= 1, f"{heard.what}: its body was answered like a request")


@FRAMING.check(
    "security.framing.announced-manifest",
    Level.SHOULD,
    "A manifest that is announced with a gigabyte is refused before it has come",
    section="Pushing Manifests",
)
def announced_manifest(session: Session) -> None:
    session.begin_upload()
    path = manifest_path(session.name, session.new_tag())
    headers = ["Content-Type: application/vnd.oci.image.manifest.v1+json", f"Content-Length: {1 << 30}", _CLOSE]
    heard = send_raw(session, f"PUT {path} HTTP/1.1", headers, b" " * 65536)
    heard.expect_refusal()
