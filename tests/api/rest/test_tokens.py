"""Access tokens of users and of robots."""

import pytest

from tests.api.rest.client import Client, attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import World

TOKENS = "/v1/users/reader/tokens"
ROBOT_TOKENS = "/v1/projects/acme/robots/ci/tokens"

PULL = {"name": "laptop", "actions": ["pull"]}


async def test_create(world: World) -> None:
    """A new token is told once with its secret, which logs in, and later without."""
    sent = {
        "name": "CI of the shop",
        "actions": ["push", "manage", "pull"],
        "patterns": ["**"],
        "expiresAt": "2999-12-31T23:59:59+01:00",
    }
    token = created(await world.with_password("reader").post(TOKENS, "tokens", sent))
    secret = token["attributes"].pop("secret")
    assert secret.startswith("berth_pat_")
    assert token["type"] == "tokens"
    assert token["relationships"] == {
        "owner": {"data": {"type": "users", "id": "reader"}, "links": {"related": "/v1/users/reader"}}
    }
    assert token["attributes"].pop("createdAt") < "2999"
    assert token["attributes"] == {
        "name": "CI of the shop",
        "actions": ["manage", "pull", "push"],
        "patterns": ["**"],
        "expiresAt": "2999-12-31T22:59:59.000Z",
        "lastUsedAt": None,
        "lastUsedFrom": None,
        "lastUsedClient": None,
    }
    me = attributes_of(await Client(world.registry, "reader", secret).get("/v1/me"))
    assert me["token"] == "CI of the shop"
    later = attributes_of(await world.with_password("reader").get(token["links"]["self"]))
    assert "secret" not in later
    assert later["lastUsedFrom"] == "127.0.0.1"
    assert later["lastUsedAt"] >= later["createdAt"]


async def test_bearer(world: World) -> None:
    """A token can also be sent as such, without a name."""
    sent = {"name": "api", "actions": ["manage"]}
    secret = created(await world.with_password("reader").post(TOKENS, "tokens", sent))["attributes"]["secret"]
    answer = await world.anonymous.ask("GET", "/v1/me", headers={"Authorization": f"Bearer {secret}"})
    assert attributes_of(answer)["name"] == "reader"


async def test_defaults(world: World) -> None:
    """A token is for all repositories and for ever, unless something else is said."""
    attributes = created(await world.with_password("reader").post(TOKENS, "tokens", PULL))["attributes"]
    assert (attributes["patterns"], attributes["expiresAt"]) == (["**"], None)


