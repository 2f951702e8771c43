"""Who the caller is."""

from __future__ import annotations

from aiohttp import web

from auth.policy import Rights
from auth.principals import Kind
from registry.api.call import Call
from registry.api.jsonapi.resources import Relation, Resource, one, path


async def get_me(call: Call) -> web.StreamResponse:
    """Say who asks, and with which access token, if with one."""
    actor = call.actor
    principal, access = actor.principal, actor.access
    attributes = {
        "kind": principal.kind,
        "name": principal.name,
        "systemRole": access.system_role if isinstance(access, Rights) else None,
        "token": actor.token,
    }
    relations = {}
    if principal.kind is Kind.USER:
        relations["user"] = Relation(path("users", principal.name), "users", principal.name)
    return one(call, Resource("principals", f"{principal.kind}:{principal.name}", path("me"), attributes, relations))
