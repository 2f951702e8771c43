"""What registries do wrong when manifests are pushed to them."""

from __future__ import annotations

import json

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import once_more
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    body,
    by_digest,
    by_tag,
    error,
    header,
    on,
    refuses,
    sends,
    status,
    with_header,
    without,
)

_PUT = on("manifest", "PUT", 201)
_REFUSED = on("manifest", "PUT", 400)
_MISSING = on("manifest", "PUT", 404)
_MIB = 1 << 20


def _stuck() -> Handler:
    """A tag stays where it was first, although pushes are acknowledged."""
    tags: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        is_push = request.route == "manifest" and request.method == "PUT"
        if is_push and by_tag(request) and request.path in tags:
            return Reply(201, [("Location", request.path)])
        reply = await proxy.ask(request)
        if is_push and reply.status == 201:
            tags.add(request.path)
        return reply

    return handle


def _removes_old() -> Handler:
    """Who moves a tag removes the manifest that it was at."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        before = None
        if asks("manifest", "PUT", by_tag)(request):
            head = request.to(request.target, "HEAD", b"", Content_Length=None, Content_Type=None)
            before = (await proxy.ask(head)).header("Docker-Content-Digest")
        reply = await proxy.ask(request)
        if before is not None and before != reply.header("Docker-Content-Digest"):
            old = f"/v2/{request.name}/manifests/{before}"
            await proxy.ask_as_owner(request.to(old, "DELETE", b"", Content_Type=None))
        return reply

    return handle


def _keeps_refused() -> Handler:
    """What was refused is there all the same."""
    refused: dict[str, Reply] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and request.method == "PUT":
            refused.pop(request.path, None)
            if reply.status in {400, 404}:
                kind = request.header("Content-Type") or ""
                refused[request.path] = Reply(200, [("Content-Type", kind)], request.body)
        if request.route == "manifest" and request.method in {"GET", "HEAD"} and request.path in refused:
            return refused[request.path].copy()
        return reply

    return handle


def _no_children() -> Handler:
    """What an index names cannot be pulled once that has been pushed."""
    hidden: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if _PUT(request, reply):
            hidden.update(one["digest"] for one in json.loads(request.body).get("manifests", []))
        return error(404, "MANIFEST_UNKNOWN") if request.method == "GET" and request.reference in hidden else reply

    return handle


STORING = (
    Mutant(
        "manifest-is-ok-instead-of-created",
        {"push.manifest.by-tag": "answered 200, expected 201", "push.manifest.by-digest": "answered 200"},
        answers(_PUT, status(200)),
    ),
    Mutant(
        "pushed-manifest-without-location",
        {"push.manifest.location": "without the header Location"},
        answers(_PUT, without("Location")),
        spared=["push.manifest.by-tag"],
    ),
    Mutant(
        "pushed-manifest-has-other-digest",
        {"push.manifest.digest-true": "Docker-Content-Digest", "clients.docker.push": "Docker-Content-Digest"},
        answers(_PUT, header("Docker-Content-Digest", "sha256:" + "0" * 64)),
    ),
    Mutant(
        "pushed-manifest-without-digest",
        {"push.manifest.digest-header": "without the header", "clients.docker.push": "without the header"},
        answers(_PUT, without("Docker-Content-Digest")),
        spared=["push.manifest.digest-true"],
    ),
    Mutant(
        "sha512-manifest-is-told-as-sha256",
        {"push.manifest.digest-true.sha512": "Docker-Content-Digest"},
        answers(
            on("manifest", "PUT", 201, lambda request: "sha512:" in request.reference),
            header("Docker-Content-Digest", "sha256:" + "0" * 64),
        ),
        spared=["push.manifest.digest-true", "push.manifest.by-sha512"],
    ),
    Mutant(
        "sha512-manifest-is-lost",
        {"push.manifest.by-sha512": "answered 404", "pull.manifest.digest-true.sha512": "answered 404"},
        answers(on("manifest", "GET", asked=lambda request: "sha512:" in request.reference), status(404)),
    ),
    Mutant(
        "manifest-of-another-digest-is-taken",
        {"push.manifest.wrong-digest": "answered 201", "security.integrity.manifest": "answered 201"},
        answers(on("manifest", "PUT", 400, by_digest), status(201)),
    ),
    Mutant(
        "tag-does-not-move",
        {
            "push.manifest.moved-tag": "expected",
            "concurrency.tag.last": "expected",
            "clients.watchtower.poll": "Digest",
        },
        _stuck,
        spared=["push.manifest.many-tags"],
    ),
    Mutant(
        "moved-tag-removes-manifest",
        {"push.manifest.moved-tag.old-stays": "answered 404"},
        _removes_old,
        spared=["push.manifest.moved-tag"],
    ),
    Mutant(
        "manifest-that-is-there-is-refused",
        {"push.manifest.again": "answered 409", "push.manifest.many-tags": "answered 409", "clients.crane.tag": "409"},
        once_more(
            asks("manifest", "PUT"), lambda *_: error(409, "DENIED"), lambda request: (request.name, request.body)
        ),
        spared=["push.manifest.by-tag"],
    ),
    Mutant(
        "four-megabytes-are-too-much",
        {"push.manifest.four-megabytes": "answered 413"},
        refuses(asks("manifest", "PUT", lambda request: len(request.body) > _MIB), 413, "SIZE_INVALID"),
        spared=["push.manifest.limit"],
    ),
    Mutant(
        "too-much-is-a-crash",
        {"push.manifest.limit": "answered 500, expected 413"},
        answers(on("manifest", "PUT", 413), status(500)),
        spared=["push.manifest.four-megabytes"],
    ),
    Mutant(
        "anything-is-a-manifest",
        {
            "push.manifest.not-json": "answered 201, expected 400",
            "push.manifest.not-an-object": "answered 201",
            "push.manifest.other-media-type": "answered 201",
            "push.subject.malformed": "answered 201",
            "security.manifest.not-json": "answered 201",
            "security.manifest.both-kinds": "answered 201",
            "security.manifest.bad-digest": "answered 201",
        },
        answers(_REFUSED, status(201)),
    ),
    Mutant(
        "doubtful-manifest-is-a-crash",
        {"security.manifest.deep": "answered 500", "security.manifest.huge-size": "answered 500"},
        answers(_REFUSED, status(500)),
    ),
    Mutant(
        "missing-part-is-an-invalid-manifest",
        {
            "push.manifest.missing-layer": "expected MANIFEST_BLOB_UNKNOWN",
            "push.manifest.missing-config": "expected MANIFEST_BLOB_UNKNOWN",
            "error.code.missing-blob": "expected MANIFEST_BLOB_UNKNOWN",
        },
        answers(_MISSING, body(lambda content: content.replace(b"MANIFEST_BLOB_UNKNOWN", b"MANIFEST_INVALID"))),
        spared=["error.form.missing-blob"],
    ),
    Mutant(
        "missing-child-is-a-crash",
        {"push.manifest.missing-child": "answered 500", "push.manifest.missing-some": "answered 500"},
        refuses(asks("manifest", "PUT", sends(b'"manifests"')), 500, "UNKNOWN"),
        spared=["push.manifest.missing-layer"],
    ),
    Mutant(
        "refused-manifest-is-there",
        {"push.manifest.refused-not-there": "answered", "security.manifest.not-json": "answered 200, expected 404"},
        _keeps_refused,
        spared=["push.manifest.not-json"],
    ),
    Mutant(
        "parameters-make-another-type",
        {"push.manifest.content-type-parameters": "answered 400"},
        refuses(asks("manifest", "PUT", with_header("Content-Type", ";")), 400, "MANIFEST_INVALID"),
    ),
    Mutant(
        "unknown-type-is-a-crash",
        {"push.manifest.unknown-type": "answered 500"},
        refuses(asks("manifest", "PUT", sends(b"vnd.example.conformance")), 500, "UNKNOWN"),
    ),
    Mutant(
        "docker-is-refused",
        {"manifest.docker": "answered 400", "clients.docker.push": "400"},
        refuses(asks("manifest", "PUT", with_header("Content-Type", "docker")), 400, "MANIFEST_INVALID"),
        spared=["manifest.image"],
    ),
    Mutant(
        "index-must-have-manifests",
        {"manifest.index.empty": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b'"manifests": []')), 400, "MANIFEST_INVALID"),
        spared=["manifest.index"],
    ),
    Mutant(
        "image-must-have-layers",
        {"manifest.image.no-layers": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b'"layers": []')), 400, "MANIFEST_INVALID"),
        spared=["manifest.image"],
    ),
    Mutant(
        "members-must-be-manifests",
        {"clients.buildkit.cache-as-index": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b"vnd.buildkit.cacheconfig")), 400, "MANIFEST_INVALID"),
        spared=["clients.buildkit.push-attested"],
    ),
    Mutant(
        "foreign-layers-are-refused",
        {"manifest.not-distributable": "answered 400", "manifest.docker.foreign": "answered 400"},
        refuses(asks("manifest", "PUT", sends(b'"urls"')), 400, "MANIFEST_INVALID"),
        spared=["manifest.not-distributable.pushed"],
    ),
    Mutant("children-are-hidden", {"manifest.pulled-children": "answered 404"}, _no_children),
    Mutant(
        "entries-lose-annotations",
        {"manifest.index.annotated-entries": "expected"},
        answers(
            on("manifest", "GET", 200),
            body(lambda content: content.replace(b'"org.opencontainers.image.ref.name"', b'"x"')),
        ),
        spared=["manifest.index"],
    ),
)
