"""What holds for every row of the table."""

import pytest

from registry.api.rest.routes import ROUTES
from tests.api.rest.client import JSON_API, Client, attributes_of, codes_of, data_of, ids_of, problems_of
from tests.api.rest.requests import BODIES, log_in, rows, stage
from tests.api.rest.world import PASSWORD, World

USERS = "/v1/users"


async def test_without_login(world: World) -> None:
    """Nobody gets anywhere without saying who they are."""
    requests = await stage(world)
    for row, route in rows().items():
        answer = await requests.ask(world.anonymous, route)
        assert codes_of(answer, 401) == ["UNAUTHORIZED"], row
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm="), row


async def test_wrong_login(world: World) -> None:
    """A wrong password, and a token of nobody, are refused as no login is."""
    for client in (world.with_password("chief", "wrong"), Client(world.registry, "nobody", PASSWORD)):
        assert codes_of(await client.get("/v1/me"), 401) == ["UNAUTHORIZED"]
    answer = await world.anonymous.ask("GET", "/v1/me", headers={"Authorization": "Bearer berth_pat_x"})
    assert codes_of(answer, 401) == ["UNAUTHORIZED"]


async def test_guessing(world: World) -> None:
    """Whoever guesses passwords has to wait, and is told for how long."""
    for number in range(5):
        assert codes_of(await world.with_password("chief", f"guess {number}").get("/v1/me"), 401) == ["UNAUTHORIZED"]
    answer = await world.with_password("chief", "guess 5").get("/v1/me")
    assert codes_of(answer, 429) == ["TOO_MANY_REQUESTS"]
    assert int(answer.headers["Retry-After"]) >= 1
    assert attributes_of(await world.chief.get("/v1/me"))["name"] == "chief"


async def test_token_for_the_registry(world: World) -> None:
    """What a client holds for pulls and pushes manages nothing, nor does a refresh token."""
    granted = await world.registry.ask("GET", "/token?service=berth", headers=world.chief.login())
    for secret in (granted.json()["token"], await log_in(world.chief)):
        answer = await world.anonymous.ask("GET", "/v1/me", headers={"Authorization": f"Bearer {secret}"})
        assert codes_of(answer, 401) == ["UNAUTHORIZED"]


async def test_token_that_is_not_for_management(world: World) -> None:
    """An access token without `manage` can do nothing here but say whose it is."""
    sent = {"name": "pull", "actions": ["pull", "push", "delete"]}
    answer = await world.with_password("chief").post("/v1/users/chief/tokens", "tokens", sent)
    client = Client(world.registry, "chief", attributes_of(answer, 201)["secret"])
    assert attributes_of(await client.get("/v1/me"))["token"] == "pull"
    for path in (USERS, "/v1/groups", "/v1/audit"):
        assert codes_of(await client.get(path), 403) == ["DENIED"]
    for path in ("/v1/projects/acme", "/v1/projects/acme/registries/main", "/v1/users/reader"):
        assert codes_of(await client.get(path), 404) == ["NOT_FOUND"]
    assert ids_of(await client.get("/v1/projects")) == []


async def test_head(world: World) -> None:
    """HEAD is answered as GET is, without the body."""
    requests = await stage(world)
    for row, route in rows().items():
        if route.method == "GET":
            head = await world.chief.ask("HEAD", requests.path(route))
            assert (head.status, head.body) == (200, b""), row
            get = await requests.ask(world.chief, route)
            assert head.headers["Content-Type"] == get.headers["Content-Type"], row


async def test_other_methods(world: World) -> None:
    """What cannot be done at a path is refused, with what can."""
    requests = await stage(world)
    for template in {route.template for route in ROUTES}:
        known = {route.method: route for route in ROUTES if route.template == template}
        path = requests.path(next(iter(known.values())))
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(known):
            answer = await world.chief.ask(method, path)
            assert codes_of(answer, 405) == ["METHOD_NOT_ALLOWED"], (method, template)
            assert set(answer.headers["Allow"].split(", ")) - {"HEAD"} == set(known), template


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/users/chief/nothing", "/v1/users/", "/v1/audit/export/x"])
async def test_no_such_path(world: World, path: str) -> None:
    """What is not there is told in the form of JSON:API as well."""
    assert codes_of(await world.chief.get(path), 404) == ["NOT_FOUND"]


@pytest.mark.parametrize("name", ["a%2Fb", "%00"])
async def test_encoded_slash(world: World, name: str) -> None:
    """No name can be made to lead out of its place in a path."""
    assert codes_of(await world.chief.get(f"{USERS}/{name}"), 400) == ["REQUEST_INVALID"]


@pytest.mark.parametrize("name", ["..", "%2e%2e", "%FF", "a%0Ab", "%F0%9F%90%B3", "x" * 5000, "'%20OR%201=1--", "*"])
async def test_strange_names(world: World, name: str) -> None:
    """Whatever stands in place of a name, there is nobody of that name."""
    assert codes_of(await world.chief.get(f"{USERS}/{name}"), 404) == ["NOT_FOUND"]


