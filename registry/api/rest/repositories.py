"""The past of repositories: where tags pointed, what was deleted, and bringing it back."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.problems import MalformedRequest, Problem
from registry.api.jsonapi.resources import Resource, created
from registry.api.jsonapi.values import nullable, optional_time_text, several, text, time_text
from registry.domain.history import TagChange
from registry.domain.restoring import DeletedManifest, DeletedTag, Restored
from registry.errors import AttributeInvalid
from storage.digest import Digest, parse_digest
from storage.errors import DigestInvalid, TagInvalid
from storage.names import Tag, parse_tag


async def list_tag_changes(call: Call) -> web.StreamResponse:
    """List where the tags of a repository, or one of them, pointed, the newest change first."""
    asked, tag = asked_page(call), _wanted_tag(call.request.query)
    page = await call.services.management.tag_history.page(call.actor, call.repository, tag, asked.after, asked.size)
    return paged(call, asked, page, _change, lambda change: str(change.id))


async def list_deleted_tags(call: Call) -> web.StreamResponse:
    """List the tags that were taken away and can be put back, by name."""
    asked = asked_page(call)
    page = await call.services.management.restoring.tags(call.actor, call.repository, asked.after, asked.size)
    return paged(call, asked, page, lambda deleted: _deleted_tag(call, deleted), lambda deleted: deleted.tag)


async def list_deleted_manifests(call: Call) -> web.StreamResponse:
    """List the manifests that were deleted and can be brought back, the last one first."""
    asked = asked_page(call)
    page = await call.services.management.restoring.manifests(call.actor, call.repository, asked.after, asked.size)
    return paged(call, asked, page, _deleted_manifest, lambda deleted: str(deleted.id))


async def restore(call: Call) -> web.StreamResponse:
    """Bring back a manifest, or a tag with what it pointed to last."""
    with await read_document(call, "restorations") as sent:
        digest = sent.find("digest", nullable(_digest), None)
        tags = sent.find("tags", several(_tag), [])
    restoring = call.services.management.restoring
    if digest is not None:
        restored = await restoring.restore_manifest(call.actor, call.repository, digest, tags)
    elif len(tags) == 1:
        restored = await restoring.restore_tag(call.actor, call.repository, tags[0])
    else:
        raise AttributeInvalid("tags", "have to be one tag where no digest is sent")
    return created(call, _restored(call, restored))


def _wanted_tag(query: Mapping[str, str]) -> Tag | None:
    """What `filter[tag]` asks for. Raises `MalformedRequest` for what is no tag, and for other filters."""
    problems = [
        Problem("PARAMETER_INVALID", f"{name[:80]} is not known: there is tag", parameter=name[:80])
        for name in query
        if name.startswith("filter[") and name != "filter[tag]"
    ]
    tag = query.get("filter[tag]")
    try:
        wanted = None if tag is None else parse_tag(tag)
    except TagInvalid as error:
        problems.append(Problem("PARAMETER_INVALID", str(error), parameter="filter[tag]"))
        wanted = None
    if problems:
        raise MalformedRequest(problems)
    return wanted


def _tag(value: object) -> Tag:
    try:
        return parse_tag(text(value))
    except TagInvalid as error:
        raise ValueError("has to be a tag") from error


def _digest(value: object) -> Digest:
    try:
        return parse_digest(text(value))
    except DigestInvalid as error:
        raise ValueError("has to be a digest") from error


def _change(change: TagChange) -> Resource:
    attributes = {
        "tag": change.tag,
        "at": time_text(change.at),
        "oldDigest": change.old,
        "newDigest": change.new,
        "kind": change.kind,
        "principal": change.principal,
        "token": change.token,
    }
    return Resource("tag-changes", str(change.id), None, attributes)


def _deleted_tag(call: Call, deleted: DeletedTag) -> Resource:
    attributes = {
        "tag": deleted.tag,
        "digest": deleted.digest,
        "deletedAt": time_text(deleted.deleted_at),
        "restorableUntil": optional_time_text(deleted.until_ms),
        "kind": deleted.kind,
        "principal": deleted.principal,
    }
    return Resource("deleted-tags", f"{call.repository}:{deleted.tag}", None, attributes)


def _deleted_manifest(deleted: DeletedManifest) -> Resource:
    attributes = {
        "digest": deleted.digest,
        "mediaType": deleted.media_type,
        "size": deleted.size,
        "deletedAt": time_text(deleted.deleted_at),
        "restorableUntil": time_text(deleted.until_ms),
        "kind": deleted.kind,
        "principal": deleted.principal,
    }
    return Resource("deleted-manifests", str(deleted.id), None, attributes)


def _restored(call: Call, restored: Restored) -> Resource:
    attributes = {
        "digest": str(restored.digest),
        "tags": restored.tags,
        "manifests": [str(digest) for digest in restored.manifests],
    }
    return Resource("restorations", f"{call.repository}@{restored.digest}", None, attributes)
