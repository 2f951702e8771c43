"""Whether a run makes sense at all: the registry is there, it lets this user in, and it takes pushes."""

from __future__ import annotations

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from conformance.login import Login
from conformance.requirement import Failed
from conformance.session import Litter, Scope, Session, uploads_path
from conformance.wire import Broken, Target, Wire

_DENIED = {401, 403}
_LOGIN = "the registry asks for a login: name a user with --user"


class NotReady(Exception):
    """The run cannot begin; the message says why, and what to do about it."""


def expect_ready(target: Target, scope: Scope, *, writes: bool) -> None:
    """Raises `NotReady` if hardly any check could be judged; `writes` if some are to push."""
    wire = Wire(target)
    session = Session(wire, scope, Login(wire, scope.credentials), Litter())
    try:
        _expect_registry(session)
        if writes:
            _expect_pushes(session)
    except Broken as error:
        raise NotReady(_reason(target, error)) from error
    finally:
        wire.close()


def _expect_registry(session: Session) -> None:
    user = session.scope.credentials.user
    try:
        status = session.send("GET", "/v2/").status
    except Broken:
        raise
    except Failed as error:
        # What is public can be read all the same.
        if session.scope.read_only and not user:
            return
        raise NotReady(f"the registry does not let {user or 'anybody'} in: {error}") from error
    if status in _DENIED and not user and not session.scope.read_only:
        raise NotReady(_LOGIN)
    if status in _DENIED and user:
        raise NotReady(f"the registry does not let {user} in: GET /v2/ answered {status}")
    if status not in {200, *_DENIED}:
        raise NotReady(f"there is no registry: GET /v2/ answered {status}, expected 200")


def _expect_pushes(session: Session) -> None:
    who = session.scope.credentials.user or "who has not logged in"
    advice = "name another --repository, or push nothing with --read-only"
    try:
        answer = session.send("POST", uploads_path(session.name), {"Content-Length": "0"})
    except Broken:
        raise
    except Failed as error:
        raise NotReady(f"{who} may not push to {session.name}: {error}; {advice}") from error
    if answer.status in _DENIED and not session.scope.credentials.user:
        raise NotReady(_LOGIN)
    if answer.status in _DENIED:
        raise NotReady(f"{who} may not push to {session.name}: POST answered {answer.status}; {advice}")
    if answer.status == 202 and answer.header("Location"):
        session.send("DELETE", answer.location(), {"Content-Length": "0"})


def _reason(target: Target, error: Broken) -> str:
    """Why there was no answer, in words for who has mistyped something."""
    parts, cause = urlsplit(target.url), error.__cause__
    host, other = parts.netloc, "http" if parts.scheme == "https" else "https"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {host} is not trusted ({cause.verify_message}): see --ca and --insecure"
    if isinstance(cause, ssl.SSLError):
        return f"{host} does not speak TLS ({cause.reason or cause}): is it {other}://{host}?"
    if isinstance(cause, socket.gaierror):
        return f"there is no host {parts.hostname}: {cause.strerror}"
    if isinstance(cause, TimeoutError):
        return f"{host} does not answer within {target.timeout_s:g} s"
    if isinstance(cause, http.client.HTTPException):
        return f"{host} does not answer in HTTP ({cause!r}): is it {other}://{host}?"
    told = cause.strerror or cause if isinstance(cause, OSError) else error
    return f"{host} cannot be reached: {told}"
