"""Sessions: logins that clients keep with a refresh token."""

from tests.api.rest.client import codes_of, data_of, done, ids_of
from tests.api.rest.requests import log_in
from tests.api.rest.world import World

SESSIONS = "/v1/users/reader/sessions"


async def test_list(world: World) -> None:
    """A login is listed with the client and the address that it came from, and nothing that opens it."""
    secret = await log_in(world.with_password("reader"))
    answer = await world.with_password("reader").get(SESSIONS)
    (session,) = data_of(answer)
    assert session["type"] == "sessions"
    assert session["links"] == {"self": f"{SESSIONS}/{session['id']}"}
    assert data_of(await world.with_password("reader").get(session["links"]["self"])) == session
    assert session["relationships"] == {
        "user": {"data": {"type": "users", "id": "reader"}, "links": {"related": "/v1/users/reader"}}
    }
    attributes = session["attributes"]
    assert attributes["createdAt"] <= attributes["usedAt"] < attributes["expiresAt"]
    assert (attributes["client"], attributes["address"]) == ("docker/27", "127.0.0.1")
    assert secret not in answer.body.decode()


async def test_pages(world: World) -> None:
    """Sessions are listed a page at a time."""
    for _ in range(3):
        await log_in(world.client("reader"))
    first = await world.chief.get(f"{SESSIONS}?page[size]=2")
    second = await world.chief.get(first.json()["links"]["next"])
    assert len({*ids_of(first), *ids_of(second)}) == 3
    assert second.json()["links"]["next"] is None


async def test_revoke(world: World) -> None:
    """A session that was ended is gone, and gives its client no token any more."""
    secret = await log_in(world.client("reader"))
    (session,) = ids_of(await world.chief.get(SESSIONS))
    form = f"grant_type=refresh_token&service=berth&client_id=docker&refresh_token={secret}".encode()
    assert (await world.registry.ask("POST", "/token", body=form)).status == 200
    done(await world.chief.delete(f"{SESSIONS}/{session}"))
    assert ids_of(await world.chief.get(SESSIONS)) == []
    assert (await world.registry.ask("POST", "/token", body=form)).status == 401
    assert codes_of(await world.chief.get(f"{SESSIONS}/{session}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{SESSIONS}/{session}"), 404) == ["NOT_FOUND"]


async def test_session_of_another(world: World) -> None:
    """A session is found only below the user whose it is."""
    await log_in(world.client("guest"))
    (session,) = ids_of(await world.chief.get("/v1/users/guest/sessions"))
    assert codes_of(await world.chief.get(f"{SESSIONS}/{session}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.delete(f"{SESSIONS}/{session}"), 404) == ["NOT_FOUND"]
    assert ids_of(await world.chief.get("/v1/users/guest/sessions")) == [session]


async def test_others(world: World) -> None:
    """Sessions of others look as if they were not there; an access token does not end those of its owner."""
    await log_in(world.client("reader"))
    (session,) = ids_of(await world.chief.get(SESSIONS))
    guest, reader = world.client("guest"), world.client("reader")
    for path in (SESSIONS, "/v1/users/nobody/sessions"):
        assert codes_of(await guest.get(path), 404) == ["NOT_FOUND"]
        assert codes_of(await guest.get(f"{path}/{session}"), 404) == ["NOT_FOUND"]
        assert codes_of(await guest.delete(f"{path}/{session}"), 404) == ["NOT_FOUND"]
    assert codes_of(await world.chief.get("/v1/users/nobody/sessions"), 404) == ["NOT_FOUND"]
    assert codes_of(await reader.get(SESSIONS), 403) == ["DENIED"]
    assert codes_of(await reader.get(f"{SESSIONS}/{session}"), 403) == ["DENIED"]
    assert codes_of(await reader.delete(f"{SESSIONS}/{session}"), 403) == ["DENIED"]
