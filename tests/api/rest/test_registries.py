"""Registries of a project."""

import pytest

from tests.api.rest.client import attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World, push

REGISTRIES = "/v1/projects/acme/registries"
MAIN = "/v1/projects/acme/registries/main"


async def test_create(world: World) -> None:
    """A new registry is private and below its project, unless something else is said."""
    registry = created(await world.client("maintainer").post(REGISTRIES, "registries", {"name": "edge"}))
    assert (registry["type"], registry["id"]) == ("registries", "acme/edge")
    assert registry["links"] == {"self": "/v1/projects/acme/registries/edge"}
    assert data_of(await world.client("reader").get(registry["links"]["self"])) == registry
    registry["attributes"].pop("createdAt")
    assert registry["attributes"] == {
        "name": "edge",
        "prefix": "acme/edge",
        "kind": "local",
        "visibility": "private",
        "description": "",
        "untaggedAfter": None,
        "orphanedAfter": None,
        "redirect": None,
    }
    assert registry["relationships"] == {
        "project": {"data": {"type": "projects", "id": "acme"}, "links": {"related": "/v1/projects/acme"}},
        "rules": {"links": {"related": "/v1/projects/acme/registries/edge/rules"}},
        "immutableTags": {"links": {"related": "/v1/projects/acme/registries/edge/immutable-tags"}},
    }


async def test_create_with_everything(world: World) -> None:
    """Prefix, visibility and description can be chosen."""
    sent = {"name": "open", "prefix": "acme/oss/libs", "visibility": "public", "description": "For all"}
    attributes = created(await world.client("owner").post(REGISTRIES, "registries", sent))["attributes"]
    assert {name: attributes[name] for name in sent} == sent


