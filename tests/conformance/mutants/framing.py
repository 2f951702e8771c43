"""What registries do wrong with requests that are no proper HTTP: the answers are made up."""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.mutants.messages import Head
from tests.conformance.mutants.proxy import RawHandler
from tests.conformance.mutants.rules import Mutant, answers, on

_DONE = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FINE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
_CRASH = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def _answers(answer: bytes, when: Callable[[Head], bool]) -> RawHandler:
    return lambda head, content: answer if when(head) else content


def _and_then(answer: bytes, when: Callable[[Head], bool]) -> RawHandler:
    return lambda head, content: content + answer if when(head) else content


def _count(name: str) -> Callable[[Head], int]:
    return lambda head: [key.lower() for key, _ in head.headers].count(name)


def _has(*parts: bytes) -> Callable[[Head], bool]:
    return lambda head: all(part in head.content for part in parts)


def _echo(head: Head, content: bytes) -> bytes:
    return _FINE[:-2] + head.content if head.line.startswith("TRACE") else content


FRAMING = (
    Mutant(
        "first-length-counts",
        {"security.framing.two-lengths": "answered 201, expected 400"},
        raw=_answers(_DONE, lambda head: _count("content-length")(head) > 1),
        spared=["security.framing.listed-lengths"],
    ),
    Mutant(
        "listed-length-counts",
        {"security.framing.listed-lengths": "answered 201, expected 400"},
        raw=_answers(_DONE, _has(b"Content-Length: 10, 20")),
        spared=["security.framing.two-lengths"],
    ),
    Mutant(
        "odd-length-counts",
        {"security.framing.bad-length": "answered 201, expected 400"},
        raw=_answers(_DONE, _has(b"Content-Length: +10")),
    ),
    Mutant(
        "hidden-request-is-answered",
        {"security.framing.length-and-chunks": "was answered, too"},
        raw=_and_then(_FINE, _has(b"Content-Length: ", b"Transfer-Encoding: chunked")),
    ),
    Mutant(
        "rest-of-a-body-is-a-request",
        {"security.framing.unread-body": "answered like a request"},
        answers(on("blob", "PUT"), lambda _, reply: setattr(reply, "added", _FINE)),
    ),
    Mutant(
        "odd-chunks-are-stored",
        {"security.framing.bad-chunk-size": "answered 201", "security.framing.bad-chunk-status": "answered 201"},
        raw=_answers(_DONE, _has(b"PUT ", b"Transfer-Encoding: chunked\r\n")),
        spared=["security.framing.unknown-coding"],
    ),
    Mutant(
        "any-coding-is-stored",
        {"security.framing.unknown-coding": "answered 201"},
        raw=_answers(_DONE, _has(b"Transfer-Encoding: xchunked")),
    ),
    Mutant(
        "half-a-body-is-stored",
        {
            "security.framing.cut-off": "answered 201 to half of the body",
            "security.framing.cut-off-chunks": "answered 201 to a body without its end",
            "security.framing.cut-off-manifest": "answered 201 to a part of the body",
        },
        raw=_answers(_DONE, _has(b"PUT ", b"Connection: close")),
    ),
    Mutant(
        "gigabyte-of-manifest-is-awaited",
        {"security.framing.announced-manifest": "answered 201, expected 400"},
        raw=_answers(_DONE, _has(b"Content-Length: 1073741824")),
    ),
    Mutant(
        "space-before-colon-is-read-over",
        {"security.headers.space-before-colon": "answered 200, expected 400"},
        raw=_answers(_FINE, _has(b"Content-Length : 0")),
        spared=["security.headers.folded"],
    ),
    Mutant(
        "host-may-be-missing",
        {"security.headers.no-host": "answered 200, expected 400"},
        raw=_answers(_FINE, lambda head: not _count("host")(head)),
    ),
    Mutant(
        "hosts-may-be-two",
        {"security.headers.two-hosts": "answered 200, expected 400"},
        raw=_answers(_FINE, lambda head: _count("host")(head) > 1),
    ),
    Mutant("trace-tells-all", {"security.headers.method": "answered 200, expected 400"}, raw=_echo),
    Mutant(
        "large-header-is-a-crash",
        {"security.headers.oversized": "answered 500", "security.headers.many": "answered 500"},
        raw=_answers(_CRASH, lambda head: len(head.content) > 30_000),
    ),
    Mutant(
        "odd-header-is-a-crash",
        {"security.headers.control-characters": "answered 500", "security.headers.folded": "answered 500"},
        raw=_answers(_CRASH, lambda head: b"\x00" in head.content or b"\r\n " in head.content),
    ),
    Mutant(
        "long-token-is-a-crash",
        {"security.token.overlong": "answered 500, expected 400"},
        raw=_answers(_CRASH, _has(b"Bearer ......")),
    ),
)
