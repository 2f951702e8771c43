"""Exchanges with the token service, as docker, containerd, podman and the others do them."""

from __future__ import annotations

import dataclasses
import secrets
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from conformance.login import Credentials
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable
from conformance.session import Session, expect, manifest_path, uploads_path
from conformance.tokens import TokenService, bearer, granted, scope, token_in, user_of

TOKENS = Checklist(Group.AUTH, Category.PULL, "Docker Registry v2 authentication: Requesting a Token")

# Clients wait at least so long before they ask for another token, whatever the answer says.
_LIFETIME_MIN_S = 60
_CLOCKS_MAX = timedelta(minutes=5)


@TOKENS.check(
    "auth.token.login",
    Level.MUST,
    "docker login works: a token without a scope, with which /v2/ answers 200",
    section="Determining Support",
    writes=False,
)
def login(session: Session) -> None:
    user_of(session)
    answer = TokenService(session).get(offline=True).expect(200)
    session.send_plain("GET", "/v2/", bearer(token_in(answer))).expect(200)


@TOKENS.check(
    "auth.token.names",
    Level.MUST,
    "The answer has the token as token or access_token, and the same in both if it has both",
    writes=False,
)
def names(session: Session) -> None:
    document = granted(TokenService(session).get(scope(session.name)))
    found = [document[name] for name in ("token", "access_token") if name in document]
    expect(bool(found) and all(isinstance(one, str) and one for one in found), "the answer has no token")
    expect(len(set(found)) == 1, "token and access_token are different")


@TOKENS.check(
    "auth.token.both-names",
    Level.SHOULD,
    "The answer has the token under both names: clients differ in which they read",
    writes=False,
)
def both_names(session: Session) -> None:
    document = granted(TokenService(session).get(scope(session.name)))
    for name in ("token", "access_token"):
        expect(name in document, f"the answer has no {name}")


@TOKENS.check(
    "auth.token.expires-in",
    Level.SHOULD,
    "expires_in is a number of seconds, and at least 60: clients keep a token that long",
    writes=False,
)
def expires_in(session: Session) -> None:
    document = granted(TokenService(session).get(scope(session.name)))
    value = document.get("expires_in", _LIFETIME_MIN_S)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    expect(is_number and value >= _LIFETIME_MIN_S, f"expires_in is {value!r}, expected 60 or more")


@TOKENS.check(
    "auth.token.issued-at",
    Level.SHOULD,
    "issued_at is a time of RFC 3339 in UTC, and within five minutes of the server's own clock",
    writes=False,
)
def issued_at(session: Session) -> None:
    answer = TokenService(session).get(scope(session.name))
    value = granted(answer).get("issued_at")
    if value is None:
        return
    try:
        issued = datetime.fromisoformat(str(value))
    except ValueError as failure:
        raise Failed(f"issued_at is {value!r}, expected a time of RFC 3339") from failure
    expect(issued.tzinfo is not None, f"issued_at has no time zone: {value}")
    date = answer.header("Date")
    now = parsedate_to_datetime(date) if date else datetime.now(UTC)
    expect(abs(issued - now) < _CLOCKS_MAX, f"issued_at is {value}, and the server's time {now.isoformat()}")


@TOKENS.check(
    "auth.token.not-cached",
    Level.SHOULD,
    "Nobody on the way may keep a token: Cache-Control: no-store",
    section="RFC 6749, 5.1: Successful Response",
    writes=False,
)
def not_cached(session: Session) -> None:
    value = TokenService(session).get(scope(session.name)).expect(200).header("Cache-Control") or ""
    parts = {part.strip().lower() for part in value.split(",")}
    expect(bool(parts & {"no-store", "private", "no-cache"}), f"Cache-Control is {value!r}, expected no-store")


@TOKENS.check("auth.token.wrong-password", Level.MUST, "A wrong password gets 401, and no token", writes=False)
def wrong_password(session: Session) -> None:
    user, service = user_of(session), TokenService(session)
    for password in (secrets.token_hex(16), f"{user.password}x"):
        wrong = dataclasses.replace(user, password=password)
        # What tries too often is told so.
        service.get(scope(session.name), credentials=wrong).expect(401, 429)


@TOKENS.check(
    "auth.token.unknown-user", Level.MUST, "A user name that does not exist gets 401, and no token", writes=False
)
def unknownuser_of(session: Session) -> None:
    nobody = Credentials(f"conformance-{secrets.token_hex(4)}", secrets.token_hex(16))
    TokenService(session).get(scope(session.name), credentials=nobody).expect(401, 429)


@TOKENS.check(
    "auth.token.anonymous",
    Level.MUST,
    "Without credentials there is a token, good for what is public, or 401 or 403",
    writes=False,
)
def anonymous(session: Session) -> None:
    answer = TokenService(session).get(scope(session.name), credentials=Credentials()).expect(200, 401, 403)
    if answer.status == 200:
        path = manifest_path(session.name, session.new_tag())
        session.send_plain("GET", path, bearer(token_in(answer))).expect(401, 403, 404)


@TOKENS.check(
    "auth.token.less",
    Level.MUST,
    "Who asks for more than they may have gets a token for less, and no error",
    writes=False,
)
def less(session: Session) -> None:
    others = session.scope.others
    if others is None:
        raise NotApplicable("no user without rights is given: --other-user")
    answer = TokenService(session).get(scope(session.name, "pull,push,delete"), credentials=others).expect(200)
    headers = {**bearer(token_in(answer)), "Content-Length": "0"}
    session.send_plain("POST", uploads_path(session.name), headers).expect(401, 403, 404)


@TOKENS.check(
    "auth.token.unknown-actions",
    Level.SHOULD,
    "Actions, types and forms of scopes that the token service does not know are left out, and no error",
    writes=False,
)
def unknown_actions(session: Session) -> None:
    user_of(session)
    service = TokenService(session)
    for one in (
        scope(session.name, "pull,fly"),
        scope(session.name, "*"),
        f"repository(plugin):{session.name}:pull",
        f"spaceship:{session.name}:land",
        scope(f"registry.example:5000/{session.name}"),
        "registry:catalog:*",
    ):
        service.get(one).expect(200, what=f"scope {one}")
