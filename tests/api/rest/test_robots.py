"""Robots of a project."""

import pytest

from tests.api.rest.client import attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World

ROBOTS = "/v1/projects/acme/robots"
CI = "/v1/projects/acme/robots/ci"


async def test_create(world: World) -> None:
    """A new robot has a role in its project, and a name to log in with."""
    sent = {"name": "deploy", "role": "reader", "description": "Pulls for the cluster"}
    robot = created(await world.client("maintainer").post(ROBOTS, "robots", sent))
    assert (robot["type"], robot["id"]) == ("robots", "acme+deploy")
    assert robot["links"] == {"self": f"{ROBOTS}/deploy"}
    assert data_of(await world.client("maintainer").get(f"{ROBOTS}/deploy")) == robot
    assert robot["attributes"].pop("createdAt") == robot["attributes"].pop("updatedAt")
    assert robot["attributes"] == {**sent, "login": "acme+deploy", "disabled": False}
    assert robot["relationships"] == {
        "project": {"data": {"type": "projects", "id": "acme"}, "links": {"related": "/v1/projects/acme"}},
        "tokens": {"links": {"related": f"{ROBOTS}/deploy/tokens"}},
    }


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({"role": "reader"}, 400, ("NAME_MISSING", "/data/attributes/name")),
        ({"name": "x"}, 400, ("ROLE_MISSING", "/data/attributes/role")),
        ({"name": "x", "role": "admin"}, 400, ("ROLE_INVALID", "/data/attributes/role")),
        ({"name": "x", "role": "reader", "password": "x"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/password")),
        ({"name": "acme+x", "role": "reader"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "x" * 65, "role": "reader"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "ci", "role": "reader"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
        (
            {"name": "x", "role": "reader", "description": "x" * 1001},
            422,
            ("DESCRIPTION_INVALID", "/data/attributes/description"),
        ),
    ],
)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A robot that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").post(ROBOTS, "robots", attributes), status) == [problem]


async def test_pages(world: World) -> None:
    """Robots are listed by name, a page at a time."""
    for name in ("a", "z"):
        await world.client("owner").post(ROBOTS, "robots", {"name": name, "role": "guest"})
    first = await world.client("owner").get(f"{ROBOTS}?page[size]=2")
    second = await world.client("owner").get(first.json()["links"]["next"])
    assert ids_of(first) + ids_of(second) == ["acme+a", "acme+ci", "acme+z"]
    assert second.json()["links"]["next"] is None


async def test_update(world: World) -> None:
    """What is sent is changed, and all else stays; a robot that is disabled does not get in."""
    maintainer = world.client("maintainer")
    changed = attributes_of(await maintainer.patch(CI, "robots", {"role": "reader", "description": "Builds"}))
    assert (changed["role"], changed["description"], changed["disabled"]) == ("reader", "Builds", False)
    changed = attributes_of(await maintainer.patch(CI, "robots", {"disabled": True}))
    assert (changed["role"], changed["description"], changed["disabled"]) == ("reader", "Builds", True)
    assert codes_of(await world.client("acme+ci").get("/v1/me"), 401) == ["UNAUTHORIZED"]
    assert data_of(await maintainer.send("PATCH", CI, "robots", {"disabled": False}, id="acme+ci"))["id"] == "acme+ci"
    assert attributes_of(await world.client("acme+ci").get("/v1/me"))["name"] == "acme+ci"


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({"role": None}, 400, ("ROLE_INVALID", "/data/attributes/role")),
        ({"name": "x"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/name")),
        ({"disabled": 0}, 400, ("DISABLED_INVALID", "/data/attributes/disabled")),
        ({"description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_update_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A change that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").patch(CI, "robots", attributes), status) == [problem]


async def test_delete(world: World) -> None:
    """A robot that was deleted is gone, and its tokens with it."""
    done(await world.client("maintainer").delete(CI))
    assert codes_of(await world.client("maintainer").get(CI), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("acme+ci").get("/v1/me"), 401) == ["UNAUTHORIZED"]


async def test_nobody_gives_more_than_they_have(world: World) -> None:
    """A maintainer neither makes owners nor gets hold of one by way of a robot."""
    owner, maintainer = world.client("owner"), world.client("maintainer")
    boss = {"name": "boss", "role": "owner"}
    assert codes_of(await maintainer.post(ROBOTS, "robots", boss), 403) == ["DENIED"]
    assert codes_of(await maintainer.patch(CI, "robots", {"role": "owner"}), 403) == ["DENIED"]
    created(await owner.post(ROBOTS, "robots", boss))
    token = {"name": "x", "actions": ["manage"]}
    assert codes_of(await maintainer.post(f"{ROBOTS}/boss/tokens", "tokens", token), 403) == ["DENIED"]
    assert codes_of(await maintainer.delete(f"{ROBOTS}/boss"), 403) == ["DENIED"]


@pytest.mark.parametrize(
    ("name", "project", "robot"),
    [("chief", "none", "ci"), ("chief", "acme", "none"), ("chief", "default", "ci"), ("outsider", "acme", "ci")],
)
async def test_not_there(world: World, name: str, project: str, robot: str) -> None:
    """What is not there, what is in another project, and what is not for the caller to know, look alike."""
    client, path = world.client(name), f"/v1/projects/{project}/robots/{robot}"
    assert codes_of(await client.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await client.patch(path, "robots", {"disabled": True}), 404) == ["NOT_FOUND"]
    assert codes_of(await client.delete(path), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize(("name", "project"), [("chief", "none"), ("outsider", "acme")])
async def test_list_not_there(world: World, name: str, project: str) -> None:
    """A project that is not there, or not for the caller to know, has no robots."""
    client, path = world.client(name), f"/v1/projects/{project}/robots"
    assert codes_of(await client.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await client.post(path, "robots", {"name": "x", "role": "guest"}), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize("name", ["developer", "reader", "guest", "acme+ci"])
async def test_only_maintainers(world: World, name: str) -> None:
    """Members below maintainers have nothing to do with robots."""
    client = world.client(name)
    assert codes_of(await client.get(ROBOTS), 403) == ["DENIED"]
    assert codes_of(await client.post(ROBOTS, "robots", {"name": "x", "role": "guest"}), 403) == ["DENIED"]
    assert codes_of(await client.get(CI), 403) == ["DENIED"]
    assert codes_of(await client.patch(CI, "robots", {"role": "owner"}), 403) == ["DENIED"]
    assert codes_of(await client.delete(CI), 403) == ["DENIED"]
