"""What is wrong with an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.api.matrix.expected import Expected
from tests.api.matrix.places import PROJECT, REPOSITORY, USER
from tests.api.matrix.rows import Row
from tests.api.matrix.world import VICTIM
from tests.api.server import Answer

_MEDIA_TYPES = {"oci": "application/json", "oauth": "application/json", "json-api": "application/vnd.api+json"}
# Names of what is there, and of what is not; those of repositories first, which begin with those of projects.
_NAMES = "|".join([*REPOSITORY.values(), *PROJECT.values(), *USER.values(), VICTIM]).encode()


def faults(row: Row, answer: Answer, expected: Expected, url: str) -> Iterator[str]:
    """In what the answer of the registry at `url` is not what is expected."""
    if answer.status != expected.status:
        yield f"{answer.status} and not {expected.status}: {answer.body[:200]!r}"
        return
    challenges = answer.headers.getall("WWW-Authenticate", [])
    wanted = [] if expected.challenge is None else [_challenge(expected, url)]
    if challenges != wanted:
        yield f"challenged with {challenges} and not {wanted}"
    if row.method == "HEAD":
        if answer.body:
            yield f"HEAD has a body: {answer.body!r}"
    elif expected.code is not None:
        yield from _error_faults(row, answer, expected.code)


def anonymised(answer: Answer) -> tuple[int, Mapping[str, str], bytes]:
    """The whole answer without what is different every time, and without the names that were asked for."""
    headers = {name.lower(): re.sub(_NAMES, b"*", value.encode()).decode() for name, value in answer.headers.items()}
    for different in ("date", "x-request-id"):
        del headers[different]
    body = answer.body.replace(answer.headers["X-Request-Id"].encode(), b"*")
    if "content-length" in headers:
        # The numbers of requests get longer.
        headers["content-length"] = str(int(headers["content-length"]) - len(answer.body) + len(body))
    return answer.status, headers, re.sub(_NAMES, b"*", body)


def _challenge(expected: Expected, url: str) -> str:
    if expected.challenge == "Basic":
        return 'Basic realm="Berth", charset="UTF-8"'
    scope = "" if expected.scope is None else f',scope="{expected.scope}"'
    error = "" if expected.error is None else f',error="{expected.error}"'
    return f'Bearer realm="{url}/token",service="berth"{scope}{error}'


def _error_faults(row: Row, answer: Answer, code: str) -> Iterator[str]:
    if answer.headers["Content-Type"] != _MEDIA_TYPES[row.style]:
        yield f"an error as {answer.headers['Content-Type']}"
    document = answer.json()
    members = {"oci": {"errors"}, "oauth": {"errors", "error", "error_description"}, "json-api": {"meta", "errors"}}
    if set(document) != members[row.style]:
        yield f"an error with {sorted(document)}"
    (error,) = document["errors"]
    if error["code"] != code:
        yield f"code {error['code']} and not {code}"
    yield from _text_faults(row, error)


def _text_faults(row: Row, error: Mapping[str, Any]) -> Iterator[str]:
    if not error["detail" if row.style == "json-api" else "message"]:
        yield "an error without words"
