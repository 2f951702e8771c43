"""What registries do wrong when something is deleted, and afterwards."""

from __future__ import annotations

import hashlib
import json

from tests.conformance.mutants.messages import Reply, Request
from tests.conformance.mutants.proxy import Handler, Proxy
from tests.conformance.mutants.remembering import first_answer
from tests.conformance.mutants.rules import (
    Asked,
    Fault,
    Mutant,
    answers,
    asks,
    by_digest,
    by_tag,
    error,
    on,
    status,
)

_DELETED = on("manifest blob", "DELETE", 202)


def _sweeping(what: Asked) -> Fault:
    """What is deleted in one repository is deleted in all that have been pushed to."""

    def make() -> Handler:
        names: set[str] = set()

        async def handle(request: Request, proxy: Proxy) -> Reply:
            reply = await proxy.ask(request)
            if reply.status == 201:
                names.add(request.name)
            if _DELETED(request, reply) and what(request):
                for name in names - {request.name}:
                    there = request.target.replace(f"/v2/{request.name}/", f"/v2/{name}/")
                    await proxy.ask_as_owner(request.to(there))
            return reply

        return handle

    return make


def _deletes_manifest() -> Handler:
    """Whoever deletes a tag deletes its manifest."""

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if asks("manifest", "DELETE", by_tag)(request):
            digest = (await proxy.ask_as_owner(request.to(request.target, "HEAD"))).header("Docker-Content-Digest")
            if digest is not None:
                return await proxy.ask(request.to(f"/v2/{request.name}/manifests/{digest}"))
        return await proxy.ask(request)

    return handle


def _deletes_parts() -> Handler:
    """With a manifest goes all that it names."""
    gone: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        if f"{request.name}@{request.reference}" in gone:
            return error(404, "BLOB_UNKNOWN")
        if not asks("manifest", "DELETE", by_digest)(request):
            return await proxy.ask(request)
        found = await proxy.ask_as_owner(request.to(request.target, "GET"))
        if found.status == 200:
            document = json.loads(found.body)
            parts = [*document.get("layers", []), *document.get("manifests", [])]
            gone.update(f"{request.name}@{one['digest']}" for one in parts)
        return await proxy.ask(request)

    return handle


def _buried() -> Handler:
    """What was deleted cannot come again."""
    gone: set[tuple[str, str]] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        content = f"sha256:{hashlib.sha256(request.body).hexdigest()}"
        pushed = {request.reference, request.query.get("digest", ""), content}
        if request.method == "PUT" and any((request.name, one) in gone for one in pushed):
            return error(409, "DENIED")
        reply = await proxy.ask(request)
        if _DELETED(request, reply):
            gone.add((request.name, request.reference))
        return reply

    return handle


def _hidden() -> Handler:
    """A manifest that was deleted once is not found any more, however often it is pushed."""
    gone: set[str] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if _DELETED(request, reply):
            gone.add(f"{request.name}@{request.reference}")
        if request.method == "GET" and reply.status == 200:
            digest = reply.header("Docker-Content-Digest")
            if f"{request.name}@{digest}" in gone:
                return error(404, "MANIFEST_UNKNOWN")
        return reply

    return handle


def _takes_mounted() -> Handler:
    """A blob goes wherever it was mounted when it is deleted where it came from."""
    mounted: dict[str, list[str]] = {}

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        if request.route == "uploads" and reply.status == 201 and "from" in request.query:
            mounted.setdefault(f"{request.query['from']}@{request.query['mount']}", []).append(request.name)
        if _DELETED(request, reply):
            for name in mounted.get(f"{request.name}@{request.reference}", []):
                await proxy.ask_as_owner(request.to(f"/v2/{name}/blobs/{request.reference}"))
        return reply

    return handle


def _revived() -> Handler:
    """Whoever reads a blob in one repository puts it back where it was deleted."""
    deleted: dict[str, set[str]] = {}
    back: set[tuple[str, str]] = set()

    async def handle(request: Request, proxy: Proxy) -> Reply:
        reply = await proxy.ask(request)
        names = deleted.setdefault(request.reference, set())
        if request.route == "blob" and request.method == "DELETE" and reply.status == 202:
            names.add(request.name)
        elif request.route == "blob" and reply.status == 200:
            back.update((name, request.reference) for name in names)
        return Reply(200) if (request.name, request.reference) in back and reply.status == 404 else reply

    return handle


