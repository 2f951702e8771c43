"""Users and their passwords."""

import pytest

from tests.api.rest.client import attributes_of, codes_of, created, data_of, done, ids_of, problems_of
from tests.api.rest.world import PASSWORD, World

USERS = "/v1/users"


async def test_create(world: World) -> None:
    """A new user is told back, is found where the answer says, and can log in."""
    sent = {"name": "alice@example.com", "password": PASSWORD, "systemRole": "monitor", "description": "On call"}
    user = created(await world.chief.post(USERS, "users", sent))
    assert (user["type"], user["id"]) == ("users", "alice@example.com")
    assert user["links"] == {"self": "/v1/users/alice@example.com"}
    assert data_of(await world.with_password("alice@example.com").get(user["links"]["self"]))["id"] == user["id"]
    attributes = user["attributes"]
    assert attributes.pop("createdAt") == attributes.pop("updatedAt")
    assert attributes == {
        "name": "alice@example.com",
        "description": "On call",
        "systemRole": "monitor",
        "disabled": False,
        "hasPassword": True,
    }


async def test_create_with_little(world: World) -> None:
    """Only the name is needed; without a password nobody can log in."""
    user = created(await world.chief.post(USERS, "users", {"name": "bob", "password": None, "systemRole": None}))
    assert user["attributes"]["hasPassword"] is False
    assert user["attributes"]["systemRole"] is None
    assert codes_of(await world.with_password("bob").get("/v1/me"), 401) == ["UNAUTHORIZED"]


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({}, 400, ("NAME_MISSING", "/data/attributes/name")),
        ({"name": None}, 400, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "x", "systemRole": "king"}, 400, ("SYSTEM_ROLE_INVALID", "/data/attributes/systemRole")),
        ({"name": "x", "description": None}, 400, ("DESCRIPTION_INVALID", "/data/attributes/description")),
        ({"name": "x", "disabled": True}, 400, ("MEMBER_UNKNOWN", "/data/attributes/disabled")),
        ({"name": "Alice"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "token"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "a+b"}, 422, ("NAME_INVALID", "/data/attributes/name")),
        ({"name": "reader"}, 422, ("NAME_TAKEN", "/data/attributes/name")),
        ({"name": "x", "password": "short"}, 422, ("PASSWORD_INVALID", "/data/attributes/password")),
        ({"name": "x", "description": "x" * 1001}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_create_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A user that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.chief.post(USERS, "users", attributes), status) == [problem]


async def test_pages(world: World) -> None:
    """Users are listed by name, a page at a time, each page with the link to the next."""
    names: list[str] = []
    link = f"{USERS}?page[size]=3"
    while link:
        answer = await world.chief.get(link)
        names += ids_of(answer)
        link = answer.json()["links"]["next"]
    assert names == sorted(names)
    assert set(names) == {"chief", "owner", "maintainer", "developer", "reader", "guest", "outsider", "someone"}
    assert len(names) == len(set(names))


async def test_links_of_a_page(world: World) -> None:
    """The link of a page to itself gives the same page."""
    answer = await world.chief.get(f"{USERS}?page[after]=guest&page[size]=2")
    assert ids_of(answer) == ["maintainer", "outsider"]
    assert answer.json()["links"] == {
        "self": "/v1/users?page%5Bafter%5D=guest&page%5Bsize%5D=2",
        "next": "/v1/users?page%5Bafter%5D=outsider&page%5Bsize%5D=2",
    }
    assert (await world.chief.get(answer.json()["links"]["self"])).body == answer.body


async def test_last_page(world: World) -> None:
    """After the last item comes no page, and beyond it nothing is."""
    assert (await world.chief.get(USERS)).json()["links"]["next"] is None
    answer = await world.chief.get(f"{USERS}?page[after]=zzz")
    assert ids_of(answer) == []
    assert answer.json()["links"]["next"] is None


async def test_update(world: World) -> None:
    """What is sent is changed, and all else stays."""
    changed = attributes_of(
        await world.chief.patch(f"{USERS}/guest", "users", {"description": "Visitor", "systemRole": "monitor"})
    )
    assert (changed["description"], changed["systemRole"], changed["disabled"]) == ("Visitor", "monitor", False)
    changed = attributes_of(await world.chief.patch(f"{USERS}/guest", "users", {"disabled": True}))
    assert (changed["description"], changed["systemRole"], changed["disabled"]) == ("Visitor", "monitor", True)
    changed = attributes_of(await world.chief.patch(f"{USERS}/guest", "users", {"systemRole": None}))
    assert (changed["description"], changed["systemRole"], changed["disabled"]) == ("Visitor", None, True)
    same = attributes_of(await world.chief.patch(f"{USERS}/guest", "users", {}))
    assert same.pop("updatedAt") >= changed.pop("updatedAt")
    assert same == changed


async def test_disabled(world: World) -> None:
    """Who is disabled cannot log in, neither with a password nor with an access token."""
    await world.chief.patch(f"{USERS}/guest", "users", {"disabled": True})
    assert codes_of(await world.client("guest").get("/v1/me"), 401) == ["UNAUTHORIZED"]
    assert codes_of(await world.with_password("guest").get("/v1/me"), 401) == ["UNAUTHORIZED"]


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({"disabled": None}, 400, ("DISABLED_INVALID", "/data/attributes/disabled")),
        ({"disabled": "no"}, 400, ("DISABLED_INVALID", "/data/attributes/disabled")),
        ({"name": "other"}, 400, ("MEMBER_UNKNOWN", "/data/attributes/name")),
        ({"password": PASSWORD}, 400, ("MEMBER_UNKNOWN", "/data/attributes/password")),
        ({"description": "a\u0007"}, 422, ("DESCRIPTION_INVALID", "/data/attributes/description")),
    ],
)
async def test_update_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """A change that cannot be is refused, with what is wrong and where."""
    assert problems_of(await world.chief.patch(f"{USERS}/guest", "users", attributes), status) == [problem]


