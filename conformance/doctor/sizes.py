"""Limits on the size of what clients send: bodies, headers, URLs; and on how often they ask."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.content import OCTETS
from conformance.doctor.finding import Examinations, Finding, Level, Order
from conformance.doctor.uploads import nowhere, to_nowhere
from conformance.doctor.visit import Visit, is_of_registry, kind_of_body
from conformance.requirement import NotApplicable
from conformance.session import manifest_path
from conformance.wire import Answer, Broken

EXAMINATIONS = Examinations()

_ANNOUNCED = [1 << power for power in range(20, 35)]
_COMMON = 1 << 30
_LONG_HEADERS = ((4 << 10, Level.FAULT), (7 << 10, Level.WARNING))
_LONG_URL = 2 << 10
_BURST = 50
_PIECE = bytes(256 << 10)
_PATIENCE_S = 2.0


@EXAMINATIONS.add("size.announced", "how large a body may be, without sending one")
def large_bodies_are_let_in(visit: Visit) -> Iterator[Finding]:
    # Asked once before, so that there are credentials to send.
    to_nowhere(visit, "PATCH", b"doctor")
    largest = _announced(visit, _ANNOUNCED[-1])
    if largest is None or largest.status != 413:
        return
    refused, low, high = largest, 0, len(_ANNOUNCED) - 1
    while low < high:
        middle = (low + high) // 2
        answer = _announced(visit, _ANNOUNCED[middle])
        if answer is not None and answer.status == 413:
            refused, high = answer, middle
        else:
            low = middle + 1
    size, smaller = _ANNOUNCED[high], _ANNOUNCED[high - 1] if high else 0
    passes = f", one of {told(smaller)} is let in" if smaller else ""
    seen = f"PATCH with a body of {told(size)} is answered 413{passes}"
    if is_of_registry(refused):
        yield visit.found("size.registry", Level.NOTE, seen, refused)
    else:
        yield visit.found("size.body", Level.FAULT if size <= _COMMON else Level.NOTE, seen, refused)


def _announced(visit: Visit, size: int) -> Answer | None:
    """The answer to a body of this size and a bit more, which is not sent; none if it is to be."""
    headers = {"Content-Type": OCTETS, "Content-Length": str(size + 1), "Expect": "100-continue"}
    with visit.talk("PATCH", nowhere(visit), headers) as talk:
        if not talk.hears(_PATIENCE_S):
            return None
        return visit.noted_answer(talk.answer(interim=True))


@EXAMINATIONS.add("size.sent", "whether a large body gets there, as docker sends layers")
def large_bodies_arrive(visit: Visit) -> Iterator[Finding]:
    size = visit.orders.largest
    if not size:
        raise NotApplicable("--largest is 0")
    location = visit.begin_upload()
    small = visit.send("PATCH", location, {"Content-Type": OCTETS}, iter([b"doctor"]))
    if small.status != 202:
        raise NotApplicable(f"a small body in chunks is answered {small.status}")
    location = small.location() if small.header("Location") else location
    count = -(-size // len(_PIECE))
    try:
        answer = visit.send("PATCH", location, {"Content-Type": OCTETS}, (_PIECE for _ in range(count)))
    except Broken as error:
        yield visit.found("size.cut", Level.FAULT, f"{told(size)} sent in chunks: {error}", error.answer)
        return
    seen = f"PATCH of {told(size)} in chunks was answered {answer.status} with {kind_of_body(answer)}"
    if answer.status == 413:
        registry = is_of_registry(answer)
        yield visit.found("size.registry" if registry else "size.body", Level.FAULT, seen)
    elif answer.status >= 400:
        yield visit.found("size.cut", Level.FAULT, seen)
    visit.cancel(answer.location() if answer.status == 202 and answer.header("Location") else location)


@EXAMINATIONS.add("size.headers", "whether long tokens get through")
def long_headers_arrive(visit: Visit) -> Iterator[Finding]:
    usual = visit.send_plain("GET", "/v2/")
    for size, level in _LONG_HEADERS:
        try:
            answer = visit.send_plain("GET", "/v2/", {"Authorization": f"Bearer {'a' * size}"})
        except Broken as error:
            yield visit.found("size.headers", level, f"a token of {told(size)}: {error}", error.answer)
            return
        if answer.status not in {usual.status, 200, 401, 403} and not is_of_registry(answer):
            seen = f"GET /v2/ with a token of {told(size)} was answered {answer.status} with {kind_of_body(answer)}"
            yield visit.found("size.headers", level, seen)
            return


@EXAMINATIONS.add("size.url", "whether long URLs get through")
def long_urls_arrive(visit: Visit) -> Iterator[Finding]:
    answer = visit.send_plain("GET", f"/v2/?doctor={'a' * _LONG_URL}")
    if answer.status >= 400 and not is_of_registry(answer):
        seen = f"GET of a URL of {told(_LONG_URL)} was answered {answer.status} with {kind_of_body(answer)}"
        yield visit.found("size.url", Level.WARNING, seen)


@EXAMINATIONS.add("rate", "whether a client that asks often is slowed down", Order.LAST)
def bursts_are_let_in(visit: Visit) -> Iterator[Finding]:
    for number in range(_BURST):
        answer = visit.send("HEAD", manifest_path(visit.name, "not-there"))
        if answer.status in {429, 503}:
            told_wait = answer.header("Retry-After")
            wait = f"Retry-After: {told_wait}" if told_wait else "no Retry-After"
            seen = f"of {_BURST} requests in a row, number {number + 1} was answered {answer.status}, {wait}"
            yield visit.found("rate", Level.NOTE if told_wait else Level.WARNING, seen)
            return


def told(size: int) -> str:
    """A size in words."""
    for unit, bytes_in in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= bytes_in:
            return f"{size / bytes_in:.4g} {unit}"
    return f"{size} bytes"
