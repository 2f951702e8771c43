"""What registries do wrong with digests of blobs."""

from __future__ import annotations

import re

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    created,
    on,
    refuses,
    status,
    with_query,
)


def _poisoned() -> Handler:
    """What does not match its digest is refused, and has been written over what was there."""
    written: dict[str, bytes] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "upload" and request.method == "PUT" and reply.status == 400:
            written[request.query.get("digest", "")] = request.body
        if request.route == "blob" and request.method == "GET" and reply.status == 200:
            reply.body = written.get(request.reference, reply.body)
        return reply

    return handle


def _trusting() -> Handler:
    """The digest that the client gives is the blob's, whatever its bytes are."""
    stored: dict[str, bytes] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        digest = request.query.get("digest", "")
        if (
            request.route in {"upload", "uploads"}
            and reply.status == 400
            and re.fullmatch("sha256:[0-9a-f]{64}", digest)
        ):
            stored[digest] = request.body
            return created(request)
        if request.route == "blob" and reply.status == 404 and request.reference in stored:
            return Reply(200, [], stored[request.reference])
        return reply

    return handle


def _claimed() -> Handler:
    """What some repository has need not be sent again, and so is not: the digest is enough."""
    there: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        digest = request.query.get("digest", "")
        if request.route in {"upload", "uploads"} and digest in there and request.method in {"PUT", "POST"}:
            return created(request)
        reply = await proxy.ask(request)
        if request.route in {"upload", "uploads"} and reply.status == 201:
            there.add(digest)
        return reply

    return handle


DIGESTING = (
    Mutant(
        "digest-is-enough",
        {"security.isolation.claimed-blob": "answered 201 to other bytes"},
        _claimed,
        spared=["security.integrity.blob"],
    ),
    Mutant(
        "any-digest-is-believed",
        {
            "push.digest.mismatch": "answered 201, expected a 4XX",
            "push.blob.single-post.mismatch": "answered 201",
            "push.chunk.mismatch": "answered 201",
            "security.integrity.blob": "answered 201",
            "security.integrity.single-post": "answered 201",
            "security.integrity.truncated": "answered 201",
        },
        _trusting,
        spared=["push.digest.malformed"],
    ),
    Mutant(
        "bad-digest-spoils-the-blob",
        {"security.integrity.poisoned": "expected 64"},
        _poisoned,
        spared=["push.digest.mismatch"],
    ),
    Mutant(
        "malformed-digest-breaks-an-upload",
        {"push.digest.malformed": "answered 500, expected a 4XX", "push.digest.malformed.status": "answered 500"},
        answers(on("upload", "PUT", 400, lambda request: "sha256%3Aabc" in request.target), status(500)),
        spared=["push.digest.mismatch"],
    ),
    Mutant(
        "mismatch-is-not-found",
        {"push.digest.mismatch.status": "answered 404, expected 400"},
        answers(on("upload", "PUT", 400), status(404)),
        spared=["push.digest.mismatch"],
    ),
    Mutant(
        "sha512-mismatch-is-accepted",
        {"push.digest.mismatch.sha512": "answered 201"},
        answers(on("upload", "PUT", 400, lambda request: "digest=sha512" in request.target), status(201)),
        spared=["push.digest.mismatch"],
    ),
    Mutant(
        "weak-digests-are-taken",
        {"security.integrity.weak-algorithm": "md5 is broken", "security.integrity.swapped-algorithm": "answered 201"},
        answers(
            on(
                "upload",
                "PUT",
                400,
                lambda request: re.search("digest=(md5|sha1|sha512%3A[0-9a-f]{64}$)", request.target) is not None,
            ),
            status(201),
        ),
        spared=["push.digest.mismatch"],
    ),
    Mutant(
        "unknown-algorithm-is-a-crash",
        {"push.digest.unsupported-algorithm": "answered 500", "push.digest-algorithm.unsupported": "answered 500"},
        answers(on("upload uploads", "PUT POST", 400, lambda request: "nosuch256" in request.target), status(500)),
    ),
    Mutant(
        "algorithm-cannot-be-announced",
        {"push.digest-algorithm.sha256": "answered 404, expected 202", "push.digest-algorithm.sha512": "answered 404"},
        refuses(asks("uploads", "POST", with_query("digest-algorithm")), 404, "UNSUPPORTED"),
        spared=["push.blob.post-put"],
    ),
)
