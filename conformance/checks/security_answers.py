"""What answers must not give away, or make a browser do."""

from __future__ import annotations

import base64
import secrets
import time
from urllib.parse import unquote, urlsplit

from conformance.content import Blob, new_blob, new_image
from conformance.raw import authorization
from conformance.requirement import Category, Checklist, Group, Level, NotApplicable
from conformance.session import Session, blob_path, expect, manifest_path, uploads_path
from conformance.wire import Answer

ANSWERS = Checklist(Group.SECURITY, Category.PULL, "Error Codes")
LISTS = Checklist(Group.SECURITY, Category.DISCOVERY, "Listing Tags")

_RUN_BY_BROWSERS = {"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"}
_INNARDS = (b"Traceback (most recent", b"goroutine ", b"panic:", b"at java.", b"/site-packages/", b"SELECT ", b".go:")
_ORIGIN = "https://elsewhere.example"
_PAGE = Blob(b"<html><script>alert(1)</script></html>")
_RANGES = 500


def _kind(answer: Answer) -> str:
    return (answer.header("Content-Type") or "").partition(";")[0].strip().lower()


@ANSWERS.check(
    "security.answers.blob-not-a-page",
    Level.SHOULD,
    "A blob that is a web page is not served as something that browsers run",
    section="OWASP: X-Content-Type-Options",
)
def blob_not_a_page(session: Session) -> None:
    page = Blob(_PAGE.content + secrets.token_hex(8).encode(), "text/html")
    session.blob(page)
    answer = session.get_blob(page.digest).expect(200)
    saved = (answer.header("Content-Disposition") or "").lower().startswith("attachment")
    expect(saved or _kind(answer) not in _RUN_BY_BROWSERS, f"GET {answer.path} is served as {_kind(answer)}")
    guessed = not _kind(answer) or _kind(answer) == "text/plain"
    nosniff = (answer.header("X-Content-Type-Options") or "").lower() == "nosniff"
    expect(saved or nosniff or not guessed, f"GET {answer.path} lets browsers guess its type")


@ANSWERS.check(
    "security.answers.nosniff",
    Level.SHOULD,
    "Blobs and manifests tell browsers not to guess their type: X-Content-Type-Options: nosniff",
    section="OWASP: X-Content-Type-Options",
)
def nosniff(session: Session) -> None:
    image = new_image()
    session.manifest(image)
    for path in (blob_path(session.name, image.blobs[0].digest), manifest_path(session.name, image.digest)):
        answer = session.send("GET", path, redirects=False)
        if answer.status == 200:
            answer.expect_header("X-Content-Type-Options", "nosniff")


@ANSWERS.check(
    "security.answers.errors-not-a-page",
    Level.SHOULD,
    "Errors do not put what was asked for into a web page",
    writes=False,
)
def errors_not_a_page(session: Session) -> None:
    for path in (f"/v2/{session.name}/manifests/%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/%3Cscript%3Ealert(1)"):
        answer = session.send("GET", path)
        reflected = b"<script>alert(1)" in answer.body
        expect(not reflected or _kind(answer) not in _RUN_BY_BROWSERS, f"GET {answer.path} comes back in a page")


@ANSWERS.check(
    "security.answers.no-innards",
    Level.SHOULD,
    "Errors tell nothing of the program's insides: no stack trace, no query, no file",
    writes=False,
)
def no_innards(session: Session) -> None:
    for method, path in (
        ("GET", manifest_path(session.name, session.new_tag())),
        ("GET", blob_path(session.name, "sha256:bad")),
        ("PUT", manifest_path(session.name, "%00")),
        ("POST", f"/v2/{session.name}/tags/list"),
        ("GET", f"/v2/{session.name}/tags/list?n=x"),
        ("GET", "/v2/_nothing"),
    ):
        answer = session.send(method, path, body=b"{" if method == "PUT" else None)
        for word in _INNARDS:
            expect(word not in answer.body, f"{method} {answer.path} shows {word.decode()!r}")


@ANSWERS.check(
    "security.answers.no-secrets",
    Level.MUST,
    "Answers to wrong credentials do not repeat them",
    writes=False,
)
def no_secrets(session: Session) -> None:
    secret = secrets.token_hex(16)
    basic = base64.b64encode(f"conformance-nobody:{secret}".encode()).decode()
    path = manifest_path(session.name, session.new_tag())
    for value in (f"Bearer {secret}", f"Basic {basic}", f"Other {secret}", secret):
        answer = session.send_plain("GET", path, {"Authorization": value})
        shown = answer.body + repr(answer.headers).encode()
        for one in (secret, basic):
            expect(one.encode() not in shown, f"GET {answer.path} repeats the credentials that it was sent with")


