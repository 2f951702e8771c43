"""How errors look in JSON:API: one renderer, and words for statuses."""

from __future__ import annotations

from typing import Any

import orjson

from registry.api.answer import Answer
from registry.api.errors import wire_of
from registry.api.jsonapi.documents import MEDIA_TYPE, code_word
from registry.api.jsonapi.problems import MalformedRequest, Problem
from registry.errors import AttributeInvalid, AttributeTaken, ParameterInvalid
from storage.errors import RegistryError

# Title and code of what has no code of its own.
_WORDS = {
    400: ("Bad request", "REQUEST_INVALID"),
    401: ("Unauthorized", "UNAUTHORIZED"),
    403: ("Access denied", "DENIED"),
    404: ("Not found", "NOT_FOUND"),
    405: ("Method not allowed", "METHOD_NOT_ALLOWED"),
    408: ("Request timeout", "REQUEST_TIMEOUT"),
    409: ("Conflict", "CONFLICT"),
    413: ("Document too large", "DOCUMENT_TOO_LARGE"),
    415: ("Unsupported media type", "MEDIA_TYPE_UNSUPPORTED"),
    422: ("Unprocessable resource", "UNPROCESSABLE"),
    429: ("Too many requests", "TOO_MANY_REQUESTS"),
    500: ("Internal server error", "UNKNOWN"),
    503: ("Service unavailable", "UNAVAILABLE"),
    507: ("Insufficient storage", "UNAVAILABLE"),
}


def render(error: RegistryError, request_id: str) -> Answer:
    """The answer that tells a client of the error."""
    wire = wire_of(error)
    return _answer(wire.status, request_id, _problems(error, wire.status), wire.headers(error))


def render_unexpected(request_id: str) -> Answer:
    """The answer to a fault of ours: nothing about it leaves the log."""
    return _answer(500, request_id, [Problem("UNKNOWN", "the registry failed; its log says how")], {})


def _problems(error: RegistryError, status: int) -> list[Problem]:
    if isinstance(error, MalformedRequest):
        return error.problems
    if isinstance(error, AttributeInvalid | AttributeTaken):
        ending = "TAKEN" if isinstance(error, AttributeTaken) else error.problem
        return [Problem(f"{code_word(error.attribute)}_{ending}", str(error), f"/data/attributes/{error.attribute}")]
    if isinstance(error, ParameterInvalid):
        return [Problem(f"{code_word(error.parameter)}_INVALID", str(error), parameter=error.parameter)]
    return [Problem(_words(status)[1], str(error))]


def _words(status: int) -> tuple[str, str]:
    return _WORDS.get(status) or _WORDS[400 if status < 500 else 500]


def _answer(status: int, request_id: str, problems: list[Problem], headers: dict[str, str]) -> Answer:
    title = _words(status)[0]
    document = {"meta": {"id": request_id}, "errors": [_entry(title, problem) for problem in problems]}
    fixed = {"Content-Type": MEDIA_TYPE, "Cache-Control": "no-store"}
    return Answer(status, {**headers, **fixed}, orjson.dumps(document))


def _entry(title: str, problem: Problem) -> dict[str, Any]:
    entry: dict[str, Any] = {"title": title, "detail": problem.detail, "code": problem.code}
    if problem.pointer is not None:
        entry["source"] = {"pointer": problem.pointer}
    elif problem.parameter is not None:
        entry["source"] = {"parameter": problem.parameter}
    return entry
