"""Headers that break HTTP, or are far too much of it."""

from __future__ import annotations

from conformance.raw import Heard, send_raw
from conformance.requirement import Category, Checklist, Group, Level
from conformance.session import Session, expect, uploads_path

HEADERS = Checklist(Group.SECURITY, Category.PULL, "RFC 9112, 5: Field Syntax")

_CLOSE = "Connection: close"
_LARGE = 100_000


def _ping(session: Session, *headers: str, host: bool = True) -> Heard:
    session.send("GET", "/v2/")
    return send_raw(session, "GET /v2/ HTTP/1.1", [*headers, _CLOSE], host=host)


@HEADERS.check(
    "security.headers.folded",
    Level.SHOULD,
    "A header that goes on in the next line is refused, or read as one line",
    section="RFC 9112, 5.2: Obsolete Line Folding",
    writes=False,
)
def folded(session: Session) -> None:
    heard = _ping(session, "X-Conformance: one", " Content-Length: 5")
    heard.expect_no_crash()
    expect(
        heard.statuses[:1] != [408] and bool(heard.statuses or heard.closed),
        f"{heard.what}: the folded line was taken for a header of its own",
    )


@HEADERS.check(
    "security.headers.space-before-colon",
    Level.MUST,
    "A header with a space between its name and the colon is refused",
    section="RFC 9112, 5.1: Field Line Parsing",
    writes=False,
)
def space_before_colon(session: Session) -> None:
    _ping(session, "Content-Length : 0").expect_refusal()


@HEADERS.check(
    "security.headers.no-host",
    Level.SHOULD,
    "A request of HTTP/1.1 without Host is refused",
    section="RFC 9112, 3.2: Request Target",
    writes=False,
)
def no_host(session: Session) -> None:
    _ping(session, "X-Conformance: one", host=False).expect_refusal()


@HEADERS.check(
    "security.headers.two-hosts",
    Level.SHOULD,
    "A request with two Host headers is refused",
    section="RFC 9112, 3.2: Request Target",
    writes=False,
)
def two_hosts(session: Session) -> None:
    _ping(session, "Host: other.example").expect_refusal()


@HEADERS.check(
    "security.headers.oversized",
    Level.SHOULD,
    "A header of 100 kB is refused below 500, or ignored; it does not break the registry",
    section="RFC 6585, 5: 431 Request Header Fields Too Large",
    writes=False,
)
def oversized(session: Session) -> None:
    _ping(session, f"X-Conformance: {'x' * _LARGE}").expect_no_crash()


@HEADERS.check(
    "security.headers.many",
    Level.SHOULD,
    "Two thousand headers are refused below 500, or ignored; they do not break the registry",
    section="RFC 6585, 5: 431 Request Header Fields Too Large",
    writes=False,
)
def many(session: Session) -> None:
    _ping(session, *(f"X-Conformance-{number}: x" for number in range(2000))).expect_no_crash()


@HEADERS.check(
    "security.headers.control-characters",
    Level.SHOULD,
    "A header with a NUL or a lone CR in its value is refused, or read with a space in its place",
    section="RFC 9110, 5.5: Field Values",
    writes=False,
)
def control_characters(session: Session) -> None:
    _ping(session, "X-Conformance: one\x00two").expect_no_crash()
    _ping(session, "X-Conformance: one\rtwo: three").expect_no_crash()


@HEADERS.check(
    "security.headers.method",
    Level.SHOULD,
    "A method that is not known, or one that repeats the request (TRACE), is refused below 500",
    section="RFC 9110, 9.3.8: TRACE",
)
def method(session: Session) -> None:
    session.begin_upload()
    for one in ("TRACE", "BREW", "get"):
        heard = send_raw(
            session, f"{one} {uploads_path(session.name)} HTTP/1.1", ["X-Conformance: echoed-word", _CLOSE]
        )
        heard.expect_refusal()
        expect(b"echoed-word" not in heard.content, f"{heard.what}: the request's headers came back")
