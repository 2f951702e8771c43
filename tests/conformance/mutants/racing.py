"""What registries do wrong when several clients come at the same time."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import Key
from tests.conformance.mutants.rules import Asked, Fault, Mutant, asks, error, sends

# So long each request waits for others that come at the same time.
_SECONDS = 0.04

Rival = Callable[[Request, Proxy, int], Awaitable[Reply]]


def at_once(when: Asked, key: Key, rival: Rival) -> Fault:
    """Requests for the same that come at the same time are answered by `rival`; it hears how many came before."""

    def make() -> Handler:
        running: Counter[object] = Counter()
        crowded: set[object] = set()

        async def handle(request: Request, proxy: Proxy) -> Reply:
            if not when(request):
                return await proxy.ask(request)
            thing = key(request)
            number = running[thing]
            running[thing] += 1
            if number:
                crowded.add(thing)
            try:
                await asyncio.sleep(_SECONDS)
                return await (rival(request, proxy, number) if thing in crowded else proxy.ask(request))
            finally:
                running[thing] -= 1
                if not running[thing]:
                    crowded.discard(thing)

        return handle

    return make


async def _crash(request: Request, proxy: Proxy, number: int) -> Reply:
    """Whoever comes second finds the row locked."""
    return error(500, "UNKNOWN") if number else await proxy.ask(request)


async def _pretend(request: Request, proxy: Proxy, number: int) -> Reply:
    """Whoever comes second is told that all is well."""
    if not number:
        return await proxy.ask(request)
    return Reply(201, [("Location", f"/v2/{request.name}/blobs/{request.query.get('digest', 'none')}")])


async def _refuse(request: Request, proxy: Proxy, number: int) -> Reply:
    return error(404, "BLOB_UPLOAD_UNKNOWN")


def _digest(request: Request) -> object:
    return request.query.get("digest")


def _thing(request: Request) -> object:
    """What a deletion is about, and what would need it: a digest."""
    return request.query.get("mount") or request.reference


def _repository(request: Request) -> object:
    return request.name


def _path(request: Request) -> object:
    return request.path


def _subject(request: Request) -> object:
    return json.loads(request.body)["subject"]["digest"]


def _vanishing() -> Handler:
    """A tag that is being moved is nowhere."""
    moving: Counter[str] = Counter()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "manifest" or request.is_by_digest:
            return await proxy.ask(request)
        if request.method != "PUT":
            return error(404, "MANIFEST_UNKNOWN") if moving[request.path] else await proxy.ask(request)
        moving[request.path] += 1
        try:
            await asyncio.sleep(_SECONDS)
            return await proxy.ask(request)
        finally:
            moving[request.path] -= 1

    return handle


def _jumping() -> Handler:
    """A tag that is being pushed to a repository hides those that are in it."""
    pushing: Counter[str] = Counter()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "tags" and pushing[request.name]:
            return Reply(200, [], json.dumps({"name": request.name, "tags": ["a-stays", "z-stays"]}).encode())
        if request.route != "manifest" or request.method != "PUT":
            return await proxy.ask(request)
        pushing[request.name] += 1
        try:
            await asyncio.sleep(_SECONDS / 2)
            return await proxy.ask(request)
        finally:
            pushing[request.name] -= 1

    return handle


def _stuck() -> Handler:
    """A tag that two have moved at once cannot be moved any more."""
    moving: Counter[str] = Counter()
    stuck: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "manifest" or request.method != "PUT" or request.is_by_digest:
            return await proxy.ask(request)
        if request.path in stuck and not moving[request.path]:
            return Reply(201, [("Location", request.path)])
        moving[request.path] += 1
        if moving[request.path] > 1:
            stuck.add(request.path)
        try:
            await asyncio.sleep(_SECONDS)
            return await proxy.ask(request)
        finally:
            moving[request.path] -= 1

    return handle


def _spoiled() -> Handler:
    """An upload to which two have sent at once has other bytes than it should, and nobody looks."""
    sending: Counter[str] = Counter()
    crowded: set[str] = set()
    spoiled: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.method == "PATCH":
            sending[request.path] += 1
            if sending[request.path] > 1:
                crowded.add(request.path)
            await asyncio.sleep(_SECONDS)
            sending[request.path] -= 1
        reply = await proxy.ask(request)
        if request.route == "upload" and reply.status == 201 and request.path in crowded:
            spoiled.add(request.query["digest"])
        if request.route == "blob" and request.method == "GET" and request.reference in spoiled:
            reply.body = reply.body[::-1]
        return reply

    return handle


def _cancelled() -> Handler:
    """Whoever ends an upload that somebody cancels is told that it is done."""
    ending: set[str] = set()
    gone: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route == "upload" and request.method in {"PUT", "DELETE"}:
            both = request.path in ending
            ending.add(request.path)
            await asyncio.sleep(_SECONDS)
            reply = await proxy.ask(request)
            if request.method == "PUT" and (both or reply.status in {201, 404}):
                gone.add(request.query["digest"])
                reply.status = 201
            return reply
        return error(404, "BLOB_UNKNOWN") if request.reference in gone else await proxy.ask(request)

    return handle


async def _undone(request: Request, proxy: Proxy, number: int) -> Reply:
    """A deletion is acknowledged and not done, if somebody needs what is deleted."""
    return Reply(202) if request.method == "DELETE" else await proxy.ask(request)


async def _mounted(request: Request, proxy: Proxy, number: int) -> Reply:
    """A mount is acknowledged of what is being deleted, and comes to nothing."""
    if request.method == "DELETE":
        return await proxy.ask(request)
    return Reply(201, [("Location", f"/v2/{request.name}/blobs/{request.query['mount']}")])


_BLOB = asks("upload", "PUT")
_MANIFEST = asks("manifest", "PUT")

RACING = (
    Mutant(
        "same-blob-at-once-is-a-crash",
        {"concurrency.blob.same": "answered 500, expected 201"},
        at_once(_BLOB, _digest, _crash),
        spared=["concurrency.blob.different"],
    ),
    Mutant(
        "same-blob-at-once-is-in-one-repository",
        {"concurrency.blob.same-in-two-repositories": "answered 404, expected 200"},
        at_once(_BLOB, _digest, _pretend),
        spared=["concurrency.blob.different"],
    ),
    Mutant(
        "ended-twice-is-never-ended",
        {"concurrency.upload.ended-twice": "no request that ended the upload"},
        at_once(_BLOB, _path, _refuse),
        spared=["concurrency.blob.same"],
    ),
    Mutant("chunk-at-once-spoils-the-blob", {"concurrency.upload.same-chunk": "differ"}, _spoiled),
    Mutant("cancelled-upload-is-created", {"concurrency.upload.cancelled": "answered 404, expected 200"}, _cancelled),
    Mutant(
        "same-manifest-at-once-is-a-crash",
        {"concurrency.manifest.same": "answered 500", "concurrency.tag.moved": "answered 500"},
        at_once(_MANIFEST, _path, _crash),
        spared=["concurrency.blob.same"],
    ),
    Mutant("tag-vanishes-while-it-moves", {"concurrency.tag.read": "the tag was there all the time"}, _vanishing),
    Mutant("tag-gets-stuck", {"concurrency.tag.last": "expected"}, _stuck, spared=["push.manifest.moved-tag"]),
    Mutant(
        "referrer-at-once-is-lost",
        {"concurrency.referrers.many": "which was acknowledged"},
        at_once(asks("manifest", "PUT", sends(b'"subject"')), _subject, _pretend),
        spared=["referrers.new"],
    ),
    Mutant(
        "tags-jump-while-others-come",
        {"concurrency.tags.list": "is missing", "concurrency.tags.pages": "stays"},
        _jumping,
    ),
    Mutant(
        "deleted-blob-stays-for-a-manifest",
        {"concurrency.delete.blob-and-manifest": "answered 202, and the blob is still there"},
        at_once(
            lambda request: request.method == "DELETE" or (request.method == "PUT" and request.route == "manifest"),
            _repository,
            _undone,
        ),
    ),
    Mutant(
        "mount-of-what-is-being-deleted",
        {"concurrency.delete.mount": "answered 404, expected 200"},
        at_once(lambda r: r.method == "DELETE" or (r.route == "uploads" and "mount" in r.query), _thing, _mounted),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "deleted-twice-is-a-crash",
        {
            "concurrency.delete.twice": "answered 500, expected 202 or 404",
            "concurrency.delete.no-crash": "answered 500",
        },
        at_once(lambda r: r.method == "DELETE" or (r.method == "PUT" and r.route != "manifest"), _path, _crash),
        spared=["delete.blob.unknown"],
    ),
)
