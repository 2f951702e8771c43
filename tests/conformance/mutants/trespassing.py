"""What registries let those do who may not do it."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.rules import Asked, Mutant, When, answers, asks, error, lets_in, on, status

_NO = {401, 403, 404}


def _bearer(request: Request) -> str:
    scheme, _, token = (request.header("Authorization") or "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _part(request: Request, number: int) -> dict[str, Any]:
    """A part of the token: 0 is its header, 1 its claims."""
    try:
        text = _bearer(request).split(".")[number]
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, IndexError):
        return {}
    return found if isinstance(found, dict) else {}


def _stranger(routes: str, methods: str = "GET HEAD") -> When:
    """Refusals of those who have logged in."""
    where = asks(routes, methods)
    return lambda request, reply: reply.status in _NO and where(request) and bool(_bearer(request))


def _nobody(routes: str, methods: str = "GET HEAD") -> When:
    """Refusals of those who have not logged in, or got a token for nothing."""
    where = asks(routes, methods)
    return lambda request, reply: reply.status in _NO and where(request)


def _with_token(what: Asked, routes: str = "uploads base", methods: str = "POST GET") -> When:
    where = asks(routes, methods)
    return lambda request, reply: reply.status == 401 and where(request) and bool(_bearer(request)) and what(request)


def _access(request: Request) -> list[dict[str, Any]]:
    found = _part(request, 1).get("access")
    return found if isinstance(found, list) else []


def _for_neighbour(request: Request) -> bool:
    """Whether the token is for a repository with a name that begins as this one does."""
    return any(one["name"] != request.name and one["name"].startswith(request.name) for one in _access(request))


def _for_pulling(request: Request) -> bool:
    return any(one["name"] == request.name and one["actions"] == ["pull"] for one in _access(request))


def _is_unsigned(request: Request) -> bool:
    return str(_part(request, 0).get("alg", "")).lower() in {"none", ""}


def _has_usual_form(request: Request) -> bool:
    header = _part(request, 0)
    return header.get("alg") not in {"none", "None", "NONE", "", "HS256"} and "jwk" not in header


def _uploads_anywhere() -> Handler:
    """An upload can be ended wherever somebody likes."""
    begun: dict[str, str] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        name = begun.get(request.reference, request.name)
        if request.route == "upload" and name != request.name:
            at_home = request.to(request.target.replace(f"/v2/{request.name}/", f"/v2/{name}/"))
            return await proxy.ask_as_owner(at_home)
        reply = await proxy.ask(request)
        if request.route == "uploads" and reply.status == 202:
            location = (reply.header("Location") or "").partition("?")[0]
            begun[location.rpartition("/")[2]] = request.name
        return reply

    return handle


def _whole_catalog() -> Handler:
    async def handle(request: Request, proxy: Proxy) -> Reply:
        return await (proxy.ask_as_owner if request.route == "catalog" else proxy.ask)(request)

    return handle


async def _mounts_all(request: Request, proxy: Proxy) -> Reply:
    """Whoever knows a digest can mount it, wherever from and wherever to."""
    reply = await proxy.ask(request)
    if request.route == "uploads" and "mount" in request.query and _bearer(request) and reply.status in _NO:
        return Reply(201, [("Location", f"/v2/{request.name}/blobs/{request.query['mount']}")])
    return reply


async def _tells_hidden(request: Request, proxy: Proxy) -> Reply:
    """Strangers are told of what is there that it is not for them."""
    reply = await proxy.ask(request)
    if _stranger("manifest")(request, reply):
        there = await proxy.ask_as_owner(request.to(f"/v2/{request.name}/tags/list", "GET"))
        return error(403, "DENIED") if there.status == 200 else error(404, "NAME_UNKNOWN")
    return reply


_LETS_OTHERS = "expected 401, 403 or 404"

TRESPASSING = (
    Mutant(
        "others-may-read-tags",
        {"security.others.read-tag": _LETS_OTHERS, "security.others.list-tags": _LETS_OTHERS},
        lets_in(_stranger("manifest tags")),
        spared=["security.others.read-blob"],
    ),
    Mutant(
        "others-may-read-blobs",
        {"security.others.read-blob": _LETS_OTHERS, "security.others.head-blob": _LETS_OTHERS},
        lets_in(_stranger("blob")),
        spared=["security.others.read-tag"],
    ),
    Mutant(
        "others-may-list-referrers",
        {"security.others.list-referrers": _LETS_OTHERS},
        lets_in(_stranger("referrers")),
    ),
    Mutant(
        "uploads-of-others-are-open",
        {
            "security.others.read-upload": _LETS_OTHERS,
            "security.others.add-chunk": _LETS_OTHERS,
            "security.others.end-upload": _LETS_OTHERS,
            "security.others.cancel-upload": _LETS_OTHERS,
        },
        lets_in(_stranger("upload", "GET PATCH PUT DELETE")),
        spared=["security.others.begin-upload"],
    ),
    Mutant(
        "others-may-push",
        {
            "security.others.begin-upload": _LETS_OTHERS,
            "security.others.push-blob": _LETS_OTHERS,
            "security.others.move-tag": _LETS_OTHERS,
            "security.others.push-manifest": _LETS_OTHERS,
            "auth.token.less": "answered 202, expected 401",
        },
        lets_in(_stranger("uploads manifest", "POST PUT")),
        spared=["security.others.delete-tag"],
    ),
    Mutant(
        "others-may-delete",
        {
            "security.others.delete-tag": _LETS_OTHERS,
            "security.others.delete-manifest": _LETS_OTHERS,
            "security.others.delete-blob": _LETS_OTHERS,
            "security.token.no-delete": "expected 401",
        },
        lets_in(_stranger("blob manifest", "DELETE")),
        spared=["security.others.move-tag"],
    ),
    Mutant(
        "refused-deletion-is-done",
        {"security.others.delete-tag": "answered 404, expected 200", "security.anonymous.delete-blob": "answered 404"},
        lambda: _deletes_refused,
    ),
    Mutant(
        "blobs-are-for-everybody",
        {"security.anonymous.read-blob": _LETS_OTHERS, "security.anonymous.head-blob": _LETS_OTHERS},
        lets_in(_nobody("blob")),
        spared=["security.anonymous.read-tag"],
    ),
    Mutant(
        "tags-are-for-everybody",
        {"security.anonymous.list-tags": _LETS_OTHERS, "security.anonymous.list-referrers": _LETS_OTHERS},
        lets_in(_nobody("tags referrers")),
    ),
    Mutant(
        "everybody-may-push",
        {
            "security.anonymous.begin-upload": _LETS_OTHERS,
            "security.anonymous.push-manifest": _LETS_OTHERS,
            "security.anonymous.end-upload": _LETS_OTHERS,
        },
        lets_in(_nobody("uploads upload manifest", "POST PUT")),
        spared=["security.anonymous.read-tag"],
    ),
    Mutant("others-see-the-catalog", {"security.others.catalog": "to a stranger"}, _whole_catalog),
    Mutant(
        "others-may-mount",
        {"security.others.mount": "answered 201 to who may not read"},
        lambda: _mounts_all,
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "hidden-is-told-from-missing",
        {"security.others.same-answer": "a hidden repository is answered with"},
        lambda: _tells_hidden,
        spared=["security.others.read-tag"],
    ),
    Mutant(
        "uploads-can-be-ended-anywhere",
        {"security.isolation.upload": "it was begun elsewhere"},
        _uploads_anywhere,
        spared=["push.blob.post-put"],
    ),
    Mutant(
        "any-token-opens",
        {
            "security.token.foreign": "a made-up token answered 200",
            "security.token.changed": "answered 202, expected 401",
            "security.token.damaged": "answered 202, expected 401",
            "security.token.no-algorithm": "answered 202, expected 401",
            "security.token.shared-secret": "answered 202, expected 401",
            "security.token.own-key": "answered 202, expected 401",
        },
        lets_in(_with_token(lambda _: True)),
    ),
    Mutant(
        "unsigned-token-opens",
        {"security.token.no-algorithm": "an unsigned token"},
        lets_in(_with_token(_is_unsigned, "uploads", "POST")),
        spared=["security.token.damaged", "security.token.own-key"],
    ),
    Mutant(
        "signature-is-not-verified",
        {"security.token.changed": "claims that were changed", "security.token.damaged": "a damaged signature"},
        lets_in(_with_token(_has_usual_form, "uploads", "POST")),
        spared=["security.token.no-algorithm"],
    ),
    Mutant(
        "token-brings-its-key",
        {"security.token.own-key": "a key that the token brings along"},
        lets_in(_with_token(lambda request: "jwk" in _part(request, 0), "uploads", "POST")),
        spared=["security.token.damaged"],
    ),
    Mutant(
        "secret-is-empty",
        {"security.token.shared-secret": "a secret that anybody can guess"},
        lets_in(_with_token(lambda request: _part(request, 0).get("alg") == "HS256", "uploads", "POST")),
    ),
    Mutant(
        "token-of-a-neighbour-opens",
        {"security.token.other-repository": "a token for"},
        lets_in(_with_token(_for_neighbour, "uploads", "POST")),
        spared=["security.token.pull-only"],
    ),
    Mutant(
        "token-for-pulling-pushes",
        {"security.token.pull-only": "a token for pulling answered 202"},
        lets_in(_with_token(_for_pulling, "uploads", "POST")),
        spared=["security.token.other-repository"],
    ),
    Mutant(
        "token-for-nothing-pushes",
        {"security.token.without-scope": "a token without a scope answered 202"},
        lets_in(_with_token(lambda request: _part(request, 1).get("access") == [], "uploads", "POST")),
    ),
    Mutant(
        "refresh-token-opens",
        {"security.token.refresh-token": "a refresh token answered 202"},
        lets_in(_with_token(lambda request: "refresh" in _bearer(request), "uploads", "POST")),
    ),
    Mutant(
        "any-password-opens",
        {"security.token.wrong-basic": "a wrong password answered 200"},
        lets_in(lambda request, _: request.route == "base" and "Basic" in (request.header("Authorization") or "")),
        spared=["security.token.foreign"],
    ),
    Mutant(
        "malformed-login-is-a-crash",
        {"security.token.malformed": "answered 500"},
        answers(
            on("base", "GET", 401, lambda request: "Negotiate" in (request.header("Authorization") or "")), status(500)
        ),
    ),
)


async def _deletes_refused(request: Request, proxy: Proxy) -> Reply:
    """Whoever may not delete something is told so, when it is gone."""
    reply = await proxy.ask(request)
    if request.method == "DELETE" and request.route in {"manifest", "blob"} and reply.status in _NO:
        await proxy.ask_as_owner(request)
    return reply
