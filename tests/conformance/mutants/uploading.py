"""What registries do wrong when blobs are pushed to them in one piece."""

from __future__ import annotations

import hashlib

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import once_more
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    created,
    error,
    header,
    instead,
    on,
    refuses,
    status,
    with_query,
    without,
)

_BEGUN = on("uploads", "POST", 202)
_ENDED = on("upload", "PUT", 201)
_EIGHT_MEBIBYTES = 8 << 20


def _one_for_all() -> Handler:
    """All uploads of a repository have the location of the first."""
    locations: dict[str, str | None] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if _BEGUN(request, reply):
            reply.set("Location", locations.setdefault(request.name, reply.header("Location")))
        return reply

    return handle


def _numbered() -> Handler:
    """Uploads have numbers that anybody can guess."""
    targets: list[str] = []

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.reference.isdigit():
            path, _, query = targets[int(request.reference)].partition("?")
            more = "&".join(part for part in (query, request.target.partition("?")[2]) if part)
            request = request.to(f"{path}?{more}")
        reply = await proxy.ask(request)
        location = reply.header("Location") or ""
        if "/uploads/" in location:
            targets.append(location)
            reply.set("Location", f"{location.partition('/uploads/')[0]}/uploads/{len(targets) - 1}")
        return reply

    return handle


def _lost() -> Handler:
    """What was pushed in one piece is acknowledged, and gone."""
    lost: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if _ENDED(request, reply) and request.body:
            lost.add(request.query["digest"])
        if request.route == "blob" and request.reference in lost:
            return error(404, "BLOB_UNKNOWN")
        return reply

    return handle


def _early() -> Handler:
    """A blob can be read as soon as its bytes have come, before anybody has said what its digest is."""
    come: dict[str, bytes] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "upload" and request.method == "PATCH":
            come[f"sha256:{hashlib.sha256(request.body).hexdigest()}"] = request.body
        if request.route == "blob" and reply.status == 404 and request.reference in come:
            content = come[request.reference]
            return Reply(200, [("Content-Length", str(len(content)))], content)
        return reply

    return handle


UPLOADING = (
    Mutant(
        "upload-without-location",
        {"push.upload.begun": "without the header Location"},
        answers(_BEGUN, without("Location")),
        spared=["support.push"],
    ),
    Mutant(
        "upload-is-ok-instead-of-accepted",
        {
            "push.upload.begun": "answered 200, expected 202",
            "support.push": "answered 200",
            "clients.ko.push-check": "answered 200",
        },
        answers(_BEGUN, status(200)),
    ),
    Mutant(
        "uploads-have-one-location",
        {
            "push.upload.unique": "have the same location",
            "clients.containerd.push-parallel": "step",
        },
        _one_for_all,
        spared=["push.upload.begun"],
    ),
    Mutant(
        "uploads-are-numbered",
        {"push.upload.uuid": "contains no UUID", "security.answers.unguessable-uploads": "differ in"},
        _numbered,
        spared=["push.blob.post-put", "push.chunk.all-by-patch"],
    ),
    Mutant(
        "blob-is-accepted-instead-of-created",
        {"push.blob.post-put": "answered 202, expected 201", "clients.docker.push": "answered 202"},
        answers(_ENDED, status(202)),
    ),
    Mutant(
        "blob-without-location",
        {"push.blob.post-put.location": "without the header Location", "push.chunk.location": "without the header"},
        answers(_ENDED, without("Location")),
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "location-is-that-of-the-upload",
        {"push.blob.post-put.location": "answered 404", "push.chunk.location": "answered 404"},
        answers(_ENDED, header("Location", lambda request, _: request.path)),
    ),
    Mutant(
        "pushed-blob-has-other-digest",
        {"push.blob.digest-true": "Docker-Content-Digest"},
        answers(_ENDED, header("Docker-Content-Digest", "sha256:" + "0" * 64)),
    ),
    Mutant(
        "empty-blob-is-refused",
        {"push.blob.post-put.empty": "answered 400"},
        refuses(asks("upload", "PUT", lambda request: "e3b0c44298fc" in request.target), 400, "BLOB_UPLOAD_INVALID"),
        spared=["push.blob.post-put.one-byte"],
    ),
    Mutant(
        "large-blob-is-refused",
        {"push.blob.post-put.large": "answered 413"},
        refuses(asks("upload", "PUT", lambda request: len(request.body) > _EIGHT_MEBIBYTES), 413, "SIZE_INVALID"),
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "query-has-one-order",
        {"push.blob.query-order": "answered 400"},
        refuses(asks("upload", "PUT", with_query("other")), 400, "UNSUPPORTED"),
    ),
    Mutant(
        "length-must-be-known",
        {"push.blob.streamed": "answered 501", "push.chunk.streamed": "answered 501", "clients.docker.push": "501"},
        refuses(asks("upload", "PUT PATCH", lambda request: request.is_chunked), 501, "UNSUPPORTED"),
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "blob-that-is-there-is-refused",
        {"push.blob.again": "answered 409"},
        once_more(
            asks("upload", "PUT"),
            lambda *_: error(409, "DENIED"),
            lambda request: (request.name, request.query["digest"]),
        ),
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "blob-is-lost",
        {"push.blob.post-put": "answered 404", "push.chunk.last-by-put": "404", "concurrency.blob.different": "404"},
        _lost,
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "blob-is-there-before-its-end",
        {"push.blob.not-before-end": "answered 200, expected 404"},
        _early,
        spared=["push.chunk.one"],
    ),
    Mutant(
        "single-post-makes-nothing",
        {
            "push.blob.single-post.created": "answered 404",
            "push.blob.single-post.sha512": "answered 404",
            "push.blob.single-post.empty": "answered",
        },
        instead(asks("uploads", "POST", with_query("digest")), created),
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "single-post-begins-nothing",
        {"push.blob.single-post.fallback": "answered 404"},
        refuses(asks("uploads", "POST", with_query("digest")), 404, "UNSUPPORTED"),
    ),
)
