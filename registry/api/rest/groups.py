"""Groups, and the users that are in them."""

from __future__ import annotations

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import text, time_text
from registry.domain.groups import Group


async def list_groups(call: Call) -> web.StreamResponse:
    """List the groups, by name."""
    asked = asked_page(call)
    page = await call.services.management.groups.page(call.actor, asked.after, asked.size)
    return paged(call, asked, page, _resource, lambda group: group.name)


async def create_group(call: Call) -> web.StreamResponse:
    """Create a group without members."""
    with await read_document(call, "groups") as sent:
        name = sent.take("name", text)
        description = sent.find("description", text, "")
    return created(call, _resource(await call.services.management.groups.create(call.actor, name, description)))


async def get_group(call: Call) -> web.StreamResponse:
    """Tell of a group."""
    return one(call, _resource(await call.services.management.groups.get(call.actor, call.arguments["group"])))


async def delete_group(call: Call) -> web.StreamResponse:
    """Delete a group, and the rights that it gave."""
    await call.services.management.groups.delete(call.actor, call.arguments["group"])
    return nothing()


async def list_group_members(call: Call) -> web.StreamResponse:
    """List the users in a group, by name."""
    asked, group = asked_page(call), call.arguments["group"]
    page = await call.services.management.groups.members(call.actor, group, asked.after, asked.size)
    return paged(call, asked, page, lambda user: _member(group, user), lambda user: user)


async def add_group_member(call: Call) -> web.StreamResponse:
    """Take a user into a group; one that is in it already stays."""
    group = call.arguments["group"]
    with await read_document(call, "group-members") as sent:
        user = sent.take("name", text)
    await call.services.management.groups.add(call.actor, group, user)
    return created(call, _member(group, user))


async def get_group_member(call: Call) -> web.StreamResponse:
    """Say that a user is in a group."""
    group, user = call.arguments["group"], call.arguments["user"]
    return one(call, _member(group, await call.services.management.groups.member(call.actor, group, user)))


async def remove_group_member(call: Call) -> web.StreamResponse:
    """Take a user out of a group."""
    group, user = call.arguments["group"], call.arguments["user"]
    await call.services.management.groups.remove(call.actor, group, user)
    return nothing()


def _resource(group: Group) -> Resource:
    attributes = {
        "name": group.name,
        "description": group.description,
        "members": group.members,
        "createdAt": time_text(group.created_at),
    }
    relations = {"members": Relation(path("groups", group.name, "members"))}
    return Resource("groups", group.name, path("groups", group.name), attributes, relations)


def _member(group: str, user: str) -> Resource:
    relations = {
        "group": Relation(path("groups", group), "groups", group),
        "user": Relation(path("users", user), "users", user),
    }
    own = path("groups", group, "members", user)
    return Resource("group-members", f"{group}/{user}", own, {"name": user}, relations)
