"""Groups and who is in them."""

import pytest

from tests.api.rest.client import attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World

GROUPS = "/v1/groups"
MEMBERS = "/v1/groups/devs/members"


async def test_create(world: World) -> None:
    """A new group has nobody in it, and is found where the answer says."""
    group = created(await world.chief.post(GROUPS, "groups", {"name": "ops", "description": "On call"}))
    assert (group["type"], group["id"]) == ("groups", "ops")
    assert data_of(await world.chief.get("/v1/groups/ops")) == group
    group["attributes"].pop("createdAt")
    assert group["attributes"] == {"name": "ops", "description": "On call", "members": 0}
    assert group["relationships"] == {"members": {"links": {"related": "/v1/groups/ops/members"}}}


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({}, 400, ("NAME_MISSING", "/data/attributes/name")),
        ({"name": "x", "members": ["reader"]}, 400, ("MEMBER_UNKNOWN", "/data/attributes/members")),
        ({"name": "a group"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "devs"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
        ({"name": "x", "description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A group that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.chief.post(GROUPS, "groups", attributes), status) == [problem]


async def test_pages(world: World) -> None:
    """Groups are listed by name, a page at a time."""
    await world.chief.post(GROUPS, "groups", {"name": "all"})
    first = await world.chief.get(f"{GROUPS}?page[size]=1")
    second = await world.chief.get(first.json()["links"]["next"])
    assert ids_of(first) + ids_of(second) == ["all", "devs"]
    assert second.json()["links"]["next"] is None


async def test_members(world: World) -> None:
    """Users are put into a group and taken out of it; its members are listed by name."""
    member = created(await world.chief.post(MEMBERS, "group-members", {"name": "guest"}))
    assert (member["id"], member["attributes"]) == ("devs/guest", {"name": "guest"})
    assert member["relationships"] == {
        "group": {"data": {"type": "groups", "id": "devs"}, "links": {"related": "/v1/groups/devs"}},
        "user": {"data": {"type": "users", "id": "guest"}, "links": {"related": "/v1/users/guest"}},
    }
    first = await world.chief.get(f"{MEMBERS}?page[size]=2")
    second = await world.chief.get(first.json()["links"]["next"])
    assert data_of(await world.chief.get(member["links"]["self"])) == member
    names = [found["attributes"]["name"] for found in [*data_of(first), *data_of(second)]]
    assert names == ["chief", "guest", "outsider"]
    assert attributes_of(await world.chief.get("/v1/groups/devs"))["members"] == 3
    done(await world.chief.delete(member["links"]["self"]))
    assert ids_of(await world.chief.get(MEMBERS)) == ["devs/chief", "devs/outsider"]


async def test_member_is_put_in_again(world: World) -> None:
    """Who is in a group already stays in it."""
    created(await world.chief.post(MEMBERS, "group-members", {"name": "outsider"}))
    assert attributes_of(await world.chief.get("/v1/groups/devs"))["members"] == 2


async def test_not_there(world: World) -> None:
    """Groups and users that are not there are told so."""
    chief, none = world.chief, "/v1/groups/none"
    for path in (none, f"{none}/members"):
        assert codes_of(await chief.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.delete(none), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.post(f"{none}/members", "group-members", {"name": "guest"}), 404) == ["NOT_FOUND"]
    for path in (f"{MEMBERS}/guest", f"{MEMBERS}/nobody", f"{MEMBERS}/acme+ci", f"{none}/members/guest"):
        assert codes_of(await chief.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.delete(f"{MEMBERS}/guest"), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.delete(f"{MEMBERS}/nobody"), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.delete(f"{none}/members/guest"), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize(
    ("attributes", "status", "code"),
    [
        ({}, 400, "NAME_MISSING"),
        ({"name": None}, 400, "NAME_INVALID"),
        ({"name": "nobody"}, 422, "NAME_INVALID"),
        ({"name": "acme+ci"}, 422, "NAME_INVALID"),
    ],
)
async def test_member_refused(world: World, attributes: dict[str, object], status: int, code: str) -> None:
    """Only users that there are can be put into a group."""
    answer = await world.chief.post(MEMBERS, "group-members", attributes)
    assert problems_of(answer, status) == [(code, "/data/attributes/name")]


async def test_delete(world: World) -> None:
    """A group that was deleted is gone; who was in it stays."""
    done(await world.chief.delete("/v1/groups/devs"))
    assert codes_of(await world.chief.get("/v1/groups/devs"), 404) == ["NOT_FOUND"]
    assert attributes_of(await world.client("outsider").get("/v1/me"))["name"] == "outsider"


async def test_others(world: World) -> None:
    """Groups are for administrators."""
    owner = world.client("owner")
    for path in (GROUPS, "/v1/groups/devs", MEMBERS, f"{MEMBERS}/chief", "/v1/groups/none"):
        assert codes_of(await owner.get(path), 403) == ["DENIED"]
    assert codes_of(await owner.post(GROUPS, "groups", {"name": "x"}), 403) == ["DENIED"]
    assert codes_of(await owner.delete("/v1/groups/devs"), 403) == ["DENIED"]
    assert codes_of(await owner.post(MEMBERS, "group-members", {"name": "owner"}), 403) == ["DENIED"]
    assert codes_of(await owner.delete(f"{MEMBERS}/chief"), 403) == ["DENIED"]
