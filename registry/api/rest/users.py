"""Users: the accounts of people, and their passwords."""

from __future__ import annotations

from aiohttp import web

from auth.roles import SystemRole
from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import flag, nullable, one_of, text, time_text
from registry.domain.users import User, UserChanges


async def list_users(call: Call) -> web.StreamResponse:
    """List the users, by name."""
    asked = asked_page(call)
    page = await call.services.management.users.page(call.actor, asked.after, asked.size)
    return paged(call, asked, page, _resource, lambda user: user.name)


async def create_user(call: Call) -> web.StreamResponse:
    """Create a user; without a password it cannot log in."""
    with await read_document(call, "users") as sent:
        name = sent.take("name", text)
        password = sent.find("password", nullable(text), None)
        role = sent.find("systemRole", nullable(one_of(SystemRole)), None)
        description = sent.find("description", text, "")
    user = await call.services.management.users.create(call.actor, name, password, role, description)
    return created(call, _resource(user))


async def get_user(call: Call) -> web.StreamResponse:
    """Tell of a user."""
    return one(call, _resource(await call.services.management.users.get(call.actor, call.arguments["user"])))


async def update_user(call: Call) -> web.StreamResponse:
    """Change what is sent of a user; `systemRole: null` takes the role away."""
    name = call.arguments["user"]
    with await read_document(call, "users", name) as sent:
        changes = UserChanges(
            description=sent.find("description", text, None),
            disabled=sent.find("disabled", flag, None),
            system_role=sent.find("systemRole", nullable(one_of(SystemRole)), None),
            clear_system_role=sent.has_null("systemRole"),
        )
    return one(call, _resource(await call.services.management.users.update(call.actor, name, changes)))


async def delete_user(call: Call) -> web.StreamResponse:
    """Delete a user, with its tokens and sessions."""
    await call.services.management.users.delete(call.actor, call.arguments["user"])
    return nothing()


async def set_password(call: Call) -> web.StreamResponse:
    """Give a user a new password, which ends its sessions; for one's own, the current one has to be sent."""
    with await read_document(call, "passwords") as sent:
        new = sent.take("password", text)
        current = sent.find("currentPassword", nullable(text), None)
    await call.services.management.users.set_password(call.actor, call.arguments["user"], new, current)
    return nothing()


def _resource(user: User) -> Resource:
    attributes = {
        "name": user.name,
        "description": user.description,
        "systemRole": user.system_role,
        "disabled": user.disabled,
        "hasPassword": user.has_password,
        "createdAt": time_text(user.created_at),
        "updatedAt": time_text(user.updated_at),
    }
    relations = {
        "tokens": Relation(path("users", user.name, "tokens")),
        "sessions": Relation(path("users", user.name, "sessions")),
    }
    return Resource("users", user.name, path("users", user.name), attributes, relations)
