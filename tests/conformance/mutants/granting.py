"""What token services do wrong, and registries with their tokens."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Proxy
from tests.conformance.mutants.rules import (
    Mutant,
    answers,
    asks,
    document,
    error,
    header,
    instead,
    lets_in,
    on,
    refuses,
    status,
    takes_for,
    with_header,
)

_TOKEN = on("token", "GET", 200)


def _is_basic(request: Request) -> bool:
    return (request.header("Authorization") or "").startswith("Basic ")


def _scopes(request: Request) -> list[str]:
    return re.findall(r"scope=([^&]*)", request.target)


def _with_scopes(request: Request, scopes: list[str]) -> Request:
    kept = re.sub(r"&?scope=[^&]*", "", request.target)
    return request.to(kept + "".join(f"&scope={one}" for one in scopes))


def _has_scopes(count: int) -> Any:
    return lambda request: len(_scopes(request)) >= count


async def _basic_refused(request: Request, proxy: Proxy) -> Reply:
    """The challenge asks for a password, which nobody takes."""
    if request.route == "token" or not _is_basic(request):
        reply = await proxy.ask(request)
    else:
        reply = await proxy.ask(request.to(request.target, Authorization=None))
    if reply.status == 401:
        _as_basic(request, reply)
    return reply


def _as_basic(request: Request, reply: Reply) -> None:
    reply.set("WWW-Authenticate", 'Basic realm="registry"')


def _lowercased(request: Request) -> bool:
    return (request.header("Authorization") or "").startswith(("bearer", "BEARER"))


async def _reads_beginning(request: Request, proxy: Proxy) -> Reply:
    """Of a password only the beginning is compared."""
    reply = await proxy.ask(request)
    if request.route == "token" and reply.status == 401 and _is_basic(request):
        sent, own = (_decoded(value) for value in (request.header("Authorization") or "", proxy.owner))
        if sent.startswith(own):
            return await proxy.ask_as_owner(request)
    return reply


def _decoded(value: str) -> str:
    return base64.b64decode(value.partition(" ")[2]).decode()


GRANTING = (
    Mutant(
        "token-has-another-name",
        {"auth.token.names": "the answer has no token"},
        answers(_TOKEN, document(lambda found: (found.update(jwt=found.pop("token")), found.pop("access_token")))),
    ),
    Mutant(
        "token-has-one-name",
        {"auth.token.both-names": "the answer has no access_token"},
        answers(_TOKEN, document(lambda found: found.pop("access_token"))),
        spared=["auth.token.names"],
    ),
    Mutant(
        "tokens-are-two",
        {"auth.token.names": "token and access_token are different"},
        answers(_TOKEN, document(lambda found: found.update(access_token="other"))),
        spared=["auth.token.both-names"],
    ),
    Mutant(
        "token-expires-at-once",
        {"auth.token.expires-in": "expected 60 or more"},
        answers(_TOKEN, document(lambda found: found.update(expires_in=5))),
    ),
    Mutant(
        "token-expires-in-text",
        {"auth.token.expires-in": "expires_in is '300'"},
        answers(_TOKEN, document(lambda found: found.update(expires_in="300"))),
    ),
    Mutant(
        "token-is-from-yesterday",
        {"auth.token.issued-at": "and the server's time"},
        answers(_TOKEN, document(lambda found: found.update(issued_at="2020-01-01T00:00:00Z"))),
    ),
    Mutant(
        "token-is-issued-anywhere",
        {"auth.token.issued-at": "has no time zone"},
        answers(_TOKEN, document(lambda found: found.update(issued_at=found["issued_at"].rstrip("Z")))),
    ),
    Mutant(
        "token-may-be-kept",
        {"auth.token.not-cached": "expected no-store"},
        answers(_TOKEN, header("Cache-Control", "max-age=300")),
    ),
    Mutant(
        "any-password-gets-a-token",
        {"auth.token.wrong-password": "answered 200, expected 401", "auth.token.unknown-user": "answered 200"},
        lets_in(on("token", "GET", 401, _is_basic)),
    ),
    Mutant(
        "password-may-go-on",
        {"auth.token.wrong-password": "answered 200, expected 401"},
        lambda: _reads_beginning,
        spared=["auth.token.unknown-user"],
    ),
    Mutant(
        "nobody-is-refused-oddly",
        {"auth.token.anonymous": "answered 400"},
        instead(
            asks("token", "GET", lambda request: request.header("Authorization") is None),
            lambda _: error(400, "UNSUPPORTED"),
        ),
    ),
    Mutant(
        "asking-for-too-much-is-an-error",
        {"auth.token.less": "answered 403, expected 200"},
        refuses(asks("token", "GET", lambda request: "delete" in request.target), 403, "DENIED"),
        spared=["auth.token.names"],
    ),
    Mutant(
        "everybody-gets-what-they-ask-for",
        {"auth.token.less": "answered 202", "security.others.read-tag": "expected 401, 403 or 404"},
        lets_in(lambda request, _: request.route == "token" and _is_basic(request)),
        spared=["auth.token.names"],
    ),
    Mutant(
        "unknown-scope-is-an-error",
        {"auth.token.unknown-actions": "answered 400, expected 200"},
        refuses(asks("token", "GET", lambda request: "spaceship" in request.target), 400, "UNSUPPORTED"),
    ),
    Mutant(
        "only-the-first-scope-counts",
        {"auth.token.several-scopes": "answered 401", "auth.token.overlapping-scopes": "answered 401"},
        takes_for(asks("token", "GET", _has_scopes(2)), lambda request: _with_scopes(request, _scopes(request)[:1])),
        spared=["auth.token.whole-push", "auth.token.scopes-in-one"],
    ),
    Mutant(
        "scope-has-no-spaces",
        {"auth.token.scopes-in-one": "answered 401"},
        takes_for(
            asks("token", "GET", lambda request: any("+" in one for one in _scopes(request))),
            lambda request: _with_scopes(request, [quote("repository:none:pull")]),
        ),
        spared=["auth.token.several-scopes"],
    ),
    Mutant(
        "token-is-for-one-request",
        {"auth.token.whole-push": "answered 401"},
        refuses(asks("upload", "PATCH PUT", with_header("Authorization", "Bearer")), 401, "UNAUTHORIZED"),
    ),
    Mutant(
        "cancelling-needs-another-token",
        {"auth.token.cancel": "answered 401, expected 204"},
        refuses(asks("upload", "DELETE"), 401, "UNAUTHORIZED"),
        spared=["auth.token.whole-push"],
    ),
    Mutant(
        "scheme-has-one-case",
        {"auth.scheme.case": "bearer for Bearer"},
        refuses(asks("base", "GET", _lowercased), 401, "UNAUTHORIZED"),
        spared=["auth.token.login"],
    ),
    Mutant(
        "own-token-is-refused",
        {"auth.token.login": "answered 401, expected 200"},
        refuses(asks("base", "GET", with_header("Authorization", "Bearer")), 401, "UNAUTHORIZED"),
    ),
    Mutant("asked-for-password-is-refused", {"auth.basic.login": "answered 401"}, lambda: _basic_refused),
    Mutant(
        "form-is-a-crash",
        {"auth.oauth.declined": "answered 500"},
        answers(on("token", "POST"), status(500)),
        spared=["auth.token.login"],
    ),
)
