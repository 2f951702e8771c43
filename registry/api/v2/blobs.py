"""Blobs: reading, looking, deleting."""

from __future__ import annotations

from aiohttp import web

from auth.roles import Action
from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.transfer import send_parts, send_whole
from registry.api.wire import Span, entity_tag, matches, parse_range
from registry.errors import OperationDisabled
from storage.blobs.driver import BlobReader
from storage.digest import Digest, parse_digest

# A digest never means other bytes, so whoever has them need not ask again.
_CACHE_FOREVER = "max-age=31536000, immutable"

# Up to here a blob that is in memory goes out together with its headers.
_ONE_PIECE = 64 * 1024


async def get_blob(call: Call) -> web.StreamResponse:
    """Send a blob or parts of it (end-2)."""
    digest = parse_digest(call.arguments["digest"])
    row = await call.services.blobs.find(call.repository, digest)
    headers = _headers(digest)
    if _is_cached(call, digest):
        return Answer(304, headers)
    spans = _spans(call, digest, row.size)
    redirects = call.settings.redirects
    if redirects is not None and await redirects.wanted(call.repository, call.client, row.size, spans):
        location = await call.services.blobs.signed_url(row, redirects.lifetime_s)
        if location is not None:
            # The URL ends soon, so nobody should remember it.
            return Answer(307, {**headers, "Location": location, "Cache-Control": "no-store"})
    reader = await call.services.blobs.open(row, spans[0] if spans is not None and len(spans) == 1 else None)
    try:
        if spans is not None:
            return await send_parts(call, reader, spans, headers)
        if reader.file() is None and reader.size <= _ONE_PIECE:
            return await _small(reader, headers)
        return await send_whole(call, reader, headers)
    finally:
        await reader.close()


async def head_blob(call: Call) -> web.StreamResponse:
    """Say whether a blob is there, and how large it is (end-2)."""
    digest = parse_digest(call.arguments["digest"])
    row = await call.services.blobs.look(call.repository, digest)
    if call.may(Action.PUSH, call.repository):
        await call.services.blobs.keep(call.repository, digest, row)
    headers = _headers(digest)
    if _is_cached(call, digest):
        return Answer(304, headers)
    return Answer(200, {"Content-Type": "application/octet-stream", **headers}, length=row.size)


async def delete_blob(call: Call) -> web.StreamResponse:
    """Unlink a blob from the repository (end-10)."""
    if not call.settings.delete_blobs:
        raise OperationDisabled("deleting blobs")
    await call.services.blobs.delete(call.actor, call.repository, parse_digest(call.arguments["digest"]))
    return Answer(202)


async def _small(reader: BlobReader, headers: dict[str, str]) -> Answer:
    body = b"".join([piece async for piece in reader.read(0, reader.size)])
    return Answer(200, {"Content-Type": "application/octet-stream", **headers}, body)


def _headers(digest: Digest) -> dict[str, str]:
    return {
        "Docker-Content-Digest": str(digest),
        "ETag": entity_tag(digest),
        "Accept-Ranges": "bytes",
        "Cache-Control": _CACHE_FOREVER,
    }


def _is_cached(call: Call, digest: Digest) -> bool:
    known = call.request.headers.get("If-None-Match")
    return known is not None and matches(known, str(digest))


def _spans(call: Call, digest: Digest, size: int) -> list[Span] | None:
    wanted = call.request.headers.get("Range")
    if wanted is None:
        return None
    condition = call.request.headers.get("If-Range")
    if condition is not None and condition.strip() != entity_tag(digest):
        return None
    return parse_range(wanted, size, call.settings.ranges)
