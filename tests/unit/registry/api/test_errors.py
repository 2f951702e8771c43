"""How every error looks on the wire."""

import json

import pytest

from registry import errors as registry_errors
from registry.api.errors import BodyBroken, BodyStalled, MethodNotAllowed, RouteUnknown, render, render_unexpected
from storage import errors as storage_errors
from storage.digest import digest_of
from storage.errors import RegistryError
from storage.metadata.migrate import SchemaTooNew
from tests.unit.registry.api.requests import send

ONE, TWO = digest_of(b"one"), digest_of(b"two")

# Status and code as the specification, or HTTP where it is silent, wants them; what `detail` says; further headers.
CASES: list[tuple[RegistryError, int, str, object, dict[str, str]]] = [
    (storage_errors.NameInvalid("A", "so"), 400, "NAME_INVALID", {"name": "A"}, {}),
    (storage_errors.TagInvalid("."), 400, "MANIFEST_INVALID", {"tag": "."}, {}),
    (storage_errors.DigestInvalid("x", "so"), 400, "DIGEST_INVALID", {"digest": "x"}, {}),
    (
        storage_errors.DigestMismatch(ONE, TWO),
        400,
        "DIGEST_INVALID",
        {"expected": str(ONE), "actual": str(TWO)},
        {},
    ),
    (storage_errors.BlobTooLarge(7), 413, "SIZE_INVALID", {"limit": 7}, {}),
    (storage_errors.BlobUnknown(ONE), 404, "BLOB_UNKNOWN", {"digest": str(ONE)}, {}),
    (storage_errors.UploadUnknown("x"), 404, "BLOB_UPLOAD_UNKNOWN", None, {}),
    (storage_errors.UploadBusy("x", 5), 416, "BLOB_UPLOAD_INVALID", None, {}),
    (storage_errors.BlobMissing("x"), 500, "UNKNOWN", None, {}),
    (storage_errors.StorageFull(), 507, "UNAVAILABLE", None, {}),
    (storage_errors.StorageUnavailable("so", retry_after_s=7), 503, "UNAVAILABLE", None, {"Retry-After": "7"}),
    (registry_errors.RequestInvalid("so"), 400, "UNSUPPORTED", None, {}),
    (registry_errors.TooManyTags(5, 4), 414, "UNSUPPORTED", None, {}),
    (registry_errors.ChunkInvalid("so"), 400, "BLOB_UPLOAD_INVALID", None, {}),
    (
        registry_errors.RangeInvalid(9),
        416,
        "SIZE_INVALID",
        None,
        {"Content-Range": "bytes */9", "Accept-Ranges": "bytes"},
    ),
    (registry_errors.OffsetMismatch("x", 5, 7), 416, "BLOB_UPLOAD_INVALID", {"offset": 5}, {}),
    (registry_errors.LengthMismatch("so"), 400, "SIZE_INVALID", None, {}),
    (registry_errors.ManifestInvalid("so"), 400, "MANIFEST_INVALID", None, {}),
    (registry_errors.ManifestTypeUnsupported("text/plain"), 415, "MANIFEST_INVALID", None, {}),
    (registry_errors.ManifestTooLarge(7), 413, "MANIFEST_INVALID", None, {}),
    (registry_errors.ManifestUnknown(ONE), 404, "MANIFEST_UNKNOWN", {"reference": str(ONE)}, {}),
    (registry_errors.ManifestUnknown("v1", "so"), 404, "MANIFEST_UNKNOWN", {"reference": "v1"}, {}),
    (registry_errors.NameUnknown("a"), 404, "NAME_UNKNOWN", {"name": "a"}, {}),
    (registry_errors.ReferencesUnknown([ONE]), 404, "MANIFEST_BLOB_UNKNOWN", {"digest": str(ONE)}, {}),
    (
        registry_errors.StillReferenced(ONE, TWO),
        405,
        "UNSUPPORTED",
        {"digest": str(ONE), "by": str(TWO)},
        {"Allow": "GET, HEAD"},
    ),
    (registry_errors.PreconditionFailed("v1", ONE), 412, "DENIED", {"current": str(ONE)}, {}),
    (registry_errors.PreconditionFailed("v1", None), 412, "DENIED", {"current": None}, {}),
    (registry_errors.TooManyRequests("so", 3), 429, "TOOMANYREQUESTS", None, {"Retry-After": "3"}),
    (registry_errors.OperationDisabled("deleting"), 405, "UNSUPPORTED", None, {"Allow": "GET, HEAD"}),
    (BodyBroken("so"), 400, "SIZE_INVALID", None, {}),
    (BodyStalled("so"), 408, "SIZE_INVALID", None, {}),
    (RouteUnknown(), 404, "UNSUPPORTED", None, {}),
    (MethodNotAllowed("PUT", ["GET", "POST"]), 405, "UNSUPPORTED", None, {"Allow": "GET, POST"}),
]


