"""Getting there at all: names, connections, TLS, and whether HTTP is spoken. Nothing else can be seen before that."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from conformance.doctor.finding import Finding, Level
from conformance.doctor.talk import Talk
from conformance.wire import Answer, Broken, Target

_SOON_S = 14 * 86_400
_PROTOCOL_ERRORS = ("UNSUPPORTED_PROTOCOL", "VERSION", "NO_PROTOCOLS", "HANDSHAKE_FAILURE", "NO_SHARED_CIPHER")
# What OpenSSL says of a certificate (X509_V_ERR_…), and what that is here; all else is about its chain.
_CERTIFICATES = {9: "tls.not-yet", 10: "tls.expired", 18: "tls.self-signed", 62: "tls.name", 64: "tls.name"}
_TLS_SPOKEN = re.compile(rb"plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reached:
    """What was found on the way, and with what to go on: nothing, if there is no way."""

    target: Target | None
    findings: list[Finding]


def reach(target: Target) -> Reached:
    """Connect, and see whether what answers speaks what the URL says."""
    parts = urlsplit(target.url)
    trouble = _no_connection(parts, target.timeout_s)
    if trouble is not None:
        return Reached(None, [trouble])
    findings: list[Finding] = []
    if parts.scheme == "https" and not target.insecure:
        findings = list(_tls(parts, target))
        if any(finding.level is Level.FAULT for finding in findings):
            # All else can be seen without trust in the certificate.
            target = replace(target, insecure=True)
    spoken = _spoken(parts, target)
    if isinstance(spoken, Finding):
        # A handshake that fails is told once, by what fails it.
        told = [one for one in findings if one.id != "tls.broken"] if spoken.id != "tls.broken" else []
        return Reached(None, [*told, spoken])
    return _redirected(target, findings, spoken)


def _no_connection(parts: SplitResult, timeout_s: float) -> Finding | None:
    where = f"{parts.hostname}:{_port(parts)}"
    try:
        socket.create_connection((parts.hostname or "", _port(parts)), timeout=min(timeout_s, 10.0)).close()
    except socket.gaierror as error:
        return Finding("reach.name", Level.FAULT, f"the name {parts.hostname} has no address: {error.strerror}")
    except ConnectionRefusedError:
        return Finding("reach.refused", Level.FAULT, f"{where} refuses connections")
    except TimeoutError:
        return Finding("reach.silent", Level.FAULT, f"{where} does not answer")
    except (OSError, UnicodeError) as error:
        return Finding("reach.silent", Level.FAULT, f"{where} cannot be reached: {error}")
    return None


def _tls(parts: SplitResult, target: Target) -> Iterator[Finding]:
    try:
        certificate = _certificate(parts, target)
    except ssl.SSLCertVerificationError as error:
        identifier = _CERTIFICATES.get(error.verify_code, "tls.chain")
        yield Finding(identifier, Level.FAULT, f"the certificate is not valid here: {error.verify_message}")
        return
    except (OSError, ValueError):
        return  # What speaks no TLS is seen when HTTP is tried.
    ends = str(certificate.get("notAfter", ""))
    left = ssl.cert_time_to_seconds(ends) - time.time() if ends else _SOON_S
    if left < _SOON_S:
        yield Finding("tls.expires", Level.WARNING, f"the certificate ends in {left / 86_400:.1f} days: {ends}")


def _certificate(parts: SplitResult, target: Target) -> dict[str, object]:
    address = (parts.hostname or "", _port(parts))
    with (
        socket.create_connection(address, timeout=target.timeout_s) as plain,
        target.context().wrap_socket(plain, server_hostname=parts.hostname) as secure,
    ):
        return dict(secure.getpeercert() or {})


def _spoken(parts: SplitResult, target: Target) -> Answer | Finding:
    """The answer to the first request, or why there is none."""
    try:
        answer = _ask(target)
    except Broken as error:
        return _not_spoken(parts, target, error)
    if parts.scheme == "http" and answer.status == 400 and _TLS_SPOKEN.search(answer.body):
        return Finding("reach.tls-expected", Level.FAULT, "plain HTTP was sent to a port for TLS", answer)
    return answer


def _ask(target: Target) -> Answer:
    with Talk(target, "GET", f"{target.url.rstrip('/')}/v2/", {"Accept": "*/*"}) as talk:
        return talk.answer()


def _not_spoken(parts: SplitResult, target: Target, error: Broken) -> Finding:
    if parts.scheme == "http":
        with contextlib.suppress(OSError, ValueError):
            _certificate(parts, replace(target, insecure=True))
            return Finding("reach.tls-expected", Level.FAULT, "TLS is spoken at a port for plain HTTP", error.answer)
        return Finding("reach.no-http", Level.FAULT, str(error), error.answer)
    if isinstance(error.__cause__, ssl.SSLError):
        with contextlib.suppress(Broken):
            answer = _ask(replace(target, url=f"http://{parts.netloc}" + ("" if parts.port else ":443")))
            return Finding("reach.no-tls", Level.FAULT, "plain HTTP is spoken at a port for TLS", answer)
    old = any(one in str(error).upper() for one in _PROTOCOL_ERRORS)
    return Finding("tls.protocol" if old else "tls.broken", Level.FAULT, str(error), error.answer)


def _redirected(target: Target, findings: list[Finding], first: Answer) -> Reached:
    """Go on where a redirect to HTTPS leads."""
    location = first.header("Location") or ""
    here, there = urlsplit(target.url), urlsplit(location)
    is_secured = (here.scheme, there.scheme, there.hostname) == ("http", "https", here.hostname)
    if first.status not in {301, 302, 307, 308} or not is_secured:
        return Reached(target, findings)
    url = f"https://{there.netloc}"
    note = Finding("reach.redirected", Level.NOTE, f"{target.url} answers with a redirect to {url}", first)
    following = reach(replace(target, url=url))
    return Reached(following.target, [*findings, note, *following.findings])


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else 80)