async def test_update_of_another(world: World) -> None:
    """A document that says it is about somebody else changes nobody."""
    answer = await world.chief.send("PATCH", f"{USERS}/guest", "users", {}, id="reader")
    assert problems_of(answer, 400) == [("ID_INVALID", "/data/id")]
    assert data_of(await world.chief.send("PATCH", f"{USERS}/guest", "users", {}, id="guest"))["id"] == "guest"


async def test_last_administrator(world: World) -> None:
    """Somebody can always administrate."""
    for attributes in ({"disabled": True}, {"systemRole": None}, {"systemRole": "monitor"}):
        assert codes_of(await world.chief.patch(f"{USERS}/chief", "users", attributes), 409) == ["CONFLICT"]
    assert codes_of(await world.chief.delete(f"{USERS}/chief"), 409) == ["CONFLICT"]


async def test_delete(world: World) -> None:
    """Who is deleted is gone, and cannot log in."""
    done(await world.chief.delete(f"{USERS}/guest"))
    assert codes_of(await world.chief.get(f"{USERS}/guest"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.client("guest").get("/v1/me"), 401) == ["UNAUTHORIZED"]


async def test_oneself(world: World) -> None:
    """Everybody may look at their own account, and change nothing about it but the password."""
    reader = world.client("reader")
    assert attributes_of(await reader.get(f"{USERS}/reader"))["name"] == "reader"
    assert codes_of(await reader.patch(f"{USERS}/reader", "users", {"systemRole": "admin"}), 403) == ["DENIED"]
    assert codes_of(await reader.delete(f"{USERS}/reader"), 403) == ["DENIED"]


async def test_others(world: World) -> None:
    """Other accounts look as if they were not there."""
    reader = world.client("reader")
    for name in ("chief", "nobody"):
        answers = [
            await reader.get(f"{USERS}/{name}"),
            await reader.patch(f"{USERS}/{name}", "users", {}),
            await reader.delete(f"{USERS}/{name}"),
            await reader.put(f"{USERS}/{name}/password", "passwords", {"password": PASSWORD}),
        ]
        for answer in answers:
            assert codes_of(answer, 404) == ["NOT_FOUND"]
            assert answer.json()["errors"][0]["detail"] == f"user {name!r} is not known"
    assert codes_of(await reader.get(USERS), 403) == ["DENIED"]
    assert codes_of(await reader.post(USERS, "users", {"name": "x"}), 403) == ["DENIED"]


async def test_own_password(world: World) -> None:
    """With the current password one can choose another one, which counts from then on."""
    new = "another password that is as long"
    answer = await world.with_password("reader").put(
        f"{USERS}/reader/password", "passwords", {"currentPassword": PASSWORD, "password": new}
    )
    done(answer)
    assert codes_of(await world.with_password("reader").get("/v1/me"), 401) == ["UNAUTHORIZED"]
    assert attributes_of(await world.with_password("reader", new).get("/v1/me"))["name"] == "reader"


@pytest.mark.parametrize(
    ("attributes", "status", "problem"),
    [
        ({"currentPassword": PASSWORD}, 400, ("PASSWORD_MISSING", "/data/attributes/password")),
        ({"password": 12345678}, 400, ("PASSWORD_INVALID", "/data/attributes/password")),
        ({"password": PASSWORD}, 422, ("CURRENT_PASSWORD_INVALID", "/data/attributes/currentPassword")),
        (
            {"password": PASSWORD, "currentPassword": "wrong"},
            422,
            ("CURRENT_PASSWORD_INVALID", "/data/attributes/currentPassword"),
        ),
        (
            {"password": "short", "currentPassword": PASSWORD},
            422,
            ("PASSWORD_INVALID", "/data/attributes/password"),
        ),
    ],
)
async def test_own_password_refused(
    world: World, attributes: dict[str, object], status: int, problem: tuple[str, str]
) -> None:
    """Whoever finds somebody logged in cannot lock them out, and a bad password is not taken."""
    answer = await world.with_password("reader").put(f"{USERS}/reader/password", "passwords", attributes)
    assert problems_of(answer, status) == [problem]


async def test_password_of_another(world: World) -> None:
    """An administrator, logged in by password, gives anybody a new one."""
    chief, new = world.with_password("chief"), "another password that is as long"
    done(await chief.put(f"{USERS}/reader/password", "passwords", {"password": new}))
    assert attributes_of(await world.with_password("reader", new).get("/v1/me"))["name"] == "reader"
    answer = await chief.put(f"{USERS}/nobody/password", "passwords", {"password": new})
    assert codes_of(answer, 404) == ["NOT_FOUND"]


async def test_password_with_access_token(world: World) -> None:
    """An access token is not enough to change a password."""
    for client, name in ((world.chief, "reader"), (world.client("reader"), "reader")):
        sent = {"password": PASSWORD, "currentPassword": PASSWORD}
        answer = await client.put(f"{USERS}/{name}/password", "passwords", sent)
        assert codes_of(answer, 403) == ["DENIED"]
