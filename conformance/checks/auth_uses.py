"""What tokens are good for, and how else they are to be had."""

from __future__ import annotations

import secrets
from typing import Any

from conformance.content import new_blob, new_image
from conformance.requirement import Category, Checklist, Group, Level, Unsupported
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path, with_query
from conformance.tokens import TokenService, bearer, challenged, granted, scope, user_of
from conformance.wire import Answer

OAUTH = Checklist(Group.AUTH, Category.PULL, "Docker Registry v2 OAuth2 token authentication")
USES = Checklist(Group.AUTH, Category.PUSH, "Docker Registry v2 authentication: Using the token")

# How a token service says that it does not know OAuth 2; clients ask by GET then.
_NO_OAUTH = (400, 401, 404, 405)


@USES.check(
    "auth.token.several-scopes",
    Level.MUST,
    "One token can be for several repositories, each in a scope parameter of its own: docker mounts with it",
)
def several_scopes(session: Session) -> None:
    digest = session.blob(new_blob(), session.other)
    session.blob(new_blob())
    _mount(session, digest, TokenService(session).token(scope(session.name, "pull,push"), scope(session.other)))


@USES.check(
    "auth.token.scopes-in-one",
    Level.SHOULD,
    "Several scopes may come in one parameter with spaces between them, as the challenge has them",
)
def scopes_in_one(session: Session) -> None:
    digest = session.blob(new_blob(), session.other)
    session.blob(new_blob())
    _mount(session, digest, TokenService(session).token(f"{scope(session.name, 'pull,push')} {scope(session.other)}"))


def _mount(session: Session, digest: str, token: str) -> None:
    session.send_plain("GET", blob_path(session.other, digest), bearer(token)).expect(200, 302, 303, 307)
    path = with_query(uploads_path(session.name), mount=digest, **{"from": session.other})
    session.send_plain("POST", path, {**bearer(token), "Content-Length": "0"}).expect(201, 202)


@USES.check(
    "auth.token.overlapping-scopes",
    Level.MUST,
    "containerd asks for pulling and for pushing in two scopes of the same repository, and may do both",
)
def overlapping_scopes(session: Session) -> None:
    digest = session.blob(new_blob())
    token = TokenService(session).token(scope(session.name), scope(session.name, "pull,push"))
    session.send_plain("HEAD", blob_path(session.name, digest), bearer(token)).expect(200, 302, 303, 307)
    session.send_plain("POST", uploads_path(session.name), {**bearer(token), "Content-Length": "0"}).expect(202)


@USES.check(
    "auth.token.whole-push", Level.MUST, "One token is good for a whole push: upload, manifest and a look at it"
)
def whole_push(session: Session) -> None:
    user_of(session)
    headers = bearer(TokenService(session).token(scope(session.name, "pull,push")))
    image, tag = new_image(), session.new_tag()
    for blob in image.blobs:
        begun = session.send_plain("POST", uploads_path(session.name), {**headers, "Content-Length": "0"}).expect(202)
        octets = {**headers, "Content-Type": "application/octet-stream"}
        chunk = session.send_plain("PATCH", begun.location(), octets, blob.content).expect(202)
        session.send_plain("PUT", with_query(chunk.location(), digest=blob.digest), headers, b"").expect(201)
    typed = {**headers, "Content-Type": image.media_type}
    session.send_plain("PUT", manifest_path(session.name, tag), typed, image.content).expect(201)
    session.send_plain("HEAD", manifest_path(session.name, tag), headers).expect(200)


@USES.check(
    "auth.token.cancel",
    Level.SHOULD,
    "An upload can be cancelled with the token that it was begun with: podman has no other",
    section="Cancel a blob upload",
)
def cancel(session: Session) -> None:
    user_of(session)
    headers = {**bearer(TokenService(session).token(scope(session.name, "pull,push"))), "Content-Length": "0"}
    begun = session.send_plain("POST", uploads_path(session.name), headers).expect(202)
    session.send_plain("DELETE", begun.location(), headers).expect(204)


@USES.check(
    "auth.scheme.case",
    Level.MUST,
    "The scheme of an Authorization header may be in any case: bearer is Bearer",
    section="RFC 9110, 11.1: Authentication Scheme",
    writes=False,
)
def scheme_case(session: Session) -> None:
    user_of(session)
    token = TokenService(session).token()
    for word in ("bearer", "BEARER"):
        session.send_plain("GET", "/v2/", {"Authorization": f"{word} {token}"}).expect(200, what=f"{word} for Bearer")


@USES.check(
    "auth.basic.login",
    Level.MUST,
    "Where the challenge is Basic, /v2/ answers 200 to the right password",
    section="RFC 7617: The 'Basic' HTTP Authentication Scheme",
    writes=False,
)
def basic_login(session: Session) -> None:
    challenge = challenged(session)
    if challenge.scheme == "basic":
        session.send_plain("GET", "/v2/", {"Authorization": user_of(session).basic()}).expect(200)


def _expect_oauth(answer: Answer) -> dict[str, Any]:
    if answer.status in _NO_OAUTH:
        raise Unsupported(f"POST to the realm answered {answer.status}: clients ask by GET")
    document = granted(answer)
    expect(isinstance(document.get("access_token"), str), "the answer has no access_token")
    return document


@OAUTH.check(
    "auth.oauth.password",
    Level.MAY,
    "A token can be had by POST, with a form of OAuth 2 with user name and password, as containerd asks first",
    writes=False,
)
def oauth_password(session: Session) -> None:
    user = user_of(session)
    service = TokenService(session)
    answer = service.post(
        grant_type="password", username=user.user, password=user.password, scope=scope(session.name, "pull,push")
    )
    document = _expect_oauth(answer)
    session.send_plain("GET", "/v2/", bearer(document["access_token"])).expect(200)


@OAUTH.check(
    "auth.oauth.refresh",
    Level.MAY,
    "A refresh token comes with a login that asks for one, and gets further tokens by POST",
    writes=False,
)
def oauth_refresh(session: Session) -> None:
    user_of(session)
    service = TokenService(session)
    refresh = granted(service.get(offline=True)).get("refresh_token")
    if refresh is None:
        raise Unsupported("the token service has no refresh tokens")
    document = _expect_oauth(service.post(grant_type="refresh_token", refresh_token=refresh, scope=scope(session.name)))
    session.send_plain("GET", "/v2/", bearer(document["access_token"])).expect(200)


@OAUTH.check(
    "auth.oauth.declined",
    Level.SHOULD,
    "A POST that the token service cannot use is answered with 400, 401, 404 or 405, after which clients ask by GET",
    writes=False,
)
def oauth_declined(session: Session) -> None:
    service = TokenService(session)
    service.post(grant_type="conformance").expect(*_NO_OAUTH)
    service.post(grant_type="refresh_token", refresh_token=secrets.token_hex(16)).expect(*_NO_OAUTH)