@pytest.mark.parametrize(
    ("error", "status", "code", "detail", "headers"), CASES, ids=[type(case[0]).__name__ for case in CASES]
)
def test_error(error: RegistryError, status: int, code: str, detail: object, headers: dict[str, str]) -> None:
    """An error becomes one entry with its code, its sentence and its data."""
    sent = send(render(error))
    assert sent.line.split()[1] == str(status)
    (entry,) = json.loads(sent.body)["errors"]
    assert entry["code"] == code
    assert entry.get("detail") == detail
    assert len(entry["message"]) > 1
    assert sent.headers["Content-Type"] == "application/json"
    assert {name: sent.headers.get(name) for name in headers} == headers


def test_all_missing_references_are_told() -> None:
    """A client that lacks several blobs learns of all of them at once."""
    sent = send(render(registry_errors.ReferencesUnknown([ONE, TWO])))
    entries = json.loads(sent.body)["errors"]
    assert [entry["detail"]["digest"] for entry in entries] == [str(ONE), str(TWO)]
    assert all(str(digest) in entry["message"] for digest, entry in zip([ONE, TWO], entries, strict=True))
    assert {entry["code"] for entry in entries} == {"MANIFEST_BLOB_UNKNOWN"}


def test_subclass_is_told_as_its_parent() -> None:
    """An error without a row of its own looks like its nearest ancestor that has one."""

    class Special(registry_errors.ManifestInvalid):
        pass

    sent = send(render(Special("so")))
    assert sent.line.split()[1] == "400"
    assert json.loads(sent.body)["errors"][0] == {"code": "MANIFEST_INVALID", "message": "so"}


def test_error_of_no_request() -> None:
    """An error that no request should ever meet is a fault of ours."""
    sent = send(render(SchemaTooNew(5, 4)))
    assert sent.line.split()[1] == "500"
    assert json.loads(sent.body)["errors"][0]["code"] == "UNKNOWN"


def test_unexpected() -> None:
    """What went wrong inside is not told to the outside."""
    sent = send(render_unexpected())
    assert sent.line.split()[1] == "500"
    assert json.loads(sent.body)["errors"][0] == {"code": "UNKNOWN", "message": "the registry failed; its log says how"}


@pytest.mark.parametrize(
    "error",
    [
        storage_errors.NameInvalid("a" * 1_000_000, "so"),
        storage_errors.TagInvalid("a" * 1_000_000),
        storage_errors.DigestInvalid("a" * 1_000_000, "so"),
        storage_errors.UploadUnknown("a" * 1_000_000),
        registry_errors.ManifestTypeUnsupported("a" * 1_000_000),
        registry_errors.ManifestUnknown("a" * 1_000_000, "so"),
        MethodNotAllowed("A" * 1_000_000, ["GET"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_answers_are_bounded(error: RegistryError) -> None:
    """However much a client sends, little of it comes back."""
    assert len(send(render(error)).body) < 2000


def test_hostile_text_stays_text() -> None:
    """What a client sent appears in JSON only as a string."""
    sent = send(render(storage_errors.TagInvalid('"}],"x":[\x00\r\n\u2028')))
    assert list(json.loads(sent.body)) == ["errors"]