@ANSWERS.check(
    "security.answers.redirects",
    Level.MUST,
    "Where a registry sends clients to does not carry their credentials",
    section="API",
)
def redirects(session: Session) -> None:
    blob = new_blob()
    session.blob(blob)
    answer = session.get_blob(blob.digest).expect(200)
    value = authorization(session)
    if value is None:
        raise NotApplicable("this run does not log in")
    secret = value.partition(" ")[2]
    for before in answer.before:
        location = unquote(before.location())
        expect(secret not in location, "the credentials of the client are in the URL that it is sent to")
        expect("@" not in urlsplit(location).netloc, "the URL that clients are sent to has a user name in it")


@ANSWERS.check(
    "security.answers.cors",
    Level.SHOULD,
    "Web pages of other sites do not get answers with the login of whoever looks at them",
    section="Fetch: CORS protocol and credentials",
    writes=False,
)
def cors(session: Session) -> None:
    for method in ("GET", "OPTIONS"):
        headers = {"Origin": _ORIGIN, "Access-Control-Request-Method": "PUT"}
        answer = session.send_plain(method, "/v2/", headers)
        allowed = answer.header("Access-Control-Allow-Origin")
        with_login = (answer.header("Access-Control-Allow-Credentials") or "").lower() == "true"
        expect(
            not (with_login and allowed in {"*", "null", _ORIGIN}), f"{method} /v2/ allows {allowed} with credentials"
        )


@ANSWERS.check(
    "security.answers.no-header-injection",
    Level.MUST,
    "A line break in a query does not become a header of the answer",
    section="RFC 9110, 5.5: Field Values",
)
def no_header_injection(session: Session) -> None:
    session.begin_upload()
    broken = "x%0d%0aX-Injected:%20yes"
    for method, path in (
        ("GET", f"/v2/{session.name}/tags/list?n=1&last={broken}"),
        ("POST", f"{uploads_path(session.name)}?from={broken}&mount=sha256:{broken}"),
        ("GET", f"/v2/{session.name}/manifests/{session.new_tag()}?ns={broken}"),
    ):
        answer = session.send(method, path)
        expect(answer.header("X-Injected") is None, f"{method} {answer.path} put a header into the answer")


@ANSWERS.check(
    "security.answers.unguessable-uploads",
    Level.MUST,
    "Nobody can guess the location of an upload: it has a long part that differs from upload to upload",
    section="POST then PUT",
)
def unguessable_uploads(session: Session) -> None:
    locations = [session.begin_upload() for _ in range(4)]
    expect(len(set(locations)) == len(locations), f"two uploads have the same location: {locations[0]}")
    begin = _common(locations)
    rest = min(len(location) - begin for location in locations)
    expect(rest >= 16, f"locations of uploads differ in {rest} characters only: {locations[0]}")


def _common(texts: list[str]) -> int:
    """How many characters all of them begin with."""
    return next(
        (number for number, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1),
        min(map(len, texts)),
    )


@ANSWERS.check(
    "security.answers.many-ranges",
    Level.SHOULD,
    "Hundreds of ranges that overlap do not make a small blob into a large answer",
    section="RFC 9110, 14.2: Range",
)
def many_ranges(session: Session) -> None:
    blob = new_blob(10_000)
    session.blob(blob)
    answer = session.get_blob(blob.digest, Range="bytes=" + ",".join(["0-"] * _RANGES))
    expect(answer.status < 500, f"GET {answer.path} with {_RANGES} ranges answered {answer.status}")
    most = 20 * len(blob.content)
    expect(len(answer.body) <= most, f"{_RANGES} ranges of a blob of 10 kB made an answer of {len(answer.body)} bytes")


@LISTS.check(
    "security.lists.huge-pages",
    Level.SHOULD,
    "A page of very many tags or repositories is no more than what there is, or refused below 500, and comes at once",
)
def huge_pages(session: Session) -> None:
    session.manifest(new_image(), session.new_tag())
    for number in ("1000000000", "9223372036854775807", "9" * 40, "-1"):
        for path in (f"/v2/{session.name}/tags/list?n={number}", f"/v2/_catalog?n={number}"):
            begun = time.monotonic()
            answer = session.send("GET", path)
            expect(answer.status < 500, f"GET {answer.path} answered {answer.status}")
            expect(time.monotonic() - begun < 10, f"GET {answer.path} took longer than 10 s")
