"""`ObjectReader`: a blob as a stream that is taken up again where it broke off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import BinaryIO

from storage.blobs.driver import Span
from storage.blobs.s3.objects import Content
from storage.blobs.s3.place import Place
from storage.blobs.s3.refusals import Refusal, is_passing
from storage.errors import BlobMissing, StorageUnavailable

_PIECE = 1 << 20


class ObjectReader:
    """A `BlobReader` that was opened with a request for `span`: who reads that needs no other request."""

    def __init__(self, place: Place, key: str, content: Content, span: Span) -> None:
        self._place, self._key, self._etag = place, key, content.etag
        self._opened: tuple[Content, Span] | None = (content, span)
        self.size = content.total

    def file(self) -> BinaryIO | None:
        return None

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        content, failures = self._take_opened(start, stop), 0
        try:
            while start < stop:
                if content is None:
                    content = await self._request(start, stop)
                piece = await _next_piece(content, min(_PIECE, stop - start))
                if piece:
                    start, failures = start + len(piece), 0
                    yield piece
                    continue
                # It ended too early: the rest is asked for again.
                content.body.close()
                content, failures = None, failures + 1
                if failures >= self._place.client.attempts:
                    raise StorageUnavailable("the storage breaks off in the middle of its answers")
                await self._place.client.pause(failures)
        finally:
            if content is not None:
                content.body.close()

    def _take_opened(self, start: int, stop: int) -> Content | None:
        if self._opened is None or self._opened[1] != (start, stop) or start == stop:
            return None
        content, self._opened = self._opened[0], None
        return content

    async def _request(self, start: int, stop: int) -> Content:
        name = self._place.layout.blob(self._key)
        try:
            content = await self._place.objects.get(name, (start, stop), match=self._etag)
        except Refusal as refusal:
            if refusal.missing:
                raise BlobMissing(self._key) from None
            raise
        if (content.start, content.length, content.total) != (start, stop - start, self.size):
            content.body.close()
            raise StorageUnavailable("the storage answered with other bytes than those that were asked for")
        return content

    async def close(self) -> None:
        if self._opened is not None:
            self._opened[0].body.close()
            self._opened = None


async def _next_piece(content: Content, size: int) -> bytes:
    """The next bytes, at most `size`; none if the answer breaks off, stalls, or is at its end."""
    try:
        piece: bytes = await content.body.read(size)
    except Exception as error:
        if not is_passing(error):
            raise
        return b""
    return piece


async def open_object(place: Place, key: str, span: Span | None) -> ObjectReader:
    """Begin to read a blob, or `span` of it, which may not be empty. Raises `BlobMissing`."""
    try:
        content = await place.objects.get(place.layout.blob(key), span)
    except Refusal as refusal:
        if refusal.missing:
            raise BlobMissing(key) from None
        if refusal.code == "InvalidRange" and span is not None:
            # It is shorter than it should be, which who opens it will see.
            return await open_object(place, key, None)
        raise
    if span is None:
        span = 0, content.total
    elif (content.start, content.length) != (span[0], span[1] - span[0]):
        # One of another size than it should have, which who opens it looks at; or a store without ranges.
        span = content.start, content.start + content.length
    return ObjectReader(place, key, content, span)
