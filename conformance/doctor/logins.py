"""Logging in: whether the challenge arrives, whether its realm can be reached, and whether credentials get through."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from conformance.doctor.finding import Examinations, Finding, Level, Order
from conformance.doctor.visit import Visit
from conformance.login import Challenge, challenge_of
from conformance.requirement import Failed, NotApplicable
from conformance.wire import Answer, Broken

EXAMINATIONS = Examinations()

_REMAPPED = "X-Amzn-Remapped-Www-Authenticate"
_SHORTEST_S = 60
_AHEAD_S = 30
_NONSENSE = {"Authorization": "Bearer doctor.sends.nonsense"}


@EXAMINATIONS.add("login.challenge", "whether who has to log in learns how", Order.FIRST)
def challenge_arrives(visit: Visit) -> Iterator[Finding]:
    answer = visit.send_plain("GET", "/v2/")
    if answer.status != 401:
        return
    if answer.header("WWW-Authenticate") is None:
        renamed = f", but with {_REMAPPED}" if answer.header(_REMAPPED) else ""
        yield visit.found("login.challenge", Level.FAULT, f"GET /v2/ answered 401 without WWW-Authenticate{renamed}")
        return
    challenge = challenge_of(answer)
    if challenge.scheme == "bearer":
        yield from _realm(visit, challenge)


def _realm(visit: Visit, challenge: Challenge) -> Iterator[Finding]:
    realm = challenge.parameters.get("realm", "")
    theirs, ours = urlsplit(realm), urlsplit(visit.line.base)
    challenged = visit.last
    if not theirs.scheme or not theirs.netloc:
        yield visit.found("login.realm", Level.FAULT, f"the challenge has the realm {realm!r}, which is no URL")
        return
    seen = f"the challenge sends clients to {realm}"
    if ours.scheme == "https" and theirs.scheme == "http":
        secure = realm.replace("http://", "https://", 1)
        if theirs.netloc == ours.netloc or _answers(visit, secure, challenge) is not None:
            visit.line.detours[f"http://{theirs.netloc}/"] = f"https://{theirs.netloc}/"
        yield visit.found("forwarded.scheme", Level.FAULT, seen, challenged)
        return
    answer = _answers(visit, realm, challenge)
    if _serves(answer):
        return
    came = "which cannot be reached from here" if answer is None else f"which answers {answer.status}"
    same = None
    if visit.line.base not in realm:
        same = _answers(visit, visit.line.base + theirs.path, challenge)
    if same is not None and same.status in {200, 401}:
        visit.line.detours[f"{theirs.scheme}://{theirs.netloc}/"] = f"{visit.line.base}/"
        kind = "forwarded.host" if theirs.netloc != ours.netloc else "path.prefix"
        yield visit.found(kind, Level.FAULT, f"{seen}, {came}", challenged)
    else:
        yield visit.found("login.realm", Level.FAULT, f"{seen}, {came}", answer or visit.last)


def _serves(answer: Answer | None) -> bool:
    """Whether this may be a token service's answer."""
    return answer is not None and answer.status < 500 and answer.status not in {404, 405}


def _answers(visit: Visit, realm: str, challenge: Challenge, headers: Mapping[str, str] | None = None) -> Answer | None:
    """What the token service answers, if there is one: to nobody in particular, unless the headers say who asks."""
    separator = "&" if "?" in realm else "?"
    query = urlencode({"service": challenge.parameters.get("service", "")})
    try:
        return visit.send_plain("GET", f"{realm}{separator}{query}", headers)
    except Broken as error:
        visit.exchanges.append(error.answer)
        return None


