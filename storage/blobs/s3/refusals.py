"""What a store's answers mean: try again, no room, not there, changed meanwhile, or not possible at all."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import botocore.exceptions as botocore_errors
from botocore.parsers import ResponseParserError

from storage.errors import StorageUnavailable

_BUSY = {429, 500, 502, 503, 504}
_BUSY_CODES = {
    "SlowDown",
    "ServiceUnavailable",
    "InternalError",
    "Throttling",
    "ThrottlingException",
    "RequestTimeout",
    "RequestLimitExceeded",
    "OperationAborted",
    # The body did not arrive as it was sent.
    "BadDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
}
_FULL_CODES = {"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"}
_MISSING_CODES = {"NoSuchKey", "NoSuchUpload", "NotFound", "404"}
_CHANGED_CODES = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}


class Refusal(StorageUnavailable):
    """The store answered that it will not do what was asked."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(f"the storage cannot be used: {code}")
        self.code, self.status = code, status

    @property
    def missing(self) -> bool:
        """There is no such object, or no such multipart upload. Never that there is no such bucket."""
        return self.code in _MISSING_CODES

    @property
    def changed(self) -> bool:
        """A condition of the request does not hold."""
        return self.code in _CHANGED_CODES


def code_of(error: botocore_errors.ClientError) -> tuple[str, int]:
    """The store's word for the error, and the status of its answer."""
    response: dict[str, Any] = error.response
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return str(response.get("Error", {}).get("Code", "") or status), status


def is_passing(error: BaseException) -> bool:
    """Whether the same request may succeed in a moment."""
    if isinstance(error, botocore_errors.ClientError):
        code, status = code_of(error)
        return code in _BUSY_CODES or status in _BUSY
    return isinstance(
        error,
        botocore_errors.HTTPClientError
        | botocore_errors.ConnectionError
        | botocore_errors.IncompleteReadError
        | botocore_errors.ResponseStreamingError
        | ResponseParserError
        | aiohttp.ClientError
        | asyncio.TimeoutError
        | OSError,
    )


def is_full(error: botocore_errors.ClientError) -> bool:
    code, status = code_of(error)
    return code in _FULL_CODES or status == 507
