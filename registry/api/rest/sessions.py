"""Sessions: the logins of clients that keep a refresh token."""

from __future__ import annotations

from aiohttp import web

from registry.api.call import Call
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, nothing, one, path
from registry.api.jsonapi.values import time_text
from registry.domain.sessions import Session


async def list_sessions(call: Call) -> web.StreamResponse:
    """List a user's sessions: with which client, and from where, each of them was last used."""
    asked, user = asked_page(call), call.arguments["user"]
    page = await call.services.management.sessions.page(call.actor, user, asked.after, asked.size)
    return paged(call, asked, page, lambda session: _resource(user, session), lambda session: session.family)


async def get_session(call: Call) -> web.StreamResponse:
    """Tell of a session."""
    user, session = call.arguments["user"], call.arguments["session"]
    return one(call, _resource(user, await call.services.management.sessions.get(call.actor, user, session)))


async def revoke_session(call: Call) -> web.StreamResponse:
    """End a session: its client has to log in again."""
    user, session = call.arguments["user"], call.arguments["session"]
    await call.services.management.sessions.revoke(call.actor, user, session)
    return nothing()


def _resource(user: str, session: Session) -> Resource:
    attributes = {
        "client": session.client,
        "address": session.address,
        "createdAt": time_text(session.created_at),
        "usedAt": time_text(session.used_at),
        "expiresAt": time_text(session.expires_at),
    }
    relations = {"user": Relation(path("users", user), "users", user)}
    return Resource("sessions", session.family, path("users", user, "sessions", session.family), attributes, relations)