@EXAMINATIONS.add("login.credentials", "whether credentials reach those who verify them", Order.FIRST)
def credentials_arrive(visit: Visit) -> Iterator[Finding]:
    plain = visit.send_plain("GET", "/v2/")
    if plain.status != 401 or plain.header("WWW-Authenticate") is None:
        return
    challenge = challenge_of(plain)
    if visit.line.base.startswith("https") and visit.line.url(challenge.parameters.get("realm", "")).startswith(
        "http:"
    ):
        visit.ward.give_up_login("the token service is asked by plain HTTP, where no password is sent")
    if visit.ward.no_login:
        raise NotApplicable(visit.ward.no_login)
    found = list(_credentials(visit, challenge, plain))
    if any(finding.id.startswith("login.") and finding.level is Level.FAULT for finding in found):
        # Whatever can be seen without a login is looked at without.
        visit.ward.give_up_login("the login failed")
    yield from found


def _credentials(visit: Visit, challenge: Challenge, plain: Answer) -> Iterator[Finding]:
    if challenge.scheme == "basic":
        yield from _judge(visit, visit.orders.credentials.basic(), plain)
        return
    try:
        token = visit.ward.login.token(challenge.parameters.get("realm", ""), challenge.parameters)
    except Broken:
        return  # That the realm cannot be reached is another finding.
    except Failed as error:
        yield from _no_token(visit, challenge, str(error))
        return
    yield from _judge(visit, f"Bearer {token}", plain)
    yield from _times(visit, token)


def _judge(visit: Visit, value: str, plain: Answer) -> Iterator[Finding]:
    """Whether the registry hears these credentials, of which those for a token were good."""
    answer = visit.send_plain("GET", "/v2/", {"Authorization": value})
    if answer.status != 401:
        return
    is_basic = value.startswith("Basic")
    what = "the user name and the password" if is_basic else "a token that the token service has just made"
    seen = f"GET /v2/ answered 401 to {what}"
    if answer.header("WWW-Authenticate") != plain.header("WWW-Authenticate"):
        yield visit.found("login.token" if not is_basic else "login.password", Level.FAULT, seen)
    elif is_basic:
        yield visit.found("login.password", Level.FAULT, f"{seen}, as it does without")
    else:
        yield visit.found("login.lost", Level.FAULT, f"{seen}, as it does without")


def _no_token(visit: Visit, challenge: Challenge, told: str) -> Iterator[Finding]:
    """The token service made no token: it may not have heard who asks."""
    realm = challenge.parameters.get("realm", "")
    asked = _answers(visit, realm, challenge, {"Authorization": visit.orders.credentials.basic()})
    nobody = _answers(visit, realm, challenge)
    if not _serves(nobody):
        return  # That there is no token service is another finding.
    # Whoever answers to nonsense as to nothing has perhaps not heard it.
    plain = visit.send_plain("GET", "/v2/").header("WWW-Authenticate")
    deaf = visit.send_plain("GET", "/v2/", _NONSENSE).header("WWW-Authenticate") == plain
    if nobody is not None and nobody.status == 401 and deaf:
        yield visit.found("login.lost", Level.FAULT, f"{told}; without credentials it answers the same", asked)
    else:
        yield visit.found("login.password", Level.FAULT, told, asked)


def _times(visit: Visit, token: str) -> Iterator[Finding]:
    """Whether a token's times make sense here."""
    claims, now = _claims(token), time.time()
    begins = max(_moment(claims, "nbf"), _moment(claims, "iat"))
    ends = _moment(claims, "exp")
    if begins > now + _AHEAD_S:
        yield visit.found("clock", Level.FAULT, f"a new token begins in {begins - now:.0f} s, by the clock here")
    elif ends and ends < now:
        yield visit.found("clock", Level.FAULT, f"a new token ended {now - ends:.0f} s ago, by the clock here")
    elif ends and begins and ends - begins < _SHORTEST_S:
        yield visit.found("login.short", Level.WARNING, f"tokens are good for {ends - begins:.0f} s")


def _claims(token: str) -> Mapping[str, Any]:
    """What a token says, if it is a JWT."""
    parts = token.split(".")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "==")) if len(parts) == 3 else {}
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name, 0)
    return float(value) if isinstance(value, int | float) else 0.0
