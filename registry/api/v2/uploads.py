"""Uploads: the ways in which a blob comes in."""

from __future__ import annotations

from aiohttp import web

from auth.roles import Action
from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.errors import render
from registry.api.wire import parse_content_range
from registry.domain.uploads import UploadState
from registry.errors import OffsetMismatch, RequestInvalid
from storage.digest import DEFAULT_ALGORITHM, Digest, check_algorithm, parse_digest
from storage.errors import BlobTooLarge, DigestInvalid, NameInvalid, UploadBusy
from storage.names import RepositoryName, parse_repository_name


async def start_upload(call: Call) -> web.StreamResponse:
    """Begin an upload (end-4a, end-4c), mount a blob (end-11), or take it whole (end-4b)."""
    mount, digest = call.query("mount"), call.query("digest")
    if mount is not None:
        return await _mount(call, parse_digest(mount))
    if digest is not None:
        wanted = parse_digest(digest)
        _refuse_too_large(call)
        await call.services.uploads.push(call.actor, call.repository, wanted, call.content())
        return _created(call, wanted)
    algorithm = call.query("digest-algorithm") or DEFAULT_ALGORITHM
    check_algorithm(algorithm, algorithm)
    return _accepted(call, await call.services.uploads.start(call.actor, call.repository, algorithm))


async def append_to_upload(call: Call) -> web.StreamResponse:
    """Take a chunk, or a stream of unknown length (end-5)."""
    _refuse_too_large(call)
    chunk = parse_content_range(call.request.headers.get("Content-Range"), call.request.content_length)
    try:
        upload = await call.services.uploads.append(
            call.actor, call.repository, call.arguments["upload"], call.content(), chunk
        )
    except (OffsetMismatch, UploadBusy) as error:
        return _out_of_order(call, error)
    return _accepted(call, upload)


async def finish_upload(call: Call) -> web.StreamResponse:
    """Take the last chunk, if any, and make the whole a blob (end-6)."""
    text = call.query("digest")
    if text is None:
        raise DigestInvalid("", "the closing request names the blob's digest: ?digest=<digest>")
    digest = parse_digest(text)
    _refuse_too_large(call)
    chunk = parse_content_range(call.request.headers.get("Content-Range"), call.request.content_length)
    try:
        await call.services.uploads.finish(
            call.actor, call.repository, call.arguments["upload"], digest, call.content(), chunk
        )
    except (OffsetMismatch, UploadBusy) as error:
        return _out_of_order(call, error)
    return _created(call, digest)


async def get_upload(call: Call) -> web.StreamResponse:
    """Say how far an upload got (end-13)."""
    upload = await call.services.uploads.status(call.actor, call.repository, call.arguments["upload"])
    return Answer(204, _position(call, upload))


async def cancel_upload(call: Call) -> web.StreamResponse:
    """Drop an upload (end-14)."""
    await call.services.uploads.cancel(call.actor, call.repository, call.arguments["upload"])
    return Answer(204)


def _refuse_too_large(call: Call) -> None:
    # Before the client is told to go on sending; what is not announced is counted as it comes.
    limit = call.settings.blob_size
    if limit and (call.request.content_length or 0) > limit:
        raise BlobTooLarge(limit)


async def _mount(call: Call, digest: Digest) -> web.StreamResponse:
    source = _source(call)
    uploads = call.services.uploads
    if await uploads.mount(call.repository, digest, source, lambda name: call.may(Action.PULL, name)):
        return _created(call, digest)
    return _accepted(call, await uploads.start(call.actor, call.repository, digest.algorithm))


def _source(call: Call) -> RepositoryName | None:
    text = call.query("from")
    if not text:
        return None
    try:
        return parse_repository_name(text)
    except NameInvalid as error:
        raise RequestInvalid(f"from: {error}") from error


def _position(call: Call, upload: UploadState) -> dict[str, str]:
    return {
        "Location": call.url(f"/v2/{call.repository}/blobs/uploads/{upload.id}"),
        # Clients cannot read `0--1`, so an empty upload answers as one of a single byte does.
        "Range": f"0-{max(upload.offset - 1, 0)}",
        "Docker-Upload-UUID": upload.id,
    }


def _accepted(call: Call, upload: UploadState) -> Answer:
    return Answer(202, _position(call, upload))


def _created(call: Call, digest: Digest) -> Answer:
    location = call.url(f"/v2/{call.repository}/blobs/{digest}")
    return Answer(201, {"Location": location, "Docker-Content-Digest": str(digest)})


def _out_of_order(call: Call, error: OffsetMismatch | UploadBusy) -> Answer:
    answer = render(error)
    for name, value in _position(call, UploadState(error.upload_id, error.offset)).items():
        answer.add(name, value)
    return answer
