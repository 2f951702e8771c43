"""The rows of the management API."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import orjson

from auth.actor import OPERATING
from auth.principals import Subject, SubjectKind
from auth.roles import Action, Role
from registry.domain.access_tokens import NewToken
from registry.errors import AttributeTaken, Conflict, NotFound
from tests.api.accounts import PASSWORD, basic
from tests.api.matrix.callers import Caller
from tests.api.matrix.expected import (
    Anybody,
    OfAdministrators,
    OfProject,
    OfProjectLog,
    OfRegistry,
    OfRepository,
    OfUser,
    Rule,
)
from tests.api.matrix.places import EVERYWHERE, GROUP, PROJECT, PROJECTS, THERE_OR_NOT, USER, Place
from tests.api.matrix.rows import Arguments, Prepare, Row, nothing
from tests.api.matrix.world import IMAGE, ROBOT, VICTIM, World

_USER = "/v1/users/<user>"
_GROUP = "/v1/groups/<group>"
_PROJECT = "/v1/projects/<project>"
_REGISTRY = f"{_PROJECT}/registries/<registry>"
_ROBOT = f"{_PROJECT}/robots/<robot>"
_REPOSITORY = "/v1/repositories/<name>"
_FRESH = "fresh"
_TARGET = Subject(SubjectKind.USER, USER[Place.PRIVATE])
_PULLING = NewToken(_FRESH, frozenset({Action.PULL}), ("**",))


async def _no_user(world: World, caller: Caller, place: Place) -> Arguments:
    with contextlib.suppress(NotFound):
        await world.management.users.delete(OPERATING, _FRESH)
    return {}


async def _victim(world: World, caller: Caller, place: Place) -> Arguments:
    if place is Place.NOWHERE:
        return {}
    with contextlib.suppress(AttributeTaken):
        await world.management.users.create(OPERATING, VICTIM, PASSWORD)
    return {"user": VICTIM}


async def _token_of(world: World, owner: str) -> Arguments:
    tokens = world.management.access_tokens
    with contextlib.suppress(AttributeTaken):
        await tokens.create(OPERATING, owner, _PULLING)
    return {"token": str((await tokens.page(OPERATING, owner, "", 1)).items[0].id)}


async def _user_token(world: World, caller: Caller, place: Place) -> Arguments:
    return {"token": "1"} if place is Place.NOWHERE else await _token_of(world, USER[place])


async def _robot_token(world: World, caller: Caller, place: Place) -> Arguments:
    return {"token": "1"} if place is Place.NOWHERE else await _token_of(world, f"{PROJECT[place]}+{ROBOT}")


async def _no_robot_token(world: World, caller: Caller, place: Place) -> Arguments:
    if place is not Place.NOWHERE:
        owner = f"{PROJECT[place]}+{ROBOT}"
        for token in (await world.management.access_tokens.page(OPERATING, owner, "", 100)).items:
            await world.management.access_tokens.revoke(OPERATING, owner, token.id)
    return {}


async def _session(world: World, caller: Caller, place: Place) -> Arguments:
    if place is Place.NOWHERE:
        return {"session": "0" * 32}
    sessions, user = world.management.sessions, USER[place]
    if not (await sessions.page(OPERATING, user, "", 1)).items:
        headers = {"Authorization": basic(user, PASSWORD)}
        await world.registry.ask("GET", "/token?service=berth&offline_token=true", headers=headers)
    return {"session": (await sessions.page(OPERATING, user, "", 1)).items[0].family}


async def _no_group(world: World, caller: Caller, place: Place) -> Arguments:
    with contextlib.suppress(NotFound):
        await world.management.groups.delete(OPERATING, _FRESH)
    return {}


async def _spare_group(world: World, caller: Caller, place: Place) -> Arguments:
    if place is Place.NOWHERE:
        return {}
    with contextlib.suppress(AttributeTaken):
        await world.management.groups.create(OPERATING, _FRESH)
    return {"group": _FRESH}


async def _group_member(world: World, caller: Caller, place: Place) -> Arguments:
    if place is not Place.NOWHERE:
        await world.management.groups.add(OPERATING, GROUP[place], USER[place])
    return {"user": USER[place]}


async def _no_project(world: World, caller: Caller, place: Place) -> Arguments:
    with contextlib.suppress(NotFound):
        await world.management.projects.delete(OPERATING, _FRESH)
    return {}


async def _no_registry(world: World, caller: Caller, place: Place) -> Arguments:
    with contextlib.suppress(NotFound):
        await world.management.registries.delete(OPERATING, PROJECT[place], _FRESH)
    return {}


async def _rule(world: World, caller: Caller, place: Place) -> Arguments:
    if place is Place.NOWHERE:
        return {"rule": "1"}
    rules, where = world.management.rules, (PROJECT[place], "main")
    if not (await rules.page(OPERATING, *where, "", 1)).items:
        await rules.create(OPERATING, *where, f"{PROJECT[place]}/unused", _TARGET, frozenset())
    return {"rule": str((await rules.page(OPERATING, *where, "", 1)).items[0].id)}


async def _immutable_tag(world: World, caller: Caller, place: Place) -> Arguments:
    if place is Place.NOWHERE:
        return {"immutable": "1"}
    tags, where = world.management.immutable_tags, (PROJECT[place], "main")
    with contextlib.suppress(Conflict):
        await tags.create(OPERATING, *where, "**", _FRESH)
    return {"immutable": str((await tags.page(OPERATING, *where, "", 1)).items[0].id)}


async def _no_immutable_tag(world: World, caller: Caller, place: Place) -> Arguments:
    if place is not Place.NOWHERE:
        tags, where = world.management.immutable_tags, (PROJECT[place], "main")
        for found in (await tags.page(OPERATING, *where, "", 100)).items:
            await tags.delete(OPERATING, *where, found.id)
    return {}


async def _member(world: World, caller: Caller, place: Place) -> Arguments:
    if place is not Place.NOWHERE:
        await world.management.members.put(OPERATING, PROJECT[place], _TARGET, Role.GUEST)
    return {}


async def _no_robot(world: World, caller: Caller, place: Place) -> Arguments:
    with contextlib.suppress(NotFound):
        await world.management.robots.delete(OPERATING, PROJECT[place], _FRESH)
    return {}


async def _spare_robot(world: World, caller: Caller, place: Place) -> Arguments:
    if place is not Place.NOWHERE:
        with contextlib.suppress(AttributeTaken):
            await world.management.robots.create(OPERATING, PROJECT[place], _FRESH, Role.GUEST)
    return {"robot": _FRESH}


def _row(
    line: str,
    rule: Rule,
    document: tuple[str, Mapping[str, object]] | None = None,
    *,
    prepare: Prepare = nothing,
    known: Arguments | None = None,
) -> Row:
    method, _, template = line.partition(" ")
    template, mark, query = template.partition("?")
    if "<name>" in line:
        places = EVERYWHERE
    elif "<project>" in line:
        places = PROJECTS
    else:
        places = THERE_OR_NOT if "<user>" in line or "<group>" in line else (Place.PRIVATE,)
    body = b"" if document is None else orjson.dumps({"data": {"type": document[0], "attributes": document[1]}})
    return Row(
        method,
        template,
        rule,
        style="json-api",
        places=places,
        query=(mark + query).replace("<", "{").replace(">", "}"),
        body=body,
        media_type="application/vnd.api+json" if document is not None else "",
        prepare=prepare,
        known=known or {},
    )


_BOT = {"robot": ROBOT}
_SUBJECT = {"subject": str(_TARGET)}
_TOKEN = ("tokens", {"name": _FRESH, "actions": ["pull"]})

MANAGEMENT = [
    _row("GET /v1/me", Anybody()),
    _row("GET /v1/users", OfAdministrators(200)),
    _row("POST /v1/users", OfAdministrators(201), ("users", {"name": _FRESH}), prepare=_no_user),
    _row(f"GET {_USER}", OfUser(200)),
    _row(f"PATCH {_USER}", OfUser(200), ("users", {"description": "new"})),
    _row(f"DELETE {_USER}", OfUser(204), prepare=_victim),
    _row(f"PUT {_USER}/password", OfUser(204), ("passwords", {"password": PASSWORD})),
    _row(f"GET {_USER}/tokens", OfUser(200)),
    # Nobody makes tokens of others.
    _row(f"POST {_USER}/tokens", OfUser(403), _TOKEN),
    _row(f"GET {_USER}/tokens/<token>", OfUser(200), prepare=_user_token),
    _row(f"DELETE {_USER}/tokens/<token>", OfUser(204), prepare=_user_token),
    _row(f"GET {_USER}/sessions", OfUser(200)),
    _row(f"GET {_USER}/sessions/<session>", OfUser(200), prepare=_session),
    _row(f"DELETE {_USER}/sessions/<session>", OfUser(204), prepare=_session),
    _row("GET /v1/groups", OfAdministrators(200)),
    _row("POST /v1/groups", OfAdministrators(201), ("groups", {"name": _FRESH}), prepare=_no_group),
    _row(f"GET {_GROUP}", OfAdministrators(200)),
    _row(f"DELETE {_GROUP}", OfAdministrators(204), prepare=_spare_group),
    _row(f"GET {_GROUP}/members", OfAdministrators(200)),
    _row(f"POST {_GROUP}/members", OfAdministrators(201), ("group-members", {"name": _TARGET.name})),
    _row(f"GET {_GROUP}/members/<user>", OfAdministrators(200), prepare=_group_member),
    _row(f"DELETE {_GROUP}/members/<user>", OfAdministrators(204), prepare=_group_member),
    _row("GET /v1/projects", Anybody()),
    _row("POST /v1/projects", OfAdministrators(201), ("projects", {"name": _FRESH}), prepare=_no_project),
    _row(f"GET {_PROJECT}", OfProject("see", 200)),
    _row(f"PATCH {_PROJECT}", OfProject("own", 200), ("projects", {"description": "new"})),
    # It is not empty.
    _row(f"DELETE {_PROJECT}", OfProject("own", 409)),
    _row(f"GET {_PROJECT}/registries", OfProject("see", 200)),
    _row(
        *(f"POST {_PROJECT}/registries", OfProject("maintain", 201), ("registries", {"name": _FRESH})),
        prepare=_no_registry,
    ),
    _row(f"GET {_REGISTRY}", OfRegistry()),
    _row(f"PATCH {_REGISTRY}", OfProject("maintain", 200), ("registries", {"description": "new"})),
    # It is not empty.
    _row(f"DELETE {_REGISTRY}", OfProject("maintain", 409)),
    _row(f"GET {_REGISTRY}/rules", OfProject("know", 200)),
    _row(
        *(f"POST {_REGISTRY}/rules", OfProject("maintain", 422)),
        # That it is of no registry is found out last.
        ("rules", {"pattern": "elsewhere/app", "subject": "everyone", "actions": []}),
    ),
    _row(f"GET {_REGISTRY}/rules/<rule>", OfProject("know", 200), prepare=_rule),
    _row(f"DELETE {_REGISTRY}/rules/<rule>", OfProject("maintain", 204), prepare=_rule),
    _row(f"GET {_REGISTRY}/immutable-tags", OfProject("know", 200)),
    _row(
        *(f"POST {_REGISTRY}/immutable-tags", OfProject("maintain", 201)),
        ("immutable-tags", {"repositories": "**", "tags": _FRESH}),
        prepare=_no_immutable_tag,
    ),
    _row(f"GET {_REGISTRY}/immutable-tags/<immutable>", OfProject("know", 200), prepare=_immutable_tag),
    _row(f"DELETE {_REGISTRY}/immutable-tags/<immutable>", OfProject("maintain", 204), prepare=_immutable_tag),
    _row(f"GET {_PROJECT}/members", OfProject("know", 200)),
    _row(f"GET {_PROJECT}/members/<subject>", OfProject("know", 200), prepare=_member, known=_SUBJECT),
    _row(f"PUT {_PROJECT}/members/<subject>", OfProject("own", 200), ("members", {"role": "guest"}), known=_SUBJECT),
    _row(f"DELETE {_PROJECT}/members/<subject>", OfProject("own", 204), prepare=_member, known=_SUBJECT),
    _row(f"GET {_PROJECT}/robots", OfProject("maintain", 200)),
    _row(
        *(f"POST {_PROJECT}/robots", OfProject("maintain", 201), ("robots", {"name": _FRESH, "role": "guest"})),
        prepare=_no_robot,
    ),
    _row(f"GET {_ROBOT}", OfProject("maintain", 200), known=_BOT),
    _row(f"PATCH {_ROBOT}", OfProject("maintain", 200), ("robots", {"description": "new"}), known=_BOT),
    _row(f"DELETE {_ROBOT}", OfProject("maintain", 204), prepare=_spare_robot),
    _row(f"GET {_ROBOT}/tokens", OfProject("maintain", 200), known=_BOT),
    _row(f"POST {_ROBOT}/tokens", OfProject("maintain", 201), _TOKEN, prepare=_no_robot_token, known=_BOT),
    _row(f"GET {_ROBOT}/tokens/<token>", OfProject("maintain", 200), prepare=_robot_token, known=_BOT),
    _row(f"DELETE {_ROBOT}/tokens/<token>", OfProject("maintain", 204), prepare=_robot_token, known=_BOT),
    _row(f"GET {_REPOSITORY}/tag-history", OfRepository("pull", 200)),
    _row(f"GET {_REPOSITORY}/deleted-tags", OfRepository("pull push", 200)),
    _row(f"GET {_REPOSITORY}/deleted-manifests", OfRepository("pull push", 200)),
    # It is there: only to bring back what was deleted one has to be allowed to delete.
    _row(
        f"POST {_REPOSITORY}/restorations", OfRepository("pull push", 201), ("restorations", {"digest": IMAGE.digest})
    ),
    _row("GET /v1/audit", OfAdministrators(200)),
    _row("GET /v1/audit?filter[project]=<project>", OfProjectLog()),
    _row("GET /v1/audit/export", OfAdministrators(200)),
    _row("GET /v1/audit/export?filter[project]=<project>", OfProjectLog()),
]
