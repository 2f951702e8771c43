"""Manifests: reading, pushing, deleting; and deleting tags."""

from __future__ import annotations

from aiohttp import web

from auth.roles import Action
from registry.api.answer import Answer
from registry.api.call import Call
from registry.api.wire import entity_tag, matches, parse_condition
from registry.domain.manifests import Push
from registry.errors import ManifestTooLarge, ManifestUnknown, OperationDisabled, TooManyTags
from registry.oci.media_types import DEPRECATED
from storage.digest import Digest, parse_digest
from storage.errors import TagInvalid
from storage.metadata.manifests import NewManifest, StoredManifest
from storage.names import Tag, parse_tag

_CACHE_BY_DIGEST = "max-age=31536000, immutable"
_CACHE_BY_TAG = "no-cache"


async def get_manifest(call: Call) -> web.StreamResponse:
    """Send a manifest exactly as it was pushed, or its headers alone for HEAD (end-3).

    `Accept` is not consulted: a manifest has one form only, and what a tag holds is for the client to judge.
    """
    reference = _parse_known_reference(call)
    manifest = await call.services.manifests.get(call.repository, reference)
    if call.request.method == "HEAD" and isinstance(reference, Digest) and call.may(Action.PUSH, call.repository):
        # Who looks for a manifest may be about to push an index of it.
        await call.services.manifests.keep(call.repository, reference, manifest)
    if _is_cached(call, manifest):
        return Answer(304, _headers(reference, manifest))
    return Answer(200, _headers(reference, manifest), manifest.content)


async def put_manifest(call: Call) -> web.StreamResponse:
    """Store a manifest, and point tags to it (end-7a, end-7b). `If-Match` and `If-None-Match` guard the reference."""
    reference = _parse_reference(call)
    digest = reference if isinstance(reference, Digest) else None
    tags = _tag_parameters(call) if isinstance(reference, Digest) else [reference]
    headers = call.request.headers
    push = Push(
        content=await _read_body(call),
        content_type=headers.get("Content-Type"),
        digest=digest,
        tags=tags,
        condition=parse_condition(headers.get("If-Match"), headers.get("If-None-Match")),
    )
    pushed = await call.services.manifests.put(call.actor, call.repository, push)
    return _created(call, pushed, tags if digest is not None else [])


async def delete_manifest(call: Call) -> web.StreamResponse:
    """Delete a tag, or a manifest with its tags (end-9)."""
    reference = _parse_known_reference(call)
    if isinstance(reference, Digest):
        if not call.settings.delete_manifests:
            raise OperationDisabled("deleting manifests")
        await call.services.manifests.delete(call.actor, call.repository, reference)
    else:
        await call.services.tags.delete(call.actor, call.repository, reference)
    return Answer(202)


def _parse_reference(call: Call) -> Digest | Tag:
    text = call.arguments["reference"]
    return parse_digest(text) if ":" in text else parse_tag(text)


def _parse_known_reference(call: Call) -> Digest | Tag:
    """For requests about what is there: a tag that cannot exist does not exist."""
    try:
        return _parse_reference(call)
    except TagInvalid as error:
        raise ManifestUnknown(error.tag, str(error)) from error


def _headers(reference: Digest | Tag, manifest: StoredManifest) -> dict[str, str]:
    return {
        "Content-Type": manifest.media_type,
        "Docker-Content-Digest": manifest.digest,
        "ETag": entity_tag(manifest.digest),
        "Cache-Control": _CACHE_BY_DIGEST if isinstance(reference, Digest) else _CACHE_BY_TAG,
    }


def _is_cached(call: Call, manifest: StoredManifest) -> bool:
    known = call.request.headers.get("If-None-Match")
    return known is not None and matches(known, manifest.digest)


def _tag_parameters(call: Call) -> list[Tag]:
    texts = call.request.query.getall("tag", [])
    if len(texts) > call.settings.tags_per_push:
        raise TooManyTags(len(texts), call.settings.tags_per_push)
    return list(dict.fromkeys(parse_tag(text) for text in texts))


async def _read_body(call: Call) -> bytes:
    limit = call.settings.manifest_size
    announced = call.request.content_length
    if announced is not None and announced > limit:
        raise ManifestTooLarge(limit)
    body = bytearray()
    async for data in call.content():
        if len(body) + len(data) > limit:
            raise ManifestTooLarge(limit)
        body += data
    return bytes(body)


def _created(call: Call, pushed: NewManifest, tags: list[Tag]) -> Answer:
    if pushed.media_type in DEPRECATED:
        call.warnings.append(f"{pushed.media_type} is deprecated: push an image manifest with artifactType")
    answer = Answer(201)
    answer.add("Location", call.url(f"/v2/{call.repository}/manifests/{pushed.digest}"))
    answer.add("Docker-Content-Digest", str(pushed.digest))
    if pushed.subject is not None:
        answer.add("OCI-Subject", str(pushed.subject))
    for tag in tags:
        answer.add("OCI-Tag", tag)
    return answer
