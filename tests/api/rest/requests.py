"""A request for every row of the table that could succeed, if everybody was let do everything."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from registry.api.rest.routes import ROUTES
from registry.api.routing import Route
from tests.api.content import index
from tests.api.rest.client import JSON_API, Client, created, ids_of
from tests.api.rest.world import PASSWORD, World, delete_manifest, put_manifest
from tests.api.server import Answer

# What was in a repository.
DELETED = index([])

# The type that each row with a body wants, and attributes that it takes.
BODIES: Mapping[tuple[str, str], tuple[str, Mapping[str, object]]] = {
    ("POST", "/v1/users"): ("users", {"name": "new"}),
    ("PATCH", "/v1/users/<user>"): ("users", {"description": "new"}),
    ("PUT", "/v1/users/<user>/password"): ("passwords", {"password": PASSWORD, "currentPassword": PASSWORD}),
    ("POST", "/v1/users/<user>/tokens"): ("tokens", {"name": "new", "actions": ["pull"]}),
    ("POST", "/v1/groups"): ("groups", {"name": "new"}),
    ("POST", "/v1/groups/<group>/members"): ("group-members", {"name": "guest"}),
    ("POST", "/v1/projects"): ("projects", {"name": "new"}),
    ("PATCH", "/v1/projects/<project>"): ("projects", {"description": "new"}),
    ("POST", "/v1/projects/<project>/registries"): ("registries", {"name": "new"}),
    ("PATCH", "/v1/projects/<project>/registries/<registry>"): ("registries", {"description": "new"}),
    ("POST", "/v1/projects/<project>/registries/<registry>/rules"): (
        "rules",
        {"pattern": "acme/new", "subject": "everyone", "actions": []},
    ),
    ("POST", "/v1/projects/<project>/registries/<registry>/immutable-tags"): (
        "immutable-tags",
        {"repositories": "**", "tags": "new"},
    ),
    ("PUT", "/v1/projects/<project>/members/<subject>"): ("members", {"role": "guest"}),
    ("POST", "/v1/projects/<project>/robots"): ("robots", {"name": "new", "role": "guest"}),
    ("PATCH", "/v1/projects/<project>/robots/<robot>"): ("robots", {"description": "new"}),
    ("POST", "/v1/projects/<project>/robots/<robot>/tokens"): ("tokens", {"name": "new", "actions": ["pull"]}),
    ("POST", "/v1/repositories/<name>/restorations"): ("restorations", {"digest": DELETED.digest}),
}


@dataclass(frozen=True)
class Requests:
    """`arguments` are what the paths name, all of it there; `robot_token` is the token of the robot."""

    arguments: Mapping[str, str]
    robot_token: str

    async def ask(self, client: Client, route: Route) -> Answer:
        """Ask for what the row does."""
        key = (route.method, route.template)
        if key not in BODIES:
            return await client.ask(route.method, self.path(route))
        kind, attributes = BODIES[key]
        body = orjson.dumps({"data": {"type": kind, "attributes": attributes}})
        return await client.ask(*(route.method, self.path(route)), headers={"Content-Type": JSON_API}, body=body)

    def path(self, route: Route) -> str:
        arguments = {**self.arguments, **({"token": self.robot_token} if "<robot>" in route.template else {})}
        return re.sub(r"<(\w+)>", lambda part: arguments[part[1]], route.template)


async def stage(world: World) -> Requests:
    """Put into the world what there is not yet of what paths can name."""
    chief, main = world.chief, "/v1/projects/acme/registries/main"
    rule = created(
        await chief.post(f"{main}/rules", "rules", {"pattern": "acme/x", "subject": "everyone", "actions": []})
    )
    tag = created(await chief.post(f"{main}/immutable-tags", "immutable-tags", {"repositories": "**", "tags": "v*"}))
    created(await chief.post("/v1/groups/devs/members", "group-members", {"name": "someone"}))
    await put_manifest(chief, "acme/app", DELETED, "old")
    await delete_manifest(chief, "acme/app", DELETED)
    await log_in(world.client("someone"))
    (session,) = ids_of(await chief.get("/v1/users/someone/sessions"))
    (token,) = ids_of(await chief.get("/v1/users/someone/tokens"))
    (robot_token,) = ids_of(await chief.get("/v1/projects/acme/robots/ci/tokens"))
    arguments = {
        "user": "someone",
        "token": token,
        "session": session,
        "group": "devs",
        "project": "acme",
        "registry": "main",
        "rule": rule["id"],
        "immutable": tag["id"],
        "subject": "user:reader",
        "robot": "ci",
        "name": "acme/app",
    }
    return Requests(arguments, robot_token)


async def log_in(client: Client) -> str:
    """Begin a session, as `docker login` does, and return its refresh token."""
    headers = {**client.login(), "User-Agent": "docker/27"}
    answer = await client.registry.ask("GET", "/token?service=berth&offline_token=true", headers=headers)
    assert answer.status == 200, answer.body
    return str(answer.json()["refresh_token"])


def rows() -> dict[str, Route]:
    """All rows of the table by what they do, such as `GET /v1/me`."""
    return {f"{route.method} {route.template}": route for route in ROUTES}
