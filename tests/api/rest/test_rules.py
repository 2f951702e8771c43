"""Rules of a registry, and its immutable tags."""

import pytest

from tests.api.rest.client import Client, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World, push

MAIN = "/v1/projects/acme/registries/main"
RULES = f"{MAIN}/rules"
TAGS = f"{MAIN}/immutable-tags"

RULE = {"pattern": "acme/app", "subject": "user:guest", "actions": ["push", "pull"]}
TAG = {"repositories": "acme/**", "tags": "v*"}


async def test_rule(world: World) -> None:
    """A new rule is told back, and counts at once."""
    guest = world.client("guest")
    rule = created(await world.client("maintainer").post(RULES, "rules", RULE))
    assert rule["type"] == "rules"
    assert rule["links"] == {"self": f"{RULES}/{rule['id']}"}
    assert data_of(await world.client("reader").get(rule["links"]["self"])) == rule
    rule["attributes"].pop("createdAt")
    assert rule["attributes"] == {"pattern": "acme/app", "subject": "user:guest", "actions": ["pull", "push"]}
    assert rule["relationships"] == {
        "registry": {"data": {"type": "registries", "id": "acme/main"}, "links": {"related": MAIN}}
    }
    await push(guest, "acme/app")


@pytest.mark.parametrize("subject", ["user:reader", "robot:acme+ci", "group:devs", "everyone"])
async def test_subjects(world: World, subject: str) -> None:
    """A rule is about a user, a robot, a group or everyone; without actions it takes all of them away."""
    sent = {"pattern": "acme/**", "subject": subject, "actions": []}
    attributes = created(await world.client("owner").post(RULES, "rules", sent))["attributes"]
    assert (attributes["subject"], attributes["actions"]) == (subject, [])


@pytest.mark.parametrize(
    ("attributes", "status", "problems"),
    [
        (
            {},
            400,
            [
                ("PATTERN_MISSING", "/data/attributes/pattern"),
                ("SUBJECT_MISSING", "/data/attributes/subject"),
                ("ACTIONS_MISSING", "/data/attributes/actions"),
            ],
        ),
        ({**RULE, "subject": "guest"}, 400, [("SUBJECT_INVALID", "/data/attributes/subject")]),
        ({**RULE, "subject": None}, 400, [("SUBJECT_INVALID", "/data/attributes/subject")]),
        ({**RULE, "actions": ["fly"]}, 400, [("ACTIONS_INVALID", "/data/attributes/actions")]),
        ({**RULE, "id": 1}, 400, [("MEMBER_UNKNOWN", "/data/attributes/id")]),
        ({**RULE, "subject": "user:nobody"}, 422, [("SUBJECT_INVALID", "/data/attributes/subject")]),
        ({**RULE, "subject": "robot:default+ci"}, 422, [("SUBJECT_INVALID", "/data/attributes/subject")]),
        ({**RULE, "actions": ["manage"]}, 422, [("ACTIONS_INVALID", "/data/attributes/actions")]),
        ({**RULE, "pattern": "other/app"}, 422, [("PATTERN_INVALID", "/data/attributes/pattern")]),
        ({**RULE, "pattern": "acme/***"}, 422, [("PATTERN_INVALID", "/data/attributes/pattern")]),
        ({**RULE, "pattern": ""}, 422, [("PATTERN_INVALID", "/data/attributes/pattern")]),
    ],
)
async def test_rule_refused(
    world: World, attributes: dict[str, object], status: int, problems: list[tuple[str, str]]
) -> None:
    """A rule that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").post(RULES, "rules", attributes), status) == problems


async def test_immutable_tag(world: World) -> None:
    """What makes tags immutable is told back."""
    made = created(await world.client("maintainer").post(TAGS, "immutable-tags", TAG))
    assert made["type"] == "immutable-tags"
    assert made["links"] == {"self": f"{TAGS}/{made['id']}"}
    assert data_of(await world.client("reader").get(made["links"]["self"])) == made
    made["attributes"].pop("createdAt")
    assert made["attributes"] == TAG
    assert codes_of(await world.client("maintainer").post(TAGS, "immutable-tags", TAG), 409) == ["CONFLICT"]


@pytest.mark.parametrize(
    ("attributes", "status", "problems"),
    [
        (
            {},
            400,
            [
                ("REPOSITORIES_MISSING", "/data/attributes/repositories"),
                ("TAGS_MISSING", "/data/attributes/tags"),
            ],
        ),
        ({**TAG, "tags": ["v1"]}, 400, [("TAGS_INVALID", "/data/attributes/tags")]),
        ({**TAG, "until": "x"}, 400, [("MEMBER_UNKNOWN", "/data/attributes/until")]),
        ({**TAG, "tags": "v 1"}, 422, [("TAGS_INVALID", "/data/attributes/tags")]),
        ({**TAG, "repositories": "***"}, 422, [("REPOSITORIES_INVALID", "/data/attributes/repositories")]),
    ],
)
async def test_immutable_tag_refused(
    world: World, attributes: dict[str, object], status: int, problems: list[tuple[str, str]]
) -> None:
    """What cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.client("owner").post(TAGS, "immutable-tags", attributes), status) == problems


