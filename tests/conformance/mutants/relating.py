"""What registries do wrong with what belongs together: subjects and what refers to them, parts, and repositories."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import from_elsewhere
from tests.conformance.mutants.rules import (
    Fault,
    Mutant,
    Then,
    answers,
    asks,
    both,
    by_digest,
    by_tag,
    document,
    header,
    on,
    refuses,
    sends,
    with_query,
    without,
)

_LIST = on("referrers", "GET", 200)
_INDEX = "application/vnd.oci.image.index.v1+json"


def _entries(change: Any) -> Then:
    return document(lambda found: found.update(manifests=change(found["manifests"])))


def _unlisted(request: Request) -> str:
    return str(json.loads(request.body)["subject"]["digest"])


def _forgets(what: Any) -> Fault:
    """Referrers that are pushed in this way are not listed; `what` is asked with the request and the registry."""

    def make() -> Handler:
        forgotten: set[str | None] = set()

        async def handle(request: Request, proxy: Proxy) -> Reply:
            is_referrer = asks("manifest", "PUT", sends(b'"subject"'))(request)
            is_forgotten = is_referrer and await what(request, proxy)
            reply = await proxy.ask(request)
            if is_forgotten:
                forgotten.add(reply.header("Docker-Content-Digest"))
            if _LIST(request, reply):
                _entries(lambda entries: [one for one in entries if one["digest"] not in forgotten])(request, reply)
            return reply

        return handle

    return make


async def _by_tag(request: Request, proxy: Proxy) -> bool:
    return not request.is_by_digest


def _is_artifact(request: Request) -> bool:
    return b'config.v1+json"' not in request.body or b"helm" in request.body


async def _is_index(request: Request, proxy: Proxy) -> bool:
    return b'"manifests"' in request.body


async def _without_subject(request: Request, proxy: Proxy) -> bool:
    """Whether the subject is not there yet."""
    path = f"/v2/{request.name}/manifests/{_unlisted(request)}"
    found = await proxy.ask_as_owner(request.to(path, "HEAD", b"", Content_Length=None))
    return found.status == 404


async def _of_index(request: Request, proxy: Proxy) -> bool:
    return _INDEX.encode() in json.dumps(json.loads(request.body)["subject"]).encode()


def _paged() -> Handler:
    """Referrers come one by one, and the link to the next has forgotten what was asked for."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "referrers":
            return await proxy.ask(request)
        number = int(request.query.get("page", "0"))
        reply = await proxy.ask(request.to(re.sub(r"[?&]page=\d+", "", request.target)))
        if reply.status == 200:
            found = json.loads(reply.body)["manifests"]
            _entries(lambda entries: entries[number : number + 1])(request, reply)
            # A list that is filtered has one entry, and yet it goes on.
            if len(found) > number + 1 or (number == 0 and "artifactType" in request.query):
                reply.set("Link", f'<{request.path}?page={number + 1}>; rel="next"')
        return reply

    return handle


def _global_tags() -> Handler:
    """A tag is the same in all repositories."""
    where: dict[str, str] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if asks("manifest", "PUT", by_tag)(request) and reply.status == 201:
            where[request.reference] = request.name
        if reply.status == 404 and request.route == "manifest" and request.reference in where:
            return await proxy.ask_as_owner(request.to(f"/v2/{where[request.reference]}/manifests/{request.reference}"))
        return reply

    return handle


def _listed_for_ever() -> Handler:
    """Tags of manifests that were deleted are listed, although they lead nowhere."""
    pushed: dict[str, set[str]] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if asks("manifest", "PUT", by_tag)(request) and reply.status == 201:
            pushed.setdefault(request.name, set()).add(request.reference)
        if request.route == "tags" and request.name in pushed:
            names = {"name": request.name, "tags": sorted(pushed[request.name])}
            return Reply(200, [("Content-Type", "application/json")], json.dumps(names).encode())
        return reply

    return handle


async def _tells_present(request: Request, proxy: Proxy) -> Reply:
    """Only subjects that are there are told."""
    is_missing = asks("manifest", "PUT", sends(b'"subject"'))(request) and await _without_subject(request, proxy)
    reply = await proxy.ask(request)
    if is_missing:
        without("OCI-Subject")(request, reply)
    return reply


def _manifests_as_blobs() -> Handler:
    """What was pushed as a manifest to any repository is found among the blobs of each."""
    known: dict[str, bytes] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and reply.status == 201:
            known[reply.header("Docker-Content-Digest") or ""] = request.body
        if request.route == "blob" and reply.status == 404 and request.reference in known:
            return Reply(200, [], known[request.reference])
        return reply

    return handle


