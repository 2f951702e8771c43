"""`Client`: requests to the store, each repeated while that may help, with errors in the words of `storage.errors`.

The library's own repetition is switched off: whether an earlier attempt may have been carried out has to be known.
"""

from __future__ import annotations

import asyncio
import functools
import random
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import botocore.exceptions as botocore_errors
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession
from botocore.handlers import add_expect_header
from botocore.loaders import Loader

from storage.blobs.s3.options import S3Options
from storage.blobs.s3.refusals import Refusal, code_of, is_full, is_passing
from storage.errors import StorageFull, StorageUnavailable

_LONGEST_PAUSE_S = 5.0
# Bytes per second below which a connection is not worth waiting for.
_SLOWEST = 64 * 1024

_FAILURES = (botocore_errors.BotoCoreError, botocore_errors.ClientError, aiohttp.ClientError, OSError, TimeoutError)

Answer = dict[str, Any]


@functools.cache
def _session() -> AioSession:
    """What all clients of the process are made of; its description of the service takes long to read. Blocks."""
    session = AioSession()
    loader: Loader = session.get_component("data_loader")
    for name in ("service-2", "endpoint-rule-set-1"):
        loader.load_service_model("s3", name)
    # To wait for a "100 Continue" before each body costs a round trip, and has no time-out.
    session.unregister("before-call.s3", add_expect_header)
    return session


class Client:
    """A connection pool to one endpoint. Opened at the first request, on the event loop of that request."""

    def __init__(self, options: S3Options, endpoint: str | None = None) -> None:
        self._options = options
        self.attempts, self.bucket = options.attempts, options.bucket
        self._endpoint = options.endpoint if endpoint is None else endpoint
        self._stack = AsyncExitStack()
        self._opening: asyncio.Future[Any] | None = None

    async def opened(self) -> Any:
        """The library's client."""
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.ensure_future(self._open())
        # Who does not want to wait any more does not spoil it for others.
        return await asyncio.shield(self._opening)

    async def _open(self) -> Any:
        options = self._options
        config = AioConfig(
            signature_version="s3v4",
            # The usual one is put together anew for each request, and tells of the machine.
            user_agent="berth",
            connect_timeout=options.connect_timeout_s,
            read_timeout=options.timeout_s,
            # Readers keep a connection for as long as their client takes.
            max_pool_connections=0,
            retries={"mode": "standard", "total_max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if options.path_style else "virtual",
                "payload_signing_enabled": options.checksum == "signature",
            },
        )
        creating = (await asyncio.to_thread(_session)).create_client(
            "s3",
            region_name=options.region or None,
            endpoint_url=self._endpoint or None,
            aws_access_key_id=options.access_key or None,
            aws_secret_access_key=options.secret_key or None,
            config=config,
        )
        return await self._stack.enter_async_context(creating)

    async def call(self, operation: str, **parameters: Any) -> Answer:
        """Send one request about the bucket until it is answered; a body is a `BytesIO`.

        "Doubtful" in the answer says that an earlier attempt may have been carried out.
        Raises `Refusal` where the store says no, `StorageFull`, and `StorageUnavailable` when patience has run out or
        there is no way to ask; then it may have been carried out all the same.
        """
        failure: Exception | None = None
        for attempt in range(self.attempts):
            if attempt:
                await self.pause(attempt)
            try:
                client = await self.opened()
                async with asyncio.timeout(self._longest_s(operation, parameters)):
                    answer: Answer = await getattr(client, operation)(Bucket=self.bucket, **parameters)
                answer["Doubtful"] = failure is not None
            except botocore_errors.ParamValidationError:
                raise
            except _FAILURES as error:
                if not is_passing(error):
                    raise _final(error) from error
                failure = error
                if "Body" in parameters:
                    parameters["Body"].seek(0)
            else:
                return answer
        raise _tired(failure) from failure

    def _longest_s(self, operation: str, parameters: dict[str, Any]) -> float:
        """After how long a request has failed, whatever moves: the library has no time-out while it sends."""
        limit = self._options.timeout_s
        if "Body" in parameters:
            limit += parameters["Body"].getbuffer().nbytes / _SLOWEST
        # Stores take minutes for many parts, and send a space now and then meanwhile.
        return limit * 10 if operation == "complete_multipart_upload" else limit

    async def pause(self, attempt: int) -> None:
        """Wait before attempt number `attempt` after the first one."""
        longest = min(_LONGEST_PAUSE_S, self._options.backoff_s * 2**attempt)
        await asyncio.sleep(random.uniform(longest / 4, longest))  # noqa: S311 - spreads requests, guards nothing

    async def close(self) -> None:
        if self._opening is not None:
            await asyncio.wait([self._opening])
        await self._stack.aclose()


def _final(error: Exception) -> Exception:
    if not isinstance(error, botocore_errors.ClientError):
        # Such as no credentials: its text may name files and accounts, which is nobody's business.
        return StorageUnavailable(f"the storage cannot be used: {type(error).__name__}")
    if is_full(error):
        return StorageFull()
    return Refusal(*code_of(error))


def _tired(error: Exception | None) -> StorageUnavailable:
    what = code_of(error)[0] if isinstance(error, botocore_errors.ClientError) else type(error).__name__
    return StorageUnavailable(f"the storage does not answer: {what}")
