"""Those who may do nothing in the repositories of a run: another user, and whoever has not logged in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from conformance.login import Credentials
from conformance.requirement import Failed, NotApplicable
from conformance.session import Session
from conformance.wire import Answer, Broken


class Stranger(StrEnum):
    """Who asks."""

    OTHERS = "others"
    ANONYMOUS = "anonymous"


WHO = {Stranger.OTHERS: "Another user", Stranger.ANONYMOUS: "Who has not logged in"}


def credentials_of(stranger: Stranger, session: Session) -> Credentials:
    """What they log in with. Raises `NotApplicable` if there is nobody like this."""
    if stranger is Stranger.OTHERS:
        if session.scope.others is None:
            raise NotApplicable("no user without rights is given: --other-user")
        return session.scope.others
    if not session.scope.credentials.user:
        raise NotApplicable("this run does not log in: --user")
    if session.send_plain("GET", "/v2/").status != 401:
        raise NotApplicable("this registry does not ask everybody to log in")
    return Credentials()


def ask(
    session: Session,
    who: Credentials,
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
) -> Answer | None:
    """The answer to a stranger; none if already the token service refuses. Raises `Broken`."""
    try:
        return session.send_as(who, method, path, headers, body)
    except Broken:
        raise
    except Failed:
        return None


def expect_refused(answer: Answer | None) -> None:
    """Raises `Failed` unless the stranger was refused, or told that there is nothing."""
    if answer is not None and not 400 <= answer.status < 500:
        raise Failed(f"{answer.method} {answer.path} answered {answer.status} to a stranger, expected 401, 403 or 404")
