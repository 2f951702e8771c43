"""Projects."""

from __future__ import annotations

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import text, time_text
from registry.domain.projects import Project


async def list_projects(call: Call) -> web.StreamResponse:
    """List the projects that the caller may see, by name."""
    asked = asked_page(call)
    page = await call.services.management.projects.page(call.actor, asked.after, asked.size)
    return paged(call, asked, page, _resource, lambda project: project.name)


async def create_project(call: Call) -> web.StreamResponse:
    """Create a project with one private registry, which is named `main`."""
    with await read_document(call, "projects") as sent:
        name = sent.take("name", text)
        description = sent.find("description", text, "")
    return created(call, _resource(await call.services.management.projects.create(call.actor, name, description)))


async def get_project(call: Call) -> web.StreamResponse:
    """Tell of a project."""
    return one(call, _resource(await call.services.management.projects.get(call.actor, call.arguments["project"])))


async def update_project(call: Call) -> web.StreamResponse:
    """Change the description of a project."""
    name = call.arguments["project"]
    with await read_document(call, "projects", name) as sent:
        description = sent.find("description", text, None)
    return one(call, _resource(await call.services.management.projects.update(call.actor, name, description)))


async def delete_project(call: Call) -> web.StreamResponse:
    """Delete a project in which there is no content, with its registries, robots and members."""
    await call.services.management.projects.delete(call.actor, call.arguments["project"])
    return nothing()


def _resource(project: Project) -> Resource:
    attributes = {
        "name": project.name,
        "description": project.description,
        "role": project.role,
        "createdAt": time_text(project.created_at),
    }
    relations = {part: Relation(path("projects", project.name, part)) for part in ("registries", "members", "robots")}
    return Resource("projects", project.name, path("projects", project.name), attributes, relations)
