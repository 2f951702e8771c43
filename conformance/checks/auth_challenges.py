"""What clients are told to log in with, wherever they begin."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from conformance.content import new_blob, new_image
from conformance.login import Challenge, challenge_of
from conformance.requirement import Category, Checklist, Failed, Group, Level, NotApplicable
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path, with_query
from conformance.tokens import TokenService, bearer, challenged, refused, scope
from conformance.wire import Answer, Broken

CHALLENGES = Checklist(Group.AUTH, Category.PULL, "Docker Registry v2 authentication: Unauthorized requests")
REALMS = Checklist(Group.AUTH, Category.PULL, "Docker Registry v2 authentication: Unauthorized requests")

_SCHEMES = {"basic", "bearer"}


def _of_manifest(session: Session, method: str = "GET") -> tuple[Challenge, Answer]:
    """The challenge of a manifest that everybody knows of. Raises `NotApplicable` if everybody may pull it."""
    tag = session.new_tag()
    _attempt(partial(session.manifest, new_image(), tag))
    challenge = challenged(session, method, manifest_path(session.name, tag))
    return challenge, session.exchanges[-1]


def _attempt(push: Callable[[], object]) -> None:
    """Push what is asked for afterwards; where nobody can push, it may be because of that very challenge."""
    with contextlib.suppress(NotApplicable, Failed):
        push()


def _bearer(challenge: Challenge) -> Challenge:
    if challenge.scheme != "bearer":
        raise NotApplicable(f"the registry has no tokens: its challenge is {challenge.scheme}")
    return challenge


def _expect_same_service(one: Challenge, other: Challenge) -> None:
    """Raises `Failed` unless both ask for a token of the same service; it may be for more."""
    seen = [(each.scheme, each.parameters.get("realm"), each.parameters.get("service")) for each in (one, other)]
    expect(seen[0] == seen[1], f"the challenge of GET is {seen[0]}, and that of HEAD {seen[1]}")


@CHALLENGES.check(
    "auth.challenge.base",
    Level.MUST,
    "The 401 of /v2/ has a challenge of a scheme that clients know: Basic or Bearer",
    section="RFC 9110, 11.6.1: WWW-Authenticate",
    writes=False,
)
def base(session: Session) -> None:
    scheme = challenged(session).scheme
    expect(scheme in _SCHEMES, f"the challenge of /v2/ has the scheme {scheme!r}, expected Basic or Bearer")


@CHALLENGES.check(
    "auth.challenge.manifest",
    Level.MUST,
    "The 401 of a manifest has a challenge, as that of /v2/ has: not every client begins there",
    section="RFC 9110, 11.6.1: WWW-Authenticate",
)
def manifest(session: Session) -> None:
    challenge, _ = _of_manifest(session)
    expect(challenge.scheme in _SCHEMES, f"the challenge has the scheme {challenge.scheme!r}, expected Basic or Bearer")


@CHALLENGES.check(
    "auth.challenge.head",
    Level.MUST,
    "HEAD of a manifest is answered with 401 and a challenge where GET is: clients look for tags with HEAD",
    section="RFC 9110, 9.3.2: HEAD",
)
def head(session: Session) -> None:
    by_get, answer = _of_manifest(session)
    again = session.send_plain("HEAD", answer.path).expect(401)
    expect(not again.body, f"HEAD {again.path} was answered with a body")
    _expect_same_service(by_get, challenge_of(again))


@CHALLENGES.check(
    "auth.challenge.blob-head",
    Level.MUST,
    "HEAD of a blob is answered with 401 and a challenge where GET is: a push begins with it",
    section="RFC 9110, 9.3.2: HEAD",
)
def blob_head(session: Session) -> None:
    blob = new_blob()
    _attempt(partial(session.blob, blob))
    path = blob_path(session.name, blob.digest)
    by_get = challenged(session, "GET", path)
    _expect_same_service(by_get, challenge_of(session.send_plain("HEAD", path).expect(401)))


@CHALLENGES.check(
    "auth.challenge.upload",
    Level.MUST,
    "The POST that begins an upload is answered with 401 and a challenge to who has not logged in",
    section="RFC 9110, 11.6.1: WWW-Authenticate",
)
def upload(session: Session) -> None:
    refused(session)
    _attempt(partial(session.blob, new_blob()))
    answer = session.send_plain("POST", uploads_path(session.name), {"Content-Length": "0"}).expect(401)
    answer.expect_header("WWW-Authenticate")


@CHALLENGES.check(
    "auth.challenge.error",
    Level.SHOULD,
    "The body of a 401 is an error with the code UNAUTHORIZED, which clients show",
    section="Error Codes",
    writes=False,
)
def error(session: Session) -> None:
    answer = refused(session)
    document = answer.json()
    errors = document.get("errors") if isinstance(document, dict) else None
    codes = [one.get("code") for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    expect("UNAUTHORIZED" in codes, f"the body of the 401 has the codes {codes}, expected UNAUTHORIZED")


@CHALLENGES.check(
    "auth.challenge.api-version",
    Level.SHOULD,
    "The 401 of /v2/ has Docker-Distribution-Api-Version: registry/2.0, by which docker takes it for a registry",
    section="Legacy Docker support HTTP headers",
    writes=False,
)
def api_version(session: Session) -> None:
    refused(session).expect_header("Docker-Distribution-Api-Version", "registry/2.0")


@CHALLENGES.check(
    "auth.challenge.quoted",
    Level.SHOULD,
    "The parameters of a challenge are quoted: some clients read no others",
    section="RFC 9110, 11.2: Authentication Parameters",
    writes=False,
)
def quoted(session: Session) -> None:
    value = refused(session).expect_header("WWW-Authenticate")
    bare = re.findall(r'([A-Za-z_-]+)=(?!")', re.sub(r'"[^"]*"', '""', value))
    expect(not bare, f"the parameters {', '.join(bare)} are not quoted: {value}")


@CHALLENGES.check(
    "auth.challenge.realm",
    Level.MUST,
    "The realm of a Bearer challenge is a URL with scheme and host, and there is a service",
    writes=False,
)
def realm(session: Session) -> None:
    parameters = _bearer(challenged(session)).parameters
    parts = urlsplit(parameters.get("realm", ""))
    expect(parts.scheme in {"http", "https"} and bool(parts.netloc), f"the realm is {parameters.get('realm')!r}")
    expect("service" in parameters, "the challenge names no service")


@CHALLENGES.check(
    "auth.challenge.scope",
    Level.SHOULD,
    "The challenge of a manifest says what a token has to be for: repository:NAME:pull",
)
def pull_scope(session: Session) -> None:
    challenge, _ = _of_manifest(session)
    wanted, found = scope(session.name), _bearer(challenge).parameters.get("scope", "")
    expect(wanted in found.split(" "), f"the scope is {found!r}, expected {wanted!r}")


@CHALLENGES.check(
    "auth.challenge.push-scope",
    Level.SHOULD,
    "The challenge of a push says that a token has to be for pushing",
)
def push_scope(session: Session) -> None:
    _attempt(partial(session.blob, new_blob()))
    found = _bearer(challenged(session, "POST", uploads_path(session.name))).parameters.get("scope", "")
    _expect_action(found, session.name, "push")


@CHALLENGES.check(
    "auth.challenge.mount-scope",
    Level.SHOULD,
    "The challenge of a mount asks for pulling from the other repository, too",
)
def mount_scope(session: Session) -> None:
    blob = new_blob()
    _attempt(partial(session.blob, blob, session.other))
    path = with_query(uploads_path(session.name), mount=blob.digest, **{"from": session.other})
    found = _bearer(challenged(session, "POST", path)).parameters.get("scope", "")
    _expect_action(found, session.name, "push")
    _expect_action(found, session.other, "pull")


@CHALLENGES.check(
    "auth.challenge.delete-scope",
    Level.SHOULD,
    "The challenge of a deletion says that a token has to be for deleting",
)
def delete_scope(session: Session) -> None:
    image = new_image()
    _attempt(partial(session.manifest, image))
    path = manifest_path(session.name, image.digest)
    found = _bearer(challenged(session, "DELETE", path)).parameters.get("scope", "")
    asked = [one for one in found.split(" ") if one.startswith(f"repository:{session.name}:")]
    actions = {action for one in asked for action in one.rpartition(":")[2].split(",")}
    expect(bool(actions & {"delete", "*"}), f"the scope is {found!r}, expected one for delete")


def _expect_action(found: str, name: str, action: str) -> None:
    asked = [one for one in found.split(" ") if one.startswith(f"repository:{name}:")]
    actions = {one for each in asked for one in each.rpartition(":")[2].split(",")}
    expect(action in actions, f"the scope is {found!r}, expected {action} on {name}")


@CHALLENGES.check(
    "auth.challenge.insufficient",
    Level.SHOULD,
    "A token that is not for what is asked is answered with 401, insufficient_scope and the scope that it takes",
    section="RFC 6750, 3.1: Error Codes",
)
def insufficient(session: Session) -> None:
    session.blob(new_blob())
    token = TokenService(session).token(scope(session.name))
    answer = session.send_plain("POST", uploads_path(session.name), {**bearer(token), "Content-Length": "0"})
    if answer.status == 202:
        raise NotApplicable("with a token for pulling one can push")
    value = answer.expect(401).expect_header("WWW-Authenticate")
    expect('error="insufficient_scope"' in value, f'the challenge lacks error="insufficient_scope": {value}')
    found = re.search(r'scope="([^"]*)"', value)
    _expect_action(found[1] if found else "", session.name, "push")


@REALMS.check(
    "auth.realm.reachable", Level.MUST, "The realm of the challenge answers, from where clients are", writes=False
)
def reachable(session: Session) -> None:
    service = TokenService(session)
    try:
        answer = service.get()
    except Broken as failure:
        raise Failed(f"the realm {service.realm} does not answer: {failure}") from failure
    expect(answer.status in {200, 400, 401, 403, 429}, f"the realm {service.realm} answered {answer.status}")


@REALMS.check(
    "auth.realm.secure",
    Level.MUST,
    "A registry with TLS sends nobody to a token service without it: passwords go there",
    writes=False,
)
def secure(session: Session) -> None:
    service = TokenService(session)
    if urlsplit(session.wire.target.url).scheme == "https":
        expect(urlsplit(service.realm).scheme == "https", f"the realm is {service.realm}")
