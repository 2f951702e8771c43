"""Projects."""

import pytest

from tests.api.rest.client import Client, attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World, push

PROJECTS = "/v1/projects"
ACME = "/v1/projects/acme"


async def test_create(world: World) -> None:
    """A new project has one private registry, and whoever created it owns it."""
    project = created(await world.chief.post(PROJECTS, "projects", {"name": "tools", "description": "Our tools"}))
    assert (project["type"], project["id"]) == ("projects", "tools")
    assert data_of(await world.chief.get("/v1/projects/tools")) == project
    project["attributes"].pop("createdAt")
    assert project["attributes"] == {"name": "tools", "description": "Our tools", "role": "owner"}
    assert project["relationships"] == {
        name: {"links": {"related": f"/v1/projects/tools/{name}"}} for name in ("registries", "members", "robots")
    }
    (registry,) = data_of(await world.chief.get("/v1/projects/tools/registries"))
    attributes = registry["attributes"]
    assert (attributes["name"], attributes["prefix"], attributes["visibility"]) == ("main", "tools", "private")
    assert ids_of(await world.chief.get("/v1/projects/tools/members")) == ["tools/user:chief"]


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({}, 400, ("NAME_MISSING", "/data/attributes/name")),
        ({"name": "x", "owner": "reader"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/owner")),
        ({"name": "two/parts"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "x" * 65}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "acme"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
        ({"name": "x", "description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A project that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.chief.post(PROJECTS, "projects", attributes), status) == [problem]


async def test_create_over_content(world: World) -> None:
    """A project does not take repositories that another registry has already."""
    await push(world.chief, "tools/hammer")
    assert codes_of(await world.chief.post(PROJECTS, "projects", {"name": "tools"}), 409) == ["CONFLICT"]


async def test_create_is_for_administrators(world: World) -> None:
    """Others, owners of projects too, create none."""
    for name in ("owner", "outsider", "acme+ci"):
        assert codes_of(await world.client(name).post(PROJECTS, "projects", {"name": "x"}), 403) == ["DENIED"]


async def test_pages(world: World) -> None:
    """Everybody is shown the projects that they may see, by name, with their own role."""
    await world.chief.post(PROJECTS, "projects", {"name": "zoo"})
    first = await world.chief.get(f"{PROJECTS}?page[size]=2")
    second = await world.chief.get(first.json()["links"]["next"])
    roles = {found["id"]: found["attributes"]["role"] for found in [*data_of(first), *data_of(second)]}
    assert list(roles.items()) == [("acme", None), ("default", None), ("zoo", "owner")]
    assert second.json()["links"]["next"] is None
    for role in ("owner", "maintainer", "developer", "reader", "guest"):
        (project,) = data_of(await world.client(role).get(PROJECTS))
        assert (project["id"], project["attributes"]["role"]) == ("acme", role)
    assert ids_of(await world.client("outsider").get(PROJECTS)) == []


async def test_public_registry_shows_project(world: World) -> None:
    """A project with something public is there for everybody who is logged in."""
    await world.chief.post(f"{ACME}/registries", "registries", {"name": "open", "visibility": "public"})
    assert attributes_of(await world.client("outsider").get(ACME))["role"] is None
    assert ids_of(await world.client("outsider").get(PROJECTS)) == ["acme"]
    assert ids_of(await world.client("outsider").get(f"{ACME}/registries")) == ["acme/open"]


async def test_update(world: World) -> None:
    """The owner changes the description, and nothing else can be changed."""
    owner = world.client("owner")
    assert attributes_of(await owner.patch(ACME, "projects", {"description": "New"}))["description"] == "New"
    assert attributes_of(await owner.patch(ACME, "projects", {}))["description"] == "New"
    assert problems_of(await owner.patch(ACME, "projects", {"name": "x"}), 400) == [
        ("MEMBER_UNKNOWN", "/data/attributes/name")
    ]
    assert problems_of(await owner.patch(ACME, "projects", {"description": "a\u0007"}), 422) == [
        ("DESCRIPTION_INVALID", "/data/attributes/description")
    ]
    assert problems_of(await owner.send("PATCH", ACME, "projects", {}, id="other"), 400) == [("ID_INVALID", "/data/id")]


async def test_delete(world: World) -> None:
    """A project that was deleted is gone, with all that was in it."""
    done(await world.client("owner").delete(ACME))
    for path in (ACME, f"{ACME}/registries", f"{ACME}/robots/ci"):
        assert codes_of(await world.chief.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("acme+ci").get("/v1/me"), 401) == ["UNAUTHORIZED"]


async def test_delete_with_content(world: World) -> None:
    """A project in which there is something is not deleted by mistake."""
    await push(world.client("developer"), "acme/app")
    assert codes_of(await world.client("owner").delete(ACME), 409) == ["CONFLICT"]
    assert attributes_of(await world.client("owner").get(ACME))["name"] == "acme"


async def _ask_all(client: Client, path: str) -> list[tuple[int, list[str]]]:
    """Status and codes of every request about a project."""
    answers = [
        await client.get(path),
        await client.patch(path, "projects", {"description": "x"}),
        await client.delete(path),
    ]
    return [(answer.status, codes_of(answer, answer.status)) for answer in answers]


@pytest.mark.parametrize("name", ["outsider", "chief"])
async def test_not_there(world: World, name: str) -> None:
    """What is not there, and what is not for the caller to know, look alike."""
    path = ACME if name == "outsider" else "/v1/projects/none"
    assert await _ask_all(world.client(name), path) == [(404, ["NOT_FOUND"])] * 3
    detail = (await world.client(name).get(path)).json()["errors"][0]["detail"]
    assert detail == f"project {path.rpartition('/')[2]!r} is not known"


@pytest.mark.parametrize("name", ["maintainer", "developer", "reader", "guest", "acme+ci"])
async def test_only_owners(world: World, name: str) -> None:
    """Members who do not own a project neither change nor delete it, and are told what they lack."""
    client = world.client(name)
    refused = await client.patch(ACME, "projects", {"description": "x"})
    assert codes_of(refused, 403) == ["DENIED"]
    assert "project.update" in refused.json()["errors"][0]["detail"]
    assert codes_of(await client.delete(ACME), 403) == ["DENIED"]