BAD = [
    ({"name": "x"}, 400, ("ACTIONS_MISSING", "/data/attributes/actions")),
    ({"actions": ["pull"]}, 400, ("NAME_MISSING", "/data/attributes/name")),
    ({"name": "x", "actions": "pull"}, 400, ("ACTIONS_INVALID", "/data/attributes/actions")),
    ({"name": "x", "actions": ["fly"]}, 400, ("ACTIONS_INVALID", "/data/attributes/actions")),
    ({**PULL, "patterns": [1]}, 400, ("PATTERNS_INVALID", "/data/attributes/patterns")),
    ({**PULL, "expiresAt": "tomorrow"}, 400, ("EXPIRES_AT_INVALID", "/data/attributes/expiresAt")),
    ({**PULL, "secret": "x"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/secret")),
    ({"name": "x", "actions": []}, 422, ("ACTIONS_INVALID", "/data/attributes/actions")),
    ({"name": "", "actions": ["pull"]}, 422, ("NAME_INVALID", "/data/attributes/name")),
    ({"name": "x" * 65, "actions": ["pull"]}, 422, ("NAME_INVALID", "/data/attributes/name")),
    ({**PULL, "name": "test"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
    ({**PULL, "patterns": []}, 422, ("PATTERNS_INVALID", "/data/attributes/patterns")),
    ({**PULL, "patterns": ["a b"]}, 422, ("PATTERNS_INVALID", "/data/attributes/patterns")),
    ({**PULL, "patterns": ["a"] * 17}, 422, ("PATTERNS_INVALID", "/data/attributes/patterns")),
    (
        {"name": "x", "actions": ["manage"], "patterns": ["a/*"]},
        422,
        ("PATTERNS_INVALID", "/data/attributes/patterns"),
    ),
    ({**PULL, "expiresAt": "2001-01-01T00:00:00Z"}, 422, ("EXPIRES_AT_INVALID", "/data/attributes/expiresAt")),
]


@pytest.mark.parametrize(("attributes", "status", "problem"), BAD)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A token that cannot be is refused, with what is wrong and where."""
    answer = await world.with_password("reader").post(TOKENS, "tokens", attributes)
    assert problems_of(answer, status) == [problem]


async def test_only_oneself_makes_tokens(world: World) -> None:
    """Nobody makes a token of somebody else, an administrator neither, and none is made with a token."""
    assert codes_of(await world.with_password("chief").post(TOKENS, "tokens", PULL), 403) == ["DENIED"]
    assert codes_of(await world.client("reader").post(TOKENS, "tokens", PULL), 403) == ["DENIED"]
    assert codes_of(await world.with_password("guest").post(TOKENS, "tokens", PULL), 404) == ["NOT_FOUND"]


async def test_pages(world: World) -> None:
    """Tokens are listed from the oldest on, a page at a time."""
    reader = world.with_password("reader")
    for name in ("b", "a"):
        await reader.post(TOKENS, "tokens", {"name": name, "actions": ["pull"]})
    first = await reader.get(f"{TOKENS}?page[size]=2")
    second = await reader.get(first.json()["links"]["next"])
    names = [token["attributes"]["name"] for token in [*data_of(first), *data_of(second)]]
    assert names == ["test", "b", "a"]
    assert second.json()["links"]["next"] is None
    assert codes_of(await reader.get(f"{TOKENS}?page[after]=b"), 400) == ["REQUEST_INVALID"]


async def test_revoke(world: World) -> None:
    """A token that was taken away logs nobody in."""
    (number,) = ids_of(await world.chief.get("/v1/users/reader/tokens"))
    assert attributes_of(await world.chief.get(f"{TOKENS}/{number}"))["name"] == "test"
    done(await world.chief.delete(f"{TOKENS}/{number}"))
    assert codes_of(await world.chief.get(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("reader").get("/v1/me"), 401) == ["UNAUTHORIZED"]


@pytest.mark.parametrize("number", ["0", "-1", "x", "1e3", "%D9%A3", "9" * 30, "%20"])
async def test_no_such_token(world: World, number: str) -> None:
    """Whatever stands in place of a token's number, there is no such token."""
    assert codes_of(await world.chief.get(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]


async def test_token_of_another(world: World) -> None:
    """A token is found only below the one whose it is."""
    (number,) = ids_of(await world.chief.get("/v1/users/guest/tokens"))
    assert codes_of(await world.chief.get(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{ROBOT_TOKENS}/{number}"), 404) == ["NOT_FOUND"]


async def test_others(world: World) -> None:
    """Tokens of others look as if those were not there; a token does not show the tokens beside it."""
    (number,) = ids_of(await world.chief.get(TOKENS))
    guest, reader = world.with_password("guest"), world.client("reader")
    for path in (TOKENS, f"{TOKENS}/{number}", "/v1/users/nobody/tokens"):
        assert codes_of(await guest.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await guest.delete(f"{TOKENS}/{number}"), 404) == ["NOT_FOUND"]
    assert codes_of(await reader.get(TOKENS), 403) == ["DENIED"]
    assert codes_of(await reader.get(f"{TOKENS}/{number}"), 403) == ["DENIED"]
    assert codes_of(await reader.delete(f"{TOKENS}/{number}"), 403) == ["DENIED"]


async def test_robot(world: World) -> None:
    """Who manages the robots of a project gives them tokens, and takes them away."""
    maintainer = world.client("maintainer")
    token = created(await maintainer.post(ROBOT_TOKENS, "tokens", {**PULL, "patterns": ["acme/app", "acme/lib/**"]}))
    secret = token["attributes"].pop("secret")
    assert secret.startswith("berth_robot_")
    assert token["attributes"]["patterns"] == ["acme/app", "acme/lib/**"]
    assert token["relationships"]["owner"] == {
        "data": {"type": "robots", "id": "acme+ci"},
        "links": {"related": "/v1/projects/acme/robots/ci"},
    }
    assert data_of(await maintainer.get(token["links"]["self"]))["id"] == token["id"]
    assert ids_of(await maintainer.get(ROBOT_TOKENS))[-1] == token["id"]
    done(await maintainer.delete(token["links"]["self"]))
    assert codes_of(await maintainer.get(token["links"]["self"]), 404) == ["NOT_FOUND"]
    assert codes_of(await Client(world.registry, "acme+ci", secret).get("/v1/me"), 401) == ["UNAUTHORIZED"]


async def test_robot_refused(world: World) -> None:
    """Robots that are not there have no tokens; others than maintainers of the project do not get to them."""
    chief, nobody = world.chief, "/v1/projects/acme/robots/nobody/tokens"
    for path in (nobody, f"{nobody}/1", "/v1/projects/none/robots/ci/tokens"):
        assert codes_of(await chief.get(path), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.post(nobody, "tokens", PULL), 404) == ["NOT_FOUND"]
    assert codes_of(await chief.delete(f"{nobody}/1"), 404) == ["NOT_FOUND"]
    assert problems_of(await chief.post(ROBOT_TOKENS, "tokens", {**PULL, "name": "test"}), 422) == [
        ("NAME_TAKEN", "/data/attributes/name")
    ]
    for name, status in (("developer", 403), ("outsider", 404), ("acme+ci", 403)):
        client = world.client(name)
        assert (await client.get(ROBOT_TOKENS)).status == status
        assert (await client.post(ROBOT_TOKENS, "tokens", PULL)).status == status
        assert (await client.get(f"{ROBOT_TOKENS}/1")).status == status
        assert (await client.delete(f"{ROBOT_TOKENS}/1")).status == status


async def test_too_many(world: World) -> None:
    """Tokens do not pile up without end."""
    for number in range(99):
        created(await world.chief.post(ROBOT_TOKENS, "tokens", {**PULL, "name": f"t{number}"}))
    assert codes_of(await world.chief.post(ROBOT_TOKENS, "tokens", {**PULL, "name": "x"}), 409) == ["CONFLICT"]
