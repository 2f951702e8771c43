"""What registries do otherwise than Berth, and may do: nobody must call it wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import (
    Fault,
    answers,
    asks,
    error,
    header,
    on,
    refuses,
    takes_for,
    with_query,
    without,
)


@dataclass(frozen=True, slots=True)
class Allowed:
    """A way to do something, and the beginnings of the ids of the checks that could take offence."""

    name: str
    fault: Fault
    asked: Sequence[str]


def _without_query(request: Request) -> Request:
    return request.to(request.path)


def _begins_only(request: Request) -> Request:
    return request.to(request.path, body=b"")


def _absolute(request: Request, reply: Reply) -> str | None:
    found = reply.header("Location")
    return found and f"http://{request.header('Host')}{found}"


def _paged_referrers() -> Handler:
    """Referrers come two by two."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        begin = int(request.query.get("page", "0"))
        plain = re.sub(r"[?&]page=\d+", "", request.target)
        reply = await proxy.ask(request.to(plain))
        if request.route == "referrers" and reply.status == 200:
            document = json.loads(reply.body)
            entries = document["manifests"]
            document["manifests"] = entries[begin : begin + 2]
            reply.body = json.dumps(document).encode()
            if len(entries) > begin + 2:
                reply.set("Link", f'<{plain}{"&" if "?" in plain else "?"}page={begin + 2}>; rel="next"')
        return reply

    return handle


def _short_pages() -> Handler:
    """At most two tags come at once, however many are asked for, with a link to the next."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "tags" or not request.query.get("n", "0").isdigit() or int(request.query.get("n", 0)) < 3:
            return await proxy.ask(request)
        return await proxy.ask(request.to(re.sub(r"n=\d+", "n=2", request.target)))

    return handle


def _redirected() -> Handler:
    """Blobs are somewhere else."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "blob" and request.method == "GET" and reply.status < 300 and "signed" not in request.query:
            return Reply(307, [("Location", f"http://{request.header('Host')}{request.path}?signed=yes")])
        return reply

    return handle


def _large_chunks() -> Handler:
    """Chunks have at least 1000 bytes, but for the last: none is taken after one that is smaller."""
    small: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.body:
            if request.path in small:
                return error(416, "SIZE_INVALID")
            if len(request.body) < 1000:
                small.add(request.path)
        reply = await proxy.ask(request)
        if reply.status == 416:
            small.discard(request.path)
        if request.route == "uploads" and reply.status == 202:
            reply.set("OCI-Chunk-Min-Length", "1000")
        return reply

    return handle


def _no_sha512(request: Request) -> bool:
    return "sha512" in request.target and request.method != "GET"


async def _no_referrers(request: Request, proxy: Proxy) -> Reply:
    """Nothing is known of referrers, and none are told."""
    reply = await proxy.ask(request)
    reply.set("OCI-Subject", None)
    return error(404, "UNSUPPORTED") if request.route == "referrers" else reply


def _as_text(request: Request, reply: Reply) -> None:
    reply.body = b"no"
    reply.set("Content-Type", "text/plain")


def _is_deletion(request: Request) -> bool:
    return request.method == "DELETE" and request.route != "upload"


def _without_range(request: Request) -> Request:
    return request.to(request.target, Range=None)


def _without_conditions(request: Request) -> Request:
    return request.to(request.target, If_Match=None, If_None_Match=None, If_Range=None)


_MOUNT = asks("uploads", "POST", with_query("mount"))
_WHOLE = asks("uploads", "POST", with_query("digest"))
_LOCATED = on("uploads upload manifest blob", "POST PUT PATCH GET")
_MISSING = on("manifest blob tags", "GET", 404)

ALLOWED = (
    Allowed("locations-are-absolute", answers(_LOCATED, header("Location", _absolute)), ["push.", "clients."]),
    Allowed("blobs-are-elsewhere", _redirected, ["pull.blob", "pull.range", "clients.", "security.answers.", "auth."]),
    Allowed("referrers-come-two-by-two", _paged_referrers, ["referrers.", "push.subject", "concurrency.referrers"]),
    Allowed("tags-come-two-by-two", _short_pages, ["tags.", "delete."]),
    Allowed(
        "nothing-is-mounted", takes_for(_MOUNT, _without_query), ["push.mount", "clients.", "concurrency.", "auth."]
    ),
    Allowed("post-only-begins", takes_for(_WHOLE, _begins_only), ["push.blob", "push.digest", "security.integrity"]),
    Allowed("errors-are-text", answers(_MISSING, _as_text), ["error.", "pull.", "tags."]),
    Allowed(
        "nothing-is-deleted",
        refuses(_is_deletion, 405, "UNSUPPORTED"),
        ["delete.", "concurrency.delete", "security.isolation", "push.mount", "referrers.", "clients."],
    ),
    Allowed("sha512-is-not-known", refuses(_no_sha512, 400, "DIGEST_INVALID"), ["pull.", "push.", "manifest."]),
    Allowed(
        "there-is-no-referrers-api",
        lambda: _no_referrers,
        ["referrers.", "push.subject", "concurrency.referrers", "security.isolation", "clients."],
    ),
    Allowed("chunks-are-large", _large_chunks, ["push.chunk", "push.status", "push.cancel", "concurrency.upload"]),
    Allowed("there-are-no-conditions", takes_for(lambda _: True, _without_conditions), ["pull.if", "push.if"]),
    Allowed("there-are-no-etags", answers(on("manifest blob"), without("ETag")), ["pull.", "push.if"]),
    Allowed("ranges-are-not-known", takes_for(asks("blob", "GET"), _without_range), ["pull.range", "clients."]),
    Allowed("tag-parameters-are-ignored", takes_for(asks("manifest", "PUT"), _without_query), ["push.manifest"]),
)
