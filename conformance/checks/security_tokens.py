"""Credentials that are none, and tokens that are for something else, changed, or made by somebody else."""

from __future__ import annotations

import dataclasses
import secrets

from conformance.raw import send_raw
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable
from conformance.session import Session, expect, uploads_path
from conformance.tokens import Jwt, TokenService, bearer, refused, scope
from conformance.wire import Answer

TOKENS = Checklist(Group.SECURITY, Category.PUSH, "Docker Registry v2 authentication: Using the token")

_LONG = 60_000


def _push_with(session: Session, authorization: str) -> Answer:
    headers = {"Authorization": authorization, "Content-Length": "0"}
    return session.send_plain("POST", uploads_path(session.name), headers)


def _expect_refused(session: Session, authorization: str, what: str) -> None:
    """Raises `Failed` unless nothing can be pushed with this."""
    answer = _push_with(session, authorization)
    expect(400 <= answer.status < 500, f"POST {answer.path} with {what} answered {answer.status}, expected 401")


def _pushing_token(session: Session) -> str:
    """A token with which one can push. Raises `NotApplicable` if there is none."""
    token = TokenService(session).token(scope(session.name, "pull,push"))
    if _push_with(session, f"Bearer {token}").status != 202:
        raise NotApplicable("with a token from the token service nothing can be pushed")
    return token


@TOKENS.check(
    "security.token.foreign", Level.MUST, "A token that the token service has not made opens nothing", writes=False
)
def foreign(session: Session) -> None:
    refused(session)
    for token in (secrets.token_hex(16), f"{secrets.token_hex(8)}.{secrets.token_hex(8)}.{secrets.token_hex(8)}"):
        answer = session.send_plain("GET", "/v2/", bearer(token))
        expect(400 <= answer.status < 500, f"GET /v2/ with a made-up token answered {answer.status}, expected 401")


@TOKENS.check(
    "security.token.wrong-basic",
    Level.MUST,
    "A wrong password sent straight to the registry opens nothing",
    section="RFC 7617: The 'Basic' HTTP Authentication Scheme",
    writes=False,
)
def wrong_basic(session: Session) -> None:
    refused(session)
    wrong = dataclasses.replace(session.scope.credentials, password=secrets.token_hex(16))
    if not wrong.user:
        raise NotApplicable("this run does not log in: --user")
    answer = session.send_plain("GET", "/v2/", {"Authorization": wrong.basic()})
    expect(400 <= answer.status < 500, f"GET /v2/ with a wrong password answered {answer.status}, expected 401")


@TOKENS.check(
    "security.token.malformed",
    Level.SHOULD,
    "An Authorization header that makes no sense is answered below 500, and opens nothing",
    section="RFC 9110, 11.6.2: Authorization",
    writes=False,
)
def malformed(session: Session) -> None:
    refused(session)
    for value in (
        "Bearer",
        "Basic",
        "Basic !!!",
        "Basic YWJj",
        "Bearer a b",
        "Negotiate x",
        "Bearer ..",
        "Bearer a.b.c",
    ):
        answer = session.send_plain("GET", "/v2/", {"Authorization": value})
        expect(400 <= answer.status < 500, f"GET /v2/ with 'Authorization: {value}' answered {answer.status}")


@TOKENS.check(
    "security.token.overlong",
    Level.SHOULD,
    "A token of 60 kB with very many dots is refused below 500",
    section="CVE-2025-30204",
    writes=False,
)
def overlong(session: Session) -> None:
    refused(session)
    for token in ("." * _LONG, "a" * _LONG):
        headers = [f"Authorization: Bearer {token}", "Connection: close"]
        send_raw(session, "GET /v2/ HTTP/1.1", headers).expect_refusal()


@TOKENS.check(
    "security.token.no-algorithm",
    Level.MUST,
    "A token without a signature, of the algorithm none, opens nothing",
    section="RFC 8725, 3.1: Perform Algorithm Verification",
)
def no_algorithm(session: Session) -> None:
    token = Jwt(_pushing_token(session))
    for algorithm in ("none", "None", "NONE", ""):
        _expect_refused(session, f"Bearer {token.unsigned(algorithm)}", f"an unsigned token (alg {algorithm!r})")


