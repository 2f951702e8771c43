"""Access tokens, of users and of robots: the two differ only in where they are found."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiohttp import web

from auth.roles import Action
from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import nullable, one_of, optional_time_text, several, text, time_ms, time_text
from registry.api.rest.arguments import id_of
from registry.domain.access_tokens import AccessToken, NewToken


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose tokens a path is about; `parts` are those of the owner's own path."""

    name: str
    type: str
    parts: tuple[str, ...]

    def resource(self, token: AccessToken) -> Resource:
        attributes = {
            "name": token.name,
            "actions": sorted(token.actions),
            "patterns": list(token.patterns),
            "createdAt": time_text(token.created_at),
            "expiresAt": optional_time_text(token.expires_at),
            "lastUsedAt": optional_time_text(token.last_used_at),
            "lastUsedFrom": token.last_used_from,
            "lastUsedClient": token.last_used_client,
        }
        relations = {"owner": Relation(path(*self.parts), self.type, self.name)}
        return Resource("tokens", str(token.id), path(*self.parts, "tokens", token.id), attributes, relations)


async def list_tokens(call: Call) -> web.StreamResponse:
    """List the tokens, the oldest first."""
    asked, owner = asked_page(call), _owner(call)
    page = await call.services.management.access_tokens.page(call.actor, owner.name, asked.after, asked.size)
    return paged(call, asked, page, owner.resource, lambda token: str(token.id))


async def create_token(call: Call) -> web.StreamResponse:
    """Create a token. Its secret is in this answer, and never again."""
    owner = _owner(call)
    with await read_document(call, "tokens") as sent:
        new = NewToken(
            name=sent.take("name", text),
            actions=frozenset(sent.take("actions", several(one_of(Action))) or ()),
            patterns=tuple(sent.find("patterns", several(text), ["**"]) or ()),
            expires_at=sent.find("expiresAt", nullable(time_ms), None),
        )
    token, secret = await call.services.management.access_tokens.create(call.actor, owner.name, new)
    resource = owner.resource(token)
    return created(call, replace(resource, attributes={**resource.attributes, "secret": secret}))


async def get_token(call: Call) -> web.StreamResponse:
    """Tell of a token: what it is for, and when, from where and by what it was last used."""
    owner = _owner(call)
    token = await call.services.management.access_tokens.get(call.actor, owner.name, id_of(call, "token"))
    return one(call, owner.resource(token))


async def revoke_token(call: Call) -> web.StreamResponse:
    """Take a token away; what was got with it ends as well."""
    await call.services.management.access_tokens.revoke(call.actor, _owner(call).name, id_of(call, "token"))
    return nothing()


def _owner(call: Call) -> _Owner:
    user = call.arguments.get("user")
    if user is not None:
        return _Owner(user, "users", ("users", user))
    project, robot = call.arguments["project"], call.arguments["robot"]
    return _Owner(f"{project}+{robot}", "robots", ("projects", project, "robots", robot))
