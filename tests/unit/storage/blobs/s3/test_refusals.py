"""What the answers of a store mean."""

from typing import Any

import aiohttp
import botocore.exceptions as botocore_errors
import pytest

from storage.blobs.s3.refusals import Refusal, code_of, is_full, is_passing


def answer(code: str, status: int) -> botocore_errors.ClientError:
    """The library's error for an answer with an error code."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore_errors.ClientError(response, "PutObject")


@pytest.mark.parametrize(
    "error",
    [
        answer("SlowDown", 503),
        answer("ServiceUnavailable", 503),
        answer("InternalError", 500),
        answer("InternalError", 200),
        answer("RequestTimeout", 400),
        answer("", 502),
        answer("TooManyRequests", 429),
        answer("BadDigest", 400),
        botocore_errors.ReadTimeoutError(endpoint_url="x"),
        botocore_errors.ConnectTimeoutError(endpoint_url="x"),
        botocore_errors.EndpointConnectionError(endpoint_url="x"),
        botocore_errors.ConnectionClosedError(endpoint_url="x"),
        botocore_errors.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        aiohttp.ClientPayloadError(),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=repr,
)
def test_passing(error: Exception) -> None:
    """What may be better in a moment is tried again."""
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        answer("AccessDenied", 403),
        answer("NoSuchKey", 404),
        answer("NoSuchBucket", 404),
        answer("PreconditionFailed", 412),
        answer("EntityTooSmall", 400),
        botocore_errors.NoCredentialsError(),
        ValueError(),
    ],
    ids=repr,
)
def test_final(error: Exception) -> None:
    """What will be the same next time is not tried again."""
    assert not is_passing(error)


@pytest.mark.parametrize(("code", "status"), [("XMinioStorageFull", 507), ("QuotaExceeded", 403), ("", 507)])
def test_full(code: str, status: int) -> None:
    """A store without room says so in several words."""
    assert is_full(answer(code, status))
    assert not is_full(answer("AccessDenied", 403))


def test_refusal_says_the_code_and_nothing_else() -> None:
    """A client learns what the store said, not where it is."""
    refusal = Refusal(*code_of(answer("AccessDenied", 403)))
    assert str(refusal) == "the storage cannot be used: AccessDenied"
    assert (refusal.missing, refusal.changed) == (False, False)


@pytest.mark.parametrize(
    ("code", "missing", "changed"),
    [
        ("NoSuchKey", True, False),
        ("NoSuchUpload", True, False),
        ("404", True, False),
        ("NoSuchBucket", False, False),
        ("PreconditionFailed", False, True),
        ("412", False, True),
    ],
)
def test_missing_and_changed(code: str, missing: bool, changed: bool) -> None:  # noqa: FBT001
    """A missing object is told from a missing bucket, and from one that is not what it was."""
    refusal = Refusal(code, 404)
    assert (refusal.missing, refusal.changed) == (missing, changed)
