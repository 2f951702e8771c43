"""Whether there is a registry at all (spec, "Determining Support")."""

from __future__ import annotations

from conformance.requirement import Category, Checklist, Group, Level
from conformance.session import Session

BASE = Checklist(Group.SPEC, Category.PULL, "Determining Support")


@BASE.check("base.supported", Level.MUST, "GET /v2/ answers 200 to whoever may use the registry", writes=False)
def supported(session: Session) -> None:
    session.send("GET", "/v2/").expect(200)


@BASE.check(
    "base.challenge",
    Level.MUST,
    "Whoever has not logged in gets 200, or 401 with a challenge that says how to log in",
    writes=False,
)
def challenge(session: Session) -> None:
    answer = session.send_plain("GET", "/v2/").expect(200, 401)
    if answer.status == 401:
        answer.expect_header("WWW-Authenticate")