async def _create(client: Client, path: str) -> str:
    """Create what is below the path, and return its id."""
    number = len(ids_of(await client.get(path)))
    if path == RULES:
        made = created(await client.post(path, "rules", RULE))
    else:
        made = created(await client.post(path, "immutable-tags", {**TAG, "tags": f"v{number}"}))
    return str(made["id"])


BOTH = pytest.mark.parametrize("path", [RULES, TAGS], ids=["rules", "immutable-tags"])


@BOTH
async def test_pages(world: World, path: str) -> None:
    """All are listed from the oldest on, a page at a time, to all but guests of the project."""
    ids = [await _create(world.client("owner"), path) for _ in range(3)]
    first = await world.client("reader").get(f"{path}?page[size]=2")
    second = await world.client("reader").get(first.json()["links"]["next"])
    assert ids_of(first) + ids_of(second) == ids
    assert data_of(first)[0]["links"]["self"] == f"{path}/{ids[0]}"
    assert second.json()["links"]["next"] is None
    assert codes_of(await world.client("reader").get(f"{path}?page[after]=x"), 400) == ["REQUEST_INVALID"]


@BOTH
async def test_delete(world: World, path: str) -> None:
    """What was deleted is gone."""
    number = await _create(world.client("owner"), path)
    done(await world.client("maintainer").delete(f"{path}/{number}"))
    assert ids_of(await world.client("maintainer").get(path)) == []
    assert codes_of(await world.client("maintainer").get(f"{path}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("maintainer").delete(f"{path}/{number}"), 404) == ["NOT_FOUND"]


@BOTH
async def test_through_another_registry(world: World, path: str) -> None:
    """A number is good only below the registry that it is in."""
    number = await _create(world.client("owner"), path)
    await world.client("owner").post("/v1/projects/acme/registries", "registries", {"name": "other"})
    for other in (path.replace("main", "other"), path.replace("acme", "default").replace("main", "root")):
        assert codes_of(await world.chief.get(f"{other}/{number}"), 404) == ["NOT_FOUND"]
        assert codes_of(await world.chief.delete(f"{other}/{number}"), 404) == ["NOT_FOUND"]
    assert ids_of(await world.chief.get(path)) == [number]


@BOTH
@pytest.mark.parametrize("number", ["0", "-1", "x", "9" * 30])
async def test_no_number(world: World, path: str, number: str) -> None:
    """Whatever stands in place of a number, there is no such thing."""
    assert codes_of(await world.chief.get(f"{path}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{path}/{number}"), 404) == ["NOT_FOUND"]


@BOTH
@pytest.mark.parametrize(
    ("name", "status", "where"),
    [
        ("chief", 404, ("acme", "none")),
        ("chief", 404, ("none", "main")),
        ("outsider", 404, ("acme", "main")),
        ("guest", 403, ("acme", "main")),
    ],
)
async def test_not_for_all(world: World, path: str, name: str, status: int, where: tuple[str, str]) -> None:
    """What is not there, and what is not for the caller to know, look alike; guests are told that they may not."""
    client, (project, registry) = world.client(name), where
    path = path.replace("acme", project).replace("main", registry)
    kind, sent = ("rules", RULE) if path.endswith("rules") else ("immutable-tags", TAG)
    code = ["NOT_FOUND"] if status == 404 else ["DENIED"]
    assert codes_of(await client.get(path), status) == code
    assert codes_of(await client.get(f"{path}/1"), status) == code
    assert codes_of(await client.post(path, kind, sent), status) == code
    assert codes_of(await client.delete(f"{path}/1"), status) == code


@BOTH
@pytest.mark.parametrize("name", ["developer", "reader", "acme+ci"])
async def test_only_maintainers(world: World, path: str, name: str) -> None:
    """Members below maintainers see how it is, and change nothing."""
    number = await _create(world.client("owner"), path)
    client = world.client(name)
    kind, sent = ("rules", RULE) if path == RULES else ("immutable-tags", TAG)
    assert ids_of(await client.get(path)) == [number]
    assert codes_of(await client.post(path, kind, sent), 403) == ["DENIED"]
    assert codes_of(await client.delete(f"{path}/{number}"), 403) == ["DENIED"]


async def test_too_many_immutable_tags(world: World) -> None:
    """What has to be looked at for every push does not pile up without end."""
    for number in range(100):
        created(await world.chief.post(TAGS, "immutable-tags", {**TAG, "tags": f"v{number}"}))
    assert codes_of(await world.chief.post(TAGS, "immutable-tags", TAG), 409) == ["CONFLICT"]
