"""Who the caller is."""

from tests.api.rest.client import attributes_of, data_of
from tests.api.rest.world import World


async def test_user_with_token(world: World) -> None:
    """Somebody who came with an access token is told which one, and where the account is."""
    me = data_of(await world.chief.get("/v1/me"))
    assert me == {
        "type": "principals",
        "id": "user:chief",
        "attributes": {"kind": "user", "name": "chief", "systemRole": "admin", "token": "test"},
        "relationships": {"user": {"data": {"type": "users", "id": "chief"}, "links": {"related": "/v1/users/chief"}}},
        "links": {"self": "/v1/me"},
    }


async def test_user_with_password(world: World) -> None:
    """Somebody who came with a password uses no token; most have no role in the whole installation."""
    me = attributes_of(await world.with_password("reader").get("/v1/me"))
    assert me == {"kind": "user", "name": "reader", "systemRole": None, "token": None}


async def test_robot(world: World) -> None:
    """A robot goes by its full name."""
    me = attributes_of(await world.client("acme+ci").get("/v1/me"))
    assert me == {"kind": "robot", "name": "acme+ci", "systemRole": None, "token": "test"}
