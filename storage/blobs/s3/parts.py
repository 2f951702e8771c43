"""`Multiparts`: multipart uploads, and where each part begins.

Part number n holds the same bytes of the blob whoever sends it, since sizes depend on the number alone: the first
thousand have the size that was set, the next thousand twice as much, and so on. So 10 000 parts, which is what stores
take, are enough for 8 TiB of parts that begin with 8 MiB, and little blobs need little memory.
"""

from __future__ import annotations

import binascii
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from storage.blobs.s3.client import Client
from storage.blobs.s3.objects import now_of

PARTS_MAX = 10_000
_EQUAL = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the store has. `crc32` is there where the store checks it."""

    number: int
    size: int
    etag: str
    crc32: str | None = None


@dataclass(frozen=True, slots=True)
class Arriving:
    """A multipart upload in a listing."""

    name: str
    multipart: str
    age_s: float


def part_size(number: int, first: int) -> int:
    """The size of a part that is full, in bytes, where the first one has `first`."""
    size: int = first << ((number - 1) // _EQUAL)
    return size


def part_start(number: int, first: int) -> int:
    """How many bytes lie before a part."""
    rounds, rest = divmod(number - 1, _EQUAL)
    return first * _EQUAL * ((1 << rounds) - 1) + rest * (first << rounds)


def expected_etag(parts: Sequence[Part]) -> str | None:
    """The ETag that stores give the whole; None where those of the parts are no MD5, as with some encryptions."""
    try:
        digests = b"".join(binascii.unhexlify(part.etag.strip('"')) for part in parts)
    except binascii.Error:
        return None
    whole = hashlib.md5(digests, usedforsecurity=False).hexdigest()
    return f'"{whole}-{len(parts)}"'


class Multiparts:
    def __init__(self, client: Client, checksum: str, page: int) -> None:
        self._client, self._checksum, self._page = client, checksum, page

    async def create(self, name: str) -> str:
        """Begin a multipart upload that will become the object `name`, and return its id."""
        algorithm = {"ChecksumAlgorithm": "CRC32"} if self._checksum == "crc32" else {}
        answer = await self._client.call("create_multipart_upload", Key=name, **algorithm)
        return str(answer["UploadId"])

    async def put(self, name: str, multipart: str, number: int, data: bytes, checks: dict[str, str]) -> Part:
        """Send a part; `checks` are what `checksums` made of `data`."""
        answer = await self._client.call(
            "upload_part", Key=name, UploadId=multipart, PartNumber=number, Body=io.BytesIO(data), **checks
        )
        return Part(number, len(data), str(answer["ETag"]), checks.get("ChecksumCRC32"))

    async def copy(self, name: str, multipart: str, number: int, source: str, span: tuple[int, int]) -> Part:
        """Make a part of bytes that the store has already."""
        answer = await self._client.call(
            "upload_part_copy",
            Key=name,
            UploadId=multipart,
            PartNumber=number,
            CopySource=f"{self._client.bucket}/{source}",
            CopySourceRange=f"bytes={span[0]}-{span[1] - 1}",
        )
        result = answer["CopyPartResult"]
        return Part(number, span[1] - span[0], str(result["ETag"]), result.get("ChecksumCRC32"))

    async def list(self, name: str, multipart: str, after: int = 0) -> AsyncIterator[Part]:
        """The parts that the store has whose number is greater than `after`, in order."""
        while True:
            page = await self._client.call(
                "list_parts", Key=name, UploadId=multipart, PartNumberMarker=after, MaxParts=self._page
            )
            for entry in page.get("Parts", ()):
                yield Part(entry["PartNumber"], entry["Size"], entry["ETag"], entry.get("ChecksumCRC32"))
            if not page.get("IsTruncated"):
                return
            after = int(page["NextPartNumberMarker"])

    async def complete(self, name: str, multipart: str, parts: Sequence[Part]) -> bool:
        """Make the object of exactly these parts. False if an earlier attempt had no answer, so that it is not sure."""
        listed: list[dict[str, Any]] = []
        for part in parts:
            crc32 = {} if part.crc32 is None else {"ChecksumCRC32": part.crc32}
            listed.append({"PartNumber": part.number, "ETag": part.etag, **crc32})
        answer = await self._client.call(
            "complete_multipart_upload", Key=name, UploadId=multipart, MultipartUpload={"Parts": listed}
        )
        return not answer["Doubtful"]

    async def abort(self, name: str, multipart: str) -> None:
        """Give up a multipart upload and its parts. Raises a `missing` `Refusal` if there is none."""
        await self._client.call("abort_multipart_upload", Key=name, UploadId=multipart)

    async def all(self, prefix: str) -> AsyncIterator[Arriving]:
        """The multipart uploads of names that begin with `prefix`, a page in memory at a time."""
        more: dict[str, str] = {}
        while True:
            page = await self._client.call("list_multipart_uploads", Prefix=prefix, MaxUploads=self._page, **more)
            now = now_of(page)
            for entry in page.get("Uploads", ()):
                yield Arriving(entry["Key"], entry["UploadId"], now - entry["Initiated"].timestamp())
            if not page.get("IsTruncated"):
                return
            more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
