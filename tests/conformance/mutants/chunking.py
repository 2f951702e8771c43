"""What registries do wrong when blobs are pushed to them in chunks."""

from __future__ import annotations

import re

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import (
    Fault,
    Mutant,
    answers,
    asks,
    error,
    header,
    instead,
    on,
    refuses,
    status,
    takes_for,
    with_header,
    without,
)

_CHUNK = on("upload", "PATCH", 202)
_STATUS = on("upload", "GET", 204)


def _unordered(methods: str) -> Fault:
    """Chunks are put after one another, whatever their positions are."""
    return takes_for(
        asks("upload", methods, with_header("Content-Range")),
        lambda request: request.to(request.target, Content_Range=None),
    )


def _one_more(request: Request, reply: Reply) -> str:
    """As many bytes as there are, where the position of the last one is meant."""
    return re.sub(r"-(\d+)", lambda found: f"-{int(found[1]) + 1}", reply.header("Range") or "")


def _forgetful() -> Handler:
    """The second chunk of each upload is acknowledged, and forgotten."""
    chunks: dict[str, int] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "upload" or request.method != "PATCH":
            return await proxy.ask(request)
        chunks[request.path] = chunks.get(request.path, 0) + 1
        if chunks[request.path] != 2:
            return await proxy.ask(request)
        last = (request.header("Content-Range") or "").partition("-")[2]
        return Reply(202, [("Location", request.target), ("Range", f"0-{last}")])

    return handle


def _lost_after_refusal() -> Handler:
    """An upload to which a chunk came that did not fit is gone."""
    gone: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.path in gone:
            return error(404, "BLOB_UPLOAD_UNKNOWN")
        reply = await proxy.ask(request)
        if reply.status == 416:
            gone.add(request.path)
        return reply

    return handle


def _undead() -> Handler:
    """Uploads that have ended are said to go on."""
    ended: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.method == "GET" and request.path in ended:
            return Reply(204, [("Location", request.path), ("Range", "0-63")])
        reply = await proxy.ask(request)
        if request.route == "upload" and reply.status == 201:
            ended.add(request.path)
        return reply

    return handle


