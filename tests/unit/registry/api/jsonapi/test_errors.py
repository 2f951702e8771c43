"""How every error looks in JSON:API."""

import json

import pytest

from registry import errors as registry_errors
from registry.api.errors import BodyBroken, BodyStalled, MethodNotAllowed, RouteUnknown
from registry.api.jsonapi.errors import render, render_unexpected
from registry.api.jsonapi.problems import (
    DocumentTooLarge,
    MalformedRequest,
    MediaTypeUnsupported,
    Problem,
    parameter_invalid,
)
from storage import errors as storage_errors
from storage.errors import RegistryError
from tests.unit.registry.api.requests import send

# Status, title, code, source, further headers.
CASES: list[tuple[RegistryError, int, str, str, object, dict[str, str]]] = [
    (parameter_invalid("page[size]", "so"), 400, "Bad request", "PARAMETER_INVALID", {"parameter": "page[size]"}, {}),
    (
        MalformedRequest([Problem("NAME_MISSING", "so", "/data/attributes/name")]),
        400,
        "Bad request",
        "NAME_MISSING",
        {"pointer": "/data/attributes/name"},
        {},
    ),
    (
        MalformedRequest([Problem("DOCUMENT_INVALID", "so", "")]),
        400,
        "Bad request",
        "DOCUMENT_INVALID",
        {"pointer": ""},
        {},
    ),
    (registry_errors.RequestInvalid("so"), 400, "Bad request", "REQUEST_INVALID", None, {}),
    (BodyBroken("so"), 400, "Bad request", "REQUEST_INVALID", None, {}),
    (registry_errors.Unauthorized("so"), 401, "Unauthorized", "UNAUTHORIZED", None, {}),
    (registry_errors.Denied("so"), 403, "Access denied", "DENIED", None, {}),
    (registry_errors.NotFound("user", "x"), 404, "Not found", "NOT_FOUND", None, {}),
    (RouteUnknown(), 404, "Not found", "NOT_FOUND", None, {}),
    (MethodNotAllowed("PUT", ["GET"]), 405, "Method not allowed", "METHOD_NOT_ALLOWED", None, {"Allow": "GET"}),
    (BodyStalled("so"), 408, "Request timeout", "REQUEST_TIMEOUT", None, {}),
    (registry_errors.Conflict("so"), 409, "Conflict", "CONFLICT", None, {}),
    (DocumentTooLarge(), 413, "Document too large", "DOCUMENT_TOO_LARGE", None, {}),
    (MediaTypeUnsupported("text/plain"), 415, "Unsupported media type", "MEDIA_TYPE_UNSUPPORTED", None, {}),
    (
        registry_errors.AttributeInvalid("systemRole", "so"),
        422,
        "Unprocessable resource",
        "SYSTEM_ROLE_INVALID",
        {"pointer": "/data/attributes/systemRole"},
        {},
    ),
    (
        registry_errors.AttributeInvalid("name", "so", "TOO_LONG"),
        422,
        "Unprocessable resource",
        "NAME_TOO_LONG",
        {"pointer": "/data/attributes/name"},
        {},
    ),
    (
        registry_errors.ParameterInvalid("constraint", "so"),
        400,
        "Bad request",
        "CONSTRAINT_INVALID",
        {"parameter": "constraint"},
        {},
    ),
    (
        registry_errors.AttributeTaken("name", "x"),
        422,
        "Unprocessable resource",
        "NAME_TAKEN",
        {"pointer": "/data/attributes/name"},
        {},
    ),
    (
        registry_errors.TooManyRequests("so", 3),
        429,
        "Too many requests",
        "TOO_MANY_REQUESTS",
        None,
        {"Retry-After": "3"},
    ),
    (
        storage_errors.StorageUnavailable("so", retry_after_s=7),
        503,
        "Service unavailable",
        "UNAVAILABLE",
        None,
        {"Retry-After": "7"},
    ),
    (storage_errors.StorageFull(), 507, "Insufficient storage", "UNAVAILABLE", None, {}),
    (storage_errors.StorageDamaged("so"), 500, "Internal server error", "UNKNOWN", None, {}),
    (registry_errors.TooManyTags(5, 4), 414, "Bad request", "REQUEST_INVALID", None, {}),
]


@pytest.mark.parametrize(
    ("error", "status", "title", "code", "source", "headers"),
    CASES,
    ids=[f"{type(case[0]).__name__} {case[3]}" for case in CASES],
)
def test_error(
    error: RegistryError, status: int, title: str, code: str, source: object, headers: dict[str, str]
) -> None:
    """An error has the status of its class, words for people and for programs, and where to look."""
    sent = send(render(error, "id-1"))
    assert sent.line.split()[1] == str(status)
    document = json.loads(sent.body)
    assert document["meta"] == {"id": "id-1"}
    (entry,) = document["errors"]
    assert (entry["title"], entry["code"], entry.get("source")) == (title, code, source)
    assert len(entry["detail"]) > 1
    assert set(document) == {"meta", "errors"}
    expected = {"Content-Type": "application/vnd.api+json", "Cache-Control": "no-store", **headers}
    assert {name: sent.headers.get(name) for name in expected} == expected


def test_all_problems_are_told() -> None:
    """Each thing that is wrong is an error of its own."""
    problems = [Problem("A_MISSING", "a is missing", "/data/attributes/a"), Problem("MEMBER_UNKNOWN", "b", "/b")]
    document = json.loads(send(render(MalformedRequest(problems), "x")).body)
    assert [error["source"]["pointer"] for error in document["errors"]] == ["/data/attributes/a", "/b"]
    assert {error["title"] for error in document["errors"]} == {"Bad request"}


def test_fault_of_ours() -> None:
    """What went wrong inside is not told to the outside."""
    sent = send(render_unexpected("id-2"))
    assert sent.line.split()[1] == "500"
    assert json.loads(sent.body) == {
        "meta": {"id": "id-2"},
        "errors": [
            {
                "title": "Internal server error",
                "detail": "the registry failed; its log says how",
                "code": "UNKNOWN",
            }
        ],
    }


def test_hostile_text_stays_text() -> None:
    """What a client sent appears in JSON only as a string."""
    sent = send(render(registry_errors.NotFound("user", '"}],"x":[\x00\r\n\u2028'), "x"))
    assert set(json.loads(sent.body)) == {"meta", "errors"}