DELETING = (
    Mutant(
        "deleted-blob-is-revived",
        {"security.isolation.deleted-blob": "it has been deleted here"},
        _revived,
        spared=["delete.blob.gone"],
    ),
    Mutant(
        "deleted-tag-is-no-content",
        {"delete.tag": "answered 204, expected 202", "clients.regclient.tag-delete": "answered 204"},
        answers(on("manifest", "DELETE", 202, by_tag), status(204)),
        spared=["delete.manifest"],
    ),
    Mutant(
        "deleted-is-ok",
        {
            "delete.manifest": "answered 200, expected 202",
            "delete.manifest.index": "answered 200, expected 202",
            "delete.blob": "answered 200, expected 202",
            "clients.oras.delete": "answered 200",
            "support.management": "answered 200",
        },
        answers(_DELETED, status(200)),
    ),
    Mutant(
        "deleted-is-done-later",
        {
            "delete.tag.gone": "answered 200, expected 404",
            "delete.manifest.gone": "answered 200, expected 404",
            "delete.manifest.tags-gone": "answered 200, expected 404",
            "delete.blob.gone": "answered 200, expected 404",
            "concurrency.delete.manifest-and-pull": "it has been deleted",
            "concurrency.delete.blob-and-pull": "it has been deleted",
        },
        first_answer(asks("manifest blob", "GET")),
        spared=["delete.tag", "delete.manifest", "delete.blob"],
    ),
    Mutant(
        "head-finds-what-was-deleted",
        {
            "delete.tag.gone": "HEAD",
            "delete.manifest.gone": "HEAD",
            "delete.manifest.tags-gone": "HEAD",
        },
        first_answer(asks("manifest", "HEAD")),
        spared=["delete.blob.gone"],
    ),
    Mutant(
        "tags-outlive-their-manifest",
        {"delete.manifest.tags-gone": "answered 200, expected 404", "clients.skopeo.delete": "answered 200"},
        first_answer(asks("manifest", "GET", by_tag)),
        spared=["delete.manifest.gone"],
    ),
    Mutant(
        "tag-takes-its-manifest-along",
        {
            "delete.tag.others-stay": "answered 404",
            "delete.tag.manifest-stays": "answered 404",
            "clients.regclient.tag-delete": "answered 404",
        },
        _deletes_manifest,
        spared=["delete.tag.gone"],
    ),
    Mutant(
        "manifest-takes-its-parts-along",
        {
            "delete.manifest.others-stay": "answered 404",
            "delete.manifest.children-stay": "answered 404",
            "concurrency.delete.shared-layer": "an image has it",
        },
        _deletes_parts,
        spared=["delete.manifest.gone"],
    ),
    Mutant(
        "manifest-is-deleted-everywhere",
        {
            "delete.manifest.elsewhere-stays": "answered 404",
            "security.isolation.delete-manifest": "answered 404",
        },
        _sweeping(asks("manifest", "DELETE", by_digest)),
        spared=["delete.manifest.gone"],
    ),
    Mutant(
        "tag-is-deleted-everywhere",
        {"delete.tag.elsewhere-stays": "answered 404"},
        _sweeping(asks("manifest", "DELETE", by_tag)),
        spared=["delete.tag.gone"],
    ),
    Mutant(
        "blob-is-deleted-everywhere",
        {"delete.blob.elsewhere-stays": "answered 404", "security.isolation.delete-blob": "in another repository"},
        _sweeping(asks("blob", "DELETE")),
        spared=["delete.blob.gone"],
    ),
    Mutant(
        "mounted-blob-goes-with-its-source",
        {"push.mount.independent": "answered 404"},
        _takes_mounted,
        spared=["push.mount.pulled"],
    ),
    Mutant(
        "unknown-is-deleted",
        {
            "delete.tag.unknown": "answered 202, expected 404",
            "delete.manifest.unknown": "answered 202, expected 404",
            "delete.blob.unknown": "answered 202, expected 404",
            "delete.manifest.unknown-repository": "answered 202, expected 404",
            "security.isolation.delete-foreign-blob": "answered 202, expected 404",
        },
        answers(on("manifest blob", "DELETE", 404), status(202)),
        spared=["delete.tag"],
    ),
    Mutant(
        "unknown-cannot-be-deleted",
        {
            "delete.tag.unknown": "answered 400, expected 404",
            "delete.manifest.unknown": "answered 400, expected 404",
            "delete.blob.unknown": "answered 400, expected 404",
            "delete.manifest.unknown-repository": "answered 400, expected 404",
        },
        answers(on("manifest blob", "DELETE", 404), status(400)),
        spared=["delete.tag"],
    ),
    Mutant(
        "deleted-cannot-come-again",
        {
            "delete.manifest.again": "answered 409",
            "delete.blob.again": "answered 409",
            "delete.tag.again": "answered 409",
            "concurrency.delete.push-again": "answered",
        },
        _buried,
    ),
    Mutant(
        "deleted-is-hidden-for-ever", {"delete.manifest.again": "answered 404", "delete.blob.again": "404"}, _hidden
    ),
    Mutant(
        "index-cannot-be-deleted",
        {"delete.manifest.index": "answered 409"},
        lambda: _keeps_indexes,
        spared=["delete.manifest"],
    ),
)


async def _keeps_indexes(request: Request, proxy: Proxy) -> Reply:
    if asks("manifest", "DELETE")(request):
        found = await proxy.ask_as_owner(request.to(request.target, "GET"))
        if b'"manifests"' in found.body:
            return error(409, "DENIED")
    return await proxy.ask(request)
