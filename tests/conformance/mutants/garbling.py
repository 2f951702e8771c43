"""What registries answer that nobody can understand: whoever asks has to survive it, and to say what it was."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import Fault, Mutant, Then, When, answers, document, header, on, status

_BEGUN = on("uploads", "POST", 202)
_BLOB = on("blob", "GET", 200)
_TAGS = on("tags", "GET", 200)
_REFERRERS = on("referrers", "GET", 200)
_UNKNOWN = on("manifest blob", "GET", 404)
_TOKEN = on("token", "GET", 200)


def _reply(**changes: Any) -> Then:
    """Change what the answer is made of."""

    def then(request: Request, reply: Reply) -> None:
        for name, value in changes.items():
            setattr(reply, name, value)

    return then


def _silent(when: When) -> Fault:
    """Nothing comes."""

    def make() -> Handler:
        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            if when(request, reply):
                await asyncio.sleep(3600)
            return reply

        return handle

    return make


def _half(request: Request, reply: Reply) -> None:
    reply.body = reply.body[: len(reply.body) // 2]


GARBLING = (
    Mutant(
        "error-breaks-off",
        {"error.form.unknown-manifest": "is not JSON", "error.form.unknown-blob": "is not JSON"},
        answers(_UNKNOWN, _half),
        spared=["pull.manifest.unknown-tag"],
    ),
    Mutant(
        "errors-are-texts",
        {"error.form.unknown-manifest": "has no code"},
        answers(_UNKNOWN, _reply(body=b'{"errors": ["no"]}')),
    ),
    Mutant(
        "error-has-half-a-character",
        {"error.form.unknown-manifest": "is not made of"},
        answers(_UNKNOWN, _reply(body=rb'{"errors": [{"code": "\ud800"}]}')),
    ),
    Mutant(
        "error-is-a-number",
        {"error.form.unknown-manifest": "is no JSON object"},
        answers(_UNKNOWN, header("Content-Type", "application/json"), _reply(body=b"404")),
    ),
    Mutant("tags-are-a-list", {"tags.list": "is no JSON object"}, answers(_TAGS, _reply(body=b'["a"]'))),
    Mutant("tags-are-numbers", {"tags.list": "a list of strings"}, answers(_TAGS, _reply(body=b'{"tags": [1, 2]}'))),
    Mutant("tags-are-deep", {"tags.list": "is not JSON"}, answers(_TAGS, _reply(body=b"[" * 200_000))),
    Mutant("tags-are-not-utf-8", {"tags.list": "is not JSON"}, answers(_TAGS, _reply(body=b'{"tags": ["\xff"]}'))),
    Mutant(
        "tags-come-page-by-page-of-something",
        {"concurrency.tags.pages": "could not be understood", "concurrency.tags.list": "could not be understood"},
        answers(_TAGS, _reply(body=b'{"tags": 1}')),
    ),
    Mutant(
        "referrers-are-texts",
        {"referrers.image": "expected a list of descriptors"},
        answers(_REFERRERS, document(lambda found: found.update(manifests=["x"]))),
    ),
    Mutant(
        "descriptors-are-empty",
        {"referrers.image": "is listed 0 times", "referrers.descriptor": "is listed 0 times"},
        answers(_REFERRERS, document(lambda found: found.update(manifests=[{}]))),
    ),
    Mutant(
        "location-is-no-address",
        {
            "push.upload.begun": "is no URL: http://[/",
            "push.blob.post-put": "is no URL",
            "clients.crane.push": "is no URL",
        },
        answers(_BEGUN, header("Location", "http://[/")),
    ),
    Mutant(
        "location-has-no-port",
        {"push.upload.begun": "is no URL: http://registry:port/"},
        answers(_BEGUN, header("Location", "http://registry:port/")),
    ),
    Mutant(
        "location-is-not-ascii",
        {"push.upload.begun": "is no URL", "concurrency.upload.two-in-turns": "is no URL"},
        answers(_BEGUN, header("Location", "/v2/\xfc/blobs/uploads/1")),
    ),
    Mutant(
        "location-is-out-of-reach",
        {"push.blob.post-put": "got no whole answer", "clients.docker.push": "got no whole answer"},
        answers(_BEGUN, header("Location", "http://127.0.0.1:1/v2/")),
        spared=["push.upload.begun"],
    ),
    Mutant(
        "redirect-leads-in-circles",
        {"pull.blob.get": "answered 307, expected 200"},
        answers(_BLOB, status(307), header("Location", lambda request, _: request.target)),
    ),
    Mutant(
        "redirect-leads-nowhere",
        {"pull.blob.get": "without the header Location"},
        answers(_BLOB, status(307)),
    ),
    Mutant(
        "answer-is-no-http",
        {"pull.blob.get": "got no whole answer", "push.blob.post-put": "got no whole answer"},
        answers(_BLOB, _reply(raw=b"HELLO\r\n\r\n", is_cut=True)),
    ),
    Mutant(
        "chunks-are-none",
        {"pull.blob.get": "got no whole answer"},
        answers(_BLOB, _reply(raw=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", is_cut=True)),
    ),
    Mutant(
        "answer-never-comes",
        {"pull.blob.unknown": "timed out"},
        _silent(on("blob", "GET", 404)),
        timeout_s=0.3,
    ),
    Mutant(
        "length-is-negative",
        {"pull.blob.get": "timed out"},
        answers(_BLOB, _reply(length=-1)),
        timeout_s=0.3,
    ),
    Mutant(
        "answer-has-no-end",
        {"pull.blob.get": "got no whole answer"},
        answers(_BLOB, _reply(length=1 << 40, is_endless=True)),
        timeout_s=0.1,
    ),
    Mutant(
        "compression-is-broken",
        {"clients.crane.push": "broken gzip", "clients.podman.pull": "broken gzip"},
        answers(
            on("manifest", "GET", 200),
            header("Content-Encoding", "gzip"),
            _reply(body=b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff\xff\xff\xff\xff"),
        ),
    ),
    Mutant(
        "link-is-no-address",
        {"tags.link": "is no URL: http://[/"},
        answers(_TAGS, header("Link", '<http://[/>; rel="next"')),
    ),
    Mutant(
        "challenge-is-empty",
        {"auth.challenge.base": "has the scheme ''"},
        answers(on("base", "GET", 401), header("WWW-Authenticate", "")),
    ),
    Mutant(
        "realm-is-no-address",
        {"auth.challenge.realm": "could not be understood", "base.supported": "is no URL"},
        answers(on("base", "GET", 401), header("WWW-Authenticate", 'Bearer realm="http://[/",service="x"')),
    ),
    Mutant(
        "token-cannot-be-sent",
        {"push.blob.post-put": "cannot be sent", "auth.token.login": "cannot be sent"},
        answers(_TOKEN, document(lambda found: found.update(token="a\r\nb", access_token="a\r\nb"))),
    ),
    Mutant(
        "token-is-a-list",
        {"base.supported": "neither token nor access_token", "auth.token.names": "no JSON object"},
        answers(_TOKEN, _reply(body=b"[]")),
    ),
    Mutant(
        "date-is-yesterday",
        {"auth.token.issued-at": "could not be understood"},
        answers(_TOKEN, header("Date", "yesterday")),
        spared=["auth.token.login"],
    ),
    Mutant(
        "ranges-are-in-words",
        {"push.chunk.range": "zero to ninety-nine", "pull.range.true": "expected: bytes <first>-<last>/"},
        answers(
            on("upload blob", "PATCH GET"),
            header("Range", "zero to ninety-nine"),
            header("Content-Range", "zero to ninety-nine"),
        ),
    ),
)
