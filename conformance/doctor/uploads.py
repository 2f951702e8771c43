"""Pushing: where uploads are said to go, and whether what docker, containerd and podman send gets there."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from urllib.parse import quote, urljoin, urlsplit

from conformance.content import OCTETS, Blob, new_blob
from conformance.doctor.finding import Examinations, Finding, Level, Order
from conformance.doctor.talk import Talk, chunk
from conformance.doctor.visit import Visit, is_of_registry, kind_of_body
from conformance.requirement import NotApplicable
from conformance.session import uploads_path
from conformance.wire import Answer, Body, Broken, pieces

EXAMINATIONS = Examinations()

_NOT_LET_IN = {403, 405, 411, 501}
_REDIRECTS = {301, 302, 303}
_CHUNKED = {"Content-Type": OCTETS, "Transfer-Encoding": "chunked"}
# Twice as much as servers written in Go take of a body that nobody wants before they answer.
_UNWANTED = 512 << 10
# Whoever is busy gets a second chance.
_EARLY_S = (1.0, 3.0)
_EXPECT_S = 1.0


@EXAMINATIONS.add("location", "whether uploads are said to go where they can", Order.FIRST)
def location_leads_back(visit: Visit) -> Iterator[Finding]:
    visit.needs_pushing()
    answer = visit.send("POST", uploads_path(visit.name), {"Content-Length": "0"})
    if answer.status != 202:
        raise NotApplicable(f"an upload cannot be begun: POST {answer.path} answered {answer.status}{visit.hint()}")
    given = answer.header("Location")
    if given is None:
        yield visit.found("headers.location", Level.FAULT, "POST answered 202 without Location")
        return
    seen = f"POST {answer.path} answered 202 with Location: {given}"
    found = urlsplit(urljoin(answer.url, given))
    ours = urlsplit(visit.line.base)
    begins = f"{found.scheme}://{found.netloc}/"
    is_ours = f"/v2/{visit.name}/blobs/uploads" in found.path
    if is_ours and found.scheme != ours.scheme:
        visit.line.detours[begins] = f"{ours.scheme}://{found.netloc}/"
        yield visit.found("forwarded.scheme", Level.FAULT, seen)
    if is_ours and found.netloc != ours.netloc:
        visit.line.detours[begins] = f"{ours.scheme}://{ours.netloc}/"
        yield visit.found("forwarded.host", Level.FAULT, seen)
    if not is_ours:
        yield from _elsewhere(visit, answer, seen)
    visit.cancel(visit.begun(answer))


def _elsewhere(visit: Visit, answer: Answer, seen: str) -> Iterator[Finding]:
    """A registry may have its uploads where it likes, if only they are there."""
    location = visit.line.url(answer.location())
    begun = visit.send("PATCH", location, {"Content-Type": OCTETS}, b"doctor")
    if begun.status not in {201, 202, 204}:
        told = f"{seen}, and PATCH there answered {begun.status}"
        yield visit.found("path.name", Level.FAULT, told, answer)


@EXAMINATIONS.add("slash", "whether the slash at the end of /blobs/uploads/ arrives")
def slash_arrives(visit: Visit) -> Iterator[Finding]:
    visit.needs_pushing()
    answer = visit.send("POST", uploads_path(visit.name), {"Content-Length": "0"}, redirects=False)
    seen = f"POST {answer.path} answered {answer.status}"
    if answer.status in _REDIRECTS | {307, 308}:
        location = answer.location()
        is_slash = urlsplit(location).path == urlsplit(answer.url).path.rstrip("/")
        level = Level.FAULT if answer.status in _REDIRECTS else Level.WARNING
        yield visit.found("path.slash" if is_slash else "push.redirect", level, f"{seen} with Location: {location}")
    elif answer.status in {400, 404, 405} and _names_upload(answer):
        yield visit.found("path.slash", Level.FAULT, f"{seen}: {answer.body[:200].decode('utf-8', 'replace')}")
    elif answer.status == 202 and answer.header("Location"):
        visit.cancel(visit.begun(answer))


def _names_upload(answer: Answer) -> bool:
    """Whether the registry took `uploads` for the name of one, or for a digest."""
    return any(code in answer.body for code in (b"BLOB_UPLOAD_UNKNOWN", b"BLOB_UPLOAD_INVALID", b"DIGEST_INVALID"))


@EXAMINATIONS.add("methods", "whether PATCH, PUT and DELETE get to the registry")
def methods_arrive(visit: Visit) -> Iterator[Finding]:
    for method, body in (("PATCH", b"doctor"), ("PUT", b"doctor"), ("DELETE", None)):
        try:
            answer = to_nowhere(visit, method, body)
        except Broken as error:
            yield visit.found("push.methods", Level.FAULT, str(error), error.answer)
            continue
        is_refused = answer.status in _NOT_LET_IN - {411} and not is_of_registry(answer)
        if is_refused and answer.status != visit.send("GET", nowhere(visit)).status:
            seen = f"{method} {answer.path} answered {answer.status} with {kind_of_body(answer)}"
            yield visit.found("push.methods", Level.FAULT, seen, answer)


@EXAMINATIONS.add("chunked", "whether bodies without a length get to the registry, as docker sends them")
def chunks_arrive(visit: Visit) -> Iterator[Finding]:
    plain = to_nowhere(visit, "PATCH", b"doctor")
    try:
        answer = to_nowhere(visit, "PATCH", [b"doctor"])
    except Broken as error:
        yield visit.found("push.chunked", Level.FAULT, f"{error}, but with Content-Length {plain.status}", error.answer)
        return
    if answer.status != plain.status and answer.status in {400, 403, 411, 413, 415, 500, 501, 502}:
        seen = f"PATCH without Content-Length was answered {answer.status}, and with it {plain.status}"
        yield visit.found("push.chunked", Level.FAULT, seen)


@EXAMINATIONS.add("buffering", "whether uploads get to the registry while they are being sent")
def uploads_are_passed_on(visit: Visit) -> Iterator[Finding]:
    # Asked once before, so that there are credentials to send.
    to_nowhere(visit, "PATCH", b"doctor")
    if any(_is_answered_early(visit, seconds) for seconds in _EARLY_S):
        return
    answer = visit.last
    if answer.status >= 400:
        seen = f"PATCH of an upload that does not exist was answered {answer.status} only once its body had ended"
        yield visit.found("push.buffered", Level.WARNING, seen)


def _is_answered_early(visit: Visit, seconds: float) -> bool:
    """Whether what nobody wants is refused before all of it is sent."""
    with visit.talk("PATCH", nowhere(visit), _CHUNKED) as talk:
        # Servers take some more before they say what they have known for a while.
        is_early = any(_is_heard(talk, patience) for patience in (seconds / 4, seconds))
        talk.say(chunk(b""))
        visit.noted_answer(talk.answer())
    return is_early


def _is_heard(talk: Talk, seconds: float) -> bool:
    """Whether an answer begins after some more of the body."""
    for piece in pieces(bytes(_UNWANTED), 64 << 10):
        talk.say(chunk(piece))
    return talk.hears(seconds)


@EXAMINATIONS.add("expect", "whether Expect: 100-continue is understood, as curl and some libraries send it")
def expectations_are_met(visit: Visit) -> Iterator[Finding]:
    to_nowhere(visit, "PATCH", b"doctor")
    headers = {"Content-Type": OCTETS, "Content-Length": "6", "Expect": "100-continue"}
    with visit.talk("PATCH", nowhere(visit), headers) as talk:
        talk.hears(_EXPECT_S)
        talk.say(b"doctor")
        answer = visit.noted_answer(talk.answer())
    if answer.status in {417, 501}:
        seen = f"PATCH with Expect: 100-continue was answered {answer.status}"
        yield visit.found("push.expect", Level.WARNING, seen)


@EXAMINATIONS.add("push", "whether a blob can be pushed as docker and as containerd do")
def blobs_can_be_pushed(visit: Visit) -> Iterator[Finding]:
    blob = new_blob(32 << 10)
    location = visit.begin_upload()
    answer = visit.send("PATCH", location, {"Content-Type": OCTETS}, pieces(blob.content, 16 << 10))
    if answer.status in _NOT_LET_IN and not is_of_registry(answer):
        raise NotApplicable(f"PATCH in chunks is answered {answer.status} with {kind_of_body(answer)}")
    if answer.status != 202:
        yield visit.found("push.failed", Level.FAULT, f"PATCH {answer.path} answered {answer.status}{_said(answer)}")
        return
    if answer.header("Range") is None:
        yield visit.found("headers.range", Level.FAULT, "PATCH was answered 202 without Range")
    following = answer.location() if answer.header("Location") else location
    yield from _ended(visit, following, blob)
    whole = new_blob(32 << 10)
    answer = visit.put_blob(visit.begin_upload(), whole)
    if answer.status != 201:
        yield visit.found("push.failed", Level.FAULT, f"PUT {answer.path} answered {answer.status}{_said(answer)}")


def _ended(visit: Visit, location: str, blob: Blob) -> Iterator[Finding]:
    answer = visit.put_blob(location, blob, b"")
    if answer.status == 201:
        return
    refused = answer
    path = location + ("&" if "?" in location else "?") + f"digest={blob.digest}"
    again = visit.noted(visit.send("PUT", path, {"Content-Type": OCTETS}, b""))
    if again.status == 201:
        seen = f"PUT with ?digest={quote(blob.digest)[:16]}… answered {refused.status}, and with an unencoded ':' 201"
        yield visit.found("path.query", Level.FAULT, seen, refused)
    else:
        yield visit.found("push.failed", Level.FAULT, f"PUT {refused.path} answered {refused.status}{_said(refused)}")


@EXAMINATIONS.add("query", "whether encoded characters in queries arrive as they are")
def queries_arrive(visit: Visit) -> Iterator[Finding]:
    visit.needs_pushing()
    sample = visit.sample()
    digest = sample.blob.rpartition("/")[2]
    path = f"{uploads_path(visit.name)}?mount={digest}&from="
    plain = _mounted(visit, path + visit.name)
    encoded = _mounted(visit, path + quote(visit.name, safe=""))
    if plain.status == 201 and encoded.status != 201:
        seen = f"a mount from={visit.name} answered 201, and from={quote(visit.name, safe='')} {encoded.status}"
        yield visit.found("path.query", Level.FAULT, seen)


def _mounted(visit: Visit, path: str) -> Answer:
    answer = visit.noted(visit.send("POST", path, {"Content-Length": "0"}))
    if answer.status == 202 and answer.header("Location"):
        visit.cancel(visit.begun(answer))
    return answer


def nowhere(visit: Visit) -> str:
    """The path of an upload that does not exist: what is sent there changes nothing."""
    return f"{uploads_path(visit.name)}{uuid.uuid4()}"


def to_nowhere(visit: Visit, method: str, body: Body) -> Answer:
    """What is answered there; where a server hung up while it was asked, what it answers the next time."""
    headers = {} if body is None else {"Content-Type": OCTETS}
    with contextlib.suppress(Broken):
        return visit.send(method, nowhere(visit), headers, body)
    visit.line.hang_up()
    return visit.send(method, nowhere(visit), headers, body)


def _said(answer: Answer) -> str:
    return f": {answer.body[:200].decode('utf-8', 'replace').strip()}" if answer.body else ""