def _accepting() -> Handler:
    """Whatever ends an upload is right, and nothing is stored of what is not."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        is_end = request.route == "upload" and request.method == "PUT" and not request.body
        return Reply(201, [("Location", f"/v2/{request.name}/blobs/none")]) if is_end and reply.status == 400 else reply

    return handle


def _mixed() -> Handler:
    """A chunk goes to the upload that was begun last, whichever it is meant for."""
    latest: dict[str, str] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.method == "PATCH":
            return await proxy.ask(request.to(latest.get(request.name, request.target), Content_Range=None))
        reply = await proxy.ask(request)
        if request.route == "uploads" and reply.status == 202:
            latest[request.name] = reply.header("Location") or ""
        return reply

    return handle


CHUNKING = (
    Mutant(
        "chunk-is-no-content",
        {"push.chunk.accepted": "answered 204, expected 202", "clients.docker.push": "answered 204"},
        answers(_CHUNK, status(204)),
    ),
    Mutant(
        "chunk-without-location",
        {"push.chunk.accepted": "without the header Location", "push.chunk.one": "without the header Location"},
        answers(_CHUNK, without("Location")),
    ),
    Mutant(
        "chunk-without-range",
        {"push.chunk.range": "without the header Range", "clients.docker.push": "without the header Range"},
        answers(_CHUNK, without("Range")),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "range-counts-bytes",
        {"push.chunk.range": "expected 0-99", "clients.regclient.push-chunks": "expected 0-999"},
        answers(_CHUNK, header("Range", _one_more)),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "range-as-in-pulls",
        {"push.chunk.range": "bytes=0-99", "push.status": "bytes=0-99", "clients.docker.push": "bytes="},
        answers(on("upload", "GET PATCH"), header("Range", lambda _, reply: f"bytes={reply.header('Range')}")),
        spared=["push.chunk.accepted"],
    ),
    Mutant(
        "chunks-in-any-order",
        {
            "push.chunk.first-not-zero": "answered 202, expected 416",
            "push.chunk.gap": "answered 202, expected 416",
            "push.chunk.repeated": "answered 202, expected 416",
            "push.chunk.overlap": "answered 202, expected 416",
            "push.chunk.wrong-length": "answered 202",
            "push.chunk.malformed-range": "answered 202",
            "concurrency.upload.same-chunk-once": "answered",
        },
        _unordered("PATCH"),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "last-chunk-in-any-order",
        {
            "push.chunk.put-out-of-order": "answered 400, expected 416",
            "push.chunk.put-out-of-order.refused": "answered 201, expected a 4XX",
        },
        _unordered("PUT"),
        spared=["push.chunk.gap", "push.chunk.last-by-put"],
    ),
    Mutant(
        "chunk-out-of-order-is-malformed",
        {"push.chunk.gap": "answered 400, expected 416", "push.chunk.put-out-of-order": "answered 400, expected 416"},
        answers(on("upload", "PATCH PUT", 416), status(400)),
        spared=["push.chunk.put-out-of-order.refused"],
    ),
    Mutant(
        "chunk-is-forgotten",
        {"push.chunk.all-by-patch": "answered", "push.chunk.many": "answered"},
        _forgetful,
        spared=["push.chunk.one"],
    ),
    Mutant(
        "chunk-must-have-a-range",
        {
            "push.chunk.without-range": "answered 400",
            "push.chunk.streamed": "answered 400",
            "clients.podman.push": "400",
        },
        refuses(
            asks("upload", "PATCH", lambda request: request.header("Content-Range") is None), 400, "BLOB_UPLOAD_INVALID"
        ),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "chunks-need-more-than-is-told",
        {"push.chunk.min-length": "answered 400", "push.chunk.many": "answered 400"},
        refuses(asks("upload", "PATCH", lambda request: len(request.body) < 50), 400, "SIZE_INVALID"),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "least-chunk-is-no-number",
        {"push.chunk.min-length": "is no size"},
        answers(on("uploads", "POST", 202), header("OCI-Chunk-Min-Length", "1kB")),
    ),
    Mutant(
        "last-chunk-must-be-a-chunk",
        {"push.chunk.last-by-put": "answered 400", "push.chunk.only-by-put": "answered 400"},
        refuses(
            asks("upload", "PUT", with_header("Content-Range")),
            400,
            "BLOB_UPLOAD_INVALID",
        ),
        spared=["push.chunk.all-by-patch"],
    ),
    Mutant(
        "end-is-always-right",
        {
            "push.chunk.missing": "answered 201, expected a 4XX",
            "push.chunk.without-digest": "answered 201",
            "push.chunk.malformed-digest": "answered 201, expected 400",
        },
        _accepting,
        spared=["push.chunk.one"],
    ),
    Mutant(
        "status-is-ok",
        {"push.status": "answered 200, expected 204", "push.status.begun": "answered 200"},
        answers(_STATUS, status(200)),
    ),
    Mutant(
        "status-is-one-behind",
        {"push.status": "Range", "push.chunk.resumed": "Range"},
        answers(_STATUS, header("Range", lambda _, reply: re.sub(r"\d$", "0", reply.header("Range") or ""))),
        spared=["push.chunk.range"],
    ),
    Mutant(
        "status-without-location",
        {"push.status.begun": "without the header Location", "push.status.location": "without the header Location"},
        answers(_STATUS, without("Location")),
    ),
    Mutant(
        "status-is-not-offered",
        {"push.status": "answered 405", "push.chunk.resumed": "answered 405", "clients.regclient.push-resumed": "405"},
        instead(asks("upload", "GET"), lambda _: error(405, "UNSUPPORTED")),
    ),
    Mutant(
        "status-after-the-end",
        {"push.status.ended": "answered 204, expected 404"},
        _undead,
    ),
    Mutant(
        "upload-is-lost-after-a-refusal",
        {"push.chunk.resumed": "answered 404", "clients.regclient.push-resumed": "answered 404"},
        _lost_after_refusal,
        spared=["push.chunk.gap"],
    ),
    Mutant(
        "upload-cannot-be-cancelled",
        {"push.cancel": "answered 405, expected 204", "push.cancel.begun": "answered 405", "auth.token.cancel": "405"},
        refuses(asks("upload", "DELETE"), 405, "UNSUPPORTED"),
    ),
    Mutant(
        "cancelled-upload-goes-on",
        {"push.cancel.gone": "answered 204, expected 404", "push.cancel.unknown": "answered 204 the second time"},
        instead(asks("upload", "DELETE"), lambda _: Reply(204)),
        spared=["push.cancel"],
    ),
    Mutant(
        "chunks-go-to-the-latest-upload",
        {"concurrency.upload.two-in-turns": "answered"},
        _mixed,
    ),
)
