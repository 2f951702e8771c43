"""`Signer`: URLs by which clients read a blob from the store itself."""

from __future__ import annotations

import botocore.exceptions as botocore_errors

from storage.blobs.s3.client import Client
from storage.blobs.s3.options import S3Options
from storage.errors import StorageUnavailable


class Signer:
    """Signs for the endpoint that clients reach. Sends no request, but one for credentials where these expire."""

    def __init__(self, options: S3Options) -> None:
        self._client = Client(options, options.public_endpoint or options.endpoint)
        self._bucket = options.bucket

    async def url(self, name: str, lifetime_s: int) -> str:
        """The URL of an object, good for one method: GET."""
        parameters = {"Bucket": self._bucket, "Key": name, "ResponseContentType": "application/octet-stream"}
        try:
            client = await self._client.opened()
            url: str = await client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=lifetime_s)
        except botocore_errors.BotoCoreError as error:
            raise StorageUnavailable(f"no URL can be signed: {type(error).__name__}") from error
        return url

    async def close(self) -> None:
        await self._client.close()
