"""Registries of a project."""

from __future__ import annotations

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.documents import Attributes, read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import length_ms, nullable, optional_seconds, text, time_text
from registry.domain.registries import Registry, Settings


async def list_registries(call: Call) -> web.StreamResponse:
    """List the registries of a project, by name."""
    asked = asked_page(call)
    page = await call.services.management.registries.page(
        call.actor, call.arguments["project"], asked.after, asked.size
    )
    return paged(call, asked, page, _resource, lambda registry: registry.name)


async def create_registry(call: Call) -> web.StreamResponse:
    """Create a registry: repositories whose names begin with its prefix belong to it from now on."""
    with await read_document(call, "registries") as sent:
        name = sent.take("name", text)
        prefix = sent.find("prefix", nullable(text), None)
        visibility = sent.find("visibility", text, "private")
        description = sent.find("description", text, "")
    registry = await call.services.management.registries.create(
        call.actor, call.arguments["project"], name, prefix, visibility, description
    )
    return created(call, _resource(registry))


async def get_registry(call: Call) -> web.StreamResponse:
    """Tell of a registry."""
    project, registry = call.arguments["project"], call.arguments["registry"]
    return one(call, _resource(await call.services.management.registries.get(call.actor, project, registry)))


async def update_registry(call: Call) -> web.StreamResponse:
    """Change what is sent of a registry; null lets a setting be as configured for all registries again."""
    project, name = call.arguments["project"], call.arguments["registry"]
    with await read_document(call, "registries", f"{project}/{name}") as sent:
        visibility = sent.find("visibility", text, None)
        description = sent.find("description", text, None)
        settings = _settings(sent)
    registry = await call.services.management.registries.update(
        call.actor, project, name, visibility, description, settings
    )
    return one(call, _resource(registry))


async def delete_registry(call: Call) -> web.StreamResponse:
    """Delete a registry in which there is no content, with its rules."""
    await call.services.management.registries.delete(call.actor, call.arguments["project"], call.arguments["registry"])
    return nothing()


def _settings(sent: Attributes) -> Settings:
    """Those that were sent."""
    settings = Settings()
    if sent.has("untaggedAfter"):
        settings["untagged_after"] = sent.take("untaggedAfter", nullable(length_ms))
    if sent.has("orphanedAfter"):
        settings["orphaned_after"] = sent.take("orphanedAfter", nullable(length_ms))
    if sent.has("redirect"):
        settings["redirect"] = sent.take("redirect", nullable(text))
    return settings


def _resource(registry: Registry) -> Resource:
    attributes = {
        "name": registry.name,
        "prefix": registry.prefix,
        "kind": registry.kind,
        "visibility": registry.visibility,
        "description": registry.description,
        "untaggedAfter": optional_seconds(registry.untagged_after),
        "orphanedAfter": optional_seconds(registry.orphaned_after),
        "redirect": registry.redirect,
        "createdAt": time_text(registry.created_at),
    }
    own = ("projects", registry.project, "registries", registry.name)
    relations = {
        "project": Relation(path("projects", registry.project), "projects", registry.project),
        "rules": Relation(path(*own, "rules")),
        "immutableTags": Relation(path(*own, "immutable-tags")),
    }
    return Resource("registries", f"{registry.project}/{registry.name}", path(*own), attributes, relations)
