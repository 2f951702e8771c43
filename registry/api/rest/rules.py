"""Rules: who may do what to the repositories of a registry that a pattern matches; and which tags are immutable."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from auth.principals import parse_subject
from auth.roles import Action
from registry.api.call import Call
from registry.api.jsonapi.documents import read_document
from registry.api.jsonapi.paging import asked_page, paged
from registry.api.jsonapi.resources import Relation, Resource, created, nothing, one, path
from registry.api.jsonapi.values import one_of, several, text, time_text
from registry.api.rest.arguments import id_of
from registry.domain.immutability import ImmutableTag
from registry.domain.rules import Rule


async def list_rules(call: Call) -> web.StreamResponse:
    """List the rules of a registry, the oldest first."""
    asked = asked_page(call)
    page = await call.services.management.rules.page(call.actor, *_registry(call), asked.after, asked.size)
    return paged(call, asked, page, lambda rule: _rule(call, rule), lambda rule: str(rule.id))


async def create_rule(call: Call) -> web.StreamResponse:
    """Create a rule; without actions it says that the subject may do nothing."""
    with await read_document(call, "rules") as sent:
        pattern = sent.take("pattern", text)
        subject = sent.take("subject", lambda value: parse_subject(text(value)))
        actions = sent.take("actions", several(one_of(Action)))
    rule = await call.services.management.rules.create(
        call.actor, *_registry(call), pattern, subject, frozenset(actions)
    )
    return created(call, _rule(call, rule))


async def get_rule(call: Call) -> web.StreamResponse:
    """Tell of a rule."""
    rule = await call.services.management.rules.get(call.actor, *_registry(call), id_of(call, "rule"))
    return one(call, _rule(call, rule))


async def delete_rule(call: Call) -> web.StreamResponse:
    """Delete a rule."""
    await call.services.management.rules.delete(call.actor, *_registry(call), id_of(call, "rule"))
    return nothing()


async def list_immutable_tags(call: Call) -> web.StreamResponse:
    """List what makes tags of a registry immutable, the oldest first."""
    asked = asked_page(call)
    page = await call.services.management.immutable_tags.page(call.actor, *_registry(call), asked.after, asked.size)
    return paged(call, asked, page, lambda found: _immutable_tag(call, found), lambda found: str(found.id))


async def create_immutable_tag(call: Call) -> web.StreamResponse:
    """Make the tags that match immutable, in the repositories that match."""
    with await read_document(call, "immutable-tags") as sent:
        repositories = sent.take("repositories", text)
        tags = sent.take("tags", text)
    made = await call.services.management.immutable_tags.create(call.actor, *_registry(call), repositories, tags)
    return created(call, _immutable_tag(call, made))


async def get_immutable_tag(call: Call) -> web.StreamResponse:
    """Tell which tags one of them makes immutable."""
    found = await call.services.management.immutable_tags.get(call.actor, *_registry(call), id_of(call, "immutable"))
    return one(call, _immutable_tag(call, found))


async def delete_immutable_tag(call: Call) -> web.StreamResponse:
    """Let tags move and go again."""
    await call.services.management.immutable_tags.delete(call.actor, *_registry(call), id_of(call, "immutable"))
    return nothing()


def _registry(call: Call) -> tuple[str, str]:
    return call.arguments["project"], call.arguments["registry"]


def _rule(call: Call, rule: Rule) -> Resource:
    attributes = {
        "pattern": rule.pattern,
        "subject": str(rule.subject),
        "actions": sorted(rule.actions),
        "createdAt": time_text(rule.created_at),
    }
    return _resource(call, "rules", rule.id, attributes)


def _immutable_tag(call: Call, found: ImmutableTag) -> Resource:
    attributes = {
        "repositories": found.repositories,
        "tags": found.tags,
        "createdAt": time_text(found.created_at),
    }
    return _resource(call, "immutable-tags", found.id, attributes)


def _resource(call: Call, kind: str, number: int, attributes: Mapping[str, object]) -> Resource:
    project, registry = _registry(call)
    own = ("projects", project, "registries", registry)
    relations = {"registry": Relation(path(*own), "registries", f"{project}/{registry}")}
    return Resource(kind, str(number), path(*own, kind, number), attributes, relations)
