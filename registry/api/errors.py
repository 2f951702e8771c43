"""How errors look on the wire: one table, one renderer (spec, "Error Codes")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registry import errors as registry_errors
from registry.api.answer import Answer, json_answer
from registry.api.jsonapi import problems
from storage import errors as storage_errors
from storage.errors import RegistryError

Json = dict[str, Any]


class BodyBroken(RegistryError):
    """The request's body ended before it was whole."""


class BodyStalled(RegistryError):
    """No byte of the request's body came for the stall time-out."""


class RouteUnknown(RegistryError):
    def __init__(self) -> None:
        super().__init__("there is nothing at this path")


class MethodNotAllowed(RegistryError):
    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method[:20]} cannot be used here, only {', '.join(allowed)}")
        self.allowed = allowed


@dataclass(frozen=True, slots=True)
class Wire:
    """What an error becomes: status, code, and what else its data say."""

    status: int
    code: str
    detail: Callable[[Any], Any] = lambda _: None
    headers: Callable[[Any], dict[str, str]] = lambda _: {}


def _retry_after(error: Any) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after_s)}


def _read_only(_: Any) -> dict[str, str]:
    return {"Allow": "GET, HEAD"}


def _digest(error: Any) -> Json:
    return {"digest": str(error.digest)}


WIRE: dict[type[RegistryError], Wire] = {
    storage_errors.NameInvalid: Wire(400, "NAME_INVALID", lambda e: {"name": e.name[:300]}),
    storage_errors.TagInvalid: Wire(400, "MANIFEST_INVALID", lambda e: {"tag": e.tag[:200]}),
    storage_errors.DigestInvalid: Wire(400, "DIGEST_INVALID", lambda e: {"digest": e.text[:200]}),
    storage_errors.DigestMismatch: Wire(
        400, "DIGEST_INVALID", lambda e: {"expected": str(e.expected), "actual": str(e.actual)}
    ),
    storage_errors.BlobTooLarge: Wire(413, "SIZE_INVALID", lambda e: {"limit": e.limit}),
    storage_errors.BlobUnknown: Wire(404, "BLOB_UNKNOWN", _digest),
    storage_errors.UploadUnknown: Wire(404, "BLOB_UPLOAD_UNKNOWN"),
    storage_errors.UploadBusy: Wire(416, "BLOB_UPLOAD_INVALID"),
    storage_errors.BlobMissing: Wire(500, "UNKNOWN"),
    storage_errors.StorageDamaged: Wire(500, "UNKNOWN"),
    storage_errors.StorageFull: Wire(507, "UNAVAILABLE"),
    storage_errors.StorageUnavailable: Wire(503, "UNAVAILABLE", headers=_retry_after),
    registry_errors.RequestInvalid: Wire(400, "UNSUPPORTED"),
    registry_errors.TooManyTags: Wire(414, "UNSUPPORTED"),
    registry_errors.ChunkInvalid: Wire(400, "BLOB_UPLOAD_INVALID"),
    registry_errors.RangeInvalid: Wire(
        416, "SIZE_INVALID", headers=lambda e: {"Content-Range": f"bytes */{e.size}", "Accept-Ranges": "bytes"}
    ),
    registry_errors.OffsetMismatch: Wire(416, "BLOB_UPLOAD_INVALID", lambda e: {"offset": e.offset}),
    registry_errors.LengthMismatch: Wire(400, "SIZE_INVALID"),
    registry_errors.ManifestInvalid: Wire(400, "MANIFEST_INVALID"),
    registry_errors.ManifestTypeUnsupported: Wire(415, "MANIFEST_INVALID"),
    registry_errors.ManifestTooLarge: Wire(413, "MANIFEST_INVALID"),
    registry_errors.ManifestUnknown: Wire(404, "MANIFEST_UNKNOWN", lambda e: {"reference": str(e.reference)[:200]}),
    registry_errors.NameUnknown: Wire(404, "NAME_UNKNOWN", lambda e: {"name": e.name}),
    registry_errors.ReferencesUnknown: Wire(404, "MANIFEST_BLOB_UNKNOWN"),
    registry_errors.StillReferenced: Wire(
        405, "UNSUPPORTED", lambda e: {"digest": str(e.digest), "by": str(e.by)}, _read_only
    ),
    registry_errors.PreconditionFailed: Wire(
        412, "DENIED", lambda e: {"current": None if e.current is None else str(e.current)}
    ),
    registry_errors.TooManyRequests: Wire(429, "TOOMANYREQUESTS", headers=_retry_after),
    registry_errors.OperationDisabled: Wire(405, "UNSUPPORTED", headers=_read_only),
    registry_errors.Unauthorized: Wire(401, "UNAUTHORIZED"),
    registry_errors.Denied: Wire(403, "DENIED"),
    registry_errors.TagImmutable: Wire(403, "DENIED", lambda e: {"tag": e.tag}),
    # The management alone has these, and tells them in words of its own.
    registry_errors.NotFound: Wire(404, "UNSUPPORTED"),
    registry_errors.Conflict: Wire(409, "UNSUPPORTED"),
    registry_errors.AttributeInvalid: Wire(422, "UNSUPPORTED"),
    registry_errors.AttributeTaken: Wire(422, "UNSUPPORTED"),
    problems.DocumentTooLarge: Wire(413, "UNSUPPORTED"),
    problems.MediaTypeUnsupported: Wire(415, "UNSUPPORTED"),
    BodyBroken: Wire(400, "SIZE_INVALID"),
    BodyStalled: Wire(408, "SIZE_INVALID"),
    RouteUnknown: Wire(404, "UNSUPPORTED"),
    MethodNotAllowed: Wire(405, "UNSUPPORTED", headers=lambda e: {"Allow": ", ".join(e.allowed)}),
}


def wire_of(error: RegistryError) -> Wire:
    """The row of the error's class, or of its nearest ancestor that has one."""
    for kind in type(error).__mro__:
        row = WIRE.get(kind)
        if row is not None:
            return row
    return Wire(500, "UNKNOWN")


def render(error: RegistryError) -> Answer:
    """The answer that tells a client of the error."""
    wire = wire_of(error)
    return json_answer({"errors": _entries(error, wire)}, wire.status, wire.headers(error))


def render_oauth(error: RegistryError) -> Answer:
    """As `render`, with what OAuth 2 wants to be told beside it (RFC 6749, 5.2)."""
    wire = wire_of(error)
    code = "invalid_grant" if isinstance(error, registry_errors.Unauthorized) else "invalid_request"
    document = {"errors": _entries(error, wire), "error": code, "error_description": str(error)}
    return json_answer(document, wire.status, {"Cache-Control": "no-store", **wire.headers(error)})


def render_unexpected() -> Answer:
    """The answer to a fault of ours: nothing about it leaves the log."""
    entry = {"code": "UNKNOWN", "message": "the registry failed; its log says how"}
    return json_answer({"errors": [entry]}, 500)


def _entries(error: RegistryError, wire: Wire) -> list[Json]:
    if isinstance(error, registry_errors.ReferencesUnknown):
        return [
            {
                "code": wire.code,
                "message": f"the manifest needs {digest}, which is not in this repository",
                "detail": {"digest": str(digest)},
            }
            for digest in error.digests
        ]
    entry: Json = {"code": wire.code, "message": str(error)}
    detail = wire.detail(error)
    if detail is not None:
        entry["detail"] = detail
    return [entry]
