"""What registries do wrong when manifests are pulled from them."""

from __future__ import annotations

import gzip
import json
import re

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import first_answer, from_elsewhere, remembered_misses
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    becomes,
    body,
    by_digest,
    by_tag,
    header,
    on,
    status,
    without,
)

_NOBODY = "sha256:" + "0" * 64


def _rewritten(content: bytes) -> bytes:
    """As those do who keep what they have understood; most manifests look as if nothing had happened."""
    return json.dumps(json.loads(content), indent=2).encode()


def _sorted(content: bytes) -> bytes:
    return json.dumps(json.loads(content), sort_keys=True).encode()


def _without_unknown(content: bytes) -> bytes:
    document = json.loads(content)
    return json.dumps({key: value for key, value in document.items() if "." not in key}, indent=2).encode()


def _any_case() -> Handler:
    """Tags that differ in their case alone are the same."""
    tags: dict[tuple[str, str], str] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if request.route != "manifest" or request.is_by_digest:
            return await proxy.ask(request)
        key = request.name, request.reference.lower()
        if request.method == "PUT":
            tags[key] = request.reference
        there = f"/v2/{request.name}/manifests/{tags.get(key, request.reference)}"
        return await proxy.ask(request if request.method == "PUT" else request.to(there))

    return handle


def _stale_head() -> Handler:
    """HEAD of a tag says what GET said the first time."""
    digests: dict[str, str | None] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "manifest" and by_tag(request) and reply.status == 200:
            first = digests.setdefault(request.path, reply.header("Docker-Content-Digest"))
            if request.method == "HEAD":
                reply.set("Docker-Content-Digest", first)
        return reply

    return handle


def _compressed(request: Request, reply: Reply) -> None:
    if "gzip" in (request.header("Accept-Encoding") or ""):
        reply.body = gzip.compress(reply.body)
        reply.set("Content-Encoding", "gzip")


def _head_with_body(head: object, content: bytes) -> bytes:
    return content + b'{"a": "body"}' if str(head).find("HEAD /v2/") > 0 else content


def _reads_one(request: Request) -> bool:
    accepted = [value for name, value in request.headers if name.lower() == "accept"]
    return len(accepted) > 1 and "oci" not in accepted[0]


_UNKNOWN = on("manifest", status=404)
_GET = on("manifest", "GET", 200)
_HEAD = on("manifest", "HEAD", 200)

