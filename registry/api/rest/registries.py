"""Registries of a project."""

from __future__ import annotations

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import nullable, text, time_text
from registry.domain.registries import Registry


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
    """Change the visibility or the description of a registry."""
    project, name = call.arguments["project"], call.arguments["registry"]
    with await read_document(call, "registries", f"{project}/{name}") as sent:
        visibility = sent.find("visibility", text, None)
        description = sent.find("description", text, None)
    registry = await call.services.management.registries.update(call.actor, project, name, visibility, description)
    return one(call, _resource(registry))


async def delete_registry(call: Call) -> web.StreamResponse:
    """Delete a registry in which there is no content, with its rules."""
    await call.services.management.registries.delete(call.actor, call.arguments["project"], call.arguments["registry"])
    return nothing()


def _resource(registry: Registry) -> Resource:
    attributes = {
        "name": registry.name,
        "prefix": registry.prefix,
        "kind": registry.kind,
        "visibility": registry.visibility,
        "description": registry.description,
        "createdAt": time_text(registry.created_at),
    }
    own = ("projects", registry.project, "registries", registry.name)
    relations = {
        "project": Relation(path("projects", registry.project), "projects", registry.project),
        "rules": Relation(path(*own, "rules")),
        "immutableTags": Relation(path(*own, "immutable-tags")),
    }
    return Resource("registries", f"{registry.project}/{registry.name}", path(*own), attributes, relations)