@TOKENS.check(
    "security.token.changed", Level.MUST, "A token whose claims were changed after it was signed opens nothing"
)
def changed(session: Session) -> None:
    token = Jwt(_pushing_token(session))
    access = [{"type": "repository", "name": session.name, "actions": ["pull", "push", "delete"]}]
    for altered in (
        token.changed(access=access, conformance=1),
        token.changed(exp=int(token.claims.get("exp", 0)) + 1),
    ):
        _expect_refused(session, f"Bearer {altered}", "claims that were changed")


@TOKENS.check("security.token.damaged", Level.MUST, "A token with another signature opens nothing")
def damaged(session: Session) -> None:
    token = _pushing_token(session)
    position = token.rfind(".") + (len(token) - token.rfind(".")) // 2
    letter = "A" if token[position] != "A" else "B"
    _expect_refused(session, f"Bearer {token[:position]}{letter}{token[position + 1 :]}", "a damaged signature")


@TOKENS.check(
    "security.token.shared-secret",
    Level.MUST,
    "A token that is signed with a secret anybody can guess opens nothing",
    section="RFC 8725, 3.1: Perform Algorithm Verification",
)
def shared_secret(session: Session) -> None:
    token = Jwt(_pushing_token(session))
    kid = str(token.header.get("kid", ""))
    for forged in (
        token.signed_with(b""),
        token.signed_with(b"secret"),
        token.signed_with(kid.encode()),
        token.signed_with(b"", kid="../../../../dev/null"),
    ):
        _expect_refused(session, f"Bearer {forged}", "a signature by a secret that anybody can guess")


@TOKENS.check(
    "security.token.own-key",
    Level.MUST,
    "A token that brings along the key it is signed with opens nothing, whatever the key's id is",
    section="CVE-2025-24976",
)
def own_key(session: Session) -> None:
    token = Jwt(_pushing_token(session))
    _expect_refused(session, f"Bearer {token.signed_by_nobody()}", "a signature by a key that the token brings along")


@TOKENS.check("security.token.without-scope", Level.MUST, "With a token that is for nothing nobody can push")
def without_scope(session: Session) -> None:
    _pushing_token(session)
    token = TokenService(session).token()
    _expect_refused(session, f"Bearer {token}", "a token without a scope")


@TOKENS.check("security.token.pull-only", Level.MUST, "With a token that is for pulling nobody can push")
def pull_only(session: Session) -> None:
    _pushing_token(session)
    token = TokenService(session).token(scope(session.name))
    _expect_refused(session, f"Bearer {token}", "a token for pulling")


@TOKENS.check(
    "security.token.other-repository",
    Level.MUST,
    "With a token that is for one repository nobody can push to another, whatever their names have in common",
)
def other_repository(session: Session) -> None:
    _pushing_token(session)
    for name in (
        session.other,
        f"{session.name}/below",
        f"{session.name}-more",
        session.name.rpartition("/")[0] or "a",
    ):
        token = TokenService(session).token(scope(name, "pull,push"))
        _expect_refused(session, f"Bearer {token}", f"a token for {name}")


@TOKENS.check("security.token.no-delete", Level.MUST, "With a token for pushing nobody can delete a manifest")
def no_delete(session: Session) -> None:
    token = _pushing_token(session)
    answer = session.send_plain("DELETE", f"/v2/{session.name}/manifests/sha256:{'0' * 64}", bearer(token))
    expect(
        answer.status in {400, 401, 403, 405},
        f"DELETE {answer.path} with a token for pushing answered {answer.status}, expected 401",
    )


@TOKENS.check(
    "security.token.refresh-token",
    Level.SHOULD,
    "A refresh token opens nothing by itself",
    section="RFC 6749, 1.5: Refresh Token",
)
def refresh_token(session: Session) -> None:
    service = TokenService(session)
    answer = service.get(offline=True)
    document = answer.json() if answer.status == 200 else {}
    token = document.get("refresh_token") if isinstance(document, dict) else None
    if not isinstance(token, str):
        raise NotApplicable("the token service has no refresh tokens")
    _expect_refused(session, f"Bearer {token}", "a refresh token")
