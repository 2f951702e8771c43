"""Members of a project, and their roles."""

from __future__ import annotations

from aiohttp import web

from auth.roles import Role
from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, nothing, one, path
from registry.api.jsonapi.values import one_of, time_text
from registry.api.rest.arguments import subject_of
from registry.domain.members import Member


async def list_members(call: Call) -> web.StreamResponse:
    """List the members of a project, by subject."""
    asked, project = asked_page(call), call.arguments["project"]
    page = await call.services.management.members.page(call.actor, project, asked.after, asked.size)
    return paged(call, asked, page, lambda member: _resource(project, member), lambda member: str(member.subject))


async def get_member(call: Call) -> web.StreamResponse:
    """Tell of a member."""
    project, subject = call.arguments["project"], subject_of(call)
    return one(call, _resource(project, await call.services.management.members.get(call.actor, project, subject)))


async def put_member(call: Call) -> web.StreamResponse:
    """Give a user, a robot of the project or a group a role in a project, in place of the one that it has."""
    project, subject = call.arguments["project"], subject_of(call)
    with await read_document(call, "members", f"{project}/{subject}") as sent:
        role = sent.take("role", one_of(Role))
    return one(call, _resource(project, await call.services.management.members.put(call.actor, project, subject, role)))


async def remove_member(call: Call) -> web.StreamResponse:
    """End a membership."""
    await call.services.management.members.remove(call.actor, call.arguments["project"], subject_of(call))
    return nothing()


def _resource(project: str, member: Member) -> Resource:
    attributes = {
        "subject": str(member.subject),
        "role": member.role,
        "createdAt": time_text(member.created_at),
    }
    relations = {"project": Relation(path("projects", project), "projects", project)}
    own = path("projects", project, "members", member.subject)
    return Resource("members", f"{project}/{member.subject}", own, attributes, relations)
