"""What registries do wrong when they refuse something, or warn of it."""

from __future__ import annotations

import json
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import (
    Mutant,
    Then,
    answers,
    asks,
    document,
    error,
    header,
    instead,
    on,
    status,
    without,
)

_MISSING = on("manifest blob tags", "GET", 404)
_BROKEN = on("upload uploads manifest", "PUT PATCH POST", 400)


def _each(change: Any) -> Then:
    return document(lambda found: [change(one) for one in found["errors"]])


def _as_page(request: Request, reply: Reply) -> None:
    reply.body = b"<html><h1>404 page not found</h1></html>"
    reply.set("Content-Type", "text/html")


def _busy() -> Handler:
    """Every fifth HEAD of a blob is one too many."""
    count = 0

    async def handle(request: Request, proxy: Proxy) -> Reply:
        nonlocal count
        count += request.route == "blob" and request.method == "HEAD"
        return error(429, "TOOMANYREQUESTS") if count % 5 == 4 else await proxy.ask(request)

    return handle


def _reflected(request: Request, reply: Reply) -> None:
    reply.body = f"<html><h1>no {request.target}</h1></html>".replace("%3C", "<").replace("%3E", ">").encode()
    reply.set("Content-Type", "text/html")


def _repeated(request: Request, reply: Reply) -> None:
    """An error that helps whoever looks for their mistake, and whoever reads over their shoulder."""
    sent = (request.header("Authorization") or "").rpartition(" ")[2]
    message = {"code": "UNAUTHORIZED", "message": f"the credentials {sent} are wrong"}
    reply.body = json.dumps({"errors": [message]}).encode()


def _injected(request: Request, reply: Reply) -> None:
    if "%0d%0a" in request.target:
        reply.set("X-Injected", "yes")


REFUSING = (
    Mutant(
        "error-of-its-own-form",
        {"error.form.unknown-manifest": "expected a list", "error.form.unknown-blob": "expected a list"},
        answers(_MISSING, lambda _, reply: setattr(reply, "body", b'{"message": "not found"}')),
    ),
    Mutant(
        "error-in-lower-case",
        {"error.form.unknown-manifest": "is not made of uppercase letters", "error.form.mismatch": "is not made of"},
        answers(
            lambda request, reply: _MISSING(request, reply) or _BROKEN(request, reply),
            _each(lambda one: one.update(code=one["code"].lower())),
        ),
    ),
    Mutant(
        "error-of-its-own-code",
        {"error.form.unknown-blob": "is not one of the specification's"},
        answers(_MISSING, _each(lambda one: one.update(code="NOT_FOUND"))),
        spared=["error.json"],
    ),
    Mutant(
        "error-without-code",
        {"error.form.unknown-repository": "has no code"},
        answers(_MISSING, _each(lambda one: one.pop("code"))),
    ),
    Mutant(
        "every-error-is-an-unknown-manifest",
        {
            "error.code.unknown-blob": "expected BLOB_UNKNOWN",
            "error.code.mismatch": "expected DIGEST_INVALID",
            "error.code.unknown-upload": "expected BLOB_UPLOAD_UNKNOWN",
        },
        answers(on("blob upload uploads tags", "GET PUT PATCH POST"), lambda _, reply: _unknown(reply)),
        spared=["error.form.unknown-blob", "error.code.unknown-manifest"],
    ),
    Mutant(
        "error-is-a-page",
        {"error.json": "without errors in JSON"},
        answers(_MISSING, _as_page),
        spared=["error.form.unknown-manifest", "pull.manifest.unknown-tag"],
    ),
    Mutant(
        "error-with-a-list-of-messages",
        {"error.message": "expected a text"},
        answers(_MISSING, _each(lambda one: one.update(message=["no"]))),
        spared=["error.form.unknown-manifest"],
    ),
    Mutant("too-many-requests-without-end", {"error.retry-after": "without the header Retry-After"}, _busy),
    Mutant(
        "method-not-allowed-without-allow",
        {"error.method": "without the header Allow"},
        answers(on("manifest tags", "POST", 405), without("Allow")),
    ),
    Mutant(
        "warning-of-another-code",
        {"warnings.form": '299 - "<text>"'},
        answers(on("manifest base"), header("Warning", '199 berth "old" "Sun, 01 Jan 2023 00:00:00 GMT"')),
        spared=["warnings.size"],
    ),
    Mutant(
        "warning-without-end",
        {"warnings.size": "bytes of warnings"},
        answers(on("manifest"), header("Warning", f'299 - "{"x" * 5000}"')),
        spared=["warnings.form"],
    ),
    Mutant(
        "error-shows-what-was-asked-for",
        {"security.answers.errors-not-a-page": "comes back in a page"},
        answers(on("manifest other", "GET", 0, lambda request: "%3Cscript" in request.target), _reflected),
    ),
    Mutant(
        "error-shows-its-insides",
        {"security.answers.no-innards": "shows 'Traceback (most recent'"},
        answers(
            on("manifest blob", "GET", 404),
            lambda _, reply: setattr(reply, "body", b"Traceback (most recent call last)"),
        ),
    ),
    Mutant(
        "error-repeats-credentials",
        {"security.answers.no-secrets": "repeats the credentials"},
        answers(on("manifest", "GET", 401), _repeated),
    ),
    Mutant(
        "line-break-becomes-a-header",
        {"security.answers.no-header-injection": "put a header into the answer"},
        answers(on("tags uploads manifest", "GET POST"), _injected),
    ),
    Mutant(
        "huge-page-is-a-crash",
        {"security.lists.huge-pages": "answered 500"},
        instead(asks("tags catalog", "GET", lambda request: len(request.query.get("n", "")) > 9), lambda _: Reply(500)),
        spared=["tags.n.more-than-all"],
    ),
    Mutant(
        "blob-is-served-as-a-page",
        {"security.answers.blob-not-a-page": "is served as text/html"},
        answers(on("blob", "GET", 200), header("Content-Type", "text/html")),
    ),
    Mutant(
        "browsers-may-guess",
        {"security.answers.nosniff": "without the header X-Content-Type-Options"},
        answers(on("blob manifest", "GET", 200), without("X-Content-Type-Options")),
    ),
    Mutant(
        "everybody-may-use-the-login",
        {"security.answers.cors": "with credentials"},
        answers(
            on("base", "GET OPTIONS"),
            header("Access-Control-Allow-Origin", lambda request, _: request.header("Origin")),
            header("Access-Control-Allow-Credentials", "true"),
        ),
    ),
    Mutant(
        "odd-path-is-a-crash",
        {"security.path.no-crash": "answered 500"},
        answers(on("manifest blob referrers tags", "GET", 400), status(500)),
    ),
    Mutant(
        "path-leads-to-files",
        {"security.path.files": "gave a file of the machine"},
        instead(
            lambda request: request.target.endswith("etc/passwd") and "%5c" in request.target,
            lambda _: Reply(200, [], b"root:x:0:0:root:/root:/bin/bash\n"),
        ),
    ),
)


def _unknown(reply: Reply) -> None:
    if reply.status >= 400:
        reply.body = error(400, "MANIFEST_UNKNOWN").body