BODY_ROWS = [f"{method} {template}" for method, template in BODIES]


@pytest.mark.parametrize("row", BODY_ROWS)
async def test_bodies(world: World, row: str) -> None:
    """Every row that takes a document says what is wrong with one, and takes nothing else."""
    requests, route, chief = await stage(world), rows()[row], world.chief
    path, method = requests.path(route), route.method

    async def ask(body: bytes, status: int, content_type: str = JSON_API) -> list[tuple[str, str | None]]:
        return problems_of(await chief.ask(method, path, headers={"Content-Type": content_type}, body=body), status)

    assert await ask(b"{}", 415, "text/plain") == [("MEDIA_TYPE_UNSUPPORTED", None)]
    assert await ask(b"{}", 415, "application/vnd.api+json; charset=utf-8") == [("MEDIA_TYPE_UNSUPPORTED", None)]
    assert await ask(b" " * 65537, 413) == [("DOCUMENT_TOO_LARGE", None)]
    assert await ask(b"no JSON", 400) == [("DOCUMENT_INVALID", "")]
    assert await ask(b"", 400) == [("DOCUMENT_INVALID", "")]
    assert await ask(b"{}", 400) == [("DOCUMENT_INVALID", "/data")]
    problems = await ask(b'{"data": {"type": "x", "attributes": {"nonsense": 1}}, "more": 1}', 400)
    assert problems[:2] == [("MEMBER_UNKNOWN", "/more"), ("TYPE_INVALID", "/data/type")]
    assert problems[-1] == ("MEMBER_UNKNOWN", "/data/attributes/nonsense")


def test_rows_with_bodies() -> None:
    """Every row that changes something by a document is among those whose bodies are tried."""
    assert {row for row in rows() if row.split()[0] in {"POST", "PATCH", "PUT"}} == set(BODY_ROWS)


async def test_body_without_a_length(world: World) -> None:
    """A body that comes in pieces is read as one, and is cut off when it is too large."""
    headers = {"Content-Type": "application/json"}
    pieces = (b'{"data": {"type": "users",', b' "attributes": {"name": "pieces"}}}')
    assert (await world.chief.ask("POST", USERS, headers=headers, body=pieces)).status == 201
    answer = await world.chief.ask("POST", USERS, headers=headers, body=(b" " * 40_000, b" " * 40_000))
    assert codes_of(answer, 413) == ["DOCUMENT_TOO_LARGE"]


async def test_largest_body(world: World) -> None:
    """A document may have 64 KiB."""
    body = b'{"data": {"type": "users", "attributes": {"name": "large"}}}'.ljust(65536)
    answer = await world.chief.ask("POST", USERS, headers={"Content-Type": "application/json"}, body=body)
    assert answer.status == 201


async def test_without_content_type(world: World) -> None:
    """A document has to say what it is: a web page elsewhere could make a browser send one that does not."""
    body = b'{"data": {"type": "users", "attributes": {"name": "x"}}}'
    assert codes_of(await world.chief.ask("POST", USERS, body=body), 415) == ["MEDIA_TYPE_UNSUPPORTED"]


async def test_plain_json(world: World) -> None:
    """A client that asks for JSON gets the same document under that name."""
    answer = await world.chief.ask("GET", "/v1/me", headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == (await world.chief.get("/v1/me")).json()


async def test_unknown_parameters(world: World) -> None:
    """Parameters that nobody asked for change nothing."""
    assert data_of(await world.chief.get("/v1/me?x=1&page[size]=0")) == data_of(await world.chief.get("/v1/me"))


LISTS = [row for row, route in rows().items() if route.handler.__name__.startswith("list_")]


@pytest.mark.parametrize("row", LISTS)
async def test_bad_pages(world: World, row: str) -> None:
    """Every list refuses a page that cannot be, and says which parameter is wrong."""
    path = (await stage(world)).path(rows()[row])
    for query, parameter in (
        ("page[size]=0", "page[size]"),
        ("page[size]=x", "page[size]"),
        ("page[after]=%00", "page[after]"),
    ):
        assert problems_of(await world.chief.get(f"{path}?{query}"), 400) == [("PARAMETER_INVALID", parameter)]


def test_lists() -> None:
    """All lists are known."""
    assert len(LISTS) == 16


async def test_locations(world: World) -> None:
    """What was created is found at its Location, also by clients that want whole URLs."""
    answer = await world.chief.post(USERS, "users", {"name": "new"})
    assert answer.headers["Location"] == "/v1/users/new"
    assert attributes_of(await world.chief.get(answer.headers["Location"]))["name"] == "new"


async def test_nothing_is_kept(world: World) -> None:
    """No cache keeps an answer, which may have a secret in it; the client of all these tests looks at each."""
    for path in ("/v1/me", "/v1/nothing", "/v1/audit/export"):
        assert (await world.chief.get(path)).headers["Cache-Control"] == "no-store"
