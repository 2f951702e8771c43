"""The first requests: whether this is a registry, at which path, behind which proxies, and what time it is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from conformance.content import ACCEPT
from conformance.doctor.finding import Examinations, Finding, Level, Order
from conformance.doctor.proxies import is_traefik
from conformance.doctor.visit import Visit, is_of_registry, kind_of_body
from conformance.requirement import NotApplicable
from conformance.session import manifest_path
from conformance.wire import Broken

EXAMINATIONS = Examinations()

_REDIRECTS = {301, 302, 303, 307, 308}
_WELCOME = {200, 401}
_UNREACHED = {502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530}
_SKEW_WARNING_S = 30.0
_SKEW_FAULT_S = 240.0
_AGENTS = (
    "docker/27.3.1 go/go1.22.7 os/linux arch/amd64 UpstreamClient(Docker-Client/27.3.1)",
    "containerd/2.0.0",
    "containers/5.32.0 (github.com/containers/image)",
    "Go-http-client/1.1",
    "curl/8.5.0",
)


@EXAMINATIONS.add("path.prefix", "whether the registry has a host name to itself", Order.FIRST)
def host_is_its_own(visit: Visit) -> Iterator[Finding]:
    parts = urlsplit(visit.line.base)
    if not parts.path:
        return
    origin = f"{parts.scheme}://{parts.netloc}"
    below, root = visit.send_plain("GET", "/v2/"), visit.send_plain("GET", f"{origin}/v2/")
    if below.status in _WELCOME:
        visit.line.detours[f"{origin}/v2/"] = f"{visit.line.base}/v2/"
        level = Level.NOTE if root.status in _WELCOME else Level.FAULT
        seen = f"the registry is below {parts.path}, and GET {origin}/v2/ answered {root.status}"
        yield visit.found("path.prefix", level, seen)
    elif root.status in _WELCOME:
        visit.line.target = replace(visit.line.target, url=origin)
        seen = f"GET {below.url} answered {below.status}, and GET {origin}/v2/ {root.status}"
        yield visit.found("path.root", Level.NOTE, seen, below)


@EXAMINATIONS.add("v2", "whether a registry answers at /v2/", Order.FIRST)
def registry_answers(visit: Visit) -> Iterator[Finding]:
    answer = visit.send_plain("GET", "/v2/")
    if answer.status in _WELCOME:
        if answer.header("Docker-Distribution-Api-Version") is None:
            seen = f"GET /v2/ answered {answer.status} without Docker-Distribution-Api-Version"
            yield visit.found("headers.version", Level.NOTE, seen)
        return
    seen = f"GET {answer.path} answered {answer.status}"
    if answer.status in _REDIRECTS:
        seen += f" with Location: {answer.header('Location')}"
        followed = visit.send("GET", "/v2/")
        if urlsplit(answer.location()).path == urlsplit(answer.url).path.rstrip("/"):
            yield visit.found("path.slash", Level.FAULT, seen, answer)
        elif followed.status in _WELCOME:
            yield visit.found("v2.redirect", Level.WARNING, seen, answer)
        else:
            yield visit.found("v2.sign-in", Level.FAULT, seen, answer)
        visit.ward.is_registry = followed.status in _WELCOME
        return
    visit.ward.is_registry = False
    kind = kind_of_body(answer)
    if answer.status in _UNREACHED:
        yield visit.found("v2.unreached", Level.FAULT, f"{seen} with {kind}")
    elif answer.status in {403, 405, 429}:
        yield visit.found("v2.refused", Level.FAULT, f"{seen} with {kind}")
    else:
        yield visit.found("v2.missing", Level.FAULT, f"{seen} with {kind}")


@EXAMINATIONS.add("proxies", "which proxies are on the way", Order.FIRST)
def proxies_are_known(visit: Visit) -> Iterator[Finding]:
    """Finds nothing itself: what comes back gives proxies away, and says how to word advice."""
    known = visit.send_plain("GET", "/v2/")
    for method, path, headers in (
        ("G@T", "/", {}),
        ("GET", "/v2/", {"Host": "doctor.invalid"}),
        ("GET", "/.doctor-asks-for-nothing", {}),
    ):
        try:
            with visit.talk(method, path, headers) as talk:
                answer = visit.noted_answer(talk.answer())
        except Broken as error:
            visit.exchanges.append(error.answer)
            continue
        if "Host" in headers and is_traefik(answer, known):
            visit.ward.proxies.add("traefik")
    yield from ()


@EXAMINATIONS.add("clock", "whether the clocks agree")
def clocks_agree(visit: Visit) -> Iterator[Finding]:
    before = time.time()
    date = visit.send_plain("GET", "/v2/").header("Date")
    if not date:
        raise NotApplicable("answers have no Date")
    theirs, ours = parsedate_to_datetime(date).timestamp(), (before + time.time()) / 2
    # A Date has whole seconds.
    skew = max(abs(theirs + 0.5 - ours) - 0.5 - (time.time() - before) / 2, 0.0)
    if skew >= _SKEW_WARNING_S:
        seen = f"Date: {date} is {skew:.0f} s {'behind' if theirs < ours else 'ahead of'} the clock here"
        yield visit.found("clock", Level.FAULT if skew >= _SKEW_FAULT_S else Level.WARNING, seen)


@EXAMINATIONS.add("keep-alive", "whether connections stay open for the next request")
def connections_stay_open(visit: Visit) -> Iterator[Finding]:
    with visit.talk("GET", "/v2/") as talk:
        answer = visit.noted_answer(talk.answer())
    if talk.http == "1.0" or "close" in (answer.header("Connection") or "").lower():
        seen = f"GET /v2/ was answered with HTTP/{talk.http}, Connection: {answer.header('Connection')}"
        yield visit.found("keep-alive", Level.WARNING, seen)


@EXAMINATIONS.add("agents", "whether all clients are let in")
def clients_are_let_in(visit: Visit) -> Iterator[Finding]:
    usual = visit.send_plain("GET", "/v2/")
    for agent in _AGENTS:
        answer = visit.send_plain("GET", "/v2/", {"User-Agent": agent})
        if answer.status != usual.status:
            name = agent.partition("/")[0]
            seen = f"GET /v2/ answered {answer.status} to User-Agent: {name}/…, and {usual.status} to others"
            yield visit.found("agents", Level.FAULT, seen)
            return


@EXAMINATIONS.add("errors", "whether errors of the registry come through")
def errors_come_through(visit: Visit) -> Iterator[Finding]:
    answer = visit.send("GET", manifest_path(visit.name, "not-there"), {"Accept": ACCEPT})
    if answer.status >= 400 and not is_of_registry(answer):
        seen = f"GET {answer.path} answered {answer.status} with {kind_of_body(answer)}, expected JSON with errors"
        is_page = "html" in kind_of_body(answer)
        yield visit.found("errors", Level.FAULT if is_page else Level.WARNING, seen)
