"""How long an upload may take, and how long it may be silent: proxies have limits for both."""

from __future__ import annotations

import time
from collections.abc import Iterator

from conformance.content import OCTETS
from conformance.doctor.finding import Examinations, Finding, Level
from conformance.doctor.talk import Talk, chunk
from conformance.doctor.visit import Visit
from conformance.requirement import NotApplicable
from conformance.wire import Broken

EXAMINATIONS = Examinations()

_CHUNKED = {"Content-Type": OCTETS, "Transfer-Encoding": "chunked"}
# Two kilobytes a second at least: some proxies take less for an attack.
_PIECE = bytes(4096)
_PAUSES = 20
_LONGEST_PAUSE_S = 2.0


@EXAMINATIONS.add("time.silent", "whether an upload survives a pause of the client")
def pauses_are_waited_for(visit: Visit) -> Iterator[Finding]:
    pause = _wait(visit) / 2
    location = visit.begin_upload()
    with visit.talk("PATCH", location, _CHUNKED) as talk:
        talk.say(chunk(_PIECE))
        begun = time.monotonic()
        visit.listen(talk, pause)
        after = time.monotonic() - begun
        trouble = _trouble(visit, talk)
    if trouble:
        whole = "" if after >= pause - 0.1 else f", cut off after {after:.1f} s"
        seen = f"an upload with a pause of {pause:.1f} s{whole}: {trouble}"
        yield visit.found("time.silent", Level.FAULT, seen)
    visit.cancel(location)


@EXAMINATIONS.add("time.slow", "whether an upload over a slow line comes to its end")
def slow_uploads_end(visit: Visit) -> Iterator[Finding]:
    wait = _wait(visit)
    pause = min(wait / _PAUSES, _LONGEST_PAUSE_S)
    location = visit.begin_upload()
    begun = time.monotonic()
    with visit.talk("PATCH", location, _CHUNKED) as talk:
        while (after := time.monotonic() - begun) < wait:
            talk.say(chunk(_PIECE))
            if visit.listen(talk, pause):
                break
        trouble = _trouble(visit, talk)
    if trouble:
        whole = "" if after >= wait else f", cut off after {after:.1f} s"
        seen = f"an upload that takes {wait:.1f} s, a little every {pause:.1f} s{whole}: {trouble}"
        yield visit.found("time.slow", Level.FAULT, seen)
    visit.cancel(location)


def _wait(visit: Visit) -> float:
    if not visit.orders.wait_s:
        raise NotApplicable("--wait is 0")
    return visit.orders.wait_s


def _trouble(visit: Visit, talk: Talk) -> str:
    """End the body; what was wrong with the answer, if anything."""
    talk.say(chunk(_PIECE))
    talk.say(chunk(b""))
    try:
        answer = visit.noted_answer(talk.answer())
    except Broken as error:
        visit.exchanges.append(error.answer)
        return str(error)
    return "" if answer.status == 202 else f"{answer.method} was answered {answer.status}"
