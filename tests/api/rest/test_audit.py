"""The audit log."""

from typing import Any

import orjson
import pytest

from tests.api.rest.client import Client, codes_of, data_of, ids_of, problems_of
from tests.api.rest.world import World

AUDIT = "/v1/audit"
EXPORT = "/v1/audit/export"


async def _make_entries(world: World) -> None:
    await world.client("owner").patch("/v1/projects/acme", "projects", {"description": "new"})
    await world.chief.post("/v1/groups", "groups", {"name": "ops"})


async def _exported(client: Client, query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(EXPORT + query)
    assert answer.status == 200, answer.body
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert not answer.body or answer.body.endswith(b"\n")
    return [orjson.loads(line) for line in answer.body.splitlines()]


async def test_entry(world: World) -> None:
    """An entry says who did what to what, in which project, from where, with which client, and in which request."""
    answer = await world.client("owner").ask(
        "PATCH",
        "/v1/projects/acme",
        headers={"Content-Type": "application/json", "User-Agent": "test/1"},
        body=b'{"data": {"type": "projects", "attributes": {"description": "new"}}}',
    )
    (entry,) = data_of(await world.chief.get(f"{AUDIT}?filter[action]=project.update"))
    assert entry["type"] == "audit-entries"
    assert entry["attributes"].pop("at").endswith("Z")
    assert entry["attributes"] == {
        "kind": "user",
        "principal": "owner",
        "token": "test",
        "action": "project.update",
        "project": "acme",
        "target": "project:acme",
        "outcome": "allowed",
        "detail": "description",
        "address": "127.0.0.1",
        "client": "test/1",
        "requestId": answer.headers["X-Request-Id"],
    }


async def test_pages(world: World) -> None:
    """Entries are listed from the newest on; the filter goes from page to page."""
    await _make_entries(world)
    found = []
    link = f"{AUDIT}?filter[action]=user.create&page[size]=3"
    while link:
        answer = await world.chief.get(link)
        found += data_of(answer)
        link = answer.json()["links"]["next"]
    assert len(found) == 8
    assert {entry["attributes"]["action"] for entry in found} == {"user.create"}
    times = [entry["attributes"]["at"] for entry in found]
    assert times == sorted(times, reverse=True)
    (newest,) = data_of(await world.chief.get(f"{AUDIT}?page[size]=1"))
    assert newest["attributes"]["action"] == "group.create"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("filter[principal]=owner", 1),
        ("filter[principal]=nobody", 0),
        ("filter[action]=project.update&filter[principal]=owner", 1),
        ("filter[action]=project.update&filter[principal]=chief", 0),
        ("filter[target]=group:ops", 1),
        ("filter[project]=acme&filter[action]=project.update", 1),
        ("filter[project]=default", 0),
        ("filter[outcome]=refused&filter[action]=project.update", 0),
        ("filter[since]=2999-01-01T00:00:00Z", 0),
        ("filter[until]=1999-01-01T00:00:00Z", 0),
        ("filter[since]=1999-01-01T00:00:00+01:00&filter[principal]=owner", 1),
        ("filter[until]=2999-01-01T00:00:00Z&filter[principal]=owner", 1),
    ],
)
async def test_filters(world: World, query: str, count: int) -> None:
    """A filter leaves what equals every value, from a time on and before another; page and export take the same."""
    await _make_entries(world)
    assert len(ids_of(await world.chief.get(f"{AUDIT}?{query}"))) == count
    assert len(await _exported(world.chief, f"?{query}")) == count


@pytest.mark.parametrize("path", [AUDIT, EXPORT])
async def test_refused_filters(world: World, path: str) -> None:
    """A filter that is not understood is refused, and named."""
    query = "filter[principle]=owner&filter[since]=yesterday"
    assert problems_of(await world.chief.get(f"{path}?{query}"), 400) == [
        ("PARAMETER_INVALID", "filter[principle]"),
        ("PARAMETER_INVALID", "filter[since]"),
    ]


async def test_strange_filters(world: World) -> None:
    """A filter that nothing equals finds nothing, whatever is in it."""
    for value in ("%00", "%FF", "'", "x" * 512):
        assert ids_of(await world.chief.get(f"{AUDIT}?filter[principal]={value}")) == []
    assert codes_of(await world.chief.get(f"{AUDIT}?page[after]=x"), 400) == ["REQUEST_INVALID"]


async def test_export(world: World) -> None:
    """All entries are exported, the oldest first, a JSON object a line, with what a page has of them."""
    await _make_entries(world)
    lines = await _exported(world.chief)
    page = data_of(await world.chief.get(f"{AUDIT}?page[size]=100"))
    assert lines == [{"id": int(entry["id"]), **entry["attributes"]} for entry in reversed(page)]


async def test_export_of_many(world: World) -> None:
    """An export has every entry also when it does not fit into one piece."""
    owner = world.client("owner")
    for _ in range(250):
        await owner.patch("/v1/projects/acme", "projects", {"description": "new"})
    lines = await _exported(world.chief, "?filter[principal]=owner")
    assert len(lines) == len({line["id"] for line in lines}) == 250


async def test_export_of_nothing(world: World) -> None:
    """Where there is nothing, an export is empty."""
    assert await _exported(world.chief, "?filter[principal]=nobody") == []


async def test_head_of_export(world: World) -> None:
    """HEAD asks only whether one may."""
    head = await world.chief.ask("HEAD", EXPORT)
    assert (head.status, head.headers["Content-Type"]) == (200, "application/x-ndjson")
    assert codes_of(await world.client("reader").get(EXPORT), 403) == ["DENIED"]


@pytest.mark.parametrize("path", [AUDIT, EXPORT])
async def test_project(world: World, path: str) -> None:
    """Who maintains a project reads what was done in it, and nothing else."""
    await _make_entries(world)
    query = f"{path}?filter[project]=acme"
    for name in ("maintainer", "owner"):
        client = world.client(name)
        assert (await client.get(query)).status == 200
        assert codes_of(await client.get(path), 403) == ["DENIED"]
        assert codes_of(await client.get(f"{path}?filter[project]=default"), 404) == ["NOT_FOUND"]
        assert codes_of(await client.get(f"{path}?filter[project]=none"), 404) == ["NOT_FOUND"]
    for name in ("developer", "reader", "guest", "acme+ci"):
        assert codes_of(await world.client(name).get(query), 403) == ["DENIED"]
    assert codes_of(await world.client("outsider").get(query), 404) == ["NOT_FOUND"]


async def test_entries_of_a_project(world: World) -> None:
    """What is shown of a project belongs to it."""
    await _make_entries(world)
    entries = await _exported(world.client("maintainer"), "?filter[project]=acme")
    assert {entry["project"] for entry in entries} == {"acme"}
    assert entries[-1]["action"] == "project.update"