RELATING = (
    Mutant(
        "referrers-by-tag-are-forgotten",
        {"referrers.by-tag": "the list is []"},
        _forgets(_by_tag),
        spared=["referrers.image"],
    ),
    Mutant(
        "indexes-refer-to-nothing",
        {"referrers.index.listed": "is listed 0 times", "referrers.artifact-type.index": "is listed 0 times"},
        _forgets(_is_index),
        spared=["referrers.image"],
    ),
    Mutant(
        "indexes-have-no-referrers",
        {"referrers.index.subject": "is listed 0 times"},
        _forgets(_of_index),
        spared=["referrers.image"],
    ),
    Mutant(
        "referrers-need-their-subject",
        {"referrers.subject-missing": "is listed 0 times", "referrers.subject-later": "the list is []"},
        _forgets(_without_subject),
        spared=["referrers.subject-first"],
    ),
    Mutant(
        "next-page-has-no-filter",
        {"referrers.filter": "expected", "referrers.filter.config": "expected"},
        _paged,
        spared=["referrers.new", "referrers.all"],
    ),
    Mutant(
        "missing-subject-is-not-told",
        {"push.subject.header.missing": "without the header OCI-Subject"},
        lambda: _tells_present,
        spared=["push.subject.header"],
    ),
    Mutant(
        "mounted-blob-has-other-digest",
        {"push.mount.digest-true": "but the content is"},
        answers(on("uploads", "POST", 201, with_query("mount")), header("Docker-Content-Digest", "sha256:" + "0" * 64)),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "mount-from-itself-is-refused",
        {"push.mount.same-repository": "answered 400"},
        refuses(asks("uploads", "POST", lambda r: r.query.get("from") == r.name), 400, "UNSUPPORTED"),
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "tags-are-everywhere",
        {
            "security.isolation.tag": "the tag is in another",
            "pull.manifest.other-repository": "answered 200",
        },
        _global_tags,
        spared=["security.isolation.manifest"],
    ),
    Mutant(
        "blobs-route-gives-manifests-of-others",
        {"security.isolation.manifest-as-blob": "it is in another repository only"},
        _manifests_as_blobs,
        spared=["security.isolation.manifest"],
    ),
    Mutant(
        "naming-a-manifest-opens-it",
        {"security.isolation.named-manifest": "answered 200, expected 404"},
        from_elsewhere(asks("manifest", "GET", by_digest)),
    ),
    Mutant(
        "tags-are-listed-for-ever",
        {"delete.manifest.tags-not-listed": "expected ['stays']", "delete.all.tags": "expected none"},
        _listed_for_ever,
        spared=["tags.list"],
    ),
    Mutant(
        "indexes-have-no-indexes",
        {"manifest.index.nested": "answered 400"},
        refuses(asks("manifest", "PUT", lambda r: r.body.count(_INDEX.encode()) > 1), 400, "MANIFEST_INVALID"),
        spared=["manifest.index"],
    ),
    Mutant(
        "media-type-must-be-told",
        {"manifest.image.without-media-type": "answered 400", "manifest.index.without-media-type": "answered 400"},
        refuses(asks("manifest", "PUT", lambda r: "mediaType" not in json.loads(r.body)), 400, "MANIFEST_INVALID"),
        spared=["manifest.image"],
    ),
    Mutant(
        "config-must-be-of-an-image",
        {
            "manifest.image.helm": "answered 400",
            "manifest.image.empty-config": "answered 400",
            "clients.helm.push": "400",
        },
        refuses(
            asks(
                "manifest",
                "PUT",
                both(sends(b'"config"'), _is_artifact),
            ),
            400,
            "MANIFEST_INVALID",
        ),
        spared=["manifest.image"],
    ),
    Mutant(
        "compressed-by-zstd-is-refused",
        {"manifest.image.zstd": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b"tar+zstd")), 400, "MANIFEST_INVALID"),
        spared=["manifest.image.gzip"],
    ),
    Mutant(
        "sha512-has-no-place-in-manifests",
        {"manifest.image.sha512": "answered 400", "push.subject.missing.sha512": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b'"sha512:')), 400, "MANIFEST_INVALID"),
        spared=["manifest.image"],
    ),
    Mutant(
        "platforms-are-few",
        {"manifest.index.platforms": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b'"windows"')), 400, "MANIFEST_INVALID"),
        spared=["manifest.index"],
    ),
)
