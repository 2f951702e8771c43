"""`Objects`: whole objects of the bucket: put, get, look, delete, list."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import time
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from storage.blobs.s3.client import Answer, Client
from storage.blobs.s3.refusals import Refusal, is_passing
from storage.errors import StorageUnavailable

_RANGE = re.compile(r"bytes ([0-9]+)-[0-9]+/([0-9]+)")


@dataclass(frozen=True, slots=True)
class Found:
    """An object in a listing. `age_s` is how long ago it was written, by the store's own clock."""

    name: str
    size: int
    age_s: float


@dataclass(frozen=True, slots=True)
class Content:
    """The answer to a GET: the body is `length` bytes from number `start` on, of an object of `total` bytes."""

    start: int
    length: int
    total: int
    etag: str
    age_s: float
    body: Any


@dataclass(frozen=True, slots=True)
class Fetched:
    """The same with the body, read."""

    data: bytes
    total: int
    etag: str
    age_s: float


def checksums(data: bytes, kind: str) -> dict[str, str]:
    """The parameters by which the store notices that it did not get `data`. Takes a moment for much data."""
    if kind == "md5":
        digest = hashlib.md5(data, usedforsecurity=False).digest()
        return {"ContentMD5": base64.b64encode(digest).decode()}
    if kind == "crc32":
        return {"ChecksumCRC32": base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()}
    return {}


class Objects:
    def __init__(self, client: Client, checksum: str, page: int) -> None:
        self._client, self._checksum, self._page = client, checksum, page

    async def put(self, name: str, data: bytes, *, match: str | None = None, new: bool = False) -> str:
        """Write an object whole and return its ETag.

        With `match` only over the object of this ETag, with `new` only if there is none; else raises a `Refusal`
        that is `changed` or `missing`. A put whose answer was lost is recognised by its bytes, so conditional ones
        have to be unlike all others.
        """
        conditions = {"IfMatch": match} if match is not None else {"IfNoneMatch": "*"} if new else {}
        try:
            answer = await self._client.call(
                "put_object", Key=name, Body=io.BytesIO(data), **checksums(data, self._checksum), **conditions
            )
        except Refusal as refusal:
            if not refusal.changed:
                raise
            # It may be this very put that was in its way: a request is sent again when its connection ends.
            etag = await self._etag_if(name, data)
            if etag is None:
                raise
            return etag
        return str(answer["ETag"])

    async def _etag_if(self, name: str, data: bytes) -> str | None:
        """The object's ETag, if it holds just these bytes."""
        try:
            found = await self.fetch(name)
        except Refusal as refusal:
            if refusal.missing:
                return None
            raise
        return found.etag if found.data == data else None

    async def get(self, name: str, span: tuple[int, int] | None = None, match: str | None = None) -> Content:
        """Begin to read an object, or of `span` the bytes from the first number up to but without the second.

        Raises a `Refusal`: `missing`, or `changed` if it is not the object with the ETag `match`.
        """
        wanted: dict[str, Any] = {} if match is None else {"IfMatch": match}
        if span is not None:
            wanted["Range"] = f"bytes={span[0]}-{span[1] - 1}"
        answer = await self._client.call("get_object", Key=name, **wanted)
        start, length = 0, int(answer["ContentLength"])
        total = length
        if "ContentRange" in answer:
            start, total = _parse_range(answer["ContentRange"])
        age_s = now_of(answer) - answer["LastModified"].timestamp()
        return Content(start, length, total, str(answer["ETag"]), age_s, answer["Body"])

    async def fetch(self, name: str, span: tuple[int, int] | None = None) -> Fetched:
        """Read a small object, or a part of one, into memory. Raises `Refusal`."""
        for attempt in range(self._client.attempts):
            if attempt:
                await self._client.pause(attempt)
            content = await self.get(name, span)
            try:
                data = await content.body.read()
            except Exception as error:
                if not is_passing(error):
                    raise
                continue
            finally:
                content.body.close()
            return Fetched(data, content.total, content.etag, content.age_s)
        raise StorageUnavailable("the storage breaks off in the middle of its answers")

    async def look(self, name: str) -> tuple[int, str] | None:
        """The object's size and ETag; None if there is none."""
        try:
            answer = await self._client.call("head_object", Key=name)
            return int(answer["ContentLength"]), str(answer["ETag"])
        except Refusal as refusal:
            if not refusal.missing:
                raise
        # An answer without a body does not tell a missing object from a missing bucket.
        await self.expect_bucket()
        return None

    async def expect_bucket(self) -> None:
        """Raises `StorageUnavailable` unless the bucket is there, and may be used."""
        try:
            await self._client.call("head_bucket")
        except Refusal as refusal:
            raise StorageUnavailable(f"the bucket cannot be used: {refusal.code}") from refusal

    async def delete(self, name: str) -> None:
        """Remove an object. Nothing happens if there is none."""
        await self._client.call("delete_object", Key=name)

    async def list(self, prefix: str) -> AsyncIterator[Found]:
        """The objects whose names begin with `prefix`, a page in memory at a time."""
        more: dict[str, str] = {}
        while True:
            page = await self._client.call("list_objects_v2", Prefix=prefix, MaxKeys=self._page, **more)
            now = now_of(page)
            for entry in page.get("Contents", ()):
                yield Found(entry["Key"], entry["Size"], now - entry["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}


def now_of(answer: Answer) -> float:
    """The store's clock when it gave the answer, in seconds; of two times of the store no clock of ours is a part."""
    date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return time.time() if date is None else parsedate_to_datetime(date).timestamp()


def _parse_range(text: str) -> tuple[int, int]:
    """The first byte, and the size of the object, from a Content-Range."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise StorageUnavailable("the storage answered with a range that makes no sense")
    return int(match[1]), int(match[2])