async def test_prefix_elsewhere(world: World) -> None:
    """A prefix outside of the project is for administrators to give."""
    sent = {"name": "tools", "prefix": "tools"}
    assert codes_of(await world.client("owner").post(REGISTRIES, "registries", sent), 403) == ["DENIED"]
    assert created(await world.chief.post(REGISTRIES, "registries", sent))["attributes"]["prefix"] == "tools"


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({}, 400, ("NAME_MISSING", "/data/attributes/name")),
        ({"name": "x", "prefix": 1}, 400, ("PREFIX_INVALID", "/data/attributes/prefix")),
        ({"name": "x", "visibility": None}, 400, ("VISIBILITY_INVALID", "/data/attributes/visibility")),
        ({"name": "x", "kind": "proxy"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/kind")),
        ({"name": "two/parts"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "main"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
        ({"name": "x", "prefix": "acme"}, 422, ("PREFIX_TAKEN", "/data/attributes/prefix")),
        ({"name": "x", "prefix": "acme//x"}, 422, ("PREFIX_INVALID", "/data/attributes/prefix")),
        ({"name": "x", "visibility": "hidden"}, 422, ("VISIBILITY_INVALID", "/data/attributes/visibility")),
        ({"name": "x", "description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A registry that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").post(REGISTRIES, "registries", attributes), status) == [problem]


async def test_create_over_content(world: World) -> None:
    """A registry does not take repositories that another one has already."""
    await push(world.client("developer"), "acme/edge/app")
    assert codes_of(await world.client("owner").post(REGISTRIES, "registries", {"name": "edge"}), 409) == ["CONFLICT"]


async def test_pages(world: World) -> None:
    """Registries are listed by name, a page at a time."""
    for name in ("a", "z"):
        await world.client("owner").post(REGISTRIES, "registries", {"name": name})
    first = await world.client("reader").get(f"{REGISTRIES}?page[size]=2")
    second = await world.client("reader").get(first.json()["links"]["next"])
    assert ids_of(first) + ids_of(second) == ["acme/a", "acme/main", "acme/z"]
    assert second.json()["links"]["next"] is None


async def test_update(world: World) -> None:
    """What is sent is changed, and all else stays."""
    owner = world.client("owner")
    changed = attributes_of(await owner.patch(MAIN, "registries", {"visibility": "public"}))
    assert (changed["visibility"], changed["description"]) == ("public", "")
    changed = attributes_of(await owner.patch(MAIN, "registries", {"description": "Ours"}))
    assert (changed["visibility"], changed["description"]) == ("public", "Ours")
    assert attributes_of(await owner.patch(MAIN, "registries", {})) == changed
    assert attributes_of(await owner.send("PATCH", MAIN, "registries", {}, id="acme/main")) == changed


async def test_settings(world: World) -> None:
    """A registry can have settings of its own, times in seconds; null lets it be as configured again."""
    maintainer = world.client("maintainer")
    own = {"untaggedAfter": 3600, "orphanedAfter": 0, "redirect": "large"}
    changed = attributes_of(await maintainer.patch(MAIN, "registries", own))
    assert {name: changed[name] for name in own} == own
    changed = attributes_of(await maintainer.patch(MAIN, "registries", {"untaggedAfter": None, "description": "Ours"}))
    assert {name: changed[name] for name in own} == {**own, "untaggedAfter": None}
    assert attributes_of(await world.client("reader").get(MAIN)) == changed


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({"prefix": "acme/other"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/prefix")),
        ({"untaggedAfter": "30d"}, 400, ("UNTAGGED_AFTER_INVALID", "/data/attributes/untaggedAfter")),
        ({"untaggedAfter": True}, 400, ("UNTAGGED_AFTER_INVALID", "/data/attributes/untaggedAfter")),
        ({"orphanedAfter": 1.5}, 400, ("ORPHANED_AFTER_INVALID", "/data/attributes/orphanedAfter")),
        ({"orphanedAfter": -1}, 422, ("ORPHANED_AFTER_INVALID", "/data/attributes/orphanedAfter")),
        ({"untaggedAfter": 2**62}, 422, ("UNTAGGED_AFTER_INVALID", "/data/attributes/untaggedAfter")),
        ({"redirect": "often"}, 422, ("REDIRECT_INVALID", "/data/attributes/redirect")),
        ({"visibility": None}, 400, ("VISIBILITY_INVALID", "/data/attributes/visibility")),
        ({"visibility": ""}, 422, ("VISIBILITY_INVALID", "/data/attributes/visibility")),
        ({"description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_update_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A change that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").patch(MAIN, "registries", attributes), status) == [problem]


async def test_delete(world: World) -> None:
    """A registry that was deleted is gone."""
    done(await world.client("maintainer").delete(MAIN))
    assert codes_of(await world.client("maintainer").get(MAIN), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("maintainer").delete(MAIN), 404) == ["NOT_FOUND"]


async def test_delete_with_content(world: World) -> None:
    """A registry in which there is something is not deleted by mistake."""
    await push(world.client("developer"), "acme/app")
    assert codes_of(await world.client("owner").delete(MAIN), 409) == ["CONFLICT"]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("chief", "/v1/projects/none/registries/main"),
        ("chief", "/v1/projects/acme/registries/none"),
        ("chief", "/v1/projects/default/registries/main"),
        ("outsider", MAIN),
    ],
)
async def test_not_there(world: World, name: str, path: str) -> None:
    """What is not there, what is in another project, and what is not for the caller to know, look alike."""
    client = world.client(name)
    assert codes_of(await client.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await client.patch(path, "registries", {"description": "x"}), 404) == ["NOT_FOUND"]
    assert codes_of(await client.delete(path), 404) == ["NOT_FOUND"]


async def test_list_not_there(world: World) -> None:
    """A project that is not there, or not for the caller to know, has no list."""
    sent = {"name": "x"}
    for client, path in ((world.chief, "/v1/projects/none/registries"), (world.client("outsider"), REGISTRIES)):
        assert codes_of(await client.get(path), 404) == ["NOT_FOUND"]
        assert codes_of(await client.post(path, "registries", sent), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize("name", ["developer", "reader", "guest", "acme+ci"])
async def test_only_maintainers(world: World, name: str) -> None:
    """Members below maintainers create, change and delete no registry."""
    client = world.client(name)
    assert codes_of(await client.post(REGISTRIES, "registries", {"name": "x"}), 403) == ["DENIED"]
    assert codes_of(await client.patch(MAIN, "registries", {"visibility": "public"}), 403) == ["DENIED"]
    assert codes_of(await client.delete(MAIN), 403) == ["DENIED"]


async def test_guest(world: World) -> None:
    """Guests are shown what is public, and nothing else of a project."""
    assert ids_of(await world.client("guest").get(REGISTRIES)) == []
    assert codes_of(await world.client("guest").get(MAIN), 404) == ["NOT_FOUND"]
    await world.client("owner").patch(MAIN, "registries", {"visibility": "public"})
    assert ids_of(await world.client("guest").get(REGISTRIES)) == ["acme/main"]
    assert attributes_of(await world.client("guest").get(MAIN))["visibility"] == "public"
