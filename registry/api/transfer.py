"""Sending blobs: whole, one part, or several parts; by sendfile where there is a file."""

from __future__ import annotations

import asyncio
import secrets

from aiohttp import web

from registry.api.call import Call
from registry.api.wire import Span
from storage.blobs.driver import BlobReader

_OCTETS = "application/octet-stream"


async def send_whole(call: Call, reader: BlobReader, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(status=200, headers={"Content-Type": _OCTETS, **headers})
    response.content_length = reader.size
    await call.start(response)
    await _send_span(call, response, reader, (0, reader.size))
    await response.write_eof()
    return response


async def send_parts(call: Call, reader: BlobReader, spans: list[Span], headers: dict[str, str]) -> web.StreamResponse:
    """206 with the parts in the order given (RFC 9110, 15.3.7): some clients count on getting what they listed."""
    if len(spans) == 1:
        return await _send_part(call, reader, spans[0], headers)
    boundary = secrets.token_hex(16)
    heads = [_part_head(boundary, span, reader.size) for span in spans]
    tail = f"\r\n--{boundary}--\r\n".encode()
    response = web.StreamResponse(
        status=206, headers={"Content-Type": f"multipart/byteranges; boundary={boundary}", **headers}
    )
    response.content_length = sum(map(len, heads)) + sum(stop - start for start, stop in spans) + len(tail)
    await call.start(response)
    for head, span in zip(heads, spans, strict=True):
        await response.write(head)
        await _send_span(call, response, reader, span)
    await response.write(tail)
    await response.write_eof()
    return response


async def _send_part(call: Call, reader: BlobReader, span: Span, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(
        status=206, headers={"Content-Type": _OCTETS, "Content-Range": _content_range(span, reader.size), **headers}
    )
    response.content_length = span[1] - span[0]
    await call.start(response)
    await _send_span(call, response, reader, span)
    await response.write_eof()
    return response


def _part_head(boundary: str, span: Span, size: int) -> bytes:
    lines = ("", f"--{boundary}", f"Content-Type: {_OCTETS}", f"Content-Range: {_content_range(span, size)}", "", "")
    return "\r\n".join(lines).encode()


def _content_range(span: Span, size: int) -> str:
    return f"bytes {span[0]}-{span[1] - 1}/{size}"


async def _send_span(call: Call, response: web.StreamResponse, reader: BlobReader, span: Span) -> None:
    start, stop = span
    file, transport = reader.file(), call.request.transport
    if file is None or start == stop:
        async for piece in reader.read(start, stop):
            await response.write(piece)
            call.sent += len(piece)
        return
    if transport is None or transport.is_closing():
        raise ConnectionResetError("the client is gone")
    # There is no time-out here: the kernel closes connections on which nothing moves (see the server's listener).
    sent = await asyncio.get_running_loop().sendfile(transport, file, start, stop - start)
    call.sent += sent
    if sent != stop - start:
        raise OSError("the blob's file is shorter than it should be")