PULLING = (
    Mutant(
        "base-not-found", {"base.supported": "answered 404, expected 200"}, answers(on("base", status=200), status(404))
    ),
    Mutant(
        "base-without-challenge",
        {"base.challenge": "without the header WWW-Authenticate", "auth.challenge.base": "WWW-Authenticate"},
        answers(on("base", status=401), without("WWW-Authenticate")),
    ),
    Mutant(
        "manifest-with-other-status",
        {"pull.manifest.by-tag": "answered 203, expected 200"},
        answers(on("manifest", "GET", 200, by_tag), status(203)),
        spared=["pull.manifest.by-digest"],
    ),
    Mutant(
        "manifest-written-anew",
        {"manifest.image.whitespace": "expected", "manifest.image.escapes": "expected"},
        answers(_GET, body(_rewritten)),
        spared=["pull.manifest.by-digest", "manifest.image"],
    ),
    Mutant(
        "manifest-with-sorted-fields",
        {"pull.manifest.by-digest": "expected", "manifest.index": "expected", "manifest.image.field-order": "expected"},
        answers(_GET, body(_sorted)),
    ),
    Mutant(
        "manifest-without-unknown-fields",
        {"manifest.image.custom-fields": "expected"},
        answers(_GET, body(_without_unknown)),
        spared=["manifest.image"],
    ),
    Mutant(
        "manifest-without-data",
        {"manifest.image.data": "expected"},
        answers(_GET, body(lambda content: re.sub(rb', "data": "[^"]*"', b"", content))),
        spared=["manifest.image"],
    ),
    Mutant(
        "manifest-without-digest",
        {"pull.manifest.digest-header": "without the header Docker-Content-Digest"},
        answers(_GET, without("Docker-Content-Digest")),
        spared=["pull.manifest.digest-true"],
    ),
    Mutant(
        "manifest-with-other-digest",
        {"pull.manifest.digest-true": "but the content is"},
        answers(_GET, header("Docker-Content-Digest", _NOBODY)),
        spared=["pull.manifest.digest-header"],
    ),
    Mutant(
        "head-with-other-digest",
        {"pull.manifest.head.digest-true": "but the content is", "clients.crane.digest": "Docker-Content-Digest"},
        answers(_HEAD, header("Docker-Content-Digest", _NOBODY)),
        spared=["pull.manifest.digest-true"],
    ),
    Mutant(
        "head-without-digest",
        {"pull.manifest.head.digest-header": "without the header"},
        answers(_HEAD, without("Docker-Content-Digest")),
    ),
    Mutant(
        "head-of-a-moved-tag-is-stale",
        {"push.manifest.moved-tag": "Docker-Content-Digest", "clients.watchtower.poll": "Docker-Content-Digest"},
        _stale_head,
    ),
    Mutant(
        "missing-manifest-stays-missing",
        {"clients.diun.watch": "answered 404, expected 200", "clients.kaniko.cache": "answered 404, expected 200"},
        remembered_misses(asks("manifest")),
        spared=["push.manifest.by-tag"],
    ),
    Mutant(
        "missing-blob-stays-missing",
        {"push.blob.not-before-end": "answered 404, expected 200", "clients.docker.push": "answered 404"},
        remembered_misses(asks("blob")),
    ),
    Mutant(
        "tag-is-stale",
        {"push.manifest.moved-tag": "expected"},
        first_answer(asks("manifest", asked=by_tag)),
        spared=["push.manifest.by-tag"],
    ),
    Mutant(
        "manifest-as-octets",
        {
            "pull.manifest.content-type": "octet-stream",
            "manifest.image": "octet-stream",
            "manifest.docker": "octet-stream",
        },
        answers(_GET, header("Content-Type", "application/octet-stream")),
        spared=["pull.manifest.content-type.present"],
    ),
    Mutant(
        "manifest-without-type",
        {"pull.manifest.content-type.present": "without the header Content-Type"},
        answers(_GET, without("Content-Type")),
    ),
    Mutant(
        "manifest-type-with-parameters",
        {"pull.manifest.content-type.bare": "expected no parameters"},
        answers(_GET, header("Content-Type", lambda _, reply: f"{reply.header('Content-Type')}; charset=utf-8")),
        spared=["pull.manifest.content-type"],
    ),
    Mutant(
        "head-without-length",
        {"pull.manifest.head.length": "Content-Length", "clients.oras.pull": "Content-Length"},
        answers(_HEAD, without("Content-Length")),
    ),
    Mutant(
        "head-as-json",
        {"pull.manifest.head.content-type": "application/json", "clients.containerd.pull": "Content-Type"},
        answers(_HEAD, header("Content-Type", "application/json")),
        spared=["pull.manifest.content-type"],
    ),
    Mutant(
        "head-with-body",
        {
            "pull.manifest.head.no-body": "answered with a body",
            "pull.blob.head.no-body": "answered with a body",
            "error.head.no-body": "answered with a body",
        },
        raw=_head_with_body,
    ),
    Mutant(
        "head-by-digest-not-found",
        {"pull.manifest.head.by-digest": "answered 404"},
        answers(on("manifest", "HEAD", 200, by_digest), status(404)),
        spared=["pull.manifest.head.by-tag"],
    ),
    Mutant(
        "unknown-manifest-is-a-crash",
        {"pull.manifest.unknown-tag": "answered 500", "pull.manifest.head.unknown": "answered 500"},
        answers(_UNKNOWN, status(500)),
    ),
    Mutant(
        "unknown-repository-is-forbidden",
        {"pull.manifest.unknown-repository": "answered 403", "pull.blob.unknown-repository": "answered 403"},
        answers(on("manifest blob", status=404), status(403)),
    ),
    Mutant(
        "malformed-digest-is-a-crash",
        {"pull.manifest.malformed-digest": "answered 500", "pull.blob.malformed-digest": "answered 500"},
        answers(on("manifest blob", "GET", 400), status(500)),
    ),
    Mutant(
        "unknown-tag-is-latest",
        {"pull.manifest.unknown-tag": "answered 200, expected 404"},
        answers(on("manifest", "GET", 404, by_tag), becomes(200, b"{}")),
        spared=["pull.manifest.unknown-digest"],
    ),
    Mutant(
        "accept-is-demanded",
        {"pull.manifest.without-accept": "answered 404", "pull.manifest.any-accept": "answered 404"},
        answers(on("manifest", "GET", 200, lambda request: "vnd" not in (request.header("Accept") or "")), status(404)),
        spared=["pull.manifest.by-tag"],
    ),
    Mutant(
        "only-one-accept-header-is-read",
        {"clients.docker.pull-list": "answered 404"},
        answers(
            on("manifest", status=200, asked=_reads_one),
            status(404),
        ),
        spared=["pull.manifest.by-tag"],
    ),
    Mutant(
        "manifest-is-compressed",
        {"pull.manifest.not-compressed": "expected"},
        answers(_GET, _compressed),
        spared=["pull.manifest.by-tag"],
    ),
    Mutant(
        "manifest-of-another-repository",
        {
            "pull.manifest.other-repository": "answered 200, expected 404",
            "security.isolation.manifest": "answered 200, expected 404",
        },
        from_elsewhere(asks("manifest", asked=by_digest)),
    ),
    Mutant("tags-fold-case", {"push.tag.case": "expected"}, _any_case, spared=["push.tag.forms"]),
)
